//! Whether a store is what its manifest says: files of partitions and keys, and the documents that came from them.
//!
//! Reads everything but vectors and changes nothing; holds 40 bytes a document. What `ingest` wrote is in no manifest and is not looked at.
//! Use it after a machine or a disk failed, or before a store is copied.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::TryStreamExt;

use super::manifest::{Held, Manifest, number};
use super::prepare::keys::{self, DROPPED, KeyIndex};
use super::prepare::rows::RowsReader;
use crate::error::StoreError;
use crate::native::store::{self, Columns, PARTITION, Store, column_name, key_hash, record_keys};

/// Problems that are told in words.
const TOLD: usize = 100;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreCheck {
    /// The partitions of the manifest.
    pub partitions: u64,
    /// The documents that came from them.
    pub documents: u64,
    /// What `portolan apply` has still to do: partitions to write, and drops to finish.
    pub unfinished: u64,
    /// How many problems there are.
    pub problems: u64,
    /// The first hundred of them.
    pub told: Vec<String>,
}

impl StoreCheck {
    fn problem(&mut self, text: String) {
        self.problems += 1;
        if self.told.len() < TOLD {
            self.told.push(text);
        }
    }
}

/// Checks the store.
///
/// # Errors
/// A manifest that cannot be read; what Lance says. Other damage is what it reports.
pub async fn check_store(store: &Store) -> crate::Result<StoreCheck> {
    let manifest = Manifest::load(store.dir())?;
    let mut check = StoreCheck { partitions: manifest.partitions.len() as u64, ..Default::default() };
    check_files(store, &manifest, &mut check);
    for model in manifest.model_schemas.keys() {
        let live = manifest.live(model);
        check.unfinished += live.iter().filter(|(_, held)| held.applied_at.is_none()).count() as u64;
        check.unfinished += u64::from(manifest.unfinished().contains(model));
        match KeyIndex::open(store.dir(), &manifest, model) {
            Err(error) => check.problem(error.to_string()),
            Ok(index) => {
                let mut rows = ModelRows::new(&manifest, model, index);
                for collection in store.collections() {
                    rows.documents(store, &collection, &mut check).await?;
                }
                rows.missing(store, &manifest, &mut check)?;
            }
        }
    }
    Ok(check)
}

/// The hashes of the files of rows. Those of rows that no longer count may have been deleted.
fn check_files(store: &Store, manifest: &Manifest, check: &mut StoreCheck) {
    let held = manifest.partitions.iter().flat_map(|partition| partition.models.values());
    let mut files: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
    for held in held {
        files.entry(&held.file).or_insert((&held.blake3, false)).1 |= held.is_live();
    }
    for (file, (blake3, needed)) in files {
        let path = store.dir().join(file);
        if !needed && !path.exists() {
            continue;
        }
        if let Err(error) = RowsReader::open(&path, blake3) {
            check.problem(error.to_string());
        }
    }
}

/// The documents of one model.
struct ModelRows<'m> {
    model: &'m str,
    index: KeyIndex,
    held: HashMap<&'m str, &'m Held>,
    /// Of the origins of rows that count, whether they are applied.
    applied: HashMap<u64, bool>,
    /// The keys of records, and the collection that each was found in.
    seen: HashMap<u128, usize>,
    collections: usize,
}

impl<'m> ModelRows<'m> {
    fn new(manifest: &'m Manifest, model: &'m str, index: KeyIndex) -> Self {
        let held =
            manifest.partitions.iter().filter_map(|one| Some((one.name.as_str(), one.models.get(model)?)));
        let live = manifest.live(model).into_iter();
        let applied = live.map(|(_, held)| (number(&held.origin), held.applied_at.is_some())).collect();
        Self { model, index, held: held.collect(), applied, seen: HashMap::new(), collections: 0 }
    }

    async fn documents(
        &mut self,
        store: &Store,
        collection: &str,
        check: &mut StoreCheck,
    ) -> crate::Result<()> {
        self.collections += 1;
        let Some(table) = store.documents(collection).await? else { return Ok(()) };
        let partition = column_name(PARTITION);
        if !store::has_column(&table, &partition).await? {
            return Ok(());
        }
        let mut wanted = vec!["id".to_owned(), "model".into(), partition.clone()];
        wanted.extend(store::piece_columns(&table).await?);
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let mut batches = store::scan(&table, &wanted, None, false).await?;
        let mut ids = HashSet::new();
        while let Some(batch) = batches.try_next().await? {
            let columns = Columns::of(&batch, table.name());
            let held = columns.text("id")?;
            let rows = record_keys(&batch, held).into_iter().zip(held).zip(columns.text("model")?);
            for (((key, id), model), partition) in rows.zip(columns.text(&partition)?) {
                let (Some(id), Some(partition)) = (id, partition) else { continue };
                if model == Some(self.model) {
                    check.documents += 1;
                    let found = self.document(key, partition, ids.insert(key_hash(id)))?;
                    if let Some(what) = found {
                        check.problem(format!("{collection}: the document {id:?} of {partition} {what}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// What is wrong with a document.
    fn document(
        &mut self,
        key: &str,
        partition: &str,
        first: bool,
    ) -> Result<Option<&'static str>, StoreError> {
        let Some(held) = self.held.get(partition) else {
            return Ok(Some("is of a partition that the manifest does not have"));
        };
        if !held.is_live() {
            return Ok(held.retired.then_some("should have left with its partition"));
        }
        let (hash, here) = (key_hash(key), self.collections);
        if !first || *self.seen.entry(hash).or_insert(here) != here {
            return Ok(Some("stands twice"));
        }
        Ok(match self.index.newest(hash)? {
            None => Some("is not among the keys of its partition"),
            // Unless the drop is not finished, which is counted.
            Some((_, DROPPED)) => None,
            Some(((origin, _), _)) => {
                let replaced = origin != number(&held.origin) && self.applied.get(&origin) == Some(&true);
                replaced.then_some("is older than another version of its record")
            }
        })
    }

    /// Records that should have a document.
    fn missing(&self, store: &Store, manifest: &Manifest, check: &mut StoreCheck) -> crate::Result<()> {
        for (partition, held) in manifest.live(self.model) {
            if held.applied_at.is_none() {
                continue;
            }
            let (mut missing, mut first) = (0_u64, None);
            keys::each(store.dir(), &held.keys, |key, digest| {
                let newest = self.index.newest(key)?;
                let holds = newest == Some(((number(&held.origin), false), digest));
                if holds && !self.seen.contains_key(&key) {
                    missing += 1;
                    first.get_or_insert(digest);
                }
                Ok(())
            })?;
            if let Some(digest) = first {
                let key = key_of(store, held, digest)?.unwrap_or_default();
                let (name, model) = (&partition.name, self.model);
                check.problem(format!(
                    "{missing} records of {model} in {name} have no document, one is {key:?}"
                ));
            }
        }
        Ok(())
    }
}

/// The key, as it was prepared, of the row with a digest.
fn key_of(store: &Store, held: &Held, digest: u128) -> Result<Option<String>, StoreError> {
    let Ok(mut rows) = RowsReader::open(&store.dir().join(&held.file), &held.blake3) else { return Ok(None) };
    while let Some(batch) = rows.next_batch()? {
        if let Some(row) = batch.iter().find(|row| row.digest == digest) {
            return Ok(Some(row.key.to_owned()));
        }
    }
    Ok(None)
}

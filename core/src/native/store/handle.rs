//! Opening a store, and what it says about its collections.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lancedb::Table;

use super::config::{Claim, CollectionConfig};
use super::lance::{self, Tables};
use super::lock::{LOCK_FILE, WriterLock};
use super::pieces::Divided;
use super::reader::{self, Counts, Reader};
use super::{columns, documents, embeddings, meta, names};
use crate::error::{CatalogError, StoreError, near_names};
use crate::native::pipeline::Leaving;
use crate::schema::{EmbedderId, Schema};

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode<'a> {
    /// To read. Takes no lock, writes no file, and works on a read-only directory.
    Read,
    /// To write, for the named purpose, which a second writer is told. Makes the store if the directory is empty or
    /// missing.
    Write(&'a str),
}

/// An open store.
///
/// Its list of collections and their settings are those of the moment it was opened; each [`Reader`] is pinned to
/// the versions of its tables when it was made.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    tables: Tables,
    configs: BTreeMap<String, CollectionConfig>,
    lock: Option<WriterLock>,
    /// Rows that were dropped and may still be there.
    leaving: Arc<Leaving>,
}

impl Store {
    /// Opens the store in `dir`.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] when there is none (reading), or when something else is in the way (writing);
    /// [`StoreError::Locked`] when another process writes; [`StoreError::TooNew`]; what the disk or Lance says.
    pub async fn open(dir: &Path, mode: Mode<'_>) -> crate::Result<Self> {
        let dir = dir.to_path_buf();
        let lock = match mode {
            Mode::Read => {
                require_store(&dir)?;
                None
            }
            Mode::Write(purpose) => {
                make_directory(&dir)?;
                Some(WriterLock::take(&dir, purpose)?)
            }
        };
        let tables = Tables::connect(&dir).await?;
        let configs = match meta::load(&tables).await? {
            Some(configs) => configs,
            None if lock.is_some() => {
                meta::initialise(&tables).await?;
                BTreeMap::new()
            }
            None => return Err(StoreError::NotAStore { dir, reason: "it holds no table \"meta\"" }.into()),
        };
        let leaving = Arc::new(Leaving::load(&dir)?);
        Ok(Self { dir, tables, configs, lock, leaving })
    }

    /// The store's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The names of all collections, sorted.
    pub fn collections(&self) -> Vec<String> {
        self.configs.keys().cloned().collect()
    }

    /// The settings of a collection.
    ///
    /// # Errors
    /// [`CatalogError::UnknownCollection`] with near names.
    pub fn config(&self, collection: &str) -> crate::Result<&CollectionConfig> {
        self.configs.get(collection).ok_or_else(|| {
            let near = near_names(collection, self.configs.keys().map(String::as_str));
            CatalogError::UnknownCollection { name: collection.into(), near }.into()
        })
    }

    /// What all records of a collection share, with the embedder that is served.
    ///
    /// # Errors
    /// [`CatalogError::UnknownCollection`]; [`StoreError::NotEmbedded`] before an embedder has run.
    pub fn schema(&self, collection: &str) -> crate::Result<Schema> {
        Ok(self.config(collection)?.schema(self.active(collection)?))
    }

    fn active(&self, collection: &str) -> crate::Result<&EmbedderId> {
        let config = self.config(collection)?;
        let active = config.active.as_ref();
        active.ok_or_else(|| StoreError::NotEmbedded { collection: collection.into() }.into())
    }

    /// Reads the ready records of a collection: those whose vector is of their present text. `embedder` chooses
    /// among several; `None` is the one that is served.
    ///
    /// # Errors
    /// Like [`schema`](Self::schema), and what Lance says.
    pub async fn read(&self, collection: &str, embedder: Option<&EmbedderId>) -> crate::Result<Reader> {
        let config = self.config(collection)?;
        let embedder = match embedder {
            Some(embedder) => embedder,
            None => self.active(collection)?,
        };
        Ok(Reader::open(&self.tables, config, embedder, &self.leaving).await?)
    }

    /// How many records of a collection are ready, new, stale or failed, with the given embedder or the one that is
    /// served. Reads no vector.
    ///
    /// # Errors
    /// [`CatalogError::UnknownCollection`], and what Lance says.
    pub async fn counts(&self, collection: &str, embedder: Option<&EmbedderId>) -> crate::Result<Counts> {
        let config = self.config(collection)?;
        let embedder = embedder.or(config.active.as_ref());
        Ok(reader::counts(&self.tables, collection, embedder, &self.leaving).await?)
    }

    /// Merges the small files of a collection's tables, if there are many.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`CatalogError::UnknownCollection`], and what Lance says.
    pub async fn compact(&self, collection: &str) -> crate::Result<()> {
        self.require_writable()?;
        let config = self.config(collection)?;
        let mut tables = vec![names::documents(collection)];
        tables.extend(config.embedders.iter().map(|id| names::embeddings(collection, &id.fingerprint)));
        for name in tables {
            if let Some(table) = self.tables.open(&name).await? {
                lance::compact(&table).await?;
            }
        }
        Ok(())
    }

    /// The settings of all collections.
    pub(super) fn configs(&self) -> &BTreeMap<String, CollectionConfig> {
        &self.configs
    }

    /// The tables, for the pipeline.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The documents of a collection, pinned; `None` before the first record.
    pub(crate) async fn documents(&self, collection: &str) -> Result<Option<Table>, StoreError> {
        self.tables.open_pinned(&names::documents(collection)).await
    }

    /// The embeddings of a collection by one embedder, pinned; `None` before the first.
    pub(crate) async fn embeddings(
        &self,
        collection: &str,
        embedder: &EmbedderId,
    ) -> Result<Option<Table>, StoreError> {
        self.tables.open_pinned(&names::embeddings(collection, &embedder.fingerprint)).await
    }

    /// The integers that records of a collection hold at a path: of those with one of `ids`, by id's key hash.
    pub(crate) async fn held_ints(
        &self,
        collection: &str,
        path: &str,
        ids: &[&str],
    ) -> Result<HashMap<u128, i64>, StoreError> {
        match self.documents(collection).await? {
            Some(table) => documents::held_ints(&table, path, ids).await,
            None => Ok(HashMap::new()),
        }
    }

    /// The largest integer that a record of a collection holds at a path.
    pub(crate) async fn largest_int(&self, collection: &str, path: &str) -> Result<Option<i64>, StoreError> {
        match self.documents(collection).await? {
            Some(table) => documents::largest_int(&table, path).await,
            None => Ok(None),
        }
    }

    /// Refuses writes through a handle for reading.
    pub(crate) fn require_writable(&self) -> Result<(), StoreError> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(StoreError::ReadOnly { dir: self.dir.clone() }),
        }
    }

    /// Creates the named collections as their claims want them, or makes room in them; one commit, none if nothing
    /// changed.
    pub(crate) async fn admit(&mut self, wanted: &[(&str, Claim<'_>)]) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        for (name, claim) in wanted {
            let held = self.configs.get(*name);
            let config = match held {
                None => CollectionConfig::new(name, claim),
                Some(held) => {
                    let mut config = held.clone();
                    config.admit(claim)?;
                    config
                }
            };
            if held != Some(&config) {
                changed.push(config);
            }
        }
        self.save(changed).await
    }

    /// Replaces the settings of collections, in one commit.
    pub(crate) async fn save(&mut self, configs: Vec<CollectionConfig>) -> Result<(), StoreError> {
        self.require_writable()?;
        meta::save(&self.tables, &configs).await?;
        self.configs.extend(configs.into_iter().map(|config| (config.collection.clone(), config)));
        Ok(())
    }

    /// Upserts records of one model; those that bring vectors get them too. `rows` must not repeat an id, and the
    /// collection must have admitted the model.
    pub(crate) async fn upsert(
        &mut self,
        collection: &str,
        model: &str,
        rows: Vec<documents::Row>,
    ) -> crate::Result<documents::UpsertCounts> {
        self.require_writable()?;
        let config = self.config(collection)?;
        if let Some(embedder) = config.active.as_ref().filter(|_| config.imported) {
            // Two commits, and a kill in between shows a vector whose hash is not its document's, which no reader
            // shows and the next run makes whole.
            import_vectors(&self.tables, collection, embedder, &rows).await?;
        }
        let divided = Divided::of(config, &rows);
        let mut counts = documents::upsert(&self.tables, config, model, rows).await?;
        // After the new rows, and looked for each time: a kill in between leaves too much, which the next run finds.
        if let Some(divided) = divided {
            counts.removed = divided.clean(&self.tables, config, model).await?;
        }
        Ok(counts)
    }
}

async fn import_vectors(
    tables: &Tables,
    collection: &str,
    embedder: &EmbedderId,
    rows: &[documents::Row],
) -> Result<(), StoreError> {
    let table = tables.open(&names::embeddings(collection, &embedder.fingerprint)).await?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let held = embeddings::held(table.as_ref(), &ids).await?;
    let changed = rows.iter().filter_map(|row| {
        let vector = row.vector.as_deref()?;
        let content_hash = row.content_hash().to_hex().to_string();
        let known = held.get(&columns::key_hash(&row.id)) == Some(&columns::short_hash(&content_hash));
        let outcome = Ok(vector.into());
        (!known).then(|| embeddings::Embedded { id: row.id.clone(), content_hash, outcome, attempts: 0 })
    });
    let changed: Vec<embeddings::Embedded> = changed.collect();
    embeddings::write(tables, collection, embedder, &changed, !held.is_empty()).await
}

fn require_store(dir: &Path) -> Result<(), StoreError> {
    match dir.is_dir() {
        true => Ok(()),
        false => Err(StoreError::NotAStore { dir: dir.to_path_buf(), reason: "there is no such directory" }),
    }
}

/// Makes the directory, and refuses one that holds something else: a store would disappear among other files.
fn make_directory(dir: &Path) -> Result<(), StoreError> {
    let fail = |action| {
        let path = dir.to_path_buf();
        move |source| StoreError::File { action, path, source }
    };
    std::fs::create_dir_all(dir).map_err(fail("create"))?;
    if dir.join(format!("{}.lance", names::META)).exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir).map_err(fail("read"))? {
        if entry.map_err(fail("read"))?.file_name() != LOCK_FILE {
            let reason = "it holds other files; name a store, or an empty directory for a new one";
            return Err(StoreError::NotAStore { dir: dir.to_path_buf(), reason });
        }
    }
    Ok(())
}

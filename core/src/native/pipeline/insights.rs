//! What is in a store by partition, and what the values of fields are like.
//!
//! Reads only. Use [`partitions`] to know what is left to do, [`insights`] to know what can be filtered by.

use std::collections::{BTreeMap, HashSet};

use futures::TryStreamExt;
use serde::Serialize;

use super::evolve::Replay;
use super::evolve::chosen;
use super::manifest::{Held, Manifest};
use super::progress::ProgressFn;
use super::registry::Registry;
use crate::error::StoreError;
use crate::native::store::{self, Columns, Ledger, PARTITION, State, Store, column_name};
use crate::schema::Value;

/// Distinct values of a field that are counted exactly.
const DISTINCT: usize = 100_000;
/// Examples of a field.
const EXAMPLES: usize = 3;

/// Where the rows of one model in one partition stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionStatus {
    /// The partition.
    pub name: String,
    /// The model.
    pub model: String,
    /// When its rows were prepared.
    pub created_at: String,
    /// The version of the model by which they are read.
    pub schema_version: u32,
    /// The rows prepared.
    pub rows: u64,
    /// The documents that stand for them; later partitions may have replaced others.
    pub documents: u64,
    /// The documents with a vector of their present text.
    pub ready: u64,
    /// The documents whose text failed.
    pub error: u64,
    /// `not started`, `started`, `errored` or `finished`; or `stale` or `dropped`, which is nothing left to do.
    pub state: &'static str,
}

impl PartitionStatus {
    /// Whether something is left to do.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.state, "not started" | "started" | "errored")
    }

    fn new(name: &str, model: &str, created_at: &str, held: &Held, counts: [u64; 3]) -> Self {
        let [documents, ready, error] = counts;
        let state = match held {
            held if held.dropped.is_some() => "dropped",
            held if held.stale.is_some() => "stale",
            held if held.applied_at.is_none() && documents == 0 => "not started",
            held if held.applied_at.is_none() => "started",
            _ if error > 0 => "errored",
            _ if ready < documents && ready == 0 => "not started",
            _ if ready < documents => "started",
            _ => "finished",
        };
        Self {
            name: name.into(),
            model: model.into(),
            created_at: created_at.into(),
            schema_version: held.schema_version,
            rows: held.rows,
            documents,
            ready,
            error,
            state,
        }
    }
}

/// All partitions of a store, oldest first.
///
/// # Errors
/// What the disk or Lance says.
pub async fn partitions(store: &Store) -> crate::Result<Vec<PartitionStatus>> {
    let manifest = Manifest::load(store.dir())?;
    let mut counts: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    if !manifest.partitions.is_empty() {
        for collection in store.collections() {
            count(store, &collection, &mut counts).await?;
        }
    }
    let mut all = Vec::new();
    for partition in &manifest.partitions {
        let counts = counts.get(&partition.name).copied().unwrap_or_default();
        all.extend(partition.models.iter().map(|(model, held)| {
            PartitionStatus::new(&partition.name, model, &partition.created_at, held, counts)
        }));
    }
    Ok(all)
}

/// Adds the documents of a collection, those that are ready and those that failed, by partition.
async fn count(
    store: &Store,
    collection: &str,
    counts: &mut BTreeMap<String, [u64; 3]>,
) -> Result<(), StoreError> {
    let column = column_name(PARTITION);
    let Some(documents) = store.documents(collection).await? else { return Ok(()) };
    if !store::has_column(&documents, &column).await? {
        return Ok(());
    }
    let embeddings = match store.config(collection).ok().and_then(|config| config.active.as_ref()) {
        Some(id) => store.embeddings(collection, id).await?,
        None => None,
    };
    let ledger = Ledger::load(embeddings.as_ref()).await?;
    let mut batches = store::scan(&documents, &["id", "content_hash", &column], None, false).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, documents.name());
        let keys = columns.text("id")?.iter().zip(columns.text("content_hash")?);
        for ((id, hash), partition) in keys.zip(columns.text(&column)?) {
            let Some(partition) = partition else { continue };
            let [all, ready, error] = counts.entry(partition.to_owned()).or_default();
            *all += 1;
            match ledger.state(id.unwrap_or_default(), hash.unwrap_or_default()) {
                State::Ready(_) => *ready += 1,
                State::Error(_) => *error += 1,
                State::New | State::Stale => {}
            }
        }
    }
    Ok(())
}

/// What the values of one field are like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FieldInsight {
    /// The field.
    pub field: String,
    /// How many distinct values it has; of more than 100,000, that many.
    pub distinct: u64,
    /// Whether there are more than that.
    pub more: bool,
    /// How many rows have no value.
    pub nulls: u64,
    /// The first values.
    pub examples: Vec<String>,
}

/// What the rows of one model are like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ModelInsight {
    /// The model.
    pub model: String,
    /// Its live rows, later versions of a record counted too.
    pub rows: u64,
    /// Its metadata fields.
    pub fields: Vec<FieldInsight>,
}

/// The values of the metadata fields of models, of all if none is named. Reads the live partitions.
///
/// # Errors
/// Unknown models, damaged files.
pub fn insights(
    store: &Store,
    registry: &Registry,
    models: &[String],
    progress: &ProgressFn<'_>,
) -> crate::Result<Vec<ModelInsight>> {
    let manifest = Manifest::load(store.dir())?;
    let mut all = Vec::new();
    for name in chosen(registry, &manifest, models)? {
        let Ok(model) = registry.model(&name) else { continue };
        let paths = model.metadata.iter().map(|field| field.path.clone());
        let mut fields: Vec<(FieldInsight, HashSet<u128>)> =
            paths.map(|field| (FieldInsight { field, ..Default::default() }, HashSet::new())).collect();
        let mut rows = 0;
        for place in manifest.live(&name) {
            let mut replay = Replay::open(store.dir(), &manifest, model, place)?.telling(progress);
            while let Some(batch) = replay.next_batch()? {
                for row in batch.into_iter().flatten() {
                    rows += 1;
                    // The pieces of a divided text have its record's metadata.
                    let Some((_, row)) = row.rows.first() else { continue };
                    fields.iter_mut().for_each(|(field, distinct)| note(field, distinct, &row.values));
                }
            }
        }
        let fields = fields.into_iter().map(|(field, _)| field).collect();
        all.push(ModelInsight { model: name, rows, fields });
    }
    Ok(all)
}

fn note(field: &mut FieldInsight, distinct: &mut HashSet<u128>, values: &[(std::sync::Arc<str>, Value)]) {
    let at = values.binary_search_by(|(path, _)| (**path).cmp(&field.field));
    let Some((_, value)) = at.ok().and_then(|at| values.get(at)) else {
        field.nulls += 1;
        return;
    };
    let text = value.to_json().to_string();
    if distinct.len() >= DISTINCT {
        field.more |= !distinct.contains(&store::key_hash(&text));
    } else if distinct.insert(store::key_hash(&text)) {
        field.distinct += 1;
        if field.examples.len() < EXAMPLES {
            field.examples.push(text.chars().take(60).collect());
        }
    }
}

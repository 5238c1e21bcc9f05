//! What `apply` would do, without doing it: changed models, stale partitions, rows, and texts that would have to be embedded.

use std::collections::HashSet;

use futures::TryStreamExt;

use super::apply::{changes, chosen};
use super::diff::{Change, register};
use super::replay::Replay;
use crate::error::StoreError;
use crate::native::pipeline::manifest::{Manifest, number};
use crate::native::pipeline::model::Model;
use crate::native::pipeline::prepare::keys::KeyIndex;
use crate::native::pipeline::progress::ProgressFn;
use crate::native::pipeline::registry::Registry;
use crate::native::store::{self, Cache, Columns, Store};

/// Texts looked up in the cache at once.
const HASHES_AT_ONCE: usize = 4096;

/// What applying one model would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelPlan {
    /// The model.
    pub model: String,
    /// Its version now.
    pub version: u32,
    /// Its version afterwards.
    pub next_version: u32,
    /// What changed.
    pub changes: Vec<Change>,
    /// Partitions whose rows would be read again.
    pub stale: Vec<String>,
    /// Partitions that were prepared and not applied yet.
    pub pending: Vec<String>,
    /// The rows of all these.
    pub rows: u64,
    /// Rows that the changed model could not read.
    pub refused: u64,
    /// The first of them, and why.
    pub first_refused: Option<String>,
    /// Distinct texts that have no vector yet.
    pub embeddings: u64,
}

/// Plans the named models, or all that have rows. Holds 32 bytes for each distinct text of the rows in question.
///
/// # Errors
/// Unknown models, damaged files, what Lance says.
pub async fn plan(
    store: &Store,
    registry: &Registry,
    models: &[String],
    progress: &ProgressFn<'_>,
) -> crate::Result<Vec<ModelPlan>> {
    let manifest = Manifest::load(store.dir())?;
    let mut plans = Vec::new();
    for name in chosen(registry, &manifest, models)? {
        if let Ok(model) = registry.model(&name) {
            plans.push(plan_model(store, &manifest, model, progress).await?);
        }
    }
    Ok(plans)
}

async fn plan_model(
    store: &Store,
    manifest: &Manifest,
    model: &Model,
    progress: &ProgressFn<'_>,
) -> crate::Result<ModelPlan> {
    let version = manifest.model_schemas.get(&model.name).map_or(0, |schema| schema.version);
    let mut then = manifest.clone();
    register(&mut then, model);
    let next_version = then.model_schemas.get(&model.name).map_or(0, |schema| schema.version);
    let mut plan = ModelPlan {
        model: model.name.clone(),
        version,
        next_version,
        changes: changes(manifest, model),
        ..Default::default()
    };
    let mut texts = HashSet::new();
    let live = then.live(&model.name);
    // The keys stand for rows as they were prepared; of a changed key all rows count as the newest.
    let index = match live.iter().all(|(_, held)| held.schema_version == next_version) {
        true => Some(KeyIndex::open(store.dir(), &then, &model.name)?),
        false => None,
    };
    for (partition, held) in live {
        let stale = held.schema_version < next_version;
        if !stale && held.applied_at.is_some() {
            continue;
        }
        if stale { &mut plan.stale } else { &mut plan.pending }.push(partition.name.clone());
        let replay = Replay::open(store.dir(), &then, model, (partition, held))?.telling(progress);
        read(replay, number(&held.origin), index.as_ref(), &mut plan, &mut texts)?;
    }
    plan.embeddings = if model.imported.is_some() { 0 } else { unembedded(store, model, texts).await? };
    Ok(plan)
}

fn read(
    mut replay: Replay<'_>,
    origin: u64,
    index: Option<&KeyIndex>,
    plan: &mut ModelPlan,
    texts: &mut HashSet<String>,
) -> Result<(), StoreError> {
    while let Some(batch) = replay.next_batch()? {
        for row in batch {
            match row {
                Err(reason) => {
                    plan.refused += 1;
                    plan.first_refused.get_or_insert(reason);
                }
                Ok(row) => {
                    plan.rows += 1;
                    let rank = ((origin, false), row.digest);
                    let newest = index.map_or(Ok(Some(rank)), |index| index.newest(row.key))?;
                    if newest == Some(rank) {
                        let hashes = row.rows.iter().map(|(_, row)| row.content_hash().to_hex().to_string());
                        texts.extend(hashes);
                    }
                }
            }
        }
    }
    Ok(())
}

/// How many of the texts have no vector, neither in a collection nor in the cache.
async fn unembedded(store: &Store, model: &Model, mut texts: HashSet<String>) -> Result<u64, StoreError> {
    for collection in store.collections() {
        let Ok(config) = store.config(&collection) else { continue };
        let Some(id) = config.active.as_ref().filter(|_| config.embedder == model.embedder) else { continue };
        if let Some(table) = store.embeddings(&collection, id).await? {
            let filter = Some("error IS NULL".to_owned());
            let mut batches = store::scan(&table, &["content_hash"], filter, false).await?;
            while let Some(batch) = batches.try_next().await? {
                for hash in Columns::of(&batch, table.name()).text("content_hash")?.iter().flatten() {
                    texts.remove(hash);
                }
            }
        }
        let mut cache = Cache::new(store.tables(), id);
        let left: Vec<String> = texts.iter().cloned().collect();
        for chunk in left.chunks(HASHES_AT_ONCE) {
            let hashes: Vec<&str> = chunk.iter().map(String::as_str).collect();
            let found = cache.get(&hashes).await?;
            texts.retain(|hash| !found.contains_key(hash));
        }
    }
    Ok(texts.len() as u64)
}

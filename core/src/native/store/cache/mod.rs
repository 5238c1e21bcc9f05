//! The embedding cache: the vector of every text an embedder has seen, whatever the record or collection.
//!
//! Use it around every call of an embedder. Keys are the hash of the exact text and the embedder's fingerprint, so
//! that embedders never share a vector. It keeps no errors: a text that failed is asked again.

mod admin;
mod select;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray, cast::AsArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::TryStreamExt;
use lancedb::Table;
use lancedb::index::{Index, scalar::BTreeIndexBuilder};
use lancedb::table::OptimizeAction;

use super::columns::{self, Columns};
use super::lance::{self, BATCH_ROWS, Tables};
use super::names::CACHE;
use crate::error::StoreError;
use crate::schema::EmbedderId;

pub use admin::{CacheImport, CacheStats, CachedEmbedder};
pub use select::CacheSelector;

/// Up to this many entries, the keys of an embedder are held in memory (about 32 bytes each), which saves a
/// look-up in the table for texts it has never seen. Larger caches are looked up by their index.
const KEYS_IN_MEMORY: usize = 2_000_000;
/// From this many rows on, an index is faster than reading all keys.
const ROWS_FOR_INDEX: usize = 200_000;
/// Rows taken from the table at once.
const TAKE_ROWS: usize = 4096;

/// The cached vectors of one embedder.
#[derive(Debug)]
pub(crate) struct Cache {
    tables: Tables,
    embedder: EmbedderId,
    known: Option<HashSet<u128>>,
    /// What was added since it was opened, when not all keys are in memory.
    added: HashSet<u128>,
    damaged: HashSet<String>,
}

impl Cache {
    /// The cache of `embedder`. Reads its keys, if they are few.
    pub async fn open(tables: &Tables, embedder: &EmbedderId) -> Result<Self, StoreError> {
        let known = match tables.open(CACHE).await? {
            None => Some(HashSet::new()),
            Some(table) => known_keys(&table, &embedder.fingerprint).await?,
        };
        Ok(Self {
            tables: tables.clone(),
            embedder: embedder.clone(),
            known,
            added: HashSet::new(),
            damaged: HashSet::new(),
        })
    }

    /// The vectors of those texts that are cached, by text hash. Rows that cannot be read count as missing.
    pub async fn get(&mut self, hashes: &[&str]) -> Result<HashMap<String, Arc<[f32]>>, StoreError> {
        let mut found = HashMap::new();
        let candidates: Vec<&str> =
            hashes.iter().copied().filter(|hash| self.may_hold(&columns::short_hash(hash))).collect();
        if candidates.is_empty() {
            return Ok(found);
        }
        let Some(table) = self.tables.open_pinned(CACHE).await? else { return Ok(found) };
        let rows = self.find_rows(&table, &candidates).await?;
        for chunk in rows.chunks(TAKE_ROWS) {
            let mut batches = lance::take(&table, chunk.to_vec(), &["content_hash", "vector"]).await?;
            while let Some(batch) = batches.try_next().await? {
                self.read_vectors(&batch, &mut found)?;
            }
        }
        Ok(found)
    }

    fn may_hold(&self, hash: &u128) -> bool {
        self.known.as_ref().is_none_or(|known| known.contains(hash))
    }

    async fn find_rows(&self, table: &Table, hashes: &[&str]) -> Result<Vec<u64>, StoreError> {
        let wanted: HashSet<&str> = hashes.iter().copied().collect();
        let filter = self.filter();
        let mut rows = Vec::new();
        let mut batches = lance::find(table, hashes, &["content_hash"], Some(&filter)).await?;
        while let Some(batch) = batches.try_next().await? {
            let columns = Columns::of(&batch, CACHE);
            let row_ids = columns.row_ids()?;
            for (hash, row_id) in columns.text("content_hash")?.iter().zip(row_ids.values()) {
                if hash.is_some_and(|hash| wanted.contains(hash)) {
                    rows.push(*row_id);
                }
            }
        }
        rows.sort_unstable();
        Ok(rows)
    }

    fn read_vectors(
        &mut self,
        batch: &RecordBatch,
        found: &mut HashMap<String, Arc<[f32]>>,
    ) -> Result<(), StoreError> {
        let columns = Columns::of(batch, CACHE);
        let hashes = columns.text("content_hash")?;
        let Some(vectors) = columns.any("vector")?.as_binary_opt::<i32>() else {
            return Err(StoreError::Corrupt { table: CACHE.into(), reason: "vectors are not binary".into() });
        };
        for row in 0..batch.num_rows() {
            let hash = hashes.value(row).to_owned();
            match from_bytes(vectors.value(row), self.embedder.dimension) {
                Some(vector) => drop(found.insert(hash, vector)),
                None => drop(self.damaged.insert(hash)),
            }
        }
        Ok(())
    }

    /// Adds the vectors of texts that [`get`](Self::get) did not find, in one commit. Must not repeat a hash; those that
    /// somebody else has added since are left out.
    pub async fn put(&mut self, entries: &[(&str, &Arc<[f32]>)]) -> Result<(), StoreError> {
        let new = |hash: &str| {
            let held = self.known.as_ref().unwrap_or(&self.added).contains(&columns::short_hash(hash));
            !held || self.damaged.contains(hash)
        };
        let entries: Vec<(&str, &Arc<[f32]>)> =
            entries.iter().copied().filter(|(hash, _)| new(hash)).collect();
        if entries.is_empty() {
            return Ok(());
        }
        self.drop_damaged().await?;
        let batches: Result<Vec<_>, _> =
            entries.chunks(BATCH_ROWS).map(|entries| batch(&self.embedder.fingerprint, entries)).collect();
        let batches = batches.map_err(lance::failed("write", CACHE))?;
        self.tables.append(CACHE, batches).await?;
        let known = self.known.as_mut().unwrap_or(&mut self.added);
        known.extend(entries.iter().map(|(hash, _)| columns::short_hash(hash)));
        Ok(())
    }

    async fn drop_damaged(&mut self) -> Result<(), StoreError> {
        if self.damaged.is_empty() {
            return Ok(());
        }
        let hashes: Vec<&str> = self.damaged.iter().map(String::as_str).collect();
        let filter = format!("{} AND {}", self.filter(), lance::is_one_of("content_hash", &hashes));
        if let Some(table) = self.tables.open(CACHE).await? {
            table.delete(&filter).await.map_err(lance::failed("delete from", CACHE))?;
        }
        self.damaged.clear();
        Ok(())
    }

    fn filter(&self) -> String {
        format!("embedder = {}", lance::text_literal(&self.embedder.fingerprint))
    }

    /// Merges small fragments and brings the index up to date. Call it once at the end of a run.
    pub async fn maintain(&self) -> Result<(), StoreError> {
        match self.tables.open(CACHE).await? {
            Some(table) => maintain(&table).await,
            None => Ok(()),
        }
    }
}

async fn maintain(table: &Table) -> Result<(), StoreError> {
    lance::compact(table).await?;
    let rows = table.count_rows(None).await.map_err(lance::failed("count", CACHE))?;
    if rows < ROWS_FOR_INDEX {
        return Ok(());
    }
    let indices = table.list_indices().await.map_err(lance::failed("index", CACHE))?;
    if indices.is_empty() {
        let index = Index::BTree(BTreeIndexBuilder::default());
        table.create_index(&["content_hash"], index).execute().await
    } else {
        table.optimize(OptimizeAction::Index(Default::default())).await.map(|_| ())
    }
    .map_err(lance::failed("index", CACHE))
}

async fn known_keys(table: &Table, fingerprint: &str) -> Result<Option<HashSet<u128>>, StoreError> {
    let filter = format!("embedder = {}", lance::text_literal(fingerprint));
    let count = table.count_rows(Some(filter.clone())).await.map_err(lance::failed("count", CACHE))?;
    if count > KEYS_IN_MEMORY {
        return Ok(None);
    }
    let mut known = HashSet::with_capacity(count);
    let mut batches = lance::scan(table, &["content_hash"], Some(filter), false).await?;
    while let Some(batch) = batches.try_next().await? {
        let hashes = Columns::of(&batch, CACHE).text("content_hash")?;
        known.extend(hashes.iter().flatten().map(columns::short_hash));
    }
    Ok(Some(known))
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("content_hash", DataType::Utf8, false),
        Field::new("embedder", DataType::Utf8, false),
        Field::new("vector", DataType::Binary, false),
        Field::new("created_at", columns::timestamp(), false),
    ]))
}

fn batch(
    fingerprint: &str,
    entries: &[(&str, &Arc<[f32]>)],
) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(entries.iter().map(|(hash, _)| Some(hash)).collect::<StringArray>()),
        Arc::new(entries.iter().map(|_| Some(fingerprint)).collect::<StringArray>()),
        Arc::new(entries.iter().map(|(_, vector)| Some(to_bytes(vector))).collect::<BinaryArray>()),
        columns::now(entries.len()),
    ];
    RecordBatch::try_new(schema(), columns)
}

fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn from_bytes(bytes: &[u8], dimension: u32) -> Option<Arc<[f32]>> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    let fits = rest.is_empty() && chunks.len() == dimension as usize;
    fits.then(|| chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
}

#[cfg(test)]
mod tests;

//! The embedding cache: the vector of every text an embedder has seen, whatever the record or collection.
//!
//! Use it around every call of an embedder. Keys are the hash of the exact text and the embedder's fingerprint, so
//! that embedders never share a vector. It keeps no errors: a text that failed is asked again.

mod admin;
mod keys;
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

use keys::Keys;

pub use admin::{CacheImport, CacheStats, CachedEmbedder};
pub use select::CacheSelector;

/// Up to this many entries, the places of an embedder's entries are held in memory (16 bytes each). Larger caches are looked
/// up by their index.
const KEYS_IN_MEMORY: usize = 12_000_000;
/// From this many rows on, an index is faster than reading all keys.
const ROWS_FOR_INDEX: usize = 200_000;
/// Rows taken from the table at once.
const TAKE_ROWS: usize = 4096;

/// The cached vectors of one embedder. Reads nothing until it is asked: a run with nothing to embed costs nothing.
#[derive(Debug)]
pub(crate) struct Cache {
    tables: Tables,
    embedder: EmbedderId,
    places: Places,
    /// What was added since the places were read.
    added: HashSet<u128>,
    damaged: HashSet<String>,
}

/// Where entries stand.
#[derive(Debug)]
enum Places {
    /// Not looked at yet.
    Unread,
    /// There is no table.
    Nowhere,
    /// In the table of this version.
    Known(Table, Keys),
    /// Too many to hold: by index.
    Indexed,
}

impl Cache {
    /// The cache of `embedder`.
    pub fn new(tables: &Tables, embedder: &EmbedderId) -> Self {
        let (tables, embedder) = (tables.clone(), embedder.clone());
        Self { tables, embedder, places: Places::Unread, added: HashSet::new(), damaged: HashSet::new() }
    }

    /// The vectors of those texts that are cached, by text hash. Rows that cannot be read count as missing.
    pub async fn get(&mut self, hashes: &[&str]) -> Result<HashMap<String, Arc<[f32]>>, StoreError> {
        let mut found = HashMap::new();
        if hashes.is_empty() {
            return Ok(found);
        }
        self.look(KEYS_IN_MEMORY).await?;
        let (table, rows) = match &self.places {
            Places::Unread | Places::Nowhere => return Ok(found),
            Places::Known(table, keys) => {
                let mut rows: Vec<u64> = hashes.iter().flat_map(|hash| keys.rows(hash)).collect();
                rows.sort_unstable();
                rows.dedup();
                (table.clone(), rows)
            }
            Places::Indexed => {
                let Some(table) = self.tables.open_pinned(CACHE).await? else { return Ok(found) };
                let rows = self.find_rows(&table, hashes).await?;
                (table, rows)
            }
        };
        for chunk in rows.chunks(TAKE_ROWS) {
            let mut batches = lance::take(&table, chunk.to_vec(), &["content_hash", "vector"]).await?;
            while let Some(batch) = batches.try_next().await? {
                self.read_vectors(&batch, &mut found)?;
            }
        }
        // Half a hash may be another text's.
        let wanted: HashSet<&str> = hashes.iter().copied().collect();
        found.retain(|hash, _| wanted.contains(hash.as_str()));
        Ok(found)
    }

    /// Brings the places up to date, if they are at most `most`.
    async fn look(&mut self, most: usize) -> Result<(), StoreError> {
        let fingerprint = &self.embedder.fingerprint;
        match &mut self.places {
            Places::Indexed => {}
            Places::Known(_, _) | Places::Nowhere if self.added.is_empty() => {}
            Places::Known(table, keys) => {
                if let Some(newest) = self.tables.open_pinned(CACHE).await? {
                    keys.refresh(&newest, fingerprint).await?;
                    *table = newest;
                }
                self.added.clear();
            }
            Places::Unread | Places::Nowhere => {
                self.places = match self.tables.open_pinned(CACHE).await? {
                    None => Places::Nowhere,
                    Some(table) => match Keys::load(&table, fingerprint, most).await? {
                        Some(keys) => Places::Known(table, keys),
                        None => Places::Indexed,
                    },
                };
                self.added.clear();
            }
        }
        Ok(())
    }

    fn held(&self, hash: &str) -> bool {
        let known = match &self.places {
            Places::Known(_, keys) => keys.rows(hash).next().is_some(),
            Places::Unread | Places::Nowhere | Places::Indexed => false,
        };
        known || self.added.contains(&columns::short_hash(hash))
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
        let new = |hash: &str| !self.held(hash) || self.damaged.contains(hash);
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
        self.added.extend(entries.iter().map(|(hash, _)| columns::short_hash(hash)));
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
        // Rows may have other places now.
        self.places = Places::Unread;
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

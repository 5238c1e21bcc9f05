//! Where the entries of one embedder stand in the cache's table: 16 bytes an entry, sorted, so that a look-up reads only rows
//! that are there.
//!
//! Rows keep their place while they are appended to; whoever deletes or compacts makes a new one. A place is found by half of
//! a hash: whoever takes the row compares the whole.

use std::collections::HashMap;

use futures::TryStreamExt;
use lancedb::Table;

use crate::error::StoreError;
use crate::native::store::columns::{self, Columns};
use crate::native::store::lance;
use crate::native::store::names::CACHE;

/// The places of an embedder's entries.
#[derive(Debug, Default)]
pub struct Keys {
    /// Rows of the table that were looked at, whatever their embedder.
    rows: usize,
    /// Half of a hash, and the row.
    sorted: Vec<(u64, u64)>,
    /// What was appended since.
    fresh: HashMap<u64, u64>,
}

impl Keys {
    /// Reads the places of the entries of an embedder; `None` if there are more than `most`.
    pub async fn load(table: &Table, fingerprint: &str, most: usize) -> Result<Option<Self>, StoreError> {
        let filter = format!("embedder = {}", lance::text_literal(fingerprint));
        let count = table.count_rows(Some(filter.clone())).await.map_err(lance::failed("count", CACHE))?;
        if count > most {
            return Ok(None);
        }
        let rows = table.count_rows(None).await.map_err(lance::failed("count", CACHE))?;
        let mut keys = Self { rows, sorted: Vec::with_capacity(count), fresh: HashMap::new() };
        let mut batches = lance::scan(table, &["content_hash"], Some(filter), true).await?;
        while let Some(batch) = batches.try_next().await? {
            let columns = Columns::of(&batch, CACHE);
            let places = columns.text("content_hash")?.iter().flatten().zip(columns.row_ids()?.values());
            keys.sorted.extend(places.map(|(hash, row)| (half(hash), *row)));
        }
        keys.sorted.sort_unstable();
        Ok(Some(keys))
    }

    /// Reads the places of what was appended to the table since.
    pub async fn refresh(&mut self, table: &Table, fingerprint: &str) -> Result<(), StoreError> {
        let mut batches = lance::scan_from(table, &["content_hash", "embedder"], self.rows).await?;
        while let Some(batch) = batches.try_next().await? {
            self.rows += batch.num_rows();
            let columns = Columns::of(&batch, CACHE);
            let texts = columns.text("content_hash")?.iter().zip(columns.text("embedder")?);
            for ((hash, embedder), row) in texts.zip(columns.row_ids()?.values()) {
                if embedder == Some(fingerprint) {
                    self.fresh.insert(half(hash.unwrap_or_default()), *row);
                }
            }
        }
        Ok(())
    }

    /// The rows that may hold the vector of a text.
    pub fn rows(&self, hash: &str) -> impl Iterator<Item = u64> {
        let key = half(hash);
        let start = self.sorted.partition_point(|(held, _)| *held < key);
        let sorted =
            self.sorted.iter().skip(start).take_while(move |(held, _)| *held == key).map(|(_, row)| *row);
        sorted.chain(self.fresh.get(&key).copied())
    }
}

/// The first half of a short hash.
fn half(hash: &str) -> u64 {
    (columns::short_hash(hash) >> 64) as u64
}

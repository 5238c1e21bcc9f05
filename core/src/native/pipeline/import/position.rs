//! The order of an import: every record's place in its collection, kept when it is imported again.
//!
//! Places are given when records are written, collection by collection in the order of lines, so a stopped and repeated
//! import gives the same ones as one that was not stopped.

use std::collections::HashMap;
use std::sync::Arc;

use super::POSITION;
use crate::error::StoreError;
use crate::native::store::{Row, Store, key_hash, row_hash};
use crate::schema::Value;

/// The next free place of each collection that was written to.
#[derive(Debug, Default)]
pub struct Positions {
    next: HashMap<String, i64>,
}

impl Positions {
    /// Gives each row its place, and the hash of all that it now holds. The rows must be in the order of lines.
    ///
    /// # Errors
    /// What the store says.
    pub async fn place(
        &mut self,
        store: &Store,
        collection: &str,
        model: &str,
        rows: &mut [Row],
    ) -> Result<(), StoreError> {
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let held = store.held_ints(collection, POSITION, &ids).await?;
        let mut next = match self.next.get(collection) {
            Some(&next) => next,
            None => store.largest_int(collection, POSITION).await?.map_or(0, |last| last.saturating_add(1)),
        };
        let path: Arc<str> = POSITION.into();
        for row in rows {
            let place = held.get(&key_hash(&row.id)).copied().unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            let at = row.values.partition_point(|(other, _)| **other < *path);
            row.values.insert(at, (path.clone(), Value::Int(place)));
            row.row_hash = row_hash(model, &row.content, &row.values, row.vector.as_deref());
        }
        self.next.insert(collection.to_owned(), next);
        Ok(())
    }
}

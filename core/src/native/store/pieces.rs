//! Records that are divided into several rows: what a record's older, longer or undivided form left behind.
//!
//! A row belongs to a divided record if its metadata say so and its id agrees; rows of other models are left alone, and so are
//! those of a user who has fields of these names.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StringArray, cast::AsArray, types::Int64Type};
use futures::TryStreamExt;
use lancedb::Table;

use super::columns::Columns;
use super::config::CollectionConfig;
use super::documents::Row;
use super::lance::{self, Tables};
use super::names;
use crate::error::StoreError;

/// The metadata of a piece: the key of its record, and its number.
pub const FIELDS: [&str; 2] = ["parent", "chunk_no"];
/// Ids in one predicate.
const IDS_PER_DELETE: usize = 1000;

/// The records of one upsert, as far as they may leave rows behind.
pub struct Divided {
    /// The number of pieces of each record by its key; 0 for one that is not divided.
    pieces: HashMap<Arc<str>, u32>,
}

impl Divided {
    /// What is to be looked for after `rows` are written; `None` when nothing can be left behind.
    pub fn of(config: &CollectionConfig, rows: &[Row]) -> Option<Self> {
        let was = FIELDS.iter().all(|path| config.fields.iter().any(|field| field.path == *path));
        let known = |row: &Row| match &row.piece {
            Some(piece) => (piece.parent.clone(), piece.of),
            None => (row.id.as_str().into(), 0),
        };
        was.then(|| Self { pieces: rows.iter().map(known).collect() })
    }

    /// Removes the rows that the records no longer have, with their vectors; says how many.
    pub async fn clean(
        &self,
        tables: &Tables,
        config: &CollectionConfig,
        model: &str,
    ) -> Result<u64, StoreError> {
        let name = names::documents(&config.collection);
        let Some(table) = tables.open(&name).await? else { return Ok(0) };
        let mut orphans = self.pieces_beyond(&table, model).await?;
        orphans.extend(self.undivided(&table, model).await?);
        let ids: Vec<&str> = orphans.iter().map(String::as_str).collect();
        remove(tables, config, &ids).await?;
        Ok(ids.len() as u64)
    }

    async fn pieces_beyond(&self, table: &Table, model: &str) -> Result<HashSet<String>, StoreError> {
        let [parent, number] = FIELDS.map(names::column);
        let mut orphans = HashSet::new();
        if !(lance::has_column(table, &parent).await? && lance::has_column(table, &number).await?) {
            return Ok(orphans);
        }
        let keys: Vec<&str> = self.pieces.keys().map(|key| &**key).collect();
        let wanted = [parent.as_str(), "id", &number, "model"];
        let mut batches = lance::find(table, &keys, &wanted, None).await?;
        while let Some(batch) = batches.try_next().await? {
            let columns = Columns::of(&batch, table.name());
            let (parents, ids) = (columns.text(&parent)?, columns.text("id")?);
            let (numbers, models) = (columns.int64(&number)?, columns.text("model")?);
            for row in 0..batch.num_rows() {
                if parents.is_null(row) || numbers.is_null(row) || models.value(row) != model {
                    continue;
                }
                let (parent, number) = (parents.value(row), numbers.value(row));
                let beyond = self.pieces.get(parent).is_some_and(|of| number >= i64::from(*of));
                if beyond && ids.value(row) == format!("{parent}#{number}") {
                    orphans.insert(ids.value(row).to_owned());
                }
            }
        }
        Ok(orphans)
    }

    /// The rows that records had before they were divided.
    async fn undivided(&self, table: &Table, model: &str) -> Result<HashSet<String>, StoreError> {
        let divided = self.pieces.iter().filter(|(_, of)| **of > 0);
        let keys: HashSet<&str> = divided.map(|(key, _)| &**key).collect();
        let (mut orphans, list) = (HashSet::new(), keys.iter().copied().collect::<Vec<_>>());
        if list.is_empty() {
            return Ok(orphans);
        }
        let held = columns(table).await?;
        let mut wanted = vec!["id", "model"];
        wanted.extend(held.iter().map(String::as_str));
        let mut batches = lance::find(table, &list, &wanted, None).await?;
        while let Some(batch) = batches.try_next().await? {
            let columns = Columns::of(&batch, table.name());
            let ids = columns.text("id")?;
            let rows = self::keys(&batch, ids).into_iter().zip(ids).zip(columns.text("model")?);
            // A piece of one record may be called like another record.
            let rows =
                rows.filter(|((key, id), of)| *id == Some(key) && keys.contains(key) && *of == Some(model));
            orphans.extend(rows.map(|((key, _), _)| key.to_owned()));
        }
        Ok(orphans)
    }
}

/// Of each row the key of its record: its id, unless it is a piece.
pub fn keys<'a>(batch: &'a RecordBatch, ids: &'a StringArray) -> Vec<&'a str> {
    let [parent, number] = FIELDS.map(names::column);
    let parents = batch.column_by_name(&parent).and_then(|column| column.as_string_opt::<i32>());
    let numbers = batch.column_by_name(&number).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let pieces = parents.zip(numbers);
    let parent = |row: usize| {
        let (parents, numbers) = pieces.filter(|(a, b)| a.is_valid(row) && b.is_valid(row))?;
        let parent = parents.value(row);
        (ids.value(row) == format!("{parent}#{}", numbers.value(row))).then_some(parent)
    };
    (0..ids.len()).map(|row| parent(row).unwrap_or_else(|| ids.value(row))).collect()
}

/// The ids of the rows of the records with these keys, divided or not.
pub async fn rows_of(table: &Table, keys: &HashSet<&str>, filter: &str) -> Result<Vec<String>, StoreError> {
    let (list, held) = (keys.iter().copied().collect::<Vec<_>>(), columns(table).await?);
    let mut found = Vec::new();
    let mut names = vec!["id"];
    names.extend(held.iter().map(String::as_str));
    // Rows are looked up by their id, and pieces by the key of their record.
    for first in 0..names.len().min(2) {
        let mut wanted = names.clone();
        wanted.swap(0, first);
        let mut batches = lance::find(table, &list, &wanted, Some(filter)).await?;
        while let Some(batch) = batches.try_next().await? {
            let ids = Columns::of(&batch, table.name()).text("id")?;
            let rows = self::keys(&batch, ids).into_iter().zip(ids).filter_map(|(key, id)| Some((key, id?)));
            let rows = rows.filter(|(key, id)| keys.contains(key) && (key == id) == (first == 0));
            found.extend(rows.map(|(_, id)| id.to_owned()));
        }
    }
    Ok(found)
}

/// The columns that say whose piece a row is, if the table has them.
pub async fn columns(table: &Table) -> Result<Vec<String>, StoreError> {
    let names = FIELDS.map(names::column);
    for name in &names {
        if !lance::has_column(table, name).await? {
            return Ok(Vec::new());
        }
    }
    Ok(names.into())
}

/// Removes records with their vectors. The documents go first: a vector without a document is shown to nobody.
pub async fn remove(tables: &Tables, config: &CollectionConfig, ids: &[&str]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut names = vec![names::documents(&config.collection)];
    names.extend(config.embedders.iter().map(|id| names::embeddings(&config.collection, &id.fingerprint)));
    for name in names {
        let Some(table) = tables.open(&name).await? else { continue };
        for ids in ids.chunks(IDS_PER_DELETE) {
            let filter = lance::is_one_of("id", ids);
            table.delete(&filter).await.map_err(lance::failed("delete from", &name))?;
        }
    }
    Ok(())
}

//! The embeddings table of a collection and an embedder: one row per record, with its vector or its error.
//!
//! [`Ledger`] answers "what is the status of this record" without reading vectors. It does not decide what to
//! embed; `pipeline::embed` does.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use futures::TryStreamExt;
use lancedb::Table;

use super::columns::{self, Columns};
use super::lance::{self, BATCH_ROWS, Tables};
use super::names;
use crate::error::StoreError;
use crate::schema::EmbedderId;

/// The result of embedding one record.
#[derive(Debug, Clone)]
pub(crate) struct Embedded {
    /// The record.
    pub id: String,
    /// The hash of the text that was embedded.
    pub content_hash: String,
    /// The vector, or why there is none.
    pub outcome: Result<Arc<[f32]>, String>,
    /// How often this text has failed.
    pub attempts: i32,
}

/// Where a record stands with one embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No row yet.
    New,
    /// The row is of another text.
    Stale,
    /// The vector is there, in this row of the table.
    Ready(u64),
    /// The text failed this many times.
    Error(i32),
}

/// One row of the table, without its vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    content: u128,
    failed: bool,
    attempts: i32,
    row_id: u64,
}

/// One of several parts of all records, by the hash of their ids: what is too much to be held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which part, from 0.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Part {
    /// All records.
    pub const ALL: Self = Self { number: 0, of: 1 };

    /// Whether the record is in it.
    pub fn holds(self, id: &str) -> bool {
        self.of <= 1 || self.holds_key(columns::key_hash(id))
    }

    fn holds_key(self, key: u128) -> bool {
        key % u128::from(self.of.max(1)) == u128::from(self.number)
    }
}

/// The status of every record of a collection with one embedder, 64 bytes a record, sorted by the hash of its id.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    known: Vec<(u128, Known)>,
}

impl Ledger {
    /// The bytes of memory of one record.
    pub const ROW_BYTES: usize = size_of::<(u128, Known)>();

    /// Reads the status columns of the table; a missing table knows nothing.
    pub async fn load(table: Option<&Table>) -> Result<Self, StoreError> {
        Self::load_part(table, Part::ALL).await
    }

    /// Reads the status of the records of one part.
    pub async fn load_part(table: Option<&Table>, part: Part) -> Result<Self, StoreError> {
        let mut known = Vec::new();
        let Some(table) = table else { return Ok(Self { known }) };
        let rows = table.count_rows(None).await.map_err(lance::failed("count", table.name()))?;
        known.reserve(rows / part.of.max(1) as usize);
        let columns = ["id", "content_hash", "error", "attempts"];
        let mut batches = lance::scan(table, &columns, None, true).await?;
        while let Some(batch) = batches.try_next().await? {
            let columns = Columns::of(&batch, table.name());
            let (ids, hashes) = (columns.text("id")?, columns.text("content_hash")?);
            let (errors, attempts) = (columns.text("error")?, columns.int32("attempts")?);
            let row_ids = columns.row_ids()?;
            known.extend((0..batch.num_rows()).filter_map(|row| {
                let key = columns::key_hash(ids.value(row));
                let entry = Known {
                    content: columns::short_hash(hashes.value(row)),
                    failed: errors.is_valid(row),
                    attempts: attempts.value(row),
                    row_id: row_ids.value(row),
                };
                part.holds_key(key).then_some((key, entry))
            }));
        }
        known.sort_unstable_by_key(|(key, _)| *key);
        Ok(Self { known })
    }

    /// Whether there is a row for the record, whatever its text.
    pub fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    fn find(&self, id: &str) -> Option<&Known> {
        let key = columns::key_hash(id);
        let at = self.known.binary_search_by_key(&key, |(held, _)| *held).ok()?;
        self.known.get(at).map(|(_, known)| known)
    }

    /// The status of a record whose text has this hash.
    pub fn state(&self, id: &str, content_hash: &str) -> State {
        match self.find(id) {
            None => State::New,
            Some(known) if known.content != columns::short_hash(content_hash) => State::Stale,
            Some(known) if known.failed => State::Error(known.attempts),
            Some(known) => State::Ready(known.row_id),
        }
    }
}

/// The content hashes of those of the records that have a row, both as in a [`Ledger`].
pub async fn held(table: Option<&Table>, ids: &[&str]) -> Result<HashMap<u128, u128>, StoreError> {
    let mut held = HashMap::new();
    let Some(table) = table else { return Ok(held) };
    let wanted: HashSet<u128> = ids.iter().map(|id| columns::key_hash(id)).collect();
    let mut batches = lance::find(table, ids, &["id", "content_hash"], None).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, table.name());
        for (id, hash) in columns.text("id")?.iter().zip(columns.text("content_hash")?) {
            let key = columns::key_hash(id.unwrap_or_default());
            if wanted.contains(&key) {
                held.insert(key, columns::short_hash(hash.unwrap_or_default()));
            }
        }
    }
    Ok(held)
}

fn schema(dimension: u32) -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("content_hash", DataType::Utf8, false),
        Field::new("vector", columns::vector_type(dimension), true),
        Field::new("error", DataType::Utf8, true),
        Field::new("attempts", DataType::Int32, false),
        Field::new("embedded_at", columns::timestamp(), false),
    ]))
}

/// Writes rows in one commit; `replaces` says that some may have a row already. Must not repeat an id.
pub async fn write(
    tables: &Tables,
    collection: &str,
    embedder: &EmbedderId,
    rows: &[Embedded],
    replaces: bool,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let name = names::embeddings(collection, &embedder.fingerprint);
    let schema = schema(embedder.dimension);
    let batches: Result<Vec<_>, ArrowError> =
        rows.chunks(BATCH_ROWS).map(|rows| batch(&schema, embedder.dimension, rows)).collect();
    let batches = batches.map_err(lance::failed("write", &name))?;
    if replaces {
        tables.upsert(&name, &["id"], schema, batches).await
    } else {
        tables.append(&name, batches).await
    }
}

fn batch(schema: &SchemaRef, dimension: u32, rows: &[Embedded]) -> Result<RecordBatch, ArrowError> {
    let vectors: Vec<Option<&[f32]>> = rows.iter().map(|row| row.outcome.as_deref().ok()).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| Some(&row.id)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| Some(&row.content_hash)).collect::<StringArray>()),
        columns::encode_vectors(dimension, &vectors)?,
        Arc::new(rows.iter().map(|row| row.outcome.as_ref().err()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.attempts).collect::<Int32Array>()),
        columns::now(rows.len()),
    ];
    RecordBatch::try_new(schema.clone(), columns)
}

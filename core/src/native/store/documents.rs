//! The documents table of a collection: upserts by id that touch only what changed.
//!
//! It does not know models or source files; `pipeline::ingest` makes the rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use futures::TryStreamExt;
use lancedb::Table;

use super::columns::{self, Columns};
use super::config::CollectionConfig;
use super::lance::{self, BATCH_ROWS, Tables};
use super::names;
use crate::error::StoreError;
use crate::schema::Value;

/// One record on its way into a documents table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The declared key.
    pub id: String,
    /// What is kept as document, and the text to embed.
    pub content: Content,
    /// The hash of all that is stored: equal hashes mean an unchanged record.
    pub row_hash: blake3::Hash,
    /// Metadata by dotted path, without nulls, sorted by path.
    pub values: Vec<(Arc<str>, Value)>,
    /// The vector the record brings, if any.
    pub vector: Option<Vec<f32>>,
    /// Which part of a divided record it is.
    pub piece: Option<Piece>,
    /// Whether its text was cut to a budget.
    pub cut: bool,
}

/// A part of a divided record; the row's id is `parent#number`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The record's key.
    pub parent: Arc<str>,
    /// Which part, from 0.
    pub number: u32,
    /// Into how many the record was divided.
    pub of: u32,
}

impl Row {
    /// The hash of what the record's vector must fit: the text to embed, and the vector itself when the record brings it.
    /// So a vector that was imported for another state of the record is stale.
    pub fn content_hash(&self) -> blake3::Hash {
        let Some(vector) = &self.vector else { return self.content.hash() };
        let mut hasher = blake3::Hasher::new_derive_key("portolan: a text and the vector imported for it");
        hasher.update(self.content.hash().as_bytes());
        for number in vector {
            hasher.update(&number.to_le_bytes());
        }
        hasher.finalize()
    }
}

/// The document and the text to embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// What is kept for people.
    pub document: Option<String>,
    /// The text to embed, when it differs from the document.
    pub text: Option<String>,
}

impl Content {
    /// Keeps `text` only if it differs from `document`.
    pub fn new(document: Option<String>, text: String) -> Self {
        let text = (document.as_deref().unwrap_or_default() != text).then_some(text);
        Self { document, text }
    }

    /// The exact text to embed.
    pub fn text(&self) -> &str {
        self.text.as_deref().or(self.document.as_deref()).unwrap_or_default()
    }

    /// The hash of the exact text to embed.
    pub fn hash(&self) -> blake3::Hash {
        blake3::hash(self.text().as_bytes())
    }
}

/// What an upsert did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct UpsertCounts {
    /// Rows whose key was new.
    pub inserted: u64,
    /// Rows that replaced a different row.
    pub updated: u64,
    /// Rows that were there already, as they are.
    pub unchanged: u64,
    /// Rows of a record's former parts that it no longer has.
    pub removed: u64,
}

/// The hash of all that is stored of a record. Null fields do not count, so a field added to a model changes only
/// the records that have a value for it.
pub(crate) fn row_hash(
    model: &str,
    content: &Content,
    values: &[(Arc<str>, Value)],
    vector: Option<&[f32]>,
) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut put = |tag: u8, bytes: &[u8]| {
        hasher.update(&[tag]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    put(1, model.as_bytes());
    put(2, content.text().as_bytes());
    content.document.iter().for_each(|document| put(3, document.as_bytes()));
    for (path, value) in values {
        put(4, path.as_bytes());
        hash_value(value, &mut put);
    }
    // Tag 5 was the vector too, before `Row::content_hash` counted it: those rows must be written again.
    for number in vector.into_iter().flatten() {
        put(6, &number.to_le_bytes());
    }
    hasher.finalize()
}

fn hash_value(value: &Value, put: &mut impl FnMut(u8, &[u8])) {
    match value {
        Value::Null => put(10, &[]),
        Value::Bool(value) => put(11, &[u8::from(*value)]),
        Value::Int(value) => put(12, &value.to_le_bytes()),
        Value::Float(value) => put(13, &value.to_le_bytes()),
        Value::Text(value) => put(14, value.as_bytes()),
        Value::Time(value) => put(15, &value.to_le_bytes()),
        Value::List(items) => {
            put(16, &(items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| hash_value(item, put));
        }
        Value::Object(fields) => {
            put(17, &(fields.len() as u64).to_le_bytes());
            for (key, value) in fields {
                put(18, key.as_bytes());
                hash_value(value, put);
            }
        }
    }
}

/// The Arrow schema of a collection's documents.
fn schema(config: &CollectionConfig) -> SchemaRef {
    let mut fields = vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("document", DataType::Utf8, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("content_hash", DataType::Utf8, false),
        Field::new("row_hash", DataType::Utf8, false),
        Field::new("model", DataType::Utf8, false),
        Field::new("ingested_at", columns::timestamp(), false),
    ];
    fields.extend(config.fields.iter().map(columns::column));
    Arc::new(Schema::new(fields))
}

/// Inserts new rows and replaces changed ones, in one commit; no commit when nothing changed. `rows` must not
/// repeat an id.
pub async fn upsert(
    tables: &Tables,
    config: &CollectionConfig,
    model: &str,
    rows: Vec<Row>,
) -> Result<UpsertCounts, StoreError> {
    let name = names::documents(&config.collection);
    let mut counts = UpsertCounts::default();
    let held = match tables.open(&name).await? {
        None => HashMap::new(),
        Some(table) => held_hashes(&table, &rows).await?,
    };
    let total = rows.len() as u64;
    let changed: Vec<Row> = rows
        .into_iter()
        .filter(|row| match held.get(&columns::key_hash(&row.id)) {
            None => true,
            Some(hash) => {
                counts.updated += u64::from(*hash != row.row_hash);
                *hash != row.row_hash
            }
        })
        .collect();
    counts.unchanged = total - changed.len() as u64;
    counts.inserted = changed.len() as u64 - counts.updated;
    write(tables, config, model, &changed, counts.updated > 0).await?;
    Ok(counts)
}

async fn write(
    tables: &Tables,
    config: &CollectionConfig,
    model: &str,
    rows: &[Row],
    replaces: bool,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let name = names::documents(&config.collection);
    let schema = schema(config);
    if let Some(table) = tables.open(&name).await? {
        lance::add_missing_columns(&table, &schema).await?;
    }
    let batches: Result<Vec<_>, ArrowError> =
        rows.chunks(BATCH_ROWS).map(|rows| batch(config, &schema, model, rows)).collect();
    let batches = batches.map_err(lance::failed("write", &name))?;
    if replaces {
        tables.upsert(&name, &["id"], schema, batches).await
    } else {
        tables.append(&name, batches).await
    }
}

/// The stored row hashes of those of `rows` that exist.
async fn held_hashes(table: &Table, rows: &[Row]) -> Result<HashMap<u128, blake3::Hash>, StoreError> {
    let wanted: HashSet<u128> = rows.iter().map(|row| columns::key_hash(&row.id)).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut held = HashMap::new();
    let mut batches = lance::find(table, &ids, &["id", "row_hash"], None).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, table.name());
        for (id, hash) in columns.text("id")?.iter().zip(columns.text("row_hash")?) {
            let key = columns::key_hash(id.unwrap_or_default());
            if wanted.contains(&key) {
                // An unreadable hash counts as a changed row, which repairs it.
                let hash = blake3::Hash::from_hex(hash.unwrap_or_default());
                held.insert(key, hash.unwrap_or_else(|_| blake3::Hash::from_bytes([0; 32])));
            }
        }
    }
    Ok(held)
}

/// The integers that those of the records that exist hold at a path, by [`columns::key_hash`].
pub async fn held_ints(table: &Table, path: &str, ids: &[&str]) -> Result<HashMap<u128, i64>, StoreError> {
    let wanted: HashSet<u128> = ids.iter().map(|id| columns::key_hash(id)).collect();
    let (column, mut held) = (names::column(path), HashMap::new());
    if !lance::has_column(table, &column).await? {
        return Ok(held);
    }
    let mut batches = lance::find(table, ids, &["id", &column], None).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, table.name());
        for (id, number) in columns.text("id")?.iter().zip(columns.int64(&column)?) {
            let key = columns::key_hash(id.unwrap_or_default());
            held.extend(number.filter(|_| wanted.contains(&key)).map(|number| (key, number)));
        }
    }
    Ok(held)
}

/// The largest integer that a record holds at a path.
pub async fn largest_int(table: &Table, path: &str) -> Result<Option<i64>, StoreError> {
    let (column, mut largest) = (names::column(path), None);
    if !lance::has_column(table, &column).await? {
        return Ok(largest);
    }
    let mut batches = lance::scan(table, &[&column], None, false).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, table.name());
        largest = largest.max(columns.int64(&column)?.iter().flatten().max());
    }
    Ok(largest)
}

fn batch(
    config: &CollectionConfig,
    schema: &SchemaRef,
    model: &str,
    rows: &[Row],
) -> Result<RecordBatch, ArrowError> {
    let text = |of: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let mut columns: Vec<ArrayRef> = vec![
        text(&|row| Some(row.id.clone())),
        text(&|row| row.content.document.clone()),
        text(&|row| row.content.text.clone()),
        text(&|row| Some(row.content_hash().to_hex().to_string())),
        text(&|row| Some(row.row_hash.to_hex().to_string())),
        text(&|_| Some(model.to_owned())),
        columns::now(rows.len()),
    ];
    for field in &config.fields {
        let values: Vec<&Value> = rows.iter().map(|row| value_at(row, &field.path)).collect();
        columns.push(columns::encode(&field.kind, &values)?);
    }
    RecordBatch::try_new(schema.clone(), columns)
}

fn value_at<'a>(row: &'a Row, path: &str) -> &'a Value {
    match row.values.binary_search_by(|(held, _)| (**held).cmp(path)) {
        Ok(at) => &row.values[at].1,
        Err(_) => &Value::Null,
    }
}

/// The documents of a batch with their texts to embed: (id, content hash, text).
pub fn texts<'a>(
    batch: &'a RecordBatch,
    table: &'a str,
) -> Result<Vec<(&'a str, &'a str, &'a str)>, StoreError> {
    let columns = Columns::of(batch, table);
    let (ids, hashes) = (columns.text("id")?, columns.text("content_hash")?);
    let (documents, texts) = (columns.text("document")?, columns.text("text")?);
    let text = |row| match (texts.is_valid(row), documents.is_valid(row)) {
        (true, _) => texts.value(row),
        (false, true) => documents.value(row),
        (false, false) => "",
    };
    Ok((0..batch.num_rows()).map(|row| (ids.value(row), hashes.value(row), text(row))).collect())
}

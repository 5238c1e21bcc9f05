//! Reading a collection back: its ready records in batches, and how many there are of each status.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use futures::TryStreamExt;
use lancedb::Table;

use super::columns::{self, Columns};
use super::config::CollectionConfig;
use super::embeddings::{Ledger, State};
use super::lance::{self, Batches, Tables};
use super::names;
use super::retire::{self, Screen};
use crate::error::StoreError;
use crate::native::pipeline::Leaving;
use crate::schema::{EmbedderId, Field, Record, Schema, Value};

/// How many records of a collection have which status with one embedder. The last four add up to the first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// All records.
    pub documents: u64,
    /// With a vector of their present text.
    pub ready: u64,
    /// Never embedded.
    pub new: u64,
    /// Embedded before their text changed.
    pub stale: u64,
    /// Their text failed to embed.
    pub error: u64,
}

/// Counts by comparing the two tables' status columns; no vector is read.
pub async fn counts(
    tables: &Tables,
    collection: &str,
    embedder: Option<&EmbedderId>,
    leaving: &Arc<Leaving>,
) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let Some(documents) = tables.open_pinned(&names::documents(collection)).await? else {
        return Ok(counts);
    };
    let embeddings = match embedder {
        Some(id) => tables.open_pinned(&names::embeddings(collection, &id.fingerprint)).await?,
        None => None,
    };
    let ledger = Ledger::load(embeddings.as_ref()).await?;
    let filter = staying(&documents, &leaving.partitions).await?;
    let screen = Screen::of(&documents, leaving).await?;
    let mut wanted = vec!["id", "content_hash"];
    wanted.extend(screen.iter().flat_map(Screen::columns));
    let mut batches = lance::scan(&documents, &wanted, filter, false).await?;
    while let Some(batch) = batches.try_next().await? {
        let hidden = hidden(screen.as_ref(), &batch, documents.name())?;
        let columns = Columns::of(&batch, documents.name());
        let rows = columns.text("id")?.iter().zip(columns.text("content_hash")?).zip(hidden);
        for ((id, hash), _) in rows.filter(|(_, hidden)| !hidden) {
            counts.documents += 1;
            match ledger.state(id.unwrap_or_default(), hash.unwrap_or_default()) {
                State::New => counts.new += 1,
                State::Stale => counts.stale += 1,
                State::Ready(_) => counts.ready += 1,
                State::Error(_) => counts.error += 1,
            }
        }
    }
    Ok(counts)
}

/// The ready records of a collection, in batches of a few thousand.
///
/// Pinned to one version of each table. Holds 48 bytes a record, and the vectors of one batch.
pub struct Reader {
    schema: Schema,
    fields: Vec<(Field, String)>,
    documents: Option<(Batches, String)>,
    screen: Option<Screen>,
    embeddings: Option<Table>,
    ledger: Ledger,
}

impl Reader {
    /// A reader of the newest versions. The documents are pinned first: a document written in between then only
    /// makes its vector look stale.
    pub(super) async fn open(
        tables: &Tables,
        config: &CollectionConfig,
        embedder: &EmbedderId,
        leaving: &Arc<Leaving>,
    ) -> Result<Self, StoreError> {
        let documents = tables.open_pinned(&names::documents(&config.collection)).await?;
        let name = names::embeddings(&config.collection, &embedder.fingerprint);
        let embeddings = tables.open_pinned(&name).await?;
        let ledger = Ledger::load(embeddings.as_ref()).await?;
        let (fields, documents, screen) = match documents {
            None => (Vec::new(), None, None),
            Some(table) => {
                let fields = held_fields(&table, config).await?;
                let mut wanted = vec!["id", "document", "content_hash"];
                wanted.extend(fields.iter().map(|(_, column)| column.as_str()));
                let screen = Screen::of(&table, leaving).await?;
                for column in screen.iter().flat_map(Screen::columns) {
                    if !wanted.contains(&column) {
                        wanted.push(column);
                    }
                }
                let filter = staying(&table, &leaving.partitions).await?;
                let batches = lance::scan(&table, &wanted, filter, false).await?;
                (fields, Some((batches, table.name().to_owned())), screen)
            }
        };
        Ok(Self { schema: config.schema(embedder), fields, documents, screen, embeddings, ledger })
    }

    /// What the records share.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next records, or `None` at the end. Records are in the order of the store, which is not sorted.
    ///
    /// # Errors
    /// [`StoreError::Table`] or [`StoreError::Corrupt`].
    pub async fn next_batch(&mut self) -> crate::Result<Option<Vec<Record>>> {
        let (Some((batches, name)), Some(embeddings)) = (&mut self.documents, &self.embeddings) else {
            return Ok(None);
        };
        while let Some(batch) = batches.try_next().await? {
            let mut ready = ready_rows(&batch, name, &self.ledger)?;
            let hidden = hidden(self.screen.as_ref(), &batch, name)?;
            ready.retain(|(row, _)| !hidden[*row]);
            if ready.is_empty() {
                continue;
            }
            let mut vectors = take_vectors(embeddings, &ready).await?;
            let mut records = Vec::with_capacity(ready.len());
            for (row, _) in ready {
                records.push(record(&batch, name, &self.fields, row, &mut vectors)?);
            }
            return Ok(Some(records));
        }
        Ok(None)
    }

    /// All remaining records at once.
    ///
    /// # Errors
    /// Like [`next_batch`](Self::next_batch).
    pub async fn read_all(&mut self) -> crate::Result<Vec<Record>> {
        let mut all = Vec::new();
        while let Some(batch) = self.next_batch().await? {
            all.extend(batch);
        }
        Ok(all)
    }
}

/// The predicate that leaves out rows of partitions that were dropped.
async fn staying(table: &Table, leaving: &[String]) -> Result<Option<String>, StoreError> {
    let Some(filter) = retire::without(leaving) else { return Ok(None) };
    let has = lance::has_column(table, &names::column(retire::PARTITION)).await?;
    Ok(has.then_some(filter))
}

/// Of each row of a batch, whether its record was dropped.
fn hidden(screen: Option<&Screen>, batch: &RecordBatch, table: &str) -> Result<Vec<bool>, StoreError> {
    screen.map_or_else(|| Ok(vec![false; batch.num_rows()]), |screen| screen.hidden(batch, table))
}

/// The fields that the table has columns for. A field may be declared before any record has brought it.
async fn held_fields(table: &Table, config: &CollectionConfig) -> Result<Vec<(Field, String)>, StoreError> {
    let held = table.schema().await.map_err(lance::failed("open", table.name()))?;
    let with_columns = config.fields.iter().map(|field| (field.clone(), names::column(&field.path)));
    Ok(with_columns.filter(|(_, column)| held.field_with_name(column).is_ok()).collect())
}

/// The rows of a batch that are ready, each with its row in the embeddings table.
fn ready_rows(batch: &RecordBatch, name: &str, ledger: &Ledger) -> Result<Vec<(usize, u64)>, StoreError> {
    let columns = Columns::of(batch, name);
    let (ids, hashes) = (columns.text("id")?, columns.text("content_hash")?);
    let ready =
        (0..batch.num_rows()).filter_map(|row| match ledger.state(ids.value(row), hashes.value(row)) {
            State::Ready(row_id) => Some((row, row_id)),
            _ => None,
        });
    Ok(ready.collect())
}

async fn take_vectors(
    table: &Table,
    ready: &[(usize, u64)],
) -> Result<HashMap<String, Vec<f32>>, StoreError> {
    let mut row_ids: Vec<u64> = ready.iter().map(|&(_, row_id)| row_id).collect();
    row_ids.sort_unstable();
    let mut vectors = HashMap::with_capacity(row_ids.len());
    let mut batches = lance::take(table, row_ids, &["id", "vector"]).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, table.name());
        let (ids, column) = (columns.text("id")?, columns.any("vector")?);
        for row in 0..batch.num_rows() {
            if let Some(vector) = columns::decode_vector(column, row) {
                vectors.insert(ids.value(row).to_owned(), vector);
            }
        }
    }
    Ok(vectors)
}

/// One record.
///
/// # Errors
/// [`StoreError::Corrupt`] when a row that has no error has no vector either.
fn record(
    batch: &RecordBatch,
    name: &str,
    fields: &[(Field, String)],
    row: usize,
    vectors: &mut HashMap<String, Vec<f32>>,
) -> Result<Record, StoreError> {
    let columns = Columns::of(batch, name);
    let id = columns.text("id")?.value(row).to_owned();
    let Some(vector) = vectors.remove(&id) else {
        let reason = format!("record {id:?} is neither failed nor has it a vector");
        return Err(StoreError::Corrupt { table: name.into(), reason });
    };
    let documents = columns.text("document")?;
    let mut metadata = BTreeMap::new();
    for (field, column) in fields {
        let value = columns::decode(&field.kind, columns.any(column)?, row);
        if value != Value::Null {
            metadata.insert(field.path.clone(), value);
        }
    }
    let document = documents.is_valid(row).then(|| documents.value(row).to_owned());
    Ok(Record { id, document, metadata, vector })
}

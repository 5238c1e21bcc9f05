//! The few Lance operations the store uses, with its errors and its limits.
//!
//! Everything that touches `lancedb` goes through here, so that its quirks are in one place: sources of merges are
//! already free of duplicates, and scans name their columns.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::SchemaRef;
use futures::{StreamExt, stream::BoxStream};
use lancedb::query::{ExecutableQuery, QueryBase, QueryExecutionOptions, Select};
use lancedb::table::{CompactionOptions, NewColumnTransform, OptimizeAction};
use lancedb::{Connection, ObjectStoreRegistry, Session, Table};

use super::names;
use crate::error::StoreError;

/// Rows per batch, written and read.
pub const BATCH_ROWS: usize = 8192;
/// Bytes of index pages and of table metadata that Lance may keep. Its defaults (6 and 1 GiB) would let a long run
/// over many collections grow past any budget.
const CACHE_BYTES: usize = 64 << 20;
/// Keys in one `IN (...)` list.
const KEYS_PER_LOOKUP: usize = 1000;
/// A scan of a narrow column reads about this many rows in the time of looking up one key.
const ROWS_PER_KEY: usize = 64;
/// Small fragments that make a compaction worth its writes.
const MANY_FRAGMENTS: usize = 16;

/// Batches of a scan.
pub type Batches = BoxStream<'static, Result<RecordBatch, StoreError>>;

/// The error of a Lance operation, with what was tried.
pub fn failed<E>(action: &'static str, table: &str) -> impl FnOnce(E) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let table = table.to_owned();
    move |source| StoreError::Table { action, table, source: Box::new(source) }
}

/// The tables of one store.
#[derive(Clone)]
pub struct Tables {
    connection: Connection,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("uri", &self.connection.uri()).finish()
    }
}

impl Tables {
    /// Connects to the directory, which must exist.
    pub async fn connect(dir: &Path) -> Result<Self, StoreError> {
        let uri = dir.to_str().ok_or_else(|| StoreError::NotAStore {
            dir: dir.to_path_buf(),
            reason: "its path is not UTF-8, which Lance needs",
        })?;
        let session = Session::new(CACHE_BYTES, CACHE_BYTES, Arc::new(ObjectStoreRegistry::default()));
        let connection = lancedb::connect(uri)
            .session(Arc::new(session))
            .execute()
            .await
            .map_err(failed("connect to", names::META))?;
        Ok(Self { connection })
    }

    /// The table at its newest version, or `None` when it does not exist.
    pub async fn open(&self, name: &str) -> Result<Option<Table>, StoreError> {
        match self.connection.open_table(name).execute().await {
            Ok(table) => Ok(Some(table)),
            Err(lancedb::Error::TableNotFound { .. }) => Ok(None),
            Err(error) => Err(failed("open", name)(error)),
        }
    }

    /// The table pinned to its newest version: later writes do not show.
    pub async fn open_pinned(&self, name: &str) -> Result<Option<Table>, StoreError> {
        let Some(table) = self.open(name).await? else { return Ok(None) };
        let version = table.version().await.map_err(failed("open", name))?;
        table.checkout(version).await.map_err(failed("open", name))?;
        Ok(Some(table))
    }

    /// Adds rows in one commit, creating the table if need be. Their keys must be new.
    pub async fn append(&self, name: &str, batches: Vec<RecordBatch>) -> Result<(), StoreError> {
        if batches.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(());
        }
        match self.open(name).await? {
            Some(table) => {
                table.add(batches).execute().await.map_err(failed("append to", name))?;
            }
            None => {
                let create = self.connection.create_table(name, batches);
                create.execute().await.map_err(failed("create", name))?;
            }
        }
        Ok(())
    }

    /// Inserts or replaces rows by `on`, in one commit. The rows must not repeat a key.
    pub async fn upsert(
        &self,
        name: &str,
        on: &[&str],
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<(), StoreError> {
        let Some(table) = self.open(name).await? else { return self.append(name, batches).await };
        let source = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
        let mut merge = table.merge_insert(on);
        merge.when_matched_update_all(None).when_not_matched_insert_all();
        merge.execute(Box::new(source)).await.map_err(failed("merge into", name))?;
        Ok(())
    }
}

/// Adds to `table` the columns of `schema` that it lacks, filled with nulls. Rewrites no data.
pub async fn add_missing_columns(table: &Table, schema: &SchemaRef) -> Result<(), StoreError> {
    let held = table.schema().await.map_err(failed("open", table.name()))?;
    let missing: Vec<_> =
        schema.fields().iter().filter(|f| held.field_with_name(f.name()).is_err()).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let transform = NewColumnTransform::AllNulls(Arc::new(arrow_schema::Schema::new(missing)));
    let add = table.add_columns().transform(transform).execute().await;
    add.map(|_| ()).map_err(failed("add columns to", table.name()))
}

/// Whether the table has a column of that name.
pub async fn has_column(table: &Table, name: &str) -> Result<bool, StoreError> {
    let schema = table.schema().await.map_err(failed("open", table.name()))?;
    Ok(schema.field_with_name(name).is_ok())
}

/// All rows of the named columns; with the row ids (column `_rowid`) if asked.
pub async fn scan(
    table: &Table,
    columns: &[&str],
    filter: Option<String>,
    row_ids: bool,
) -> Result<Batches, StoreError> {
    let mut query = table.query().select(Select::columns(columns));
    if let Some(filter) = filter {
        query = query.only_if(filter);
    }
    if row_ids {
        query = query.with_row_id();
    }
    let stream = query.execute_with_options(options()).await.map_err(failed("scan", table.name()))?;
    Ok(named(stream, table.name()))
}

/// The rows from number `offset` on, in the order in which they were appended, with their row ids.
pub async fn scan_from(table: &Table, columns: &[&str], offset: usize) -> Result<Batches, StoreError> {
    let query = table.query().select(Select::columns(columns)).offset(offset).with_row_id();
    let stream = query.execute_with_options(options()).await.map_err(failed("scan", table.name()))?;
    Ok(named(stream, table.name()))
}

/// The rows with these row ids, in any order.
pub async fn take(table: &Table, row_ids: Vec<u64>, columns: &[&str]) -> Result<Batches, StoreError> {
    let query = table.take_row_ids(row_ids).select(Select::columns(columns));
    let stream = query.execute_with_options(options()).await.map_err(failed("read", table.name()))?;
    Ok(named(stream, table.name()))
}

/// The rows whose `columns[0]` may be one of `keys`, with their row ids. For few keys in a large table the keys are
/// looked up; else the whole (narrow) columns are read, and the caller drops what it did not ask for. Without an index
/// each look-up of [`KEYS_PER_LOOKUP`] reads the whole columns anyway, so there is one at most.
pub async fn find(
    table: &Table,
    keys: &[&str],
    columns: &[&str],
    filter: Option<&str>,
) -> Result<Batches, StoreError> {
    let rows = table.count_rows(None).await.map_err(failed("count", table.name()))?;
    let indices = table.list_indices().await.map_err(failed("open", table.name()))?;
    let too_many = indices.is_empty() && keys.len() > KEYS_PER_LOOKUP;
    if too_many || keys.len().saturating_mul(ROWS_PER_KEY) >= rows {
        return scan(table, columns, filter.map(String::from), true).await;
    }
    let mut found = Vec::new();
    for chunk in keys.chunks(KEYS_PER_LOOKUP) {
        let wanted = is_one_of(columns[0], chunk);
        let filter = filter.map_or(wanted.clone(), |filter| format!("{filter} AND {wanted}"));
        let mut batches = scan(table, columns, Some(filter), true).await?;
        while let Some(batch) = batches.next().await {
            found.push(batch);
        }
    }
    Ok(futures::stream::iter(found).boxed())
}

/// The predicate `column IN (keys)`.
pub fn is_one_of(column: &str, keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| text_literal(key)).collect();
    format!("{column} IN ({})", keys.join(","))
}

/// A text as a literal of a predicate.
pub fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Merges small fragments once there are many. Reads and writes one batch at a time.
pub async fn compact(table: &Table) -> Result<(), StoreError> {
    let stats = table.stats().await.map_err(failed("compact", table.name()))?;
    if stats.fragment_stats.num_small_fragments < MANY_FRAGMENTS {
        return Ok(());
    }
    rewrite(table).await
}

/// Merges small fragments and leaves out deleted rows. Reads and writes one batch at a time.
pub async fn rewrite(table: &Table) -> Result<(), StoreError> {
    let options =
        CompactionOptions { num_threads: Some(1), batch_size: Some(BATCH_ROWS / 8), ..Default::default() };
    let action = OptimizeAction::Compact { options, remap_options: None };
    table.optimize(action).await.map(|_| ()).map_err(failed("compact", table.name()))
}

fn options() -> QueryExecutionOptions {
    let mut options = QueryExecutionOptions::default();
    options.max_batch_length = BATCH_ROWS as u32;
    options
}

fn named(stream: lancedb::arrow::SendableRecordBatchStream, table: &str) -> Batches {
    let table = table.to_owned();
    stream.map(move |batch| batch.map_err(failed("read", &table))).boxed()
}

//! Rows that leave a collection, and columns that change their type.
//!
//! Use it for rows that `apply` wrote, which carry the partition they came from. Their vectors stay: should the rows come back, they
//! need not be embedded again. What leaves is decided by `pipeline`.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};
use futures::TryStreamExt;
use lancedb::Table;

use super::columns::{self, Columns};
use super::config::Claim;
use super::handle::Store;
use super::{lance, names, pieces};
use crate::error::StoreError;
use crate::native::pipeline::Leaving;

/// The metadata field with the name of a row's partition.
pub const PARTITION: &str = "partition_name";
/// Ids in one deletion.
const IDS_AT_ONCE: usize = 1000;

/// The predicate that leaves out the rows of partitions; `None` for none.
pub fn without(partitions: &[String]) -> Option<String> {
    let names: Vec<&str> = partitions.iter().map(String::as_str).collect();
    let column = names::column(PARTITION);
    (!names.is_empty()).then(|| format!("({column} IS NULL OR NOT ({}))", lance::is_one_of(&column, &names)))
}

/// Finds the rows of single records that were dropped, in batches of a documents table.
pub struct Screen {
    leaving: Arc<Leaving>,
    columns: Vec<String>,
}

impl Screen {
    /// For a table; `None` when it can have no such rows.
    pub async fn of(table: &Table, leaving: &Arc<Leaving>) -> Result<Option<Self>, StoreError> {
        let partition = names::column(PARTITION);
        if !leaving.has_records() || !lance::has_column(table, &partition).await? {
            return Ok(None);
        }
        let mut columns = vec!["model".to_owned(), partition];
        for column in pieces::FIELDS.map(names::column) {
            if lance::has_column(table, &column).await? {
                columns.push(column);
            }
        }
        Ok(Some(Self { leaving: leaving.clone(), columns }))
    }

    /// The columns that it reads besides `id`.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Of each row of a batch, whether it is of such a record.
    pub fn hidden(&self, batch: &RecordBatch, table: &str) -> Result<Vec<bool>, StoreError> {
        let columns = Columns::of(batch, table);
        let (ids, models) = (columns.text("id")?, columns.text("model")?);
        let partitions = columns.text(&names::column(PARTITION))?;
        let keys = pieces::keys(batch, ids);
        let mut hidden = Vec::with_capacity(batch.num_rows());
        for (row, key) in keys.into_iter().enumerate() {
            let of_partition = partitions.is_valid(row);
            let (model, partition) = (models.value(row), partitions.value(row));
            let key = columns::key_hash(key);
            hidden.push(of_partition && self.leaving.is_dropped(model, partition, key)?);
        }
        Ok(hidden)
    }
}

impl Store {
    /// Deletes the rows of a model that came from these partitions; says how many.
    pub(crate) async fn remove_partitions(
        &mut self,
        collection: &str,
        model: &str,
        partitions: &[&str],
    ) -> Result<u64, StoreError> {
        let column = names::column(PARTITION);
        let filter =
            format!("model = {} AND {}", lance::text_literal(model), lance::is_one_of(&column, partitions));
        self.remove(collection, partitions.is_empty(), &filter).await
    }

    /// Deletes those of the rows of a model that came from another partition than the named one; says how many.
    pub(crate) async fn remove_older(
        &mut self,
        collection: &str,
        model: &str,
        ids: &[String],
        partition: &str,
    ) -> Result<u64, StoreError> {
        let column = names::column(PARTITION);
        let older = format!(
            "model = {} AND {column} <> {}",
            lance::text_literal(model),
            lance::text_literal(partition)
        );
        self.remove_ids(collection, ids, &older).await
    }

    /// Deletes the rows of a model's single records that were dropped; says how many.
    pub(crate) async fn remove_dropped(
        &mut self,
        collection: &str,
        model: &str,
        leaving: &Arc<Leaving>,
    ) -> Result<u64, StoreError> {
        let Some(table) = self.partitioned(collection).await? else { return Ok(0) };
        let Some(screen) = Screen::of(&table, leaving).await? else { return Ok(0) };
        let filter = format!("model = {}", lance::text_literal(model));
        let mut wanted = vec!["id"];
        wanted.extend(screen.columns());
        let mut batches = lance::scan(&table, &wanted, Some(filter.clone()), false).await?;
        let mut found = Vec::new();
        while let Some(batch) = batches.try_next().await? {
            let hidden = screen.hidden(&batch, table.name())?;
            let ids = Columns::of(&batch, table.name()).text("id")?.iter().zip(hidden);
            found.extend(ids.filter(|(_, hidden)| *hidden).filter_map(|(id, _)| id.map(String::from)));
        }
        self.remove_found(collection, &found, &filter).await
    }

    async fn remove_ids(
        &mut self,
        collection: &str,
        ids: &[String],
        filter: &str,
    ) -> Result<u64, StoreError> {
        let Some(table) = self.partitioned(collection).await?.filter(|_| !ids.is_empty()) else {
            return Ok(0);
        };
        let wanted: std::collections::HashSet<&str> = ids.iter().map(String::as_str).collect();
        // Looked for first: a deletion is a commit, and most often there is nothing to delete.
        let found = pieces::rows_of(&table, &wanted, filter).await?;
        self.remove_found(collection, &found, filter).await
    }

    async fn remove_found(
        &mut self,
        collection: &str,
        found: &[String],
        filter: &str,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for chunk in found.chunks(IDS_AT_ONCE) {
            let ids: Vec<&str> = chunk.iter().map(String::as_str).collect();
            let filter = format!("{filter} AND {}", lance::is_one_of("id", &ids));
            removed += self.remove(collection, false, &filter).await?;
        }
        Ok(removed)
    }

    async fn remove(&mut self, collection: &str, nothing: bool, filter: &str) -> Result<u64, StoreError> {
        self.require_writable()?;
        let Some(table) = self.partitioned(collection).await?.filter(|_| !nothing) else { return Ok(0) };
        let count = table.count_rows(Some(filter.to_owned())).await;
        if count.map_err(lance::failed("count", table.name()))? == 0 {
            return Ok(0);
        }
        let deleted = table.delete(filter).await.map_err(lance::failed("delete from", table.name()))?;
        Ok(deleted.num_deleted_rows)
    }

    /// The documents of a collection, if any of them came from a partition.
    async fn partitioned(&self, collection: &str) -> Result<Option<Table>, StoreError> {
        let Some(table) = self.tables().open(&names::documents(collection)).await? else { return Ok(None) };
        let has = lance::has_column(&table, &names::column(PARTITION)).await?;
        Ok(has.then_some(table))
    }

    /// Makes a collection's columns those of the claim, when its model has it alone and all its rows came from partitions: columns of
    /// another type or of no field lose their values, which the caller writes again.
    pub(crate) async fn reshape(&mut self, collection: &str, claim: &Claim<'_>) -> crate::Result<()> {
        let Some(table) = self.partitioned(collection).await? else { return Ok(()) };
        let mut config = self.config(collection)?.clone();
        let foreign = format!("{} IS NULL", names::column(PARTITION));
        let foreign = table.count_rows(Some(foreign)).await.map_err(lance::failed("count", table.name()))?;
        if config.models != [claim.model] || foreign > 0 {
            return Ok(());
        }
        config.fields = claim.fields.to_vec();
        config.fields.sort_by(|a, b| a.path.cmp(&b.path));
        let wanted: Vec<Field> = config.fields.iter().map(columns::column).collect();
        if *self.config(collection)? != config {
            self.save(vec![config]).await?;
        }
        let held = table.schema().await.map_err(lance::failed("open", table.name()))?;
        let wrong = |field: &&std::sync::Arc<Field>| {
            let same = |other: &&Field| other.name() == field.name();
            let kind: Option<&DataType> = wanted.iter().find(same).map(Field::data_type);
            field.name().starts_with("m_") && kind != Some(field.data_type())
        };
        let wrong: Vec<&str> =
            held.fields().iter().filter(wrong).map(|field| field.name().as_str()).collect();
        if !wrong.is_empty() {
            let dropped = table.drop_columns(&wrong).await;
            dropped.map_err(lance::failed("drop columns of", table.name()))?;
        }
        Ok(())
    }
}

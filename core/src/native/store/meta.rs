//! The `meta` table: the store's version and the settings of its collections.
//!
//! Small by nature: it is read whole when a store is opened. It is no place for anything that grows with records.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::TryStreamExt;

use super::columns::{self, Columns};
use super::config::CollectionConfig;
use super::lance::{self, Tables};
use super::names::META;
use crate::error::StoreError;

/// The key of the store's own version.
const STORE: &str = "store";
/// The prefix of the keys of collections.
const COLLECTION: &str = "collection:";

/// The version of the layout described in [`super`].
pub const STORE_VERSION: u32 = 1;

/// Writes the store's version into a new store.
pub async fn initialise(tables: &Tables) -> Result<(), StoreError> {
    put(tables, &[(STORE.into(), STORE_VERSION.to_string())]).await
}

/// The settings of all collections, or `None` when the directory holds no store.
///
/// # Errors
/// [`StoreError::TooNew`], [`StoreError::Corrupt`], or what Lance says.
pub async fn load(tables: &Tables) -> Result<Option<BTreeMap<String, CollectionConfig>>, StoreError> {
    let Some(table) = tables.open_pinned(META).await? else { return Ok(None) };
    let mut configs = BTreeMap::new();
    let mut batches = lance::scan(&table, &["key", "value"], None, false).await?;
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, META);
        for (key, value) in columns.text("key")?.iter().zip(columns.text("value")?) {
            let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
            if key == STORE {
                check_version(value.parse().map_err(|_| corrupt(key, &"not a number"))?)?;
            } else if let Some(name) = key.strip_prefix(COLLECTION) {
                configs.insert(name.to_owned(), parse(key, value)?);
            }
        }
    }
    Ok(Some(configs))
}

/// Writes the settings of collections in one commit.
pub async fn save(tables: &Tables, configs: &[CollectionConfig]) -> Result<(), StoreError> {
    let entries: Result<Vec<_>, StoreError> = configs
        .iter()
        .map(|config| {
            let json = serde_json::to_string(config).map_err(|e| corrupt(&config.collection, &e))?;
            Ok((format!("{COLLECTION}{}", config.collection), json))
        })
        .collect();
    put(tables, &entries?).await
}

async fn put(tables: &Tables, entries: &[(String, String)]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let keys: StringArray = entries.iter().map(|(key, _)| Some(key)).collect();
    let values: StringArray = entries.iter().map(|(_, value)| Some(value)).collect();
    let schema = schema();
    let columns = vec![Arc::new(keys) as _, Arc::new(values) as _, columns::now(entries.len())];
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(lance::failed("write", META))?;
    tables.upsert(META, &["key"], schema, vec![batch]).await
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
        Field::new("updated_at", columns::timestamp(), false),
    ]))
}

fn parse(key: &str, value: &str) -> Result<CollectionConfig, StoreError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema_version: u32,
    }
    // The version is read alone first: a newer layout may not parse as this one.
    let version: Version = serde_json::from_str(value).map_err(|e| corrupt(key, &e))?;
    check_version(version.schema_version)?;
    serde_json::from_str(value).map_err(|e| corrupt(key, &e))
}

fn check_version(found: u32) -> Result<(), StoreError> {
    if found > STORE_VERSION {
        return Err(StoreError::TooNew { found, supported: STORE_VERSION });
    }
    Ok(())
}

fn corrupt(key: &str, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { table: META.into(), reason: format!("{key:?}: {reason}") }
}

//! Rows that were dropped and that may still stand in tables: a drop writes the manifest first and the tables afterwards.
//!
//! Readers leave these rows out, so that a drop counts from the moment its manifest is written; `apply` and the next drop delete them.
//! Without an unfinished drop it holds nothing and opens no file of keys.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::error::StoreError;
use crate::native::pipeline::manifest::{Manifest, number};
use crate::native::pipeline::prepare::keys::KeyIndex;

/// What unfinished drops leave out.
#[derive(Debug, Default)]
pub struct Leaving {
    /// Partitions that were dropped.
    pub partitions: Vec<String>,
    /// Single records, by model.
    records: BTreeMap<String, Records>,
}

/// The single records of one model.
#[derive(Debug)]
struct Records {
    dropped: KeyIndex,
    /// The partition in which the rows of a partition first stood.
    origins: HashMap<String, u64>,
}

impl Leaving {
    /// Of the store in `dir`.
    ///
    /// # Errors
    /// As [`Manifest::load`]; damaged files of keys.
    pub fn load(dir: &Path) -> Result<Self, StoreError> {
        Self::of(dir, &Manifest::load(dir)?)
    }

    /// Of a manifest.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`].
    pub fn of(dir: &Path, manifest: &Manifest) -> Result<Self, StoreError> {
        let mut leaving = Self { partitions: manifest.leaving(), records: BTreeMap::new() };
        for model in manifest.model_schemas.keys() {
            let mut dropped = KeyIndex::default();
            for keys in manifest.dropped_keys(model).filter(|keys| !keys.retired) {
                dropped.add(dir, (number(&keys.up_to), true), &keys.keys)?;
            }
            if !dropped.is_empty() {
                let held = manifest.partitions.iter().filter_map(|one| Some((one, one.models.get(model)?)));
                let origins = held.map(|(one, held)| (one.name.clone(), number(&held.origin))).collect();
                leaving.records.insert(model.clone(), Records { dropped, origins });
            }
        }
        Ok(leaving)
    }

    /// Whether it names single records.
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    /// Whether a model's row of a partition is of a record that was dropped there; `key` is the hash of the record's key.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn is_dropped(&self, model: &str, partition: &str, key: u128) -> Result<bool, StoreError> {
        let Some(records) = self.records.get(model) else { return Ok(false) };
        let Some(origin) = records.origins.get(partition) else { return Ok(false) };
        let newest = records.dropped.newest(key)?;
        Ok(newest.is_some_and(|((up_to, _), _)| up_to >= *origin))
    }
}

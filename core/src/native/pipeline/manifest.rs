//! The manifest of a store: partitions, runs, the schemas of models, and drops.
//!
//! `STORE/manifest.json` is the one truth about what has been prepared: a file that it does not name does not count. It is replaced as
//! a whole under the writer lock and carries its own checksum. All paths in it are relative to the store. It knows neither rows nor
//! tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::evolve::Description;
use crate::error::{StoreError, near_names};
use crate::native::release::write_durably;
use crate::time::format_time;

/// Its file inside the store.
const FILE: &str = "manifest.json";
/// The key of the checksum, which is of everything else.
const CHECKSUM: &str = "checksum";
/// The version of the file.
const VERSION: u32 = 1;

/// What a store has prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this description.
    pub version: u32,
    /// All partitions, oldest first.
    pub partitions: Vec<Partition>,
    /// All runs of `prepare`, oldest first.
    pub runs: Vec<Run>,
    /// What each model is now, and was before.
    pub model_schemas: BTreeMap<String, ModelSchema>,
    /// All drops, oldest first.
    pub drops: Vec<Dropped>,
}

/// The rows that one run added, of one or more models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// `partition_00000` and so on; never used twice.
    pub name: String,
    /// When, in UTC.
    pub created_at: String,
    /// The run.
    pub run: String,
    /// By model.
    pub models: BTreeMap<String, Held>,
}

/// The rows of one model in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// How many.
    pub rows: u64,
    /// The version of the model by which they are read.
    pub schema_version: u32,
    /// The version of the model when they were read from their source.
    pub prepared_version: u32,
    /// The model's signature in that version.
    pub signature: String,
    /// The partition in which these rows first stood. It orders versions of a record: the later one holds.
    pub origin: String,
    /// The file of rows.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its hash.
    pub blake3: String,
    /// The sorted keys of the rows.
    pub keys: KeyFile,
    /// When the rows were written to their collections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
    /// Why the rows are no longer read this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
    /// Why the rows are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<DroppedMark>,
    /// Whether rows that are stale or dropped have left the collections.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

impl Held {
    /// Whether its rows count.
    pub fn is_live(&self) -> bool {
        self.stale.is_none() && self.dropped.is_none()
    }
}

/// A file of sorted keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The file.
    pub file: String,
    /// How many keys.
    pub count: u64,
    /// Its hash.
    pub blake3: String,
}

/// Why rows are read in another way now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// What changed.
    pub reason: String,
    /// When.
    pub at: String,
    /// The partitions that hold the same rows by the new schema.
    pub replaced_by: Vec<String>,
}

/// Why rows are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DroppedMark {
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
    /// The id of the drop.
    pub drop: String,
}

/// One run of `prepare`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// `run_00000` and so on.
    pub id: String,
    /// When.
    pub created_at: String,
    /// What it read.
    pub sources: Vec<SourceRun>,
    /// What it added.
    pub partitions: Vec<String>,
}

/// What became of the records of one file. The last five add up to the first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRun {
    /// The file.
    pub path: PathBuf,
    /// The model.
    pub model: String,
    /// Whether its values are texts.
    pub texts: bool,
    /// All records.
    pub records: u64,
    /// Taken as they are.
    pub emitted: u64,
    /// Taken after a repair.
    pub repaired: u64,
    /// There already.
    pub duplicates: u64,
    /// Without a value that the source says is needed.
    pub dropped: u64,
    /// Refused.
    pub quarantined: u64,
}

/// The versions of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSchema {
    /// What it means now.
    pub signature: String,
    /// The newest version, from 1.
    pub version: u32,
    /// Its description now.
    pub fields: Description,
    /// Its descriptions before, by version.
    pub history: BTreeMap<u32, Description>,
    /// The names under which older rows hold fields.
    pub aliases: Vec<Alias>,
}

/// A field that has another name in rows prepared before a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The field.
    pub field: String,
    /// Its name there.
    pub name: String,
    /// The first version whose rows have the field under its own name.
    pub since: u32,
}

/// One drop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// `drop_00000` and so on.
    pub id: String,
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What was asked for.
    pub selector: Json,
    /// How many rows left.
    pub rows: u64,
    /// Single rows, by model: they are gone from all partitions up to the named one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, DroppedKeys>,
    /// Since when it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<String>,
}

/// Single rows that were dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DroppedKeys {
    /// The newest partition that is concerned.
    pub up_to: String,
    /// Their keys.
    pub keys: KeyFile,
    /// Whether the rows have left the collections.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

impl Default for Manifest {
    fn default() -> Self {
        let (partitions, runs, model_schemas, drops) = Default::default();
        Self { version: VERSION, partitions, runs, model_schemas, drops }
    }
}

impl Manifest {
    /// The manifest of the store in `dir`; empty before the first run.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`], [`StoreError::TooNew`].
    pub fn load(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(StoreError::File { action: "read", path, source }),
        };
        let bad = |reason: String| StoreError::BadManifest { path: path.clone(), reason };
        let mut json: Json = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        let version = json.get("version").and_then(Json::as_u64).unwrap_or(0);
        if version > u64::from(VERSION) {
            let found = u32::try_from(version).unwrap_or(u32::MAX);
            return Err(StoreError::TooNew { found, supported: VERSION });
        }
        let held = json.as_object_mut().and_then(|fields| fields.remove(CHECKSUM));
        if held.as_ref().and_then(Json::as_str) != Some(checksum(&json).as_str()) {
            return Err(bad("its checksum is not that of its content".into()));
        }
        serde_json::from_value(json).map_err(|error| bad(error.to_string()))
    }

    /// Replaces the manifest of the store in `dir`. The caller holds the writer lock.
    ///
    /// # Errors
    /// [`StoreError::File`]; the old manifest stays then.
    pub fn save(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(FILE);
        let bad = |error: serde_json::Error| StoreError::BadManifest {
            path: path.clone(),
            reason: error.to_string(),
        };
        let mut json = serde_json::to_value(self).map_err(bad)?;
        let sum = checksum(&json);
        if let Some(fields) = json.as_object_mut() {
            fields.insert(CHECKSUM.into(), sum.into());
        }
        let text = serde_json::to_string_pretty(&json).map_err(bad)? + "\n";
        write_durably(&path, text.as_bytes())
    }

    /// The rows of a model that count, in the order in which later ones replace earlier ones.
    pub fn live<'m>(&'m self, model: &str) -> Vec<(&'m Partition, &'m Held)> {
        let held = self.partitions.iter().filter_map(|p| Some((p, p.models.get(model)?)));
        let mut live: Vec<_> = held.filter(|(_, held)| held.is_live()).collect();
        live.sort_by_key(|(_, held)| number(&held.origin));
        live
    }

    /// The single rows of a model that are dropped, with the newest partition that is concerned.
    pub fn dropped_keys<'m>(&'m self, model: &'m str) -> impl Iterator<Item = &'m DroppedKeys> {
        self.drops.iter().filter(|drop| drop.undone_at.is_none()).filter_map(move |drop| drop.keys.get(model))
    }

    /// A partition by name.
    ///
    /// # Errors
    /// [`StoreError::NotPrepared`] with the nearest names.
    pub fn partition(&self, name: &str) -> Result<&Partition, StoreError> {
        self.partitions.iter().find(|partition| partition.name == name).ok_or_else(|| {
            let near = near_names(name, self.partitions.iter().map(|partition| partition.name.as_str()));
            let hint = near.first().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            StoreError::NotPrepared { what: format!("the store has no partition {name:?}{hint}") }
        })
    }

    /// The name of the next partition.
    pub fn next_partition(&self) -> String {
        let next = self.partitions.iter().map(|p| number(&p.name) + 1).max().unwrap_or(0);
        format!("partition_{next:05}")
    }

    /// The models of which something was dropped that has not left the collections yet.
    pub fn unfinished(&self) -> Vec<String> {
        let whole = |model: &str| {
            let held = self.partitions.iter().filter_map(|partition| partition.models.get(model));
            held.into_iter().any(|held| held.dropped.is_some() && !held.retired)
        };
        let single = |model: &str| self.dropped_keys(model).any(|keys| !keys.retired);
        self.model_schemas.keys().filter(|model| whole(model) || single(model)).cloned().collect()
    }

    /// Partitions whose rows are neither served nor gone yet.
    pub fn leaving(&self) -> Vec<String> {
        let leaves = |held: &Held| held.dropped.is_some() && !held.retired;
        let leaving = self.partitions.iter().filter(|partition| partition.models.values().any(leaves));
        leaving.map(|partition| partition.name.clone()).collect()
    }
}

/// The number at the end of a name.
pub fn number(name: &str) -> u64 {
    name.rsplit('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The time now, in UTC.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format_time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn checksum(json: &Json) -> String {
    blake3::hash(json.to_string().as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_back_and_any_change_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::load(dir.path()).unwrap(), Manifest::default());
        let mut manifest = Manifest::default();
        manifest.runs.push(Run {
            id: "run_00000".into(),
            created_at: now(),
            sources: vec![SourceRun { records: 7, ..Default::default() }],
            partitions: Vec::new(),
        });
        manifest.save(dir.path()).unwrap();
        assert_eq!(Manifest::load(dir.path()).unwrap(), manifest);
        let path = dir.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in
            [("\"records\": 7", "\"records\": 8"), ("{", ""), ("\"version\": 1", "\"version\": 0")]
        {
            std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert!(matches!(Manifest::load(dir.path()), Err(StoreError::BadManifest { .. })), "{to}");
        }
        std::fs::write(&path, text.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
        assert!(matches!(Manifest::load(dir.path()), Err(StoreError::TooNew { found: 2, .. })));
    }
}

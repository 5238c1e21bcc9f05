//! Taking over what idxr has prepared: its partitions, schema versions, drops, and what its states say was indexed.
//!
//! The rows of live partitions are prepared again from idxr's own CSV files, one partition for each, in the manifest's order; nothing of
//! idxr's folder is changed. Its states are compared with the rows: resuming after a failure could lose rows and still say
//! "complete", and here is where that shows. Vectors are not taken over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::evolve::Description;
use super::manifest::{Dropped, Manifest, ModelSchema, number};
use super::model::Model;
use super::prepare::{PrepareOptions, PrepareReport, SourceFormat, SourceSpec, prepare};
use super::progress::ProgressFn;
use super::registry::Registry;
use crate::error::StoreError;
use crate::native::store::Store;

/// The end of the names of idxr's states.
const STATE: &str = "_resume_state.json";

#[derive(Deserialize)]
struct IdxrManifest {
    version: u32,
    #[serde(default)]
    partitions: Vec<IdxrPartition>,
    #[serde(default)]
    model_schemas: BTreeMap<String, IdxrSchema>,
    #[serde(default)]
    drops: Vec<IdxrDrop>,
}

#[derive(Deserialize)]
struct IdxrPartition {
    name: String,
    #[serde(default)]
    models: BTreeMap<String, IdxrModel>,
    #[serde(default)]
    stale: bool,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
struct IdxrModel {
    path: PathBuf,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
struct IdxrSchema {
    version: u32,
}

#[derive(Deserialize)]
struct IdxrDrop {
    #[serde(default)]
    config: Json,
    #[serde(default)]
    performed_at: String,
    #[serde(default)]
    performed_by: String,
}

#[derive(Deserialize)]
struct IdxrState {
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    collection_count: Option<u64>,
}

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdxrReport {
    /// What became of the records.
    pub prepared: PrepareReport,
    /// Partitions, or models in them, that idxr says are stale or deleted: they were left behind.
    pub left_behind: Vec<String>,
    /// Rows of a model in a partition that idxr's states do not account for.
    pub doubts: Vec<IdxrDoubt>,
    /// The collections in which idxr indexed each model.
    pub collections: BTreeMap<String, Vec<String>>,
    /// The drops that were taken over.
    pub drops: u64,
}

/// Rows that idxr's collections may lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdxrDoubt {
    /// The partition.
    pub partition: String,
    /// The model.
    pub model: String,
    /// Its distinct rows.
    pub rows: u64,
    /// How many the state says are in the collection; `None` when there is no state.
    pub indexed: Option<u64>,
    /// Whether the state says that it is complete all the same.
    pub complete: bool,
}

/// Takes over what idxr has prepared in `root`. `states` is where it kept its states; the partitions' folders if they are there.
///
/// # Errors
/// [`StoreError::File`]; [`StoreError::BadSource`] for a manifest of another kind; a model that the registry does not declare.
pub fn import_idxr(
    store: &Store,
    registry: &Registry,
    root: &Path,
    states: &Path,
    progress: &ProgressFn<'_>,
) -> crate::Result<IdxrReport> {
    store.require_writable()?;
    let idxr: IdxrManifest = read(&root.join("manifest.json"))?;
    if idxr.version != 1 {
        let reason = format!("it has version {}, only 1 is known", idxr.version);
        return Err(StoreError::BadSource { path: root.join("manifest.json"), reason }.into());
    }
    let mut report = IdxrReport::default();
    let mut files: BTreeMap<&str, Vec<(&str, PathBuf)>> = BTreeMap::new();
    for partition in &idxr.partitions {
        for (model, held) in &partition.models {
            if partition.stale || partition.deleted || held.deleted {
                report.left_behind.push(format!("{}/{model}", partition.name));
            } else {
                let path = resolve(root, &partition.name, &held.path);
                files.entry(model).or_default().push((&partition.name, path));
            }
        }
    }
    let sources: crate::Result<Vec<(&Model, Vec<SourceSpec>)>> = files
        .iter()
        .map(|(model, files)| {
            Ok((registry.model(model)?, files.iter().map(|(_, path)| spec(path)).collect()))
        })
        .collect();
    let sources = sources?;
    report.drops = begin(store.dir(), &sources, &idxr)?;
    let sources: Vec<(&Model, &[SourceSpec])> =
        sources.iter().map(|(model, specs)| (*model, &**specs)).collect();
    let options = PrepareOptions { partition_rows: u64::MAX, by_file: true };
    report.prepared = prepare(store, &sources, options, progress)?;
    let states = read_states(states, &mut report.collections)?;
    report.doubts = doubts(&report.prepared, &files, &states);
    Ok(report)
}

fn read<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T, StoreError> {
    let text = std::fs::read(path);
    let text = text.map_err(|source| StoreError::File { action: "read", path: path.into(), source })?;
    serde_json::from_slice(&text).map_err(|error| StoreError::BadSource {
        path: path.into(),
        reason: format!("it is not what idxr writes: {error}"),
    })
}

/// Where a file of a partition is: idxr wrote absolute paths, and its folder may have been moved.
fn resolve(root: &Path, partition: &str, path: &Path) -> PathBuf {
    match path.file_name() {
        Some(name) if root.join(partition).join(name).exists() => root.join(partition).join(name),
        _ => path.to_path_buf(),
    }
}

fn spec(path: &Path) -> SourceSpec {
    SourceSpec { path: path.into(), format: Some(SourceFormat::Csv), ..Default::default() }
}

/// Takes over versions of models that the store does not know yet, and drops; says how many drops.
fn begin(dir: &Path, sources: &[(&Model, Vec<SourceSpec>)], idxr: &IdxrManifest) -> Result<u64, StoreError> {
    let mut manifest = Manifest::load(dir)?;
    for (model, _) in sources {
        let version = idxr.model_schemas.get(&model.name).map_or(1, |schema| schema.version.max(1));
        let fields = Description::of(model);
        let (history, aliases) = Default::default();
        let schema = ModelSchema { signature: fields.signature(), version, fields, history, aliases };
        manifest.model_schemas.entry(model.name.clone()).or_insert(schema);
    }
    let mut taken = 0;
    for drop in &idxr.drops {
        let known = |held: &Dropped| held.at == drop.performed_at && held.selector == drop.config;
        if manifest.drops.iter().any(known) {
            continue;
        }
        taken += 1;
        let next = manifest.drops.iter().map(|held| number(&held.id) + 1).max().unwrap_or(0);
        manifest.drops.push(Dropped {
            id: format!("drop_{next:05}"),
            at: drop.performed_at.clone(),
            by: drop.performed_by.clone(),
            reason: "carried out by idxr".into(),
            selector: drop.config.clone(),
            rows: 0,
            keys: BTreeMap::new(),
            undone_at: None,
        });
    }
    manifest.save(dir)?;
    Ok(taken)
}

/// The states by partition and model, and the collections that they are of.
type States = BTreeMap<(String, String), IdxrState>;

fn read_states(folder: &Path, collections: &mut BTreeMap<String, Vec<String>>) -> Result<States, StoreError> {
    let mut states = States::new();
    let fail = |source| StoreError::File { action: "read", path: folder.into(), source };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let partition = entry.map_err(fail)?.path();
        let Ok(files) = std::fs::read_dir(&partition) else { continue };
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let Some(collection) = name.strip_suffix(STATE) else { continue };
            let models: BTreeMap<String, IdxrState> = read(&file.path())?;
            for (model, state) in models {
                let known = collections.entry(model.clone()).or_default();
                if !known.iter().any(|held| held == collection) {
                    known.push(collection.to_owned());
                }
                let partition = partition.file_name().unwrap_or_default().to_string_lossy().into_owned();
                states.insert((partition, model), state);
            }
        }
    }
    Ok(states)
}

fn doubts(
    prepared: &PrepareReport,
    files: &BTreeMap<&str, Vec<(&str, PathBuf)>>,
    states: &States,
) -> Vec<IdxrDoubt> {
    let mut doubts = Vec::new();
    for (model, files) in files {
        for (partition, path) in files {
            let source = prepared.sources.iter().find(|source| source.path == *path);
            // idxr never writes the same row twice into one partition.
            let rows = source.map_or(0, |source| source.records - source.quarantined);
            let state = states.get(&((*partition).to_owned(), (*model).to_owned()));
            let indexed = state.and_then(|state| state.collection_count);
            let complete = state.is_some_and(|state| state.complete);
            if indexed != Some(rows) || !complete {
                let (partition, model) = ((*partition).to_owned(), (*model).to_owned());
                doubts.push(IdxrDoubt { partition, model, rows, indexed, complete });
            }
        }
    }
    doubts
}

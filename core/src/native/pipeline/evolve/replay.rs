//! Prepared rows read by a model as it is now.

use std::path::Path;
use std::sync::Arc;

use crate::error::StoreError;
use crate::native::pipeline::manifest::{Held, Manifest, Partition};
use crate::native::pipeline::model::Model;
use crate::native::pipeline::prepare::rows::{RowsBatch, RowsReader};
use crate::native::pipeline::progress::{Phase, Progress, ProgressFn};
use crate::native::pipeline::record::RecordReader;
use crate::native::pipeline::source::Unread;
use crate::native::store::{PARTITION, Row, key_hash};
use crate::schema::{Field, FieldType, Value};

/// The metadata field with the name of a row's model.
const MODEL: &str = "model_name";
/// The metadata field with the version of that model.
const VERSION: &str = "schema_version";

/// The metadata of applied rows: that of the model, and where they come from.
pub fn fields(model: &Model) -> Vec<Field> {
    let own = [(MODEL, FieldType::Text), (PARTITION, FieldType::Text), (VERSION, FieldType::Int)];
    let own = own.into_iter().map(|(path, kind)| Field { path: path.into(), kind });
    let mut fields: Vec<Field> = model.metadata.iter().cloned().chain(own).collect();
    fields.sort_by(|a, b| a.path.cmp(&b.path));
    fields
}

/// Refuses models that want the names of that metadata for themselves.
///
/// # Errors
/// [`StoreError::BadSource`] naming the field.
pub fn check_names(model: &Model) -> Result<(), StoreError> {
    let taken = model.metadata.iter().find(|f| [MODEL, PARTITION, VERSION].contains(&f.path.as_str()));
    match taken {
        None => Ok(()),
        Some(field) => Err(StoreError::BadRegistry {
            path: "the registry".into(),
            reason: format!(
                "model {:?}: the metadata field {:?} is made by `portolan apply`; use another name",
                model.name, field.path
            ),
        }),
    }
}

/// The rows of one model in one partition.
pub struct Replay<'p> {
    rows: RowsReader,
    reader: RecordReader,
    /// For each source of the run, whether its values are texts.
    texts: Vec<bool>,
    /// The partition and its rows, and how many of them are read.
    subject: (String, u64),
    done: u64,
    progress: Option<&'p ProgressFn<'p>>,
}

/// A row that was read, or why it could not be.
pub struct Replayed {
    /// The hash of its key.
    pub key: u128,
    /// The digest of its record.
    pub digest: u128,
    /// Its key as the model makes it.
    pub id: String,
    /// Its rows with their collections: several of a model that divides its texts.
    pub rows: Vec<(String, Row)>,
}

impl<'p> Replay<'p> {
    /// Of a partition of the store in `dir`, by the model; rows say that they are of `version`.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`].
    pub fn open(
        dir: &Path,
        manifest: &Manifest,
        model: &Model,
        (partition, held): (&Partition, &Held),
    ) -> Result<Self, StoreError> {
        let schema = manifest.model_schemas.get(&model.name);
        let aliases = schema.iter().flat_map(|schema| &schema.aliases);
        let aliases = aliases.filter(|alias| alias.since > held.prepared_version);
        let aliases = aliases.map(|alias| (alias.field.clone(), alias.name.clone())).collect();
        let system = [
            (MODEL, Value::Text(model.name.clone())),
            (PARTITION, Value::Text(partition.name.clone())),
            (VERSION, Value::Int(i64::from(held.schema_version))),
        ];
        let system = system.into_iter().map(|(path, value)| (Arc::from(path), value)).collect();
        let run = manifest.runs.iter().find(|run| run.id == partition.run);
        let texts = run.iter().flat_map(|run| &run.sources).map(|source| source.texts).collect();
        Ok(Self {
            rows: RowsReader::open(&dir.join(&held.file), &held.blake3)?,
            reader: RecordReader::new(model.clone()).with_aliases(aliases).with_system(system),
            texts,
            subject: (partition.name.clone(), held.rows),
            done: 0,
            progress: None,
        })
    }

    /// Tells how far it is.
    pub fn telling(mut self, progress: &'p ProgressFn<'p>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The next rows; of those that cannot be read, the key as prepared and why.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`].
    pub fn next_batch(&mut self) -> Result<Option<Vec<Result<Replayed, String>>>, StoreError> {
        let Some(batch) = self.rows.next_batch()? else { return Ok(None) };
        let rows = self.read(&batch)?;
        self.done += rows.len() as u64;
        if let Some(progress) = self.progress {
            let (subject, total) = (self.subject.0.as_str(), Some(self.subject.1));
            progress(Progress { phase: Phase::Replay, subject, done: self.done, total });
        }
        Ok(Some(rows))
    }

    fn read(&mut self, batch: &RowsBatch) -> Result<Vec<Result<Replayed, String>>, StoreError> {
        let mut rows = Vec::new();
        for row in batch.iter() {
            self.reader.set_texts(self.texts.get(row.source as usize).copied().unwrap_or(false));
            let json = serde_json::from_str(row.record).map_err(|error| error.to_string().into());
            let mut own = Vec::new();
            rows.push(match json.and_then(|json| self.reader.rows(&json, &mut own)) {
                Ok(id) => Ok(Replayed { key: key_hash(&id), digest: row.digest, id, rows: own }),
                Err(Unread::Refused(reason)) => Err(format!("{}: {reason}", row.key)),
                Err(Unread::Stopped(error)) => return Err(error),
            });
        }
        Ok(rows)
    }
}

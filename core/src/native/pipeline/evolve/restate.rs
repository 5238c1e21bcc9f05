//! Partitions of a changed model: the old reading of their rows becomes stale, a new one refers to the same file.

use std::path::Path;

use super::diff::diff;
use super::replay::Replay;
use super::translate::Translation;
use crate::error::StoreError;
use crate::native::pipeline::manifest::{Held, Manifest, Partition, Stale, now};
use crate::native::pipeline::model::Model;
use crate::native::pipeline::prepare::keys::{self, Digests};
use crate::native::pipeline::prepare::{FOLDER, file_name, sync_folders};
use crate::native::pipeline::progress::ProgressFn;

/// What became of a model's rows.
#[derive(Debug, Default)]
pub struct Restated {
    /// How many rows cannot be read by the model.
    pub refused: u64,
    /// The first of them, and why.
    pub first: Option<String>,
}

/// Restates all live rows of a model that are read by an older version of it. The manifest is changed in memory only: until it is
/// saved, nothing counts.
///
/// # Errors
/// [`StoreError::File`], [`StoreError::BadManifest`].
pub fn restate(
    dir: &Path,
    manifest: &mut Manifest,
    model: &Model,
    progress: &ProgressFn<'_>,
) -> Result<Restated, StoreError> {
    let mut restated = Restated::default();
    let Some(version) = manifest.model_schemas.get(&model.name).map(|schema| schema.version) else {
        return Ok(restated);
    };
    let old = manifest.live(&model.name).into_iter();
    let old: Vec<(Partition, Held)> = old
        .filter(|(_, held)| held.schema_version < version)
        .map(|(partition, held)| (partition.clone(), held.clone()))
        .collect();
    // When only some are read again, the others have the keys of the drops already.
    let mut drops = match !old.is_empty() && old.len() == manifest.live(&model.name).len() {
        true => Translation::all(dir, manifest, &model.name)?,
        false => Vec::new(),
    };
    for (partition, held) in old {
        for drop in &mut drops {
            drop.note(dir, &held)?;
        }
        let reason = reason(manifest, model, held.schema_version);
        let name = manifest.next_partition();
        let signature = manifest.model_schemas.get(&model.name).map(|schema| schema.signature.clone());
        let mut new = Held {
            schema_version: version,
            signature: signature.unwrap_or_default(),
            applied_at: None,
            ..held.clone()
        };
        let replay = Replay::open(dir, manifest, model, (&partition, &new))?.telling(progress);
        let digests = read(replay, &mut drops, &mut restated)?;
        let place = format!("{FOLDER}/{name}/{}.keys", file_name(&model.name));
        new.rows = digests.0;
        new.keys = keys::write(dir, &place, &digests.1)?;
        sync_folders(&dir.join(FOLDER).join(&name))?;
        let at = now();
        let stale = Stale { reason, at: at.clone(), replaced_by: vec![name.clone()] };
        let mark = manifest.partitions.iter_mut().find(|one| one.name == partition.name);
        if let Some(held) = mark.and_then(|one| one.models.get_mut(&model.name)) {
            held.stale = Some(stale);
        }
        let models = [(model.name.clone(), new)].into();
        manifest.partitions.push(Partition {
            name,
            created_at: partition.created_at,
            run: partition.run,
            models,
        });
    }
    for drop in drops {
        drop.finish(dir, manifest, &model.name)?;
    }
    Ok(restated)
}

fn reason(manifest: &Manifest, model: &Model, version: u32) -> String {
    let schema = manifest.model_schemas.get(&model.name);
    let old = schema.and_then(|schema| schema.history.get(&version));
    let changes = schema.zip(old).map(|(schema, old)| diff(old, &schema.fields, &model.renamed_from));
    let changes: Vec<String> = changes.iter().flatten().map(ToString::to_string).collect();
    format!("schema-change: {}", changes.join("; "))
}

/// The rows that the model can read, and the newest version of each key.
fn read(
    mut replay: Replay<'_>,
    drops: &mut [Translation],
    restated: &mut Restated,
) -> Result<(u64, Digests), StoreError> {
    let (mut rows, mut digests) = (0, Digests::new());
    while let Some(batch) = replay.next_batch()? {
        for row in batch {
            match row {
                Ok(row) => {
                    rows += 1;
                    digests.insert(row.key, row.digest);
                    for drop in drops.iter_mut() {
                        drop.read(row.key, row.digest)?;
                    }
                }
                Err(reason) => {
                    restated.refused += 1;
                    restated.first.get_or_insert(reason);
                }
            }
        }
    }
    Ok((rows, digests))
}

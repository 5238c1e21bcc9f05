//! The single records that a drop is about.

use std::collections::BTreeSet;
use std::path::Path;

use super::predicate::Predicate;
use super::selector::Selector;
use crate::error::StoreError;
use crate::native::pipeline::evolve::{Description, Replay, fields};
use crate::native::pipeline::manifest::{Manifest, number};
use crate::native::pipeline::prepare::keys::{DROPPED, KeyIndex};
use crate::native::pipeline::registry::Registry;
use crate::native::store::key_hash;

/// The ids of the live records of a model with the selected keys, or for which the condition is true.
///
/// # Errors
/// [`StoreError::BadSelector`] for a condition that cannot be read, or a model that has changed since it was applied.
pub fn find(
    dir: &Path,
    registry: &Registry,
    manifest: &Manifest,
    model: &str,
    selector: &Selector,
) -> crate::Result<Vec<String>> {
    let index = KeyIndex::open(dir, manifest, model)?;
    if let Some(predicate) = &selector.predicate {
        return fulfil(dir, registry, manifest, model, predicate, &index);
    }
    let mut found = Vec::new();
    for key in selector.keys.iter().collect::<BTreeSet<_>>() {
        let newest = index.newest(key_hash(key))?;
        if newest.is_some_and(|(_, digest)| digest != DROPPED) {
            found.push(key.clone());
        }
    }
    Ok(found)
}

fn fulfil(
    dir: &Path,
    registry: &Registry,
    manifest: &Manifest,
    model: &str,
    predicate: &str,
    index: &KeyIndex,
) -> crate::Result<Vec<String>> {
    let model = registry.model(model)?;
    let signature = manifest.model_schemas.get(&model.name).map(|schema| &schema.signature);
    if signature != Some(&Description::of(model).signature()) {
        let reason = format!("the model {:?} has changed; run `portolan apply` first", model.name);
        return Err(StoreError::BadSelector { reason }.into());
    }
    let predicate = Predicate::parse(predicate, fields(model))?;
    let mut found = BTreeSet::new();
    for (partition, held) in manifest.live(&model.name) {
        let rank = (number(&held.origin), false);
        let mut replay = Replay::open(dir, manifest, model, (partition, held))?;
        while let Some(batch) = replay.next_batch()? {
            for row in batch.into_iter().flatten() {
                if index.newest(row.key)? != Some((rank, row.digest)) {
                    continue;
                }
                for (_, piece) in &row.rows {
                    if predicate.holds(piece)? {
                        found.insert(row.id.clone());
                    }
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

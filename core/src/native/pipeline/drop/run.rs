//! Carrying out drops.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::records;
use super::selector::Selector;
use crate::error::StoreError;
use crate::native::pipeline::evolve::{mark, retire};
use crate::native::pipeline::manifest::{Dropped, DroppedKeys, DroppedMark, Held, Manifest, now, number};
use crate::native::pipeline::prepare::keys::{self, DROPPED, Digests, KeyIndex};
use crate::native::pipeline::registry::Registry;
use crate::native::store::{Store, key_hash};

/// The folder of dropped keys inside the store.
pub(in crate::native::pipeline) const FOLDER: &str = "drops";

/// What a drop would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropPlan {
    /// What was asked for.
    pub selector: Selector,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// What that selects.
    pub selected: Vec<Selected>,
}

/// Rows that a drop selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// The partition; `*` for single records.
    pub partition: String,
    /// The model.
    pub model: String,
    /// How many.
    pub rows: u64,
}

/// What a drop or its undoing did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DropReport {
    /// Its id.
    pub drop: String,
    /// The rows that it is about.
    pub rows: u64,
    /// The documents that left.
    pub removed: u64,
    /// The models whose rows have to be applied again.
    pub models: Vec<String>,
}

impl DropPlan {
    /// The rows it selects.
    pub fn rows(&self) -> u64 {
        self.selected.iter().map(|one| one.rows).sum()
    }
}

/// Plans a drop from the store in `dir`. Changes nothing.
///
/// # Errors
/// [`StoreError::BadSelector`], also when nothing is selected; [`StoreError::NotPrepared`] for names that are not there.
pub fn plan_drop(
    dir: &Path,
    registry: &Registry,
    selector: &Selector,
    reason: &str,
) -> crate::Result<DropPlan> {
    let manifest = Manifest::load(dir)?;
    Ok(select(dir, registry, &manifest, selector, reason)?.0)
}

/// The plan, and the ids of single records that it is about.
fn select(
    dir: &Path,
    registry: &Registry,
    manifest: &Manifest,
    selector: &Selector,
    reason: &str,
) -> crate::Result<(DropPlan, Vec<String>)> {
    selector.check(manifest)?;
    let mut selected = Vec::new();
    for partition in &manifest.partitions {
        for (model, held) in &partition.models {
            if selector.selects(partition, model, held) {
                let (partition, model) = (partition.name.clone(), model.clone());
                selected.push(Selected { partition, model, rows: held.rows });
            }
        }
    }
    let mut ids = Vec::new();
    if let Some(model) = selector.model.as_ref().filter(|_| selector.is_of_records()) {
        ids = records::find(dir, registry, manifest, model, selector)?;
        if !ids.is_empty() {
            selected.push(Selected { partition: "*".into(), model: model.clone(), rows: ids.len() as u64 });
        }
    }
    if selected.is_empty() {
        return Err(StoreError::BadSelector { reason: "no live row is selected".into() }.into());
    }
    Ok((DropPlan { selector: selector.clone(), reason: reason.into(), selected }, ids))
}

/// Carries out a plan: from the moment the manifest says so, no answer holds the rows.
///
/// # Errors
/// [`StoreError::WrongDrop`] when the store is no longer what the plan was made for; what the disk or Lance says.
pub async fn apply_drop(
    store: &mut Store,
    registry: &Registry,
    plan: &DropPlan,
    by: &str,
) -> crate::Result<DropReport> {
    store.require_writable()?;
    let dir = store.dir().to_path_buf();
    let mut manifest = Manifest::load(&dir)?;
    let (now_selected, ids) = select(&dir, registry, &manifest, &plan.selector, &plan.reason)?;
    if now_selected.selected != plan.selected {
        let what = "the store is no longer what this drop was planned for; plan it again".into();
        return Err(StoreError::WrongDrop { what }.into());
    }
    let id = format!("drop_{:05}", manifest.drops.iter().map(|one| number(&one.id) + 1).max().unwrap_or(0));
    let at = now();
    let mut report = DropReport { drop: id.clone(), rows: plan.rows(), ..Default::default() };
    for one in plan.selected.iter().filter(|one| one.partition != "*") {
        let dropped = DroppedMark { at: at.clone(), reason: plan.reason.clone(), drop: id.clone() };
        mark(&mut manifest, &one.partition, &one.model, |held| held.dropped = Some(dropped));
        again(&dir, &mut manifest, &one.partition, &one.model)?;
    }
    let selector = serde_json::to_value(&plan.selector).unwrap_or_default();
    let (by, reason) = (by.to_owned(), plan.reason.clone());
    let keys = dropped_keys(&dir, &manifest, plan, &ids, &id)?;
    manifest.drops.push(Dropped { id, at, by, reason, selector, rows: report.rows, keys, undone_at: None });
    manifest.save(&dir)?;
    // With those of earlier drops that were killed here.
    let mut models: BTreeSet<String> = plan.selected.iter().map(|one| one.model.clone()).collect();
    models.extend(manifest.unfinished());
    for model in &models {
        report.removed += retire(store, &mut manifest, model).await?;
    }
    report.models = models.into_iter().collect();
    Ok(report)
}

/// Writes the keys of single records that are dropped.
fn dropped_keys(
    dir: &Path,
    manifest: &Manifest,
    plan: &DropPlan,
    ids: &[String],
    id: &str,
) -> Result<BTreeMap<String, DroppedKeys>, StoreError> {
    let (Some(model), false) = (&plan.selector.model, ids.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let digests: Digests = ids.iter().map(|id| (key_hash(id), DROPPED)).collect();
    let newest = manifest.live(model).last().map(|(_, held)| held.origin.clone());
    let keys = keys::write(dir, &format!("{FOLDER}/{id}.keys"), &digests)?;
    let dropped = DroppedKeys { up_to: newest.unwrap_or_default(), keys, retired: false };
    Ok([(model.clone(), dropped)].into())
}

/// Takes back a drop. The rows come back when their models are applied, which the caller does next.
///
/// # Errors
/// [`StoreError::WrongDrop`] for a drop that is not there or undone already.
pub fn undo_drop(store: &mut Store, id: &str) -> crate::Result<DropReport> {
    store.require_writable()?;
    let dir = store.dir().to_path_buf();
    let mut manifest = Manifest::load(&dir)?;
    let wrong = |what: String| StoreError::WrongDrop { what };
    let drop = manifest.drops.iter().find(|one| one.id == id);
    let drop =
        drop.ok_or_else(|| wrong(format!("there is no drop {id:?}; `portolan drop audit` lists them")))?;
    if let Some(at) = &drop.undone_at {
        return Err(wrong(format!("{id} was undone at {at}")).into());
    }
    let mark = |held: &Held| held.dropped.as_ref().is_some_and(|mark| mark.drop == id);
    let held = manifest.partitions.iter().flat_map(|partition| partition.models.values());
    let gone = held.filter(|held| mark(held)).find(|held| !dir.join(&held.file).exists());
    if let Some(held) = gone {
        return Err(wrong(format!("{id} cannot be undone: {} was deleted", held.file)).into());
    }
    let single: BTreeSet<String> = drop.keys.keys().cloned().collect();
    let (rows, mut models) = (drop.rows, single.clone());
    manifest.drops.iter_mut().filter(|one| one.id == id).for_each(|one| one.undone_at = Some(now()));
    for partition in &mut manifest.partitions {
        for (model, held) in &mut partition.models {
            let whole = held.dropped.as_ref().is_some_and(|mark| mark.drop == id);
            if whole {
                (held.dropped, held.retired) = (None, false);
                models.insert(model.clone());
            }
            // Records that were dropped one by one may stand in any partition.
            if whole || single.contains(model) && held.is_live() {
                held.applied_at = None;
            }
        }
    }
    manifest.save(&dir)?;
    Ok(DropReport { drop: id.into(), rows, removed: 0, models: models.into_iter().collect() })
}

/// Marks older partitions to be applied again that hold records of a partition that was dropped.
fn again(dir: &Path, manifest: &mut Manifest, partition: &str, model: &str) -> Result<(), StoreError> {
    let Some(held) = manifest.partition(partition)?.models.get(model).cloned() else { return Ok(()) };
    let index = KeyIndex::open(dir, manifest, model)?;
    let mut older = BTreeSet::new();
    keys::each(dir, &held.keys, |key, _| {
        older.extend(index.newest_below(key, (number(&held.origin), false))?.map(|((origin, _), _)| origin));
        Ok(())
    })?;
    for one in &mut manifest.partitions {
        if let Some(held) = one.models.get_mut(model).filter(|held| held.is_live()) {
            let concerned = older.contains(&number(&held.origin));
            held.applied_at = held.applied_at.take().filter(|_| !concerned);
        }
    }
    Ok(())
}

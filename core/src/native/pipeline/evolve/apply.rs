//! Applying: the live rows of partitions become the documents of their collections.
//!
//! What counts is the manifest: of each key the newest row of a live partition, and nothing else that came from a partition. Killed at
//! any moment and run again it ends the same, because partitions are marked as applied only after their rows are written, and
//! rows that are there already are not written again. Rows that `ingest` brought are left alone. It embeds nothing.

use std::path::Path;
use std::sync::Arc;

use super::diff::{Change, diff, register};
use super::replay::{Replay, Replayed, check_names, fields};
use super::restate::restate;
use crate::error::StoreError;
use crate::native::pipeline::drop::Leaving;
use crate::native::pipeline::intake::Intake;
use crate::native::pipeline::manifest::{Held, Manifest, Partition, now, number};
use crate::native::pipeline::model::{CollectionRule, Model};
use crate::native::pipeline::prepare::clean;
use crate::native::pipeline::prepare::keys::{KeyIndex, Rank};
use crate::native::pipeline::progress::ProgressFn;
use crate::native::pipeline::registry::Registry;
use crate::native::store::{Claim, Row, Store};
use crate::schema::Field;

/// How to apply.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Leave out rows that a changed model cannot read, instead of stopping.
    pub skip_refused: bool,
}

/// What was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// By model.
    pub models: Vec<ModelReport>,
    /// Models that have rows and that the registry no longer declares; nothing of them was touched.
    pub undeclared: Vec<String>,
}

/// What was applied of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelReport {
    /// The model.
    pub model: String,
    /// Its version.
    pub schema_version: u32,
    /// The partitions whose rows were written.
    pub partitions: Vec<String>,
    /// The rows in them.
    pub rows: u64,
    /// Those that a later row replaces.
    pub superseded: u64,
    /// Those that the changed model cannot read.
    pub refused: u64,
    /// Documents that were new.
    pub inserted: u64,
    /// Documents that changed.
    pub updated: u64,
    /// Documents that were there as they are.
    pub unchanged: u64,
    /// Documents that left.
    pub removed: u64,
}

/// Applies what is prepared of the named models, of all if none is named.
///
/// # Errors
/// Unknown models; a store opened for reading; [`StoreError::RowsRefused`] before anything is changed; damaged files; what Lance says.
pub async fn apply(
    store: &mut Store,
    registry: &Registry,
    models: &[String],
    options: ApplyOptions,
    progress: &ProgressFn<'_>,
) -> crate::Result<ApplyReport> {
    store.require_writable()?;
    let dir = store.dir().to_path_buf();
    let mut manifest = Manifest::load(&dir)?;
    clean(&dir, &manifest)?;
    let mut report = ApplyReport::default();
    for name in chosen(registry, &manifest, models)? {
        match registry.model(&name) {
            Err(_) => report.undeclared.push(name),
            Ok(model) => {
                let mut run = ModelApply { store, dir: &dir, model, fields: fields(model), progress };
                report.models.push(run.run(&mut manifest, options).await?);
            }
        }
    }
    Ok(report)
}

/// The models to work on: the named ones, or all that have rows.
pub fn chosen(registry: &Registry, manifest: &Manifest, models: &[String]) -> crate::Result<Vec<String>> {
    for name in models {
        registry.model(name)?;
    }
    if manifest.partitions.is_empty() {
        return Err(StoreError::NotPrepared { what: "nothing has been prepared".into() }.into());
    }
    match models {
        [] => Ok(manifest.model_schemas.keys().cloned().collect()),
        named => Ok(named.to_vec()),
    }
}

/// What changed in a model since the oldest version that live rows are read by.
pub fn changes(manifest: &Manifest, model: &Model) -> Vec<Change> {
    let Some(schema) = manifest.model_schemas.get(&model.name) else { return Vec::new() };
    let oldest = manifest.live(&model.name).iter().map(|(_, held)| held.schema_version).min();
    let old = oldest.and_then(|version| schema.history.get(&version)).unwrap_or(&schema.fields);
    diff(old, &super::Description::of(model), &model.renamed_from)
}

/// One model's turn.
struct ModelApply<'a> {
    store: &'a mut Store,
    dir: &'a Path,
    model: &'a Model,
    fields: Vec<Field>,
    progress: &'a ProgressFn<'a>,
}

impl ModelApply<'_> {
    async fn run(&mut self, manifest: &mut Manifest, options: ApplyOptions) -> crate::Result<ModelReport> {
        check_names(self.model)?;
        let name = &self.model.name;
        let mut report = ModelReport { model: name.clone(), ..Default::default() };
        let registered = register(manifest, self.model);
        let before = manifest.partitions.len();
        let restated = restate(self.dir, manifest, self.model, self.progress)?;
        if let Some(first) = restated.first.filter(|_| !options.skip_refused) {
            let (model, rows) = (name.clone(), restated.refused);
            return Err(StoreError::RowsRefused { model, rows, first }.into());
        }
        report.refused = restated.refused;
        report.schema_version = manifest.model_schemas.get(name).map_or(0, |schema| schema.version);
        if registered || manifest.partitions.len() > before {
            manifest.save(self.dir)?;
        }
        let pending: Vec<(Partition, Held)> = manifest
            .live(name)
            .into_iter()
            .filter(|(_, held)| held.applied_at.is_none())
            .map(|(partition, held)| (partition.clone(), held.clone()))
            .collect();
        if pending.iter().any(|(_, held)| held.schema_version > held.prepared_version) {
            self.reshape().await?;
        }
        let index = KeyIndex::open(self.dir, manifest, name)?;
        for (partition, held) in &pending {
            self.partition(manifest, &index, (partition, held), &mut report).await?;
            mark(manifest, &partition.name, name, |held| held.applied_at = Some(now()));
            manifest.save(self.dir)?;
        }
        report.removed += self.retire(manifest).await?;
        Ok(report)
    }

    fn claim<'c>(model: &'c Model, fields: &'c [Field]) -> Claim<'c> {
        Claim {
            model: &model.name,
            metric: model.metric,
            embedder: &model.embedder,
            imported: model.imported.as_ref(),
            fields,
        }
    }

    /// The collections that hold rows of the model.
    fn collections(&self) -> Vec<String> {
        let holds = |name: &String| {
            self.store.config(name).is_ok_and(|config| config.models.contains(&self.model.name))
        };
        self.store.collections().into_iter().filter(holds).collect()
    }

    async fn reshape(&mut self) -> crate::Result<()> {
        for collection in self.collections() {
            self.store.reshape(&collection, &Self::claim(self.model, &self.fields)).await?;
        }
        Ok(())
    }

    /// Writes the rows of one partition that no later one replaces.
    async fn partition(
        &mut self,
        manifest: &Manifest,
        index: &KeyIndex,
        (partition, held): (&Partition, &Held),
        report: &mut ModelReport,
    ) -> crate::Result<()> {
        let moves = matches!(self.model.collection, CollectionRule::Field(_));
        let (model, fields) = (self.model, &self.fields);
        let claim = |_: &str| Some(Self::claim(model, fields));
        let replay = Replay::open(self.dir, manifest, model, (partition, held))?;
        let mut replay = replay.telling(self.progress);
        let mut intake = Intake::new(self.store, &claim, None);
        let mut replacing = Vec::new();
        let rank = (number(&held.origin), false);
        while let Some(batch) = replay.next_batch()? {
            // Rows that cannot be read were counted when the partition was restated.
            let read: Vec<_> = batch.into_iter().flatten().collect();
            report.rows += read.len() as u64;
            let rows = newest(index, rank, read, moves.then_some(&mut replacing), report)?;
            intake.accept(rows).await?;
        }
        intake.finish(self.progress).await?;
        report.inserted += intake.report.inserted;
        report.updated += intake.report.updated;
        report.unchanged += intake.report.unchanged;
        report.partitions.push(partition.name.clone());
        // A record whose field names another collection than before leaves the old one.
        for collection in self.collections() {
            let older = self.store.remove_older(&collection, &model.name, &replacing, &partition.name);
            report.removed += older.await?;
        }
        Ok(())
    }

    /// Deletes the documents of rows that are stale or dropped.
    async fn retire(&mut self, manifest: &mut Manifest) -> crate::Result<u64> {
        let name = &self.model.name;
        retire(self.store, manifest, name).await
    }
}

/// Those of the rows of a partition that no later one replaces. The ids of those that replace earlier ones go to `replacing`.
fn newest(
    index: &KeyIndex,
    rank: Rank,
    rows: Vec<Replayed>,
    mut replacing: Option<&mut Vec<String>>,
    report: &mut ModelReport,
) -> Result<Vec<(String, Row)>, StoreError> {
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        if index.newest(row.key)? != Some((rank, row.digest)) {
            report.superseded += 1;
            continue;
        }
        if let Some(replacing) = &mut replacing
            && index.newest_below(row.key, rank)?.is_some()
        {
            replacing.push(row.id);
        }
        kept.extend(row.rows);
    }
    Ok(kept)
}

/// Deletes the documents of a model's rows that are stale or dropped, whole partitions and single records, and says so in the manifest.
///
/// # Errors
/// What the disk or Lance says.
pub async fn retire(store: &mut Store, manifest: &mut Manifest, model: &str) -> crate::Result<u64> {
    let leaves = |partition: &&Partition| {
        partition.models.get(model).is_some_and(|held| !held.is_live() && !held.retired)
    };
    let leaving: Vec<String> = manifest.partitions.iter().filter(leaves).map(|p| p.name.clone()).collect();
    let records = manifest.dropped_keys(model).any(|keys| !keys.retired);
    if leaving.is_empty() && !records {
        return Ok(0);
    }
    let names: Vec<&str> = leaving.iter().map(String::as_str).collect();
    let dropped = Arc::new(Leaving::of(store.dir(), manifest)?);
    let mut removed = 0;
    for collection in store.collections() {
        if store.config(&collection)?.models.iter().any(|one| one == model) {
            removed += store.remove_partitions(&collection, model, &names).await?;
            removed += store.remove_dropped(&collection, model, &dropped).await?;
        }
    }
    for keys in manifest.drops.iter_mut().filter_map(|drop| drop.keys.get_mut(model)) {
        keys.retired = true;
    }
    for name in &leaving {
        mark(manifest, name, model, |held| held.retired = true);
    }
    manifest.save(store.dir())?;
    Ok(removed)
}

/// Changes what the manifest says of a model's rows in a partition.
pub fn mark(manifest: &mut Manifest, partition: &str, model: &str, change: impl FnOnce(&mut Held)) {
    let found = manifest.partitions.iter_mut().find(|one| one.name == partition);
    if let Some(held) = found.and_then(|one| one.models.get_mut(model)) {
        change(held);
    }
}

//! `portolan import-idxr`: what idxr has prepared, into a store.

use std::path::PathBuf;

use clap::Args;
use portolan::native::{
    pipeline::{Registry, import_idxr},
    store::{Mode, Store},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Take over what idxr has prepared: live partitions, schema versions and drops.
///
/// Rows of stale and deleted partitions are left behind. idxr's states are compared with the rows: where a collection has fewer than its
/// partition, rows were lost or never indexed, and the exit code is 1; here none are missing after `portolan apply` and
/// `portolan embed`. Running it again adds nothing. Vectors are not taken over, and idxr's folder is not changed.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  portolan import-idxr prepared --states indexed --store store --models portolan.toml"
)]
pub struct ImportIdxr {
    /// idxr's output root, with its manifest.json.
    #[arg(value_name = "DIR")]
    root: PathBuf,
    /// Where idxr kept the folders of indexed partitions with their states; the output root if left out.
    #[arg(long, value_name = "DIR")]
    states: Option<PathBuf>,
    /// The store; made if the folder is new or empty.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares the models under idxr's names.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
}

impl ImportIdxr {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let store = Store::open(&self.store, Mode::Write("portolan import-idxr")).await?;
        let progress = progress::Pipeline::new(json);
        let states = self.states.as_ref().unwrap_or(&self.root);
        let report = import_idxr(&store, &registry, &self.root, states, &|step| progress.show(step))?;
        progress.finish();
        let total = report.prepared.total();
        if json {
            output::line(json!({
                "records": total.records, "emitted": total.emitted, "repaired": total.repaired,
                "duplicates": total.duplicates, "quarantined": total.quarantined,
                "partitions": report.prepared.partitions.len(), "left_behind": report.left_behind,
                "drops": report.drops, "collections": report.collections, "doubts": report.doubts,
            }));
        } else {
            output::line(format_args!(
                "read {} rows: {} taken, {} there already, {} quarantined; {} partitions and {} drops taken over, {} left behind",
                total.records,
                total.emitted + total.repaired,
                total.duplicates,
                total.quarantined,
                report.prepared.partitions.len(),
                report.drops,
                report.left_behind.len(),
            ));
            for doubt in &report.doubts {
                let indexed = doubt.indexed.map_or("no state says how many".into(), |n| n.to_string());
                let complete = if doubt.complete { ", and calls that complete" } else { "" };
                eprintln!(
                    "{}/{}: {} rows, idxr has indexed {indexed}{complete}",
                    doubt.partition, doubt.model, doubt.rows
                );
            }
        }
        let clean = report.doubts.is_empty() && total.quarantined == 0;
        Ok(if clean { Outcome::Done } else { Outcome::CheckFailed })
    }
}

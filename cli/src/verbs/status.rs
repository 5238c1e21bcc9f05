//! `portolan status`: what a store holds, and what is still to be embedded.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Table, presets};
use portolan::native::{
    pipeline::{PartitionStatus, partitions},
    store::{Counts, Mode, Store},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output,
};

/// Show the collections of a store: how many records are ready, new, changed since they were embedded, or failed; and its
/// partitions: not started, started, errored or finished.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  portolan status --store store\n  portolan status --store store --check")]
pub struct Status {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Exit with 1 if a record has no vector of its present text, or a partition is not finished.
    #[arg(long)]
    check: bool,
}

impl Status {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let store = Store::open(&self.store, Mode::Read).await?;
        let mut all = Vec::new();
        for name in store.collections() {
            let counts = store.counts(&name, None).await?;
            all.push((name, counts));
        }
        let parts = partitions(&store).await?;
        if json {
            let collections: Vec<_> = all.iter().map(describe).collect();
            output::line(json!({"collections": collections, "partitions": parts}));
        } else {
            output::line(table(&all));
            if !parts.is_empty() {
                output::line(partition_table(&parts));
            }
        }
        let finished = all.iter().all(|(_, counts)| counts.ready == counts.documents);
        let finished = finished && !parts.iter().any(PartitionStatus::is_unfinished);
        Ok(if self.check && !finished { Outcome::CheckFailed } else { Outcome::Done })
    }
}

fn describe((name, counts): &(String, Counts)) -> serde_json::Value {
    json!({
        "name": name, "documents": counts.documents, "ready": counts.ready, "new": counts.new,
        "stale": counts.stale, "error": counts.error,
    })
}

fn table(all: &[(String, Counts)]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["collection", "records", "ready", "new", "stale", "failed"]);
    for (name, counts) in all {
        let numbers = [counts.documents, counts.ready, counts.new, counts.stale, counts.error];
        table.add_row(std::iter::once(name.clone()).chain(numbers.iter().map(u64::to_string)));
    }
    table
}

fn partition_table(parts: &[PartitionStatus]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["partition", "model", "version", "rows", "documents", "ready", "failed", "state"]);
    for part in parts {
        let numbers = [part.rows, part.documents, part.ready, part.error].map(|number| number.to_string());
        let names = [part.name.clone(), part.model.clone(), part.schema_version.to_string()];
        table.add_row(names.into_iter().chain(numbers).chain([part.state.to_owned()]));
    }
    table
}

//! `portolan status`: what a store holds, and what is still to be embedded.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Table, presets};
use portolan::native::store::{Counts, Mode, Store};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output,
};

/// Show the collections of a store: how many records are ready, new, changed since they were embedded, or failed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  portolan status --store store\n  portolan status --store store --check")]
pub struct Status {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Exit with 1 if a record has no vector of its present text.
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
        if json {
            let collections: Vec<_> = all.iter().map(describe).collect();
            output::line(json!({"collections": collections}));
        } else {
            output::line(table(&all));
        }
        let finished = all.iter().all(|(_, counts)| counts.ready == counts.documents);
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

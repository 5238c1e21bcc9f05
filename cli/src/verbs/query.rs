//! `portolan query`: answers one statement from a release or a store.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use portolan::{
    local::LocalRelease,
    native::{
        release::StoreRelease,
        store::{Mode, Store},
    },
    plan::Plan,
    query,
    router::{Outcome as Asked, ResultSet},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, table,
};

/// Answer one statement, from a release or straight from a store.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan query --release release --sql \"SELECT id, document FROM * USING EMBEDDING (TEXT 'to move quickly') TOPK 3\"
  portolan query --release release --sql \"SELECT * FROM noun.animal, noun.plant USING EMBEDDING (TEXT 'lives in water')\"
  portolan query --store store --sql \"SELECT id FROM verb.motion WHERE metadata.senses > 20 LIMIT 5\"
  portolan query --release release --sql \"EXPLAIN SELECT id FROM * WHERE metadata.pos = 'v'\"")]
pub struct Query {
    /// The release folder to ask.
    #[arg(long, value_name = "DIR", required_unless_present = "store")]
    release: Option<PathBuf>,
    /// The store to ask, without exporting it: reads the named collections whole.
    #[arg(long, value_name = "DIR", conflicts_with = "release")]
    store: Option<PathBuf>,
    /// The statement.
    #[arg(long, value_name = "STATEMENT")]
    sql: String,
}

impl Query {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let statement = query::parse(&self.sql).map_err(|e| Failure::statement(e, &self.sql))?;
        let plan = Plan::from_statement(statement).map_err(|e| Failure::statement(e, &self.sql))?;
        let start = Instant::now();
        let (result, opened) = match (&self.release, &self.store) {
            (Some(folder), _) => from_release(folder, plan),
            (_, Some(folder)) => from_store(folder, plan).await,
            _ => return Err(Failure::wrong_use("name a release with --release, or a store with --store")),
        }
        .map_err(|error| match error {
            portolan::Error::Query(error) => Failure::statement(error, &self.sql),
            error => error.into(),
        })?;
        let times = Times { open: opened - start, search: opened.elapsed() };
        if json {
            print_json(&result, &times)
        } else {
            print(&result, &times)
        }
        Ok(Outcome::Done)
    }
}

/// How long the parts of a query took.
struct Times {
    open: Duration,
    search: Duration,
}

fn from_release(folder: &Path, plan: Plan) -> portolan::Result<(ResultSet, Instant)> {
    let release = LocalRelease::open(folder)?;
    let opened = Instant::now();
    Ok((release.run(plan)?, opened))
}

async fn from_store(folder: &Path, plan: Plan) -> portolan::Result<(ResultSet, Instant)> {
    let store = Store::open(folder, Mode::Read).await?;
    let release = StoreRelease::load(&store, &plan, None).await?;
    let opened = Instant::now();
    Ok((release.run(plan)?, opened))
}

fn print(result: &ResultSet, times: &Times) {
    if let Some(explanation) = &result.explanation {
        output::line(&explanation.text);
        if result.columns.is_empty() || result.rows.is_empty() {
            return;
        }
    }
    output::line(table::render(result));
    let skipped = result.collections.iter().filter(|c| matches!(c.outcome, Asked::Skipped { .. })).count();
    output::line(format_args!(
        "{} rows from {} collections asked{} in {:.1} ms (opened in {:.1} ms)",
        result.rows.len(),
        result.asked(),
        if skipped > 0 { format!(", {skipped} skipped by their statistics,") } else { String::new() },
        times.search.as_secs_f64() * 1e3,
        times.open.as_secs_f64() * 1e3,
    ));
}

fn print_json(result: &ResultSet, times: &Times) {
    let mut out = result.to_json();
    if let Some(object) = out.as_object_mut() {
        let bytes: u64 = result.collections.iter().map(bytes_read).sum();
        let milliseconds =
            json!({"open": times.open.as_secs_f64() * 1e3, "search": times.search.as_secs_f64() * 1e3});
        object.insert("milliseconds".into(), milliseconds);
        object.insert("bytes".into(), bytes.into());
    }
    output::line(out);
}

fn bytes_read(report: &portolan::router::CollectionReport) -> u64 {
    match report.outcome {
        Asked::Asked { bytes, .. } => bytes,
        Asked::Skipped { .. } | Asked::Failed { .. } => 0,
    }
}

//! The `portolan` command: one verb a file in `verbs`, and what they share.

mod memory;
mod outcome;
mod output;
mod progress;
mod table;
mod verbs;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::outcome::{Failure, Outcome};

/// Vector search that is carried, not served.
///
/// A store collects and embeds records; a release is what programs, pages and edge workers carry; one SQL-like
/// statement asks many collections at once.
#[derive(Debug, Parser)]
#[command(name = "portolan", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  portolan prepare --store store --models portolan.toml
  portolan apply  --store store --models portolan.toml
  portolan ingest docs.jsonl.gz --store store --models portolan.toml
  portolan embed  --store store --models portolan.toml
  portolan export --store store --out release
  portolan import chroma.jsonl --store store
  portolan query  --release release \"SELECT id, distance, document FROM * USING EMBEDDING (TEXT 'a small furry animal') TOPK 5\"
  portolan verify release
  portolan bench  release --queries questions.npy

Exit codes: 0 done, 1 a check failed or records were refused, 2 wrong use, 3 not found or wrong state, 4 I/O or damage.";

#[derive(Debug, Subcommand)]
enum Verb {
    Prepare(verbs::prepare::Prepare),
    Apply(verbs::apply::Apply),
    Drop(verbs::drop::Drop),
    Models(verbs::models::Models),
    Insights(verbs::insights::Insights),
    Ingest(verbs::ingest::Ingest),
    Import(verbs::import::Import),
    ImportIdxr(verbs::import_idxr::ImportIdxr),
    Embed(verbs::embed::Embed),
    Export(verbs::export::Export),
    Query(verbs::query::Query),
    Plan(verbs::plan::Plan),
    Verify(verbs::verify::Verify),
    Status(verbs::status::Status),
    Cache(verbs::cache::Cache),
    Bench(verbs::bench::Bench),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("PORTOLAN_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = run(arguments.verb, arguments.json);
    outcome.unwrap_or_else(|failure| failure.report(arguments.json)).into()
}

fn run(verb: Verb, json: bool) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::runtime)?;
    runtime.block_on(async {
        match verb {
            Verb::Prepare(verb) => verb.run(json).await,
            Verb::Apply(verb) => verb.run(json).await,
            Verb::Drop(verb) => verb.run(json).await,
            Verb::Models(verb) => verb.run(json),
            Verb::Insights(verb) => verb.run(json).await,
            Verb::Ingest(verb) => verb.run(json).await,
            Verb::Import(verb) => verb.run(json).await,
            Verb::ImportIdxr(verb) => verb.run(json).await,
            Verb::Embed(verb) => verb.run(json).await,
            Verb::Export(verb) => verb.run(json).await,
            Verb::Query(verb) => verb.run(json).await,
            Verb::Plan(verb) => verb.run(json).await,
            Verb::Verify(verb) => verb.run(json).await,
            Verb::Status(verb) => verb.run(json).await,
            Verb::Cache(verb) => verb.run(json).await,
            Verb::Bench(verb) => verb.run(json),
        }
    })
}

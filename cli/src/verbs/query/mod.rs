//! `portolan query`: answers one statement from a release or a store, in this program's dialect or in another's.

mod compat;
mod native;
mod params;
mod source;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use portolan::{compat::chromasql::TextTable, local::LocalOptions, routing::RoutingTable};

use super::plan::Dialect;
use crate::outcome::{Failure, Outcome};

/// Answer one statement, from a release or straight from a store.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan query --release release \"SELECT id, document FROM * USING EMBEDDING (TEXT 'to move quickly') TOPK 3\"
  portolan query --release release \"SELECT metadata.pos, COUNT(*) AS n FROM noun.* GROUP BY metadata.pos ORDER BY n DESC\"
  portolan query --release release --param word='a bird' --param least=3 \\
    \"SELECT id FROM * USING EMBEDDING (TEXT :word) WHERE metadata.senses >= :least\"
  portolan query --store store \"SELECT id FROM verb.motion WHERE metadata.senses > 20 LIMIT 5\"
  portolan query --release release --model book --model film \"SELECT COUNT(*) AS n FROM *\"
  portolan query --release release \"EXPLAIN ANALYZE SELECT id FROM * WHERE metadata.pos = 'v'\"
  portolan query --release release --compat chromasql --routing routing.json \\
    \"SELECT id FROM library WHERE metadata.kind = 'book' ORDER BY metadata.rank LIMIT 5\"")]
pub struct Query {
    #[command(flatten)]
    place: Place,
    /// The statement.
    #[arg(
        value_name = "SQL",
        required_unless_present = "sql",
        conflicts_with = "sql",
        allow_hyphen_values = true
    )]
    statement: Option<String>,
    /// The statement, as an option.
    #[arg(long, value_name = "SQL", allow_hyphen_values = true)]
    sql: Option<String>,
    /// A value for a parameter: NAME=VALUE for `:NAME`, VALUE alone for the next `?`. VALUE is JSON if it reads as JSON,
    /// else text: 3, true, [0.5, 1], '"3"' for the text 3, {"time": "2024-05-01"} for a time.
    #[arg(long = "param", value_name = "[NAME=]VALUE", allow_hyphen_values = true)]
    params: Vec<String>,
    /// Only records of this model, as `metadata.model_name` says, which `portolan apply` writes. Can be given several times; a
    /// model that no record is of has no rows.
    #[arg(long = "model", value_name = "NAME", conflicts_with = "compat")]
    models: Vec<String>,
    #[command(flatten)]
    routing: Routing,
    #[command(flatten)]
    compat: Compat,
    #[command(flatten)]
    limits: Limits,
}

/// What is asked.
#[derive(Debug, Args)]
struct Place {
    /// The release folder to ask.
    #[arg(long, value_name = "DIR", required_unless_present = "store")]
    release: Option<PathBuf>,
    /// The store to ask, without exporting it: reads the named collections whole.
    #[arg(long, value_name = "DIR", conflicts_with = "release")]
    store: Option<PathBuf>,
    /// Vectors of texts, instead of an embedder: JSON, {"embeddings": {TEXT: [..]}, "embeddings_by_model": {MODEL: {TEXT: [..]}}}.
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
}

/// Which collections can hold a match, told from outside.
#[derive(Debug, Args)]
struct Routing {
    /// A routing file: JSON with `discriminator` (a metadata path), `model_to_collections` and `collection_to_models`.
    /// Collections that it rules out are not asked.
    #[arg(long, value_name = "FILE")]
    routing: Option<PathBuf>,
    /// Refuse a statement that the routing file cannot route, instead of asking all collections.
    #[arg(long, requires = "routing")]
    strict_routing: bool,
}

/// What another program's dialect takes beside the statement.
#[derive(Debug, Args)]
struct Compat {
    /// Read and execute the statement as another program does.
    #[arg(long, value_name = "DIALECT")]
    compat: Option<Dialect>,
    /// Ask these collections, in this order; FROM is only a label.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "compat", conflicts_with_all = ["routing", "all_collections"])]
    collections: Option<Vec<String>>,
    /// Ask all collections; FROM is only a label.
    #[arg(long, requires = "compat", conflicts_with = "routing")]
    all_collections: bool,
    /// How many nearest rows each collection gives, instead of the statement's number.
    #[arg(long, value_name = "N", requires = "compat")]
    n_results_per_collection: Option<u64>,
}

/// How far a statement may go.
#[derive(Debug, Args)]
struct Limits {
    /// Give what the other collections answer when one fails, and say which failed. Without it one failure fails the
    /// statement.
    #[arg(long)]
    partial: bool,
    /// Give up after this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Search this many collections at once. Default: as many as there are processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| String::from("write a number of seconds, such as 2.5"))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| String::from("write a positive number of seconds"))
}

impl Query {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        match self.compat.compat {
            None => native::run(self, json).await,
            Some(Dialect::Chromasql) => compat::run(self, json).await,
        }
    }

    fn sql(&self) -> &str {
        self.statement.as_deref().or(self.sql.as_deref()).unwrap_or_default()
    }

    /// The table of `--embeddings`.
    fn texts(&self) -> Result<Option<TextTable>, Failure> {
        let Some(path) = &self.place.embeddings else { return Ok(None) };
        TextTable::parse(read(path)?.as_bytes()).map(Some).map_err(|reason| wrong_file(path, &reason))
    }

    /// The table of `--routing`.
    fn routing_table(&self) -> Result<Option<RoutingTable>, Failure> {
        let Some(path) = &self.routing.routing else { return Ok(None) };
        RoutingTable::parse(&read(path)?).map(Some).map_err(|error| wrong_file(path, &error.to_string()))
    }
}

impl Limits {
    fn options(&self) -> LocalOptions {
        let mut options = LocalOptions::default();
        options.options.strict = !self.partial;
        options.timeout = self.timeout;
        options.threads = self.threads.map_or(options.threads, usize::from);
        options
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::wrong_use(format!("cannot read {}: {error}", path.display())))
}

fn wrong_file(path: &Path, reason: &str) -> Failure {
    Failure::wrong_use(format!("{}: {reason}", path.display()))
}

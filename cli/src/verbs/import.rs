//! `portolan import`: loads records that bring their vectors.

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use portolan::{
    metric,
    native::{
        pipeline::import,
        store::{Mode, Store},
    },
};

use super::ingest;
use crate::{
    outcome::{Failure, Outcome},
    progress,
};

/// Load records with ready vectors, one JSON object a line (plain or .gz), into the collections that they name.
///
/// A line is {"collection": "books", "id": "b-1", "vector": [0.1, ...], "document": "text", "metadata": {"year": 1999}};
/// document and metadata may be missing. There is nothing to declare: a collection's dimension is that of its first
/// vector, and the types of its metadata are found in all lines. Values of several types under one key are kept as they
/// are, but cannot be filtered. No embedder is needed, and statements ask with VECTOR [...].
///
/// Records are replaced by their id: importing a file twice changes nothing. The order of lines is kept in the metadata
/// field _position. A line that does not fit is kept in the store's quarantine folder with its reason, the rest goes on,
/// and the exit code is 1. Can be stopped at any moment and run again. Nothing is deleted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan import books.jsonl --store store --metric l2
  portolan import part-1.jsonl.gz part-2.jsonl.gz --store store
  portolan query --store store --sql \"SELECT id, distance FROM books USING EMBEDDING (VECTOR [0.1, 0.2, 0.3]) TOPK 5\"")]
pub struct Import {
    /// Files of lines; they are read twice, so standard input cannot be one.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The store; made if the folder is new or empty.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// How vectors are compared: in new collections cosine unless said, in others it must be what it is.
    #[arg(long, value_enum)]
    metric: Option<Metric>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Metric {
    /// The squared Euclidean distance.
    L2,
    /// 1 - cos(a, b).
    Cosine,
    /// 1 - a.b
    Ip,
}

impl From<Metric> for metric::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::L2 => Self::L2,
            Metric::Cosine => Self::Cosine,
            Metric::Ip => Self::InnerProduct,
        }
    }
}

impl Import {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let mut store = Store::open(&self.store, Mode::Write("portolan import")).await?;
        let progress = progress::Pipeline::new(json);
        let metric = self.metric.map(metric::Metric::from);
        let report = import(&mut store, &self.files, metric, &|step| progress.show(step)).await?;
        progress.finish();
        ingest::print(&report, start.elapsed().as_secs_f64(), json);
        Ok(if report.quarantined > 0 { Outcome::CheckFailed } else { Outcome::Done })
    }
}

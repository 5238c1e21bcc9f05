//! `portolan import`: loads records that bring their vectors.

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use portolan::{
    metric,
    native::{
        pipeline::{Beside, CollectionRule, ImportOptions, import},
        store::{Mode, Store},
    },
};

use super::ingest;
use crate::{
    outcome::{Failure, Outcome},
    progress,
};

/// Load records with ready vectors, one JSON object a line (plain or .gz), into collections.
///
/// A line is {"collection": "books", "id": "b-1", "vector": [0.1, ...], "document": "text", "metadata": {"year": 1999}};
/// document and metadata may be missing. There is nothing to declare: a collection's dimension is that of its first
/// vector, and the types of its metadata are found in all lines. Values of several types under one key are kept as they
/// are, but cannot be filtered. No embedder is needed, and statements ask with VECTOR [...].
///
/// Vectors that another program computed may lie in a file beside the lines (--vectors): row i belongs to the i-th line.
/// If their number, a dimension or a value does not fit, nothing is imported. With --vectors, --collection,
/// --collection-by or --document, a line may be any record with an "id": its further keys become metadata.
///
/// Records are replaced by their id: importing a file twice changes nothing. The order of lines is kept in the metadata
/// field _position. A line that does not fit is kept in the store's quarantine folder with its reason, the rest goes on,
/// and the exit code is 1. Can be stopped at any moment and run again. Nothing is deleted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan import books.jsonl --store store --metric l2
  portolan import part-1.jsonl.gz part-2.jsonl.gz --store store
  portolan import docs.jsonl.gz --store store --vectors v.npy --collection-by lexname --document definition
  portolan import docs.jsonl --store store --vectors v.parquet --vector-column embedding --collection docs
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
    /// The vectors, one for each line: npy (f16, f32, f64), Arrow IPC or Parquet.
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Which column of an Arrow or Parquet file holds the vectors, if several could.
    #[arg(long, value_name = "NAME", requires = "vectors")]
    vector_column: Option<String>,
    /// Put all records into this collection.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// Put each record into the collection that this field of it names.
    #[arg(long, value_name = "FIELD", conflicts_with = "collection")]
    collection_by: Option<String>,
    /// The key of the text that is shown and searched. Default: document.
    #[arg(long, value_name = "KEY")]
    document: Option<String>,
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
        let report = import(&mut store, &self.files, &self.options(), &|step| progress.show(step)).await?;
        progress.finish();
        ingest::print(&report, start.elapsed().as_secs_f64(), json);
        Ok(if report.quarantined > 0 { Outcome::CheckFailed } else { Outcome::Done })
    }

    fn options(&self) -> ImportOptions {
        let fixed = self.collection.clone().map(CollectionRule::Fixed);
        let column = self.vector_column.clone();
        ImportOptions {
            metric: self.metric.map(metric::Metric::from),
            collection: fixed.or_else(|| self.collection_by.clone().map(CollectionRule::Field)),
            document: self.document.clone(),
            vectors: self.vectors.clone().map(|path| Beside { path, column }),
        }
    }
}

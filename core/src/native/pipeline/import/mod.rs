//! Import: exchange lines, which bring their vectors and declare nothing, into collections.
//!
//! Use it for data of another system: `{"collection", "id", "vector", "document", "metadata"}` a line. Types are
//! inferred from all lines, so the files are read twice: [`survey`] looks through them and decides what each collection
//! is to be, or refuses before anything is written; then they are read again and written by the same
//! [`Intake`] as an ingestion, in bounded memory. A line that does not fit is quarantined. Running it again replaces
//! records of the same id and changes nothing else, so a stopped import is run again.
//!
//! It embeds nothing and deletes nothing. Records of known shape are better declared by a model and ingested.

mod line;
mod position;
mod reader;
mod survey;
mod types;

use std::path::PathBuf;

use tokio::sync::mpsc;

use self::reader::ExchangeReader;
use self::survey::Plan;
pub use position::Positions;

use super::ingest::IngestReport;
use super::intake::Intake;
use super::progress::ProgressFn;
use super::source::{CHUNKS_AHEAD, Source, joined};
use crate::metric::Metric;
use crate::native::store::Store;

/// The metadata field that keeps the order of lines.
const POSITION: &str = "_position";
/// Stands for a model where the store wants to know who brought a record.
const MODEL: &str = "import";
/// Stands for an embedder where the store wants to know what made the vectors.
const EMBEDDER: &str = "imported";

/// Reads files of exchange lines into the store, plain or gzipped. New collections compare their vectors by `metric`
/// (cosine if `None`); collections that exist must compare by it already.
///
/// Every record gets an integer field `_position`: 0, 1, 2, … in the order in which ids first appear in a collection.
///
/// # Errors
/// A refused line is no error. What stops an import before it writes:
/// [`CannotImport`](crate::error::StoreError::CannotImport) when the files and a collection do not fit,
/// [`File`](crate::error::StoreError::File) when a file cannot be read, a store opened for reading. Later: what the disk
/// or Lance says.
pub async fn import(
    store: &mut Store,
    files: &[PathBuf],
    metric: Option<Metric>,
    progress: &ProgressFn<'_>,
) -> crate::Result<IngestReport> {
    store.require_writable()?;
    let plans = survey::survey(store, files, metric, progress).await?;
    let (sender, mut receiver) = mpsc::channel(CHUNKS_AHEAD);
    let reader = ExchangeReader::new(plans.clone());
    let source = Source { dir: store.dir().to_path_buf(), reader, files: files.to_vec(), sender };
    let reading = tokio::task::spawn_blocking(move || source.run());
    let claim = |name: &str| plans.get(name).map(Plan::claim);
    let mut intake = Intake::new(store, &claim, Some(Positions::default()));
    intake.drain(&mut receiver, progress).await?;
    // What was read before an unreadable file is kept.
    let read = joined(reading.await);
    intake.finish(progress).await?;
    intake.report.quarantine_files = read?;
    Ok(intake.report)
}

//! Import: records whose vectors are there already, and which nothing declares, into collections.
//!
//! Use it for data of another system: `{"collection", "id", "vector", "document", "metadata"}` a line, or any records
//! with an `id` whose vectors lie in a file beside them ([`ImportOptions`] says where things are). Types are
//! inferred from all lines, so the files are read twice: [`survey`] looks through them and decides what each collection
//! is to be, or refuses before anything is written; then they are read again and written by the same
//! [`Intake`] as an ingestion, in bounded memory. A line that does not fit is quarantined. Running it again replaces
//! records of the same id and changes nothing else, so a stopped import is run again.
//!
//! It embeds nothing and deletes nothing. Records of known shape are better declared by a model and ingested.

mod beside;
mod layout;
mod line;
mod position;
mod reader;
mod survey;
mod types;

use std::path::PathBuf;

use tokio::sync::mpsc;

pub use self::beside::Beside;
use self::beside::InStep;
use self::layout::Layout;
use self::reader::ExchangeReader;
use self::survey::Plan;
pub use position::Positions;

use super::ingest::IngestReport;
use super::intake::Intake;
use super::model::CollectionRule;
use super::progress::ProgressFn;
use super::source::{CHUNKS_AHEAD, Source, joined};
use crate::error::StoreError;
use crate::metric::Metric;
use crate::native::store::{Store, check_name};

/// The metadata field that keeps the order of lines.
const POSITION: &str = "_position";
/// Stands for a model where the store wants to know who brought a record.
const MODEL: &str = "import";
/// Stands for an embedder where the store wants to know what made the vectors.
const EMBEDDER: &str = "imported";

/// How an import reads its lines. The default takes exchange lines that say everything themselves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportOptions {
    /// How new collections compare their vectors (cosine if `None`); those that exist must compare so already.
    pub metric: Option<Metric>,
    /// Which collection records go to, instead of the one that each line names. A field is found by its dotted path in
    /// the record's metadata, and its value is a text or an integer.
    pub collection: Option<CollectionRule>,
    /// The key of the text, if it is not `document`.
    pub document: Option<String>,
    /// The vectors, if they are not in the lines.
    pub vectors: Option<Beside>,
}

impl ImportOptions {
    fn layout(&self) -> Layout {
        let Self { collection, document, vectors, .. } = self.clone();
        Layout { collection, document, vectors_beside: vectors.is_some() }
    }

    fn open_vectors(&self) -> Result<Option<InStep>, StoreError> {
        self.vectors.as_ref().map(Beside::open).transpose()
    }
}

/// Reads files of lines into the store, plain or gzipped.
///
/// With any of `collection`, `document` and `vectors`, lines may be records as another program wrote them: an `id`, and
/// further keys, which become metadata.
///
/// Every record gets an integer field `_position`: 0, 1, 2, … in the order in which ids first appear in a collection.
///
/// # Errors
/// A refused line is no error. What stops an import before it writes:
/// [`CannotImport`](crate::error::StoreError::CannotImport) when the files and a collection do not fit,
/// [`BadVectors`](crate::error::StoreError::BadVectors) when the file of vectors and the lines do not,
/// [`File`](crate::error::StoreError::File) when a file cannot be read, a store opened for reading. Later: what the disk
/// or Lance says.
pub async fn import(
    store: &mut Store,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &ProgressFn<'_>,
) -> crate::Result<IngestReport> {
    store.require_writable()?;
    if let Some(CollectionRule::Fixed(name)) = &options.collection {
        check_name(name)?;
    }
    let plans = survey::survey(store, files, options, progress).await?;
    let (sender, mut receiver) = mpsc::channel(CHUNKS_AHEAD);
    let reader = ExchangeReader::new(plans.clone(), options.layout(), options.open_vectors()?);
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

//! The reading thread: lines of files, checked, passed on in chunks of bounded size.
//!
//! Use it between files and an [`Intake`](super::intake::Intake). It does not know what a line means: a [`LineReader`]
//! does. What that refuses goes to the quarantine with its reason.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::deliver::panic_reason;
use super::lines::{Line, Lines};
use super::quarantine::{Quarantine, Refused};
use crate::error::StoreError;
use crate::native::store::Row;

/// Lines that pass from the reading thread at once.
const CHUNK_LINES: usize = 1000;
/// A chunk ends with the line that brings it to so many bytes, so that the chunks that wait take little memory whatever
/// the length of the lines.
const CHUNK_BYTES: usize = 4 << 20;
/// Chunks that may wait.
pub const CHUNKS_AHEAD: usize = 4;

/// What a line means.
pub trait LineReader: Send + 'static {
    /// Who reads: refused lines of one file are kept apart by it.
    fn name(&self) -> &str;

    /// Appends the row of one line with its collection, or several rows of one record. Called once with every line that is
    /// not blank, in their order.
    ///
    /// # Errors
    /// Why the line gives no row.
    fn read(&mut self, line: &Line, rows: &mut Vec<(String, Row)>) -> Result<(), Unread>;
}

/// Why a line gives no row.
pub enum Unread {
    /// It cannot be a record.
    Refused(String),
    /// Neither this line nor a later one can be read.
    Stopped(StoreError),
}

impl From<String> for Unread {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Self::Stopped(error)
    }
}

/// What the reading thread ended with.
pub fn joined<T>(ended: Result<Result<T, StoreError>, JoinError>) -> Result<T, StoreError> {
    let stopped = |error: JoinError| {
        Err(StoreError::ReadingStopped { reason: panic_reason(error.try_into_panic().ok()) })
    };
    ended.unwrap_or_else(stopped)
}

/// Lines on their way from the reading thread.
pub struct Chunk {
    /// The file they stand in.
    pub file: Arc<Path>,
    /// How many of its bytes are read.
    pub done: u64,
    /// How many it has.
    pub total: Option<u64>,
    /// The records, each with its collection.
    pub rows: Vec<(String, Row)>,
    /// The lines that are no records.
    pub refused: Vec<Refused>,
    /// How many lines these are.
    pub lines: u64,
    bytes: usize,
}

/// The reading thread's side.
pub struct Source<R> {
    /// The store's directory, for the quarantine.
    pub dir: PathBuf,
    /// What a line means.
    pub reader: R,
    /// The files, read in this order.
    pub files: Vec<PathBuf>,
    /// To the writing side.
    pub sender: mpsc::Sender<Chunk>,
}

impl<R: LineReader> Source<R> {
    /// Reads all files; gives the files that hold the refused lines.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn run(mut self) -> Result<Vec<PathBuf>, StoreError> {
        let mut quarantined = Vec::new();
        for file in &std::mem::take(&mut self.files) {
            quarantined.extend(self.read_file(file)?);
        }
        Ok(quarantined)
    }

    fn read_file(&mut self, path: &Path) -> Result<Option<PathBuf>, StoreError> {
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        let total = std::fs::metadata(path).ok().map(|metadata| metadata.len());
        let file: Arc<Path> = path.into();
        let mut lines = Lines::open(path).map_err(fail)?;
        let mut quarantine = Quarantine::new(&self.dir, self.reader.name(), path);
        loop {
            let mut chunk = Chunk {
                file: file.clone(),
                done: 0,
                total,
                rows: Vec::with_capacity(CHUNK_LINES),
                refused: Vec::new(),
                lines: 0,
                bytes: 0,
            };
            let more = fill(&mut chunk, &mut lines, &mut self.reader, &mut quarantine, path);
            chunk.done = lines.consumed();
            if self.sender.blocking_send(chunk).is_err() {
                // The other side stopped with an error of its own.
                return Ok(None);
            }
            if !more? {
                return quarantine.finish();
            }
        }
    }
}

/// Reads lines until the chunk is full; false at the end of the file.
fn fill(
    chunk: &mut Chunk,
    lines: &mut Lines,
    reader: &mut impl LineReader,
    quarantine: &mut Quarantine,
    path: &Path,
) -> Result<bool, StoreError> {
    while chunk.lines < CHUNK_LINES as u64 && chunk.bytes < CHUNK_BYTES {
        let line = lines.next();
        let line = line.map_err(|source| StoreError::File { action: "read", path: path.into(), source })?;
        let Some(line) = line else { return Ok(false) };
        chunk.lines += 1;
        chunk.bytes += line.bytes.len();
        match reader.read(&line, &mut chunk.rows) {
            Ok(()) => {}
            Err(Unread::Stopped(error)) => return Err(error),
            Err(Unread::Refused(reason)) => {
                let refused = Refused { file: path.into(), line: line.number, reason };
                quarantine.add(&refused, &line.bytes)?;
                chunk.refused.push(refused);
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::pipeline::Registry;
    use crate::native::pipeline::record::RecordReader;

    const REGISTRY: &str = r#"{"embedder":{"s":{"provider":"static","path":"p"}},"model":[{"name":"m","key":["id"],
        "fields":{"id":"text"},"text":["id"],"collection":"c","embedder":"s"}]}"#;

    /// When the writing side has failed, not all refused lines are known: the file of the run before must stay.
    #[test]
    fn a_stopped_ingestion_leaves_no_quarantine() {
        let dir = tempfile::tempdir().unwrap();
        let (registry, file) = (dir.path().join("r.json"), dir.path().join("source.jsonl"));
        std::fs::write(&registry, REGISTRY).unwrap();
        std::fs::write(&file, "{oops\n").unwrap();
        let model = Registry::load(&registry).unwrap().model("m").unwrap().clone();
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let reader = RecordReader::new(model);
        let source = Source { dir: dir.path().into(), reader, files: vec![file.clone(), file], sender };
        assert!(source.run().unwrap().is_empty());
        let left: Vec<_> = std::fs::read_dir(dir.path().join("quarantine")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn a_panic_of_the_reading_thread_is_an_error() {
        let ended = tokio::task::spawn_blocking(|| panic!("as the test wants")).await;
        let error = joined::<()>(ended).unwrap_err();
        assert!(
            matches!(&error, StoreError::ReadingStopped { reason } if reason.contains("as the test wants"))
        );
        assert_eq!(error.code(), 5016);
    }
}

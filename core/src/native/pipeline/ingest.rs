//! Ingestion: JSON lines into collections.
//!
//! Use it for files whose records already are what a model says; it takes every line, or quarantines it with the
//! reason. A thread reads and checks lines while the store writes. Records are collected by collection up to a
//! budget of memory and written in few large commits. Running it again on the same file changes nothing; stopping
//! it loses at most what was not yet written, which the next run brings.
//!
//! It deletes nothing. A record that is gone from the files stays, and one whose collection field has changed is added to
//! the new collection and stays in the old one. Within a collection an id is one record, whichever model brought it last.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::lines::{Line, Lines, MAX_LINE_BYTES};
use super::model::Model;
use super::progress::{Phase, Progress, ProgressFn};
use super::quarantine::{Quarantine, Refused};
use super::record::RecordReader;
use super::slab::panic_reason;
use crate::error::StoreError;
use crate::native::store::{Claim, Row, Store};

/// Memory for records that wait to be written. When it is full, the largest collections are written until half of
/// it is free.
const BUDGET_BYTES: usize = 64 << 20;
/// Lines that pass from the reading thread at once.
const CHUNK_LINES: usize = 1000;
/// A chunk ends with the line that brings it to so many bytes, so that the chunks that wait take little memory whatever
/// the length of the lines.
const CHUNK_BYTES: usize = 4 << 20;
/// Chunks that may wait.
const CHUNKS_AHEAD: usize = 4;
/// Refused lines that the report shows.
const REPORTED: usize = 20;

/// What an ingestion did. `read` is the sum of the next five.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct IngestReport {
    /// Lines that were not blank.
    pub read: u64,
    /// Records whose key was new.
    pub inserted: u64,
    /// Records that replaced a different one.
    pub updated: u64,
    /// Records that were there already, as they are.
    pub unchanged: u64,
    /// Records that a later one of the same key replaced before either was written.
    pub duplicates: u64,
    /// Lines that were refused.
    pub quarantined: u64,
    /// The collections that were written to, each counted once.
    pub collections: u64,
    /// The first refused lines.
    pub refused: Vec<Refused>,
    /// The files that hold all refused lines.
    pub quarantine_files: Vec<PathBuf>,
}

/// Reads files of records of `model` into the store.
///
/// # Errors
/// A refused line is no error. What stops an ingestion: a file that cannot be read ([`StoreError::File`]; the lines
/// before are kept), a model that contradicts what a collection holds ([`StoreError::FieldTypeChanged`],
/// [`StoreError::CollectionConflict`]), a store opened for reading, [`StoreError::ReadingStopped`], or what Lance says.
pub async fn ingest(
    store: &mut Store,
    model: &Model,
    files: &[PathBuf],
    progress: &ProgressFn<'_>,
) -> crate::Result<IngestReport> {
    store.require_writable()?;
    let (sender, mut receiver) = mpsc::channel(CHUNKS_AHEAD);
    let source =
        Source { dir: store.dir().to_path_buf(), model: model.clone(), files: files.to_vec(), sender };
    let reading = tokio::task::spawn_blocking(move || source.run());
    let mut intake = Intake::new(store, model);
    while let Some(chunk) = receiver.recv().await {
        progress(Progress {
            phase: Phase::Read,
            subject: &chunk.file.display().to_string(),
            done: chunk.done,
            total: chunk.total,
        });
        intake.take(chunk).await?;
    }
    // What was read before an unreadable file is kept.
    let read = joined(reading.await);
    intake.finish(progress).await?;
    intake.report.quarantine_files = read?;
    Ok(intake.report)
}

/// What the reading thread ended with.
fn joined(ended: Result<Result<Vec<PathBuf>, StoreError>, JoinError>) -> Result<Vec<PathBuf>, StoreError> {
    let stopped = |error: JoinError| {
        Err(StoreError::ReadingStopped { reason: panic_reason(error.try_into_panic().ok()) })
    };
    ended.unwrap_or_else(stopped)
}

/// Lines on their way from the reading thread.
struct Chunk {
    file: Arc<Path>,
    done: u64,
    total: Option<u64>,
    rows: Vec<(String, Row)>,
    refused: Vec<Refused>,
    lines: u64,
    bytes: usize,
}

/// The reading thread's side.
struct Source {
    dir: PathBuf,
    model: Model,
    files: Vec<PathBuf>,
    sender: mpsc::Sender<Chunk>,
}

impl Source {
    fn run(self) -> Result<Vec<PathBuf>, StoreError> {
        let mut quarantined = Vec::new();
        for file in &self.files {
            quarantined.extend(self.read_file(file)?);
        }
        Ok(quarantined)
    }

    fn read_file(&self, path: &Path) -> Result<Option<PathBuf>, StoreError> {
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        let total = std::fs::metadata(path).ok().map(|metadata| metadata.len());
        let file: Arc<Path> = path.into();
        let mut lines = Lines::open(path).map_err(fail)?;
        let mut quarantine = Quarantine::new(&self.dir, &self.model.name, path);
        let reader = RecordReader::new(&self.model);
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
            let more = fill(&mut chunk, &mut lines, &reader, &mut quarantine, path);
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
    reader: &RecordReader<'_>,
    quarantine: &mut Quarantine,
    path: &Path,
) -> Result<bool, StoreError> {
    while chunk.lines < CHUNK_LINES as u64 && chunk.bytes < CHUNK_BYTES {
        let line = lines.next();
        let line = line.map_err(|source| StoreError::File { action: "read", path: path.into(), source })?;
        let Some(line) = line else { return Ok(false) };
        chunk.lines += 1;
        chunk.bytes += line.bytes.len();
        match read_line(&line, reader) {
            Ok(row) => chunk.rows.push(row),
            Err(reason) => {
                let refused = Refused { file: path.into(), line: line.number, reason };
                quarantine.add(&refused, &line.bytes)?;
                chunk.refused.push(refused);
            }
        }
    }
    Ok(true)
}

fn read_line(line: &Line, reader: &RecordReader<'_>) -> Result<(String, Row), String> {
    if line.too_long {
        return Err(format!("the line has more than {MAX_LINE_BYTES} bytes"));
    }
    reader.read(&line.bytes)
}

/// Records of one collection that wait to be written, one for each key.
#[derive(Default)]
struct Pending {
    rows: Vec<Row>,
    at: HashMap<String, usize>,
    bytes: usize,
}

/// The writing side.
struct Intake<'a> {
    store: &'a mut Store,
    model: &'a Model,
    pending: BTreeMap<String, Pending>,
    bytes: usize,
    written: BTreeSet<String>,
    report: IngestReport,
}

impl<'a> Intake<'a> {
    fn new(store: &'a mut Store, model: &'a Model) -> Self {
        let (pending, written) = (BTreeMap::new(), BTreeSet::new());
        Self { store, model, pending, bytes: 0, written, report: IngestReport::default() }
    }

    async fn take(&mut self, chunk: Chunk) -> crate::Result<()> {
        self.report.read += chunk.lines;
        self.report.quarantined += chunk.refused.len() as u64;
        let room = REPORTED.saturating_sub(self.report.refused.len());
        self.report.refused.extend(chunk.refused.into_iter().take(room));
        for (collection, row) in chunk.rows {
            self.keep(collection, row);
        }
        if self.bytes > BUDGET_BYTES {
            let collections = self.largest();
            self.write(&collections, None).await?;
        }
        Ok(())
    }

    /// The last record of a key wins.
    fn keep(&mut self, collection: String, row: Row) {
        let pending = self.pending.entry(collection).or_default();
        let bytes = weight(&row);
        pending.bytes += bytes;
        self.bytes += bytes;
        match pending.at.get(&row.id) {
            Some(&at) => {
                self.report.duplicates += 1;
                pending.rows[at] = row;
            }
            None => {
                pending.at.insert(row.id.clone(), pending.rows.len());
                pending.rows.push(row);
            }
        }
    }

    /// The largest collections that together free half of the budget.
    fn largest(&self) -> Vec<String> {
        let mut sizes: Vec<(usize, &String)> = self.pending.iter().map(|(name, p)| (p.bytes, name)).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let mut left = self.bytes;
        let enough = sizes.iter().take_while(|(bytes, _)| {
            let needed = left > BUDGET_BYTES / 2;
            left -= bytes;
            needed
        });
        enough.map(|(_, name)| (*name).clone()).collect()
    }

    async fn finish(&mut self, progress: &ProgressFn<'_>) -> crate::Result<()> {
        let collections: Vec<String> = self.pending.keys().cloned().collect();
        self.write(&collections, Some(progress)).await
    }

    async fn write(
        &mut self,
        collections: &[String],
        progress: Option<&ProgressFn<'_>>,
    ) -> crate::Result<()> {
        let model = self.model;
        let claim = Claim {
            model: &model.name,
            metric: model.metric,
            embedder: &model.embedder,
            imported: model.imported.as_ref(),
            fields: &model.metadata,
        };
        let names: Vec<&str> = collections.iter().map(String::as_str).collect();
        self.store.admit(&names, &claim).await?;
        let total =
            collections.iter().filter_map(|name| self.pending.get(name)).map(|p| p.rows.len() as u64).sum();
        let mut done = 0;
        for name in collections {
            done += self.write_collection(name).await?;
            if let Some(progress) = progress {
                progress(Progress { phase: Phase::Write, subject: name, done, total: Some(total) });
            }
        }
        Ok(())
    }

    async fn write_collection(&mut self, name: &str) -> crate::Result<u64> {
        let Some(pending) = self.pending.remove(name) else { return Ok(0) };
        self.bytes -= pending.bytes;
        let rows = pending.rows.len() as u64;
        let counts = self.store.upsert(name, &self.model.name, pending.rows).await?;
        self.report.inserted += counts.inserted;
        self.report.updated += counts.updated;
        self.report.unchanged += counts.unchanged;
        if counts.inserted + counts.updated > 0 {
            self.written.insert(name.to_owned());
            self.report.collections = self.written.len() as u64;
            self.store.compact(name).await?;
        }
        Ok(rows)
    }
}

/// About how many bytes of memory a row takes. Allocations are counted by their length, with a little for each.
fn weight(row: &Row) -> usize {
    let texts = row.content.document.as_ref().map_or(0, String::len)
        + row.content.text.as_ref().map_or(0, String::len);
    let values: usize = row.values.iter().map(|(_, value)| value_weight(value)).sum();
    let vector = row.vector.as_ref().map_or(0, |vector| 4 * vector.len());
    // The key stands in the row and in the map of keys.
    size_of::<Row>() + 2 * (row.id.len() + 32) + texts + values + vector + 64
}

fn value_weight(value: &crate::schema::Value) -> usize {
    use crate::schema::Value;
    let inner = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(value_weight).sum(),
        _ => 0,
    };
    size_of::<(Arc<str>, Value)>() + inner + 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::pipeline::Registry;

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
        let source = Source { dir: dir.path().into(), model, files: vec![file.clone(), file], sender };
        assert!(source.run().unwrap().is_empty());
        let left: Vec<_> = std::fs::read_dir(dir.path().join("quarantine")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn a_panic_of_the_reading_thread_is_an_error() {
        let ended = tokio::task::spawn_blocking(|| panic!("as the test wants")).await;
        let error = joined(ended).unwrap_err();
        assert!(
            matches!(&error, StoreError::ReadingStopped { reason } if reason.contains("as the test wants"))
        );
        assert_eq!(error.code(), 5016);
    }
}

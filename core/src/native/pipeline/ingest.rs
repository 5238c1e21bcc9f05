//! Ingestion: JSON lines into collections.
//!
//! Use it for files whose records already are what a model says; it takes every line, or quarantines it with the
//! reason. A thread reads and checks lines while the store writes. Records are collected by collection up to a
//! budget of memory and written in few large commits. Running it again on the same file changes nothing; stopping
//! it loses at most what was not yet written, which the next run brings.
//!
//! It deletes nothing. A record that is gone from the files stays, and one whose collection field has changed is added to
//! the new collection and stays in the old one. Within a collection an id is one record, whichever model brought it last.

use std::path::PathBuf;

use tokio::sync::mpsc;

use super::intake::Intake;
use super::model::Model;
use super::progress::ProgressFn;
use super::quarantine::Refused;
use super::record::RecordReader;
use super::source::{CHUNKS_AHEAD, Source, joined};
use crate::native::store::{Claim, Store};

/// What an ingestion did. `read` and `chunks` together are the sum of the next five.
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
    /// Rows beyond the first of records that were divided.
    pub chunks: u64,
    /// Rows that were removed because their records are divided into fewer now.
    pub removed: u64,
    /// Records whose text was cut to the model's budget.
    pub truncated: u64,
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
/// A refused line is no error. What stops an ingestion: a file that cannot be read ([`File`](crate::error::StoreError::File); the
/// lines before are kept), a model that contradicts what a collection holds
/// ([`FieldTypeChanged`](crate::error::StoreError::FieldTypeChanged), [`CollectionConflict`](crate::error::StoreError::CollectionConflict)), a store
/// opened for reading, [`ReadingStopped`](crate::error::StoreError::ReadingStopped), or what Lance says.
pub async fn ingest(
    store: &mut Store,
    model: &Model,
    files: &[PathBuf],
    progress: &ProgressFn<'_>,
) -> crate::Result<IngestReport> {
    store.require_writable()?;
    let (sender, mut receiver) = mpsc::channel(CHUNKS_AHEAD);
    let reader = RecordReader::new(model.clone());
    let source = Source { dir: store.dir().to_path_buf(), reader, files: files.to_vec(), sender };
    let reading = tokio::task::spawn_blocking(move || source.run());
    let claim = |_: &str| {
        Some(Claim {
            model: &model.name,
            metric: model.metric,
            embedder: &model.embedder,
            imported: model.imported.as_ref(),
            fields: &model.metadata,
        })
    };
    let mut intake = Intake::new(store, &claim, None);
    intake.drain(&mut receiver, progress).await?;
    // What was read before an unreadable file is kept.
    let read = joined(reading.await);
    intake.finish(progress).await?;
    intake.report.quarantine_files = read?;
    Ok(intake.report)
}

//! The records of a run that were not simply taken: repaired, dropped or quarantined, each with its place and the reason.
//!
//! `STORE/quarantine/<run>.jsonl`; it counts from the moment the manifest names the run. A run without such records has none.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::found::Found;
use crate::error::StoreError;

/// The folder inside the store.
pub const FOLDER: &str = "quarantine";

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Taken after a repair.
    Repaired,
    /// It lacks a value that its source says is needed.
    Dropped,
    /// Refused.
    Quarantined,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Repaired => "repaired",
            Self::Dropped => "dropped",
            Self::Quarantined => "quarantined",
        }
    }
}

/// The file while it is written.
pub struct RunLog {
    path: PathBuf,
    output: Option<BufWriter<File>>,
}

impl RunLog {
    /// The file of a run of the store in `dir`. Writes nothing yet.
    pub fn new(dir: &Path, run: &str) -> Self {
        Self { path: dir.join(FOLDER).join(format!("{run}.jsonl")), output: None }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn add(
        &mut self,
        fate: Fate,
        (model, file): (&str, &Path),
        found: &Found,
        reason: &str,
        raw: &str,
    ) -> Result<(), StoreError> {
        let entry = json!({
            "what": fate.name(), "model": model, "file": file, "record": found.number,
            "bytes": found.bytes.map(|(start, end)| [start, end]), "reason": reason, "raw": raw,
        });
        let opened = self.output.take().map_or_else(|| self.create(), Ok);
        let written = opened.and_then(|mut output| {
            writeln!(output, "{entry}")?;
            self.output = Some(output);
            Ok(())
        });
        written.map_err(|source| StoreError::File { action: "write", path: self.path.clone(), source })
    }

    fn create(&self) -> io::Result<BufWriter<File>> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(BufWriter::new(File::create(&self.path)?))
    }

    /// Ends the file, durably; gives its path if there is one.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn finish(self) -> Result<Option<PathBuf>, StoreError> {
        let Some(output) = self.output else { return Ok(None) };
        let synced = output.into_inner().map_err(io::IntoInnerError::into_error);
        let synced = synced.and_then(|file| file.sync_all());
        synced.map_err(|source| StoreError::File { action: "write", path: self.path.clone(), source })?;
        Ok(Some(self.path))
    }
}

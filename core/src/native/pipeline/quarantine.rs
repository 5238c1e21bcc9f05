//! Lines that could not be taken in, kept beside the store with the reason.
//!
//! There is one file for each source file and model, with the lines that its last ingestion refused: a repaired
//! source leaves none behind. It appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The folder inside the store.
const FOLDER: &str = "quarantine";

/// One refused line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    /// The source file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
    /// Why it was refused.
    pub reason: String,
}

/// The refused lines of one source file while it is read.
pub struct Quarantine {
    path: PathBuf,
    output: Option<BufWriter<File>>,
}

impl Quarantine {
    /// For the lines of `source` read as `model` into the store in `dir`. Writes nothing yet.
    pub fn new(dir: &Path, model: &str, source: &Path) -> Self {
        let stem = source.file_name().unwrap_or_default().to_string_lossy();
        let stem: String = stem
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' })
            .collect();
        let absolute = fs::canonicalize(source).unwrap_or_else(|_| source.to_path_buf());
        let identity = format!("{model}\n{}", absolute.display());
        let hash = &blake3::hash(identity.as_bytes()).to_hex()[..8];
        Self { path: dir.join(FOLDER).join(format!("{stem:.80}-{hash}.jsonl")), output: None }
    }

    /// Keeps one line.
    pub fn add(&mut self, refused: &Refused, raw: &[u8]) -> Result<(), StoreError> {
        let entry = serde_json::json!({
            "file": refused.file.display().to_string(),
            "line": refused.line,
            "reason": refused.reason,
            "raw": String::from_utf8_lossy(raw),
        });
        let path = self.temporary();
        let output = self.output.take().map_or_else(|| create(&path), Ok);
        output
            .and_then(|mut output| {
                writeln!(output, "{entry}")?;
                self.output = Some(output);
                Ok(())
            })
            .map_err(|source| StoreError::File { action: "write", path, source })
    }

    /// Makes the file appear, replacing the last one; without refused lines there is none afterwards.
    pub fn finish(mut self) -> Result<Option<PathBuf>, StoreError> {
        let temporary = self.temporary();
        let path = self.path.clone();
        let fail = |action| {
            let path = path.clone();
            move |source| StoreError::File { action, path, source }
        };
        match self.output.take() {
            Some(output) => persist(output, &temporary, &path).map_err(fail("write")).map(|()| Some(path)),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail("remove")(error)),
                _ => Ok(None),
            },
        }
    }

    fn temporary(&self) -> PathBuf {
        self.path.with_extension("tmp")
    }
}

impl Drop for Quarantine {
    /// Reading stopped midway: what the last whole ingestion refused stays.
    fn drop(&mut self) {
        if self.output.take().is_some() {
            // Best effort: the next ingestion writes over it.
            let _ = fs::remove_file(self.temporary());
        }
    }
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(BufWriter::new(File::create(path)?))
}

fn persist(output: BufWriter<File>, temporary: &Path, path: &Path) -> io::Result<()> {
    output.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

//! Vectors in a file of their own: row i belongs to the i-th line that is not blank, over all files of the import.
//!
//! Both passes read them in step with the lines. The first refuses what does not fit, before anything is written.

use std::path::{Path, PathBuf};

use super::super::lines::Line;
use super::line::Draft;
use crate::error::{InputError, StoreError};
use crate::native::vectors::VectorFile;

/// Where the vectors of an import are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// An npy, Arrow IPC or Parquet file, as [`VectorFile::open`] takes it.
    pub path: PathBuf,
    /// The column that holds the vectors; `None`: the only one that can.
    pub column: Option<String>,
}

impl Beside {
    /// Begins at the first row.
    ///
    /// # Errors
    /// As [`VectorFile::open`].
    pub fn open(&self) -> Result<InStep, StoreError> {
        Ok(InStep { file: VectorFile::open(&self.path, self.column.as_deref())?, last: None })
    }
}

/// A file of vectors, read in step with lines.
pub struct InStep {
    file: VectorFile,
    /// The last line that had a row.
    last: Option<String>,
}

impl InStep {
    /// The vector of the next line; `None` if there is none.
    ///
    /// # Errors
    /// As [`VectorFile::next`].
    pub fn next(&mut self) -> Result<Option<Vec<f32>>, StoreError> {
        let mut vector = Vec::new();
        Ok(self.file.next(&mut vector)?.then_some(vector))
    }

    /// Says that a line has no row.
    pub fn missing(&self, file: &Path, line: &Line) -> StoreError {
        let rows = self.file.rows_read();
        self.wrong(format!("it has {rows} rows, so there is none for {}", place(file, line)))
    }

    /// Remembers the last line of a file.
    pub fn passed(&mut self, file: &Path, line: &Line) {
        self.last = Some(place(file, line));
    }

    /// Checks that no row is left.
    ///
    /// # Errors
    /// [`StoreError::BadVectors`] if there is one.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let (lines, mut vector) = (self.file.rows_read(), Vec::new());
        while self.file.next(&mut vector)? {}
        let rows = self.file.rows_read();
        if rows == lines {
            return Ok(());
        }
        let last = self.last.take().map_or_else(String::new, |last| format!(", the last is {last}"));
        Err(self.wrong(format!("it has {rows} rows for {lines} records{last}")))
    }

    /// Refuses the row of a line.
    pub fn refuse(&self, file: &Path, line: &Line, error: &InputError) -> StoreError {
        let row = self.file.rows_read().saturating_sub(1);
        self.wrong(format!("row {row}, of {}:{}: {error}", file.display(), line.number))
    }

    fn wrong(&self, reason: String) -> StoreError {
        StoreError::BadVectors { path: self.file.path().into(), reason }
    }
}

fn place(file: &Path, line: &Line) -> String {
    let id = line.whole().ok().and_then(Draft::id_of).map_or_else(String::new, |id| format!(" ({id})"));
    format!("{}:{}{id}", file.display(), line.number)
}

//! Files of vectors without records: npy, Arrow IPC and Parquet, read row by row in bounded memory.
//!
//! Use it for vectors that another program has computed: an import takes them beside its lines, a benchmark asks with
//! them. The kind of a file is told by its first bytes, whatever its name. It does not judge numbers: NaN and zero
//! vectors are for whoever knows the record. It writes nothing.

mod columns;
mod npy;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

pub use npy::read_integers;

use crate::error::StoreError;

/// The longest vectors: what a collection may hold.
pub const MAX_DIMENSION: usize = 65_536;

/// The vectors of a file, one after another.
pub struct VectorFile {
    path: PathBuf,
    rows: Box<dyn Rows>,
    read: u64,
}

/// What a kind of file gives.
trait Rows: Send {
    /// Puts the next vector in the place of what `vector` holds; false at the end.
    fn next(&mut self, vector: &mut Vec<f32>) -> Result<bool, Wrong>;
}

/// Why a file cannot be read, before its name is added.
enum Wrong {
    /// The operating system refused.
    Io(io::Error),
    /// It is not what it must be.
    Content(String),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self::Content(reason)
    }
}

impl Wrong {
    fn in_file(self, path: &Path) -> StoreError {
        match self {
            Self::Io(source) => StoreError::File { action: "read", path: path.into(), source },
            Self::Content(reason) => StoreError::BadVectors { path: path.into(), reason },
        }
    }
}

impl VectorFile {
    /// Opens a file: npy with two axes of f16, f32 or f64, or Arrow IPC (file or stream) or Parquet with a column of lists
    /// of such numbers. `column` names it; without a name it is the only one.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadVectors`].
    pub fn open(path: &Path, column: Option<&str>) -> Result<Self, StoreError> {
        let rows = open(path, column).map_err(|wrong| wrong.in_file(path))?;
        Ok(Self { path: path.into(), rows, read: 0 })
    }

    /// Reads all of a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read_all(path: &Path, column: Option<&str>) -> Result<Vec<Vec<f32>>, StoreError> {
        let (mut file, mut all, mut vector) = (Self::open(path, column)?, Vec::new(), Vec::new());
        while file.next(&mut vector)? {
            all.push(std::mem::take(&mut vector));
        }
        Ok(all)
    }

    /// Puts the next vector in the place of what `vector` holds; false at the end.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::BadVectors`] for a row that is no vector.
    pub fn next(&mut self, vector: &mut Vec<f32>) -> Result<bool, StoreError> {
        let more = self.rows.next(vector).map_err(|wrong| wrong.in_file(&self.path))?;
        self.read += u64::from(more);
        Ok(more)
    }

    /// How many vectors were read.
    pub fn rows_read(&self) -> u64 {
        self.read
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn open(path: &Path, column: Option<&str>) -> Result<Box<dyn Rows>, Wrong> {
    let mut magic = Vec::new();
    File::open(path)?.take(8).read_to_end(&mut magic)?;
    match magic.as_slice() {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => match column {
            Some(name) => {
                Err(Wrong::Content(format!("an npy file has no columns, so none is named {name:?}")))
            }
            None => Ok(Box::new(npy::FloatRows::open(path)?)),
        },
        [b'P', b'A', b'R', b'1', ..] => columns::parquet(path, column),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => columns::arrow_file(path, column),
        [0xff, 0xff, 0xff, 0xff, ..] => columns::arrow_stream(path, column),
        [0x1f, 0x8b, ..] => Err(Wrong::Content("it is compressed; unpack it first".into())),
        _ => Err(Wrong::Content("it is neither npy nor Arrow IPC nor Parquet".into())),
    }
}

/// Refuses vectors that no collection can hold.
fn check_dimension(dimension: usize) -> Result<(), String> {
    match dimension {
        0 => Err("its vectors are empty".into()),
        1..=MAX_DIMENSION => Ok(()),
        more => Err(format!("its vectors have {more} numbers, at most {MAX_DIMENSION} are possible")),
    }
}

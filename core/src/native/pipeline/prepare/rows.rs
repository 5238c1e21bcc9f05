//! The rows of a partition on disk: Arrow IPC with LZ4, written and read a batch at a time.
//!
//! A row is the whole record as its source had it, so that a changed model reads it again without the source. It is JSON with sorted
//! keys: equal records are equal texts. Nothing here knows models.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, StringBuilder};
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array, UInt64Array, cast::AsArray};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::keys::{self, Digests};
use crate::error::StoreError;
use crate::native::store::key_hash;

/// A batch ends with this many rows, or with the row that brings it to so many bytes.
const BATCH: (usize, usize) = (4096, 4 << 20);

/// A row on its way to disk.
#[derive(Debug)]
pub struct PreparedRow<'r> {
    /// The declared key.
    pub key: &'r str,
    /// The hash of the record.
    pub digest: u128,
    /// The record as JSON.
    pub record: &'r str,
    /// The source among those of the run.
    pub source: u32,
    /// The record's number there.
    pub number: u64,
}

/// A written file of rows.
pub struct WrittenRows {
    /// How many.
    pub rows: u64,
    /// The file's length.
    pub bytes: u64,
    /// Its hash.
    pub blake3: String,
    /// The newest version of each key.
    pub digests: Digests,
}

/// A file of rows that is being written. Holds one batch, and 32 bytes a row for the keys.
pub struct RowsWriter {
    path: PathBuf,
    writer: FileWriter<Hashing>,
    key: StringBuilder,
    digest: FixedSizeBinaryBuilder,
    record: StringBuilder,
    source: Vec<u32>,
    number: Vec<u64>,
    pending: usize,
    rows: u64,
    digests: Digests,
}

impl RowsWriter {
    /// Begins a file in a folder that is made for it.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let fail = |source| StoreError::File { action: "create", path: path.into(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        let file = Hashing {
            file: BufWriter::with_capacity(1 << 16, File::create(path).map_err(fail)?),
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
        let writer = options.and_then(|options| FileWriter::try_new_with_options(file, &schema(), options));
        Ok(Self {
            path: path.into(),
            writer: writer.map_err(|error| failed("write", path, error))?,
            key: StringBuilder::new(),
            digest: FixedSizeBinaryBuilder::new(16),
            record: StringBuilder::new(),
            source: Vec::new(),
            number: Vec::new(),
            pending: 0,
            rows: 0,
            digests: Digests::new(),
        })
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The newest version that it has of a record.
    pub fn newest(&self, key: u128) -> Option<u128> {
        self.digests.get(&key).copied()
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn add(&mut self, row: &PreparedRow<'_>) -> Result<(), StoreError> {
        self.key.append_value(row.key);
        let digest = self.digest.append_value(row.digest.to_be_bytes());
        digest.map_err(|error| failed("write", &self.path, error))?;
        self.record.append_value(row.record);
        self.source.push(row.source);
        self.number.push(row.number);
        self.pending += row.record.len();
        self.rows += 1;
        self.digests.insert(key_hash(row.key), row.digest);
        if self.source.len() >= BATCH.0 || self.pending >= BATCH.1 {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.pending = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.key.finish()),
            Arc::new(self.digest.finish()),
            Arc::new(self.record.finish()),
            Arc::new(UInt32Array::from(std::mem::take(&mut self.source))),
            Arc::new(UInt64Array::from(std::mem::take(&mut self.number))),
        ];
        let batch = RecordBatch::try_new(schema(), columns);
        let written = batch.and_then(|batch| self.writer.write(&batch));
        written.map_err(|error| failed("write", &self.path, error))
    }

    /// Ends the file, durably.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn finish(mut self) -> Result<WrittenRows, StoreError> {
        self.flush()?;
        let path = self.path;
        let file = self.writer.into_inner().map_err(|error| failed("write", &path, error))?;
        let (bytes, blake3) = (file.bytes, file.hasher.finalize().to_hex().to_string());
        let synced = file.file.into_inner().map_err(io::IntoInnerError::into_error);
        synced.and_then(|file| file.sync_all()).map_err(|source| StoreError::File {
            action: "write",
            path,
            source,
        })?;
        Ok(WrittenRows { rows: self.rows, bytes, blake3, digests: self.digests })
    }
}

/// Counts and hashes what is written.
struct Hashing {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("digest", DataType::FixedSizeBinary(16), false),
        Field::new("record", DataType::Utf8, false),
        Field::new("source", DataType::UInt32, false),
        Field::new("number", DataType::UInt64, false),
    ]))
}

fn failed(action: &'static str, path: &Path, error: ArrowError) -> StoreError {
    match error {
        ArrowError::IoError(_, source) => StoreError::File { action, path: path.into(), source },
        other => StoreError::BadManifest { path: path.into(), reason: other.to_string() },
    }
}

/// Reads a file of rows back.
pub struct RowsReader {
    path: PathBuf,
    reader: FileReader<BufReader<File>>,
}

impl RowsReader {
    /// Opens a file whose hash must be `blake3`.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`].
    pub fn open(path: &Path, blake3: &str) -> Result<Self, StoreError> {
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        let mut file = File::open(path).map_err(fail)?;
        let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; 1 << 16]);
        loop {
            let count = file.read(&mut buffer).map_err(fail)?;
            if count == 0 {
                break;
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
        }
        if hasher.finalize().to_hex().as_str() != blake3 {
            let reason = "its content is not what the manifest says".into();
            return Err(StoreError::BadManifest { path: path.into(), reason });
        }
        let file = BufReader::new(File::open(path).map_err(fail)?);
        let reader = FileReader::try_new(file, None).map_err(|error| failed("read", path, error))?;
        Ok(Self { path: path.into(), reader })
    }

    /// Calls `each` with every row, in order.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`], and what `each` says.
    pub fn next_batch(&mut self) -> Result<Option<RowsBatch>, StoreError> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| failed("read", &self.path, error))?;
        if batch.schema().fields() != schema().fields() {
            let reason = "it has other columns than a file of rows".into();
            return Err(StoreError::BadManifest { path: self.path.clone(), reason });
        }
        Ok(Some(RowsBatch { batch }))
    }
}

/// Rows of a file.
pub struct RowsBatch {
    batch: RecordBatch,
}

impl RowsBatch {
    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = PreparedRow<'_>> {
        let text = |column: usize| self.batch.column(column).as_string_opt::<i32>();
        let digest = self.batch.column(1).as_fixed_size_binary_opt();
        let source = self.batch.column(3).as_primitive_opt::<UInt32Type>();
        let number = self.batch.column(4).as_primitive_opt::<UInt64Type>();
        let columns = text(0).zip(digest).zip(text(2)).zip(source.zip(number));
        columns.into_iter().flat_map(|(((key, digest), record), (source, number))| {
            (0..key.len()).map(move |row| PreparedRow {
                key: key.value(row),
                digest: digest.value(row).try_into().map(u128::from_be_bytes).unwrap_or_default(),
                record: record.value(row),
                source: source.value(row),
                number: number.value(row),
            })
        })
    }
}

/// The digest of a record: 16 bytes of its hash, never [`keys::DROPPED`].
pub fn digest(record: &str) -> u128 {
    key_hash(record).max(keys::DROPPED + 1)
}

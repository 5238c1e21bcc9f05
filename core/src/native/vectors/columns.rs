//! A column of vectors in Arrow IPC and Parquet files: lists of floats, of fixed or of any length.
//!
//! One batch of the file is held at a time; other columns are not decoded.

use std::{fs::File, io::BufReader, path::Path};

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{Float16Type, Float32Type, Float64Type},
};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{Rows, Wrong, check_dimension};

/// Rows that are decoded at once where the file leaves the choice.
const BATCH_ROWS: usize = 1024;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// The vectors of one column, batch by batch.
struct ColumnRows {
    batches: Batches,
    current: Option<ArrayRef>,
    at: usize,
    read: u64,
}

/// An Arrow IPC file.
pub fn arrow_file(path: &Path, column: Option<&str>) -> Result<Box<dyn Rows>, Wrong> {
    let open = |projection| FileReader::try_new(BufReader::new(File::open(path)?), projection);
    let place = choose(&open(None).map_err(wrong)?.schema(), column)?;
    Ok(rows(Box::new(open(Some(vec![place])).map_err(wrong)?)))
}

/// An Arrow IPC stream.
pub fn arrow_stream(path: &Path, column: Option<&str>) -> Result<Box<dyn Rows>, Wrong> {
    let open = |projection| StreamReader::try_new(BufReader::new(File::open(path)?), projection);
    let place = choose(&open(None).map_err(wrong)?.schema(), column)?;
    Ok(rows(Box::new(open(Some(vec![place])).map_err(wrong)?)))
}

/// A Parquet file.
pub fn parquet(path: &Path, column: Option<&str>) -> Result<Box<dyn Rows>, Wrong> {
    let unreadable = |error: parquet::errors::ParquetError| wrong(error.into());
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?).map_err(unreadable)?;
    let place = choose(builder.schema(), column)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [place]);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(unreadable)?;
    Ok(rows(Box::new(reader)))
}

fn rows(batches: Batches) -> Box<dyn Rows> {
    Box::new(ColumnRows { batches, current: None, at: 0, read: 0 })
}

fn wrong(error: ArrowError) -> Wrong {
    match error {
        ArrowError::IoError(_, source) => Wrong::Io(source),
        other => Wrong::Content(format!("it cannot be read: {other}")),
    }
}

/// The place of the column that holds the vectors.
fn choose(schema: &Schema, column: Option<&str>) -> Result<usize, String> {
    let fields = schema.fields().iter().enumerate();
    let fitting: Vec<_> = fields.filter(|(_, field)| is_vector(field.data_type())).collect();
    let names = || fitting.iter().map(|(_, field)| field.name().as_str()).collect::<Vec<_>>().join(", ");
    match (column, fitting.as_slice()) {
        (None, [(place, _)]) => Ok(*place),
        (None, []) => Err("none of its columns holds lists of floats".into()),
        (None, _) => Err(format!("several of its columns hold lists of floats, name one: {}", names())),
        (Some(name), _) => match fitting.iter().find(|(_, field)| field.name() == name) {
            Some((place, _)) => Ok(*place),
            None => Err(format!("it has no column {name:?} of lists of floats; such are: {}", names())),
        },
    }
}

fn is_vector(kind: &DataType) -> bool {
    match kind {
        DataType::FixedSizeList(item, _) | DataType::List(item) | DataType::LargeList(item) => {
            matches!(item.data_type(), DataType::Float16 | DataType::Float32 | DataType::Float64)
        }
        _ => false,
    }
}

impl Rows for ColumnRows {
    fn next(&mut self, vector: &mut Vec<f32>) -> Result<bool, Wrong> {
        loop {
            if let Some(array) = self.current.as_ref().filter(|array| self.at < array.len()) {
                let at = format!("its row {}", self.read);
                let numbers = item(array, self.at).ok_or_else(|| format!("{at} is null"))?;
                vector.clear();
                extend(vector, &numbers).map_err(|reason| format!("{at} {reason}"))?;
                check_dimension(vector.len()).map_err(|reason| format!("{at}: {reason}"))?;
                self.at += 1;
                self.read += 1;
                return Ok(true);
            }
            let Some(batch) = self.batches.next() else { return Ok(false) };
            self.current = batch.map_err(wrong)?.columns().first().cloned();
            self.at = 0;
        }
    }
}

/// The list in one row; `None` if there is none.
fn item(array: &ArrayRef, at: usize) -> Option<ArrayRef> {
    if array.is_null(at) {
        return None;
    }
    if let Some(lists) = array.as_fixed_size_list_opt() {
        return Some(lists.value(at));
    }
    if let Some(lists) = array.as_list_opt::<i32>() {
        return Some(lists.value(at));
    }
    array.as_list_opt::<i64>().map(|lists| lists.value(at))
}

fn extend(vector: &mut Vec<f32>, numbers: &ArrayRef) -> Result<(), String> {
    if numbers.null_count() > 0 {
        return Err("holds a null; every number must be there".into());
    }
    if let Some(numbers) = numbers.as_primitive_opt::<Float32Type>() {
        vector.extend_from_slice(numbers.values());
    } else if let Some(numbers) = numbers.as_primitive_opt::<Float16Type>() {
        vector.extend(numbers.values().iter().map(|number| number.to_f32()));
    } else if let Some(numbers) = numbers.as_primitive_opt::<Float64Type>() {
        // What a float cannot hold becomes infinite, and is refused with its record.
        vector.extend(numbers.values().iter().map(|&number| number as f32));
    }
    Ok(())
}

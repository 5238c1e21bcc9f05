//! Parquet and Arrow IPC files as records, one batch in memory at a time.
//!
//! Numbers, texts, booleans, dates and times, lists and structs become JSON; a column of another type is refused when the file is
//! opened. Times are written in UTC. Such files have no byte ranges for records.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value as Json};

use super::found::{Content, Found, RecordSource};
use super::spec::SourceFormat;
use crate::error::StoreError;
use crate::time::format_time;

/// Rows decoded at once.
const BATCH_ROWS: usize = 1024;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// A columnar file.
pub struct Columnar {
    path: PathBuf,
    batches: Batches,
    batch: Option<RecordBatch>,
    row: usize,
    number: u64,
    bytes: u64,
}

impl Columnar {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::BadSource`] when it is not of the format, or has a column that cannot be JSON.
    pub fn open(path: &Path, format: SourceFormat) -> Result<Self, StoreError> {
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        let bad = |error: ArrowError| bad(path, &error.to_string());
        let file = File::open(path).map_err(fail)?;
        let bytes = file.metadata().map_err(fail)?.len();
        let (schema, batches): (_, Batches) = match format {
            SourceFormat::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file);
                let builder = builder.map_err(|error| bad(error.into()))?.with_batch_size(BATCH_ROWS);
                let reader = builder.build().map_err(|error| bad(error.into()))?;
                (arrow_array::RecordBatchReader::schema(&reader), Box::new(reader))
            }
            _ if is_ipc_file(path).map_err(fail)? => {
                let reader = FileReader::try_new(BufReader::new(file), None).map_err(bad)?;
                (reader.schema(), Box::new(reader))
            }
            _ => {
                let reader = StreamReader::try_new(BufReader::new(file), None).map_err(bad)?;
                (reader.schema(), Box::new(reader))
            }
        };
        check(path, &schema)?;
        Ok(Self { path: path.into(), batches, batch: None, row: 0, number: 0, bytes })
    }
}

impl RecordSource for Columnar {
    fn next(&mut self) -> Result<Option<Found>, StoreError> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| self.row < batch.num_rows()) {
                let content = Content::Record(record(batch, self.row), None);
                self.row += 1;
                self.number += 1;
                return Ok(Some(Found { number: self.number, bytes: None, content }));
            }
            self.row = 0;
            self.batch = match self.batches.next() {
                None => return Ok(None),
                Some(batch) => Some(batch.map_err(|error| bad(&self.path, &error.to_string()))?),
            };
        }
    }

    fn consumed(&self) -> u64 {
        // The readers do not tell; what counts is that the bar is full at the end.
        self.bytes
    }
}

fn is_ipc_file(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(6).read_to_end(&mut head)?;
    Ok(head == b"ARROW1")
}

fn bad(path: &Path, reason: &str) -> StoreError {
    StoreError::BadSource { path: path.into(), reason: format!("it cannot be read: {reason}") }
}

fn check(path: &Path, schema: &Schema) -> Result<(), StoreError> {
    let wrong = schema.fields().iter().find(|field| !readable(field.data_type()));
    match wrong {
        None => Ok(()),
        Some(field) => {
            let reason = format!(
                "column {:?} is {}, which no field can hold; cast it before",
                field.name(),
                field.data_type()
            );
            Err(StoreError::BadSource { path: path.into(), reason })
        }
    }
}

fn readable(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            readable(item.data_type())
        }
        DataType::Struct(fields) => fields.iter().all(|field| readable(field.data_type())),
        DataType::Dictionary(_, values) => readable(values),
        DataType::Null
        | DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Date32
        | DataType::Timestamp(..) => true,
        other => other.is_integer() || other.is_floating(),
    }
}

fn record(batch: &RecordBatch, row: usize) -> Map<String, Json> {
    let schema = batch.schema_ref();
    let fields = schema.fields().iter().zip(batch.columns());
    fields.map(|(field, column)| (field.name().clone(), json(column, row))).collect()
}

/// The value in one row; null for what is null, and for numbers that are not finite.
fn json(array: &dyn Array, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    macro_rules! number {
        ($kind:ty) => {
            array.as_primitive_opt::<$kind>().map(|array| Json::from(array.value(row)))
        };
    }
    let value = match array.data_type() {
        DataType::Boolean => array.as_boolean_opt().map(|array| Json::from(array.value(row))),
        DataType::Utf8 => array.as_string_opt::<i32>().map(|array| Json::from(array.value(row))),
        DataType::LargeUtf8 => array.as_string_opt::<i64>().map(|array| Json::from(array.value(row))),
        DataType::Utf8View => array.as_string_view_opt().map(|array| Json::from(array.value(row))),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => {
            array.as_primitive_opt::<Float16Type>().map(|array| Json::from(f32::from(array.value(row))))
        }
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(|array| {
            let text = format_time(i64::from(array.value(row)) * DAY);
            Json::from(text.split('T').next().unwrap_or_default())
        }),
        DataType::Timestamp(unit, _) => micros(array, *unit, row).map(|micros| format_time(micros).into()),
        _ => return nested(array, row),
    };
    value.unwrap_or(Json::Null)
}

fn nested(array: &dyn Array, row: usize) -> Json {
    let list = |items: &dyn Array| Json::Array((0..items.len()).map(|at| json(items, at)).collect());
    match array.data_type() {
        DataType::List(_) => array.as_list_opt::<i32>().map(|array| list(&array.value(row))),
        DataType::LargeList(_) => array.as_list_opt::<i64>().map(|array| list(&array.value(row))),
        DataType::FixedSizeList(..) => array.as_fixed_size_list_opt().map(|array| list(&array.value(row))),
        DataType::Struct(_) => array.as_struct_opt().map(|array| {
            let names = array.fields().iter().map(|field| field.name().clone());
            Json::Object(names.zip(array.columns().iter().map(|column| json(column, row))).collect())
        }),
        DataType::Dictionary(..) => {
            array.as_any_dictionary_opt().map(|array| match array.normalized_keys().get(row) {
                Some(&key) => json(array.values(), key),
                None => Json::Null,
            })
        }
        _ => None,
    }
    .unwrap_or(Json::Null)
}

fn micros(array: &dyn Array, unit: TimeUnit, row: usize) -> Option<i64> {
    match unit {
        TimeUnit::Second => {
            array.as_primitive_opt::<TimestampSecondType>()?.value(row).checked_mul(1_000_000)
        }
        TimeUnit::Millisecond => {
            array.as_primitive_opt::<TimestampMillisecondType>()?.value(row).checked_mul(1000)
        }
        TimeUnit::Microsecond => Some(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)),
        TimeUnit::Nanosecond => {
            Some(array.as_primitive_opt::<TimestampNanosecondType>()?.value(row).div_euclid(1000))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int32Array, ListArray, StringArray, TimestampSecondArray};
    use arrow_ipc::writer::{FileWriter, StreamWriter};

    use super::*;

    fn batch() -> RecordBatch {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(StringArray::from(vec!["a", "b"]))),
            ("n", Arc::new(Int32Array::from(vec![Some(7), None]))),
            ("x", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
            ("at", Arc::new(TimestampSecondArray::from(vec![0, 86_400]))),
            ("list", Arc::new(lists)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn the_formats_give_the_same_records() {
        let dir = tempfile::tempdir().unwrap();
        let batch = batch();
        let path = |name: &str| dir.path().join(name);
        let mut file = FileWriter::try_new(File::create(path("f")).unwrap(), &batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap();
        let mut stream = StreamWriter::try_new(File::create(path("s")).unwrap(), &batch.schema()).unwrap();
        stream.write(&batch).unwrap();
        stream.finish().unwrap();
        let parquet = File::create(path("p")).unwrap();
        let mut parquet = parquet::arrow::ArrowWriter::try_new(parquet, batch.schema(), None).unwrap();
        parquet.write(&batch).unwrap();
        parquet.close().unwrap();
        let first = r#"{"id":"a","n":7,"x":0.5,"at":"1970-01-01T00:00:00Z","list":[1,null]}"#;
        for (name, format) in
            [("f", SourceFormat::Arrow), ("s", SourceFormat::Arrow), ("p", SourceFormat::Parquet)]
        {
            let mut source = Columnar::open(&path(name), format).unwrap();
            let Content::Record(record, None) = source.next().unwrap().unwrap().content else { panic!() };
            assert_eq!(Json::Object(record).to_string(), first, "{name}");
            let second = source.next().unwrap().unwrap();
            assert_eq!((second.number, second.bytes), (2, None));
            assert!(source.next().unwrap().is_none());
        }
        let damaged = Columnar::open(&path("f"), SourceFormat::Parquet);
        assert!(matches!(damaged, Err(StoreError::BadSource { .. })));
    }
}

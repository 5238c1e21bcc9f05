//! Between metadata values and Arrow columns.
//!
//! Types are checked where records come in (`pipeline::record`), so that a value here always fits its column; the
//! one exception is null, which fits all.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, TimestampMicrosecondType},
};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, TimeUnit};
use lancedb::arrow::arrow_buffer::{NullBuffer, OffsetBuffer};

use super::names;
use crate::error::StoreError;
use crate::schema::{Field, FieldType, Value};

/// The key under which a column's metadata holds the field's dotted path.
const PATH: &str = "portolan.path";
/// The key under which a column of JSON says so, because Arrow has no type for it.
const TYPE: &str = "portolan.type";

/// The Arrow type of a metadata type.
pub fn data_type(kind: &FieldType) -> DataType {
    match kind {
        FieldType::Bool => DataType::Boolean,
        FieldType::Int => DataType::Int64,
        FieldType::Float => DataType::Float64,
        FieldType::Text | FieldType::Json => DataType::Utf8,
        FieldType::Time => timestamp(),
        FieldType::List(item) => DataType::List(item_field(item)),
    }
}

/// Microseconds since 1970 in UTC.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The column of a metadata field.
pub fn column(field: &Field) -> ArrowField {
    let mut metadata = HashMap::from([(PATH.to_owned(), field.path.clone())]);
    if field.kind == FieldType::Json {
        metadata.insert(TYPE.to_owned(), "json".to_owned());
    }
    ArrowField::new(names::column(&field.path), data_type(&field.kind), true).with_metadata(metadata)
}

/// One column of values, all of the type `kind` or null.
pub fn encode(kind: &FieldType, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    macro_rules! plain {
        ($array:ty, $variant:ident) => {
            values
                .iter()
                .map(|value| match value {
                    Value::$variant(inner) => Some(inner.clone()),
                    _ => None,
                })
                .collect::<$array>()
        };
    }
    Ok(match kind {
        FieldType::Bool => Arc::new(plain!(BooleanArray, Bool)),
        FieldType::Int => Arc::new(plain!(Int64Array, Int)),
        FieldType::Float => Arc::new(plain!(Float64Array, Float)),
        FieldType::Text => Arc::new(plain!(StringArray, Text)),
        FieldType::Time => Arc::new(plain!(TimestampMicrosecondArray, Time).with_timezone("UTC")),
        FieldType::List(item) => encode_list(item, values)?,
        FieldType::Json => Arc::new(values.iter().map(|value| json_text(value)).collect::<StringArray>()),
    })
}

fn json_text(value: &Value) -> Option<String> {
    (*value != Value::Null).then(|| value.to_json().to_string())
}

fn encode_list(item: &FieldType, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    let mut present = Vec::with_capacity(values.len());
    for value in values {
        let list: &[Value] = if let Value::List(list) = value { list } else { &[] };
        items.extend(list);
        lengths.push(list.len());
        present.push(matches!(value, Value::List(_)));
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = NullBuffer::from(present);
    Ok(Arc::new(ListArray::try_new(item_field(item), offsets, encode(item, &items)?, Some(nulls))?))
}

fn item_field(item: &FieldType) -> Arc<ArrowField> {
    Arc::new(ArrowField::new("item", data_type(item), true))
}

/// The value in one row of a column of type `kind`.
pub fn decode(kind: &FieldType, column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    let value = match kind {
        FieldType::Bool => column.as_boolean_opt().map(|a| Value::Bool(a.value(row))),
        FieldType::Int => column.as_primitive_opt::<Int64Type>().map(|a| Value::Int(a.value(row))),
        FieldType::Float => column.as_primitive_opt::<Float64Type>().map(|a| Value::Float(a.value(row))),
        FieldType::Text => column.as_string_opt::<i32>().map(|a| Value::Text(a.value(row).into())),
        FieldType::Time => {
            column.as_primitive_opt::<TimestampMicrosecondType>().map(|a| Value::Time(a.value(row)))
        }
        FieldType::List(item) => column.as_list_opt::<i32>().map(|a| {
            let items = a.value(row);
            Value::List((0..items.len()).map(|at| decode(item, &items, at)).collect())
        }),
        FieldType::Json => column
            .as_string_opt::<i32>()
            .and_then(|a| serde_json::from_str(a.value(row)).ok())
            .map(|json| Value::from_json(&json)),
    };
    value.unwrap_or(Value::Null)
}

/// The type of vectors of one dimension.
pub fn vector_type(dimension: u32) -> DataType {
    DataType::FixedSizeList(vector_item(), dimension as i32)
}

fn vector_item() -> Arc<ArrowField> {
    Arc::new(ArrowField::new("item", DataType::Float32, true))
}

/// A column of vectors; `None` becomes null.
pub fn encode_vectors(dimension: u32, vectors: &[Option<&[f32]>]) -> Result<ArrayRef, ArrowError> {
    let mut flat = Vec::with_capacity(vectors.len() * dimension as usize);
    for vector in vectors {
        match vector {
            Some(vector) => flat.extend_from_slice(vector),
            None => flat.resize(flat.len() + dimension as usize, 0.0),
        }
    }
    let nulls = NullBuffer::from_iter(vectors.iter().map(Option::is_some));
    let values = Arc::new(Float32Array::from(flat));
    Ok(Arc::new(FixedSizeListArray::try_new(vector_item(), dimension as i32, values, Some(nulls))?))
}

/// The vector in one row, or `None` when it is null or not a vector column.
pub fn decode_vector(column: &dyn Array, row: usize) -> Option<Vec<f32>> {
    let list = column.as_fixed_size_list_opt().filter(|list| list.is_valid(row))?;
    let values = list.value(row);
    let floats = values.as_primitive_opt::<arrow_array::types::Float32Type>()?;
    Some(floats.values().to_vec())
}

/// Typed access to the columns of a batch that this library wrote.
pub struct Columns<'a> {
    batch: &'a RecordBatch,
    table: &'a str,
}

impl<'a> Columns<'a> {
    /// The columns of a batch of `table`.
    pub fn of(batch: &'a RecordBatch, table: &'a str) -> Self {
        Self { batch, table }
    }

    /// A column, whatever its type.
    pub fn any(&self, name: &str) -> Result<&'a ArrayRef, StoreError> {
        self.batch.column_by_name(name).ok_or_else(|| self.corrupt(name))
    }

    /// A column of text.
    pub fn text(&self, name: &str) -> Result<&'a StringArray, StoreError> {
        self.any(name)?.as_string_opt().ok_or_else(|| self.corrupt(name))
    }

    /// A column of small integers.
    pub fn int32(&self, name: &str) -> Result<&'a Int32Array, StoreError> {
        self.any(name)?.as_primitive_opt().ok_or_else(|| self.corrupt(name))
    }

    /// A column of integers.
    pub fn int64(&self, name: &str) -> Result<&'a Int64Array, StoreError> {
        self.any(name)?.as_primitive_opt().ok_or_else(|| self.corrupt(name))
    }

    /// The row ids of a scan that asked for them.
    pub fn row_ids(&self) -> Result<&'a UInt64Array, StoreError> {
        self.any("_rowid")?.as_primitive_opt().ok_or_else(|| self.corrupt("_rowid"))
    }

    fn corrupt(&self, name: &str) -> StoreError {
        StoreError::Corrupt {
            table: self.table.into(),
            reason: format!("the column {name:?} is missing or of another type"),
        }
    }
}

/// The time now as a column of `rows` equal timestamps. Made in Arrow, because casts in SQL take other units.
pub fn now(rows: usize) -> ArrayRef {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Arc::new(TimestampMicrosecondArray::from(vec![micros; rows]).with_timezone("UTC"))
}

/// A hash as 32 hexadecimal digits read back into 128 bits, for compact maps; other texts are hashed first.
pub fn short_hash(hex: &str) -> u128 {
    hex.get(..32).and_then(|head| u128::from_str_radix(head, 16).ok()).unwrap_or_else(|| key_hash(hex))
}

/// 128 bits of the hash of a key, for compact maps.
pub fn key_hash(key: &str) -> u128 {
    let mut head = [0; 16];
    head.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(head)
}

//! Typed metadata columns: what a WHERE reads. Null bitmap first, then fixed-width values, block by block.
//!
//! A block of `n` rows: `ceil(n/8)` bytes of validity (bit set = present), then per type `ceil(n/8)` bytes of bits
//! (bool), `n` x `i64` (int; time in microseconds), `n` x `f64` (float) or `n` x `u32` (text: places in the field's
//! dictionary). A null's value is zero. Lists and JSON have no column: they are only shown.

use super::layout::malformed;
use crate::{
    error::SnapshotError,
    filter::{ColumnBlock, ColumnData},
    schema::{FieldType, Value},
};

/// How many rows a block holds.
pub const ROWS_PER_BLOCK: u32 = 4096;

/// Whether a field of this type is stored as a column, so that WHERE can use it.
pub fn has_column(kind: &FieldType) -> bool {
    !matches!(kind, FieldType::List(_) | FieldType::Json)
}

/// The bytes of one block of values; `place` gives a text's place in the dictionary.
pub fn encode_block(kind: &FieldType, values: &[&Value], place: impl Fn(&str) -> u32) -> Vec<u8> {
    let mut out = bits(values.iter().map(|value| !matches!(value, Value::Null)));
    match kind {
        FieldType::Bool => out.extend(bits(values.iter().map(|value| matches!(value, Value::Bool(true))))),
        _ => values.iter().for_each(|value| push_value(kind, value, &place, &mut out)),
    }
    out
}

fn push_value(kind: &FieldType, value: &Value, place: impl Fn(&str) -> u32, out: &mut Vec<u8>) {
    match (kind, value) {
        (FieldType::Text, Value::Text(text)) => out.extend(place(text).to_le_bytes()),
        (FieldType::Text, _) => out.extend(0u32.to_le_bytes()),
        (FieldType::Float, Value::Float(number)) => out.extend(number.to_le_bytes()),
        (_, Value::Int(number) | Value::Time(number)) => out.extend(number.to_le_bytes()),
        _ => out.extend(0u64.to_le_bytes()),
    }
}

fn bits(values: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let mut out = vec![0; values.len().div_ceil(8)];
    for (i, _) in values.enumerate().filter(|(_, set)| *set) {
        out[i / 8] |= 1 << (i % 8);
    }
    out
}

/// Views a block of `rows` rows that begins at `offset` of the file.
pub fn decode_block<'a>(
    kind: &FieldType,
    bytes: &'a [u8],
    rows: usize,
    offset: u64,
) -> Result<ColumnBlock<'a>, SnapshotError> {
    let bitmap = rows.div_ceil(8);
    let width = match kind {
        FieldType::Bool => bitmap,
        FieldType::Text => rows * 4,
        _ => rows * 8,
    };
    if bytes.len() != bitmap + width {
        let reason = format!("the block has {} bytes, {rows} rows need {}", bytes.len(), bitmap + width);
        return Err(malformed("column", offset, reason));
    }
    let (valid, values) = bytes.split_at(bitmap);
    let data = match kind {
        FieldType::Bool => ColumnData::Bool(values),
        FieldType::Text => ColumnData::Text(values.as_chunks().0),
        FieldType::Float => ColumnData::Float(values.as_chunks().0),
        FieldType::Int | FieldType::Time => ColumnData::Int(values.as_chunks().0),
        FieldType::List(_) | FieldType::Json => {
            return Err(malformed("column", offset, "a field of this type has no column"));
        }
    };
    Ok(ColumnBlock { rows, valid, data })
}

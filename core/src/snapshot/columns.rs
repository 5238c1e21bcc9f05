//! Typed metadata columns: what a WHERE reads. Null bitmap first, then fixed-width values, block by block.
//!
//! A block of `n` rows: `ceil(n/8)` bytes of validity (bit set = present), then per type `ceil(n/8)` bytes of bits
//! (bool), `n` x `i64` (int; time in microseconds), `n` x `f64` (float) or `n` x `u32` (text: places in the field's
//! dictionary). A null's value is zero. Of lists, instead, `n` x `u32` where each row's items end, then the items of
//! all rows, nulls left out, as values of their type. Lists of lists and JSON have no column: they are only shown.

use super::{assemble::narrow, layout::malformed};
use crate::{
    error::SnapshotError,
    filter::{ColumnBlock, ColumnData, ItemData, ListData},
    schema::{FieldType, Value},
};

/// How many rows a block holds.
pub const ROWS_PER_BLOCK: u32 = 4096;

/// Whether a field of this type is stored as a column, so that WHERE can use it.
pub fn has_column(kind: &FieldType) -> bool {
    !matches!(element(kind), FieldType::List(_) | FieldType::Json)
}

/// The type of a list's items; of any other type itself.
pub fn element(kind: &FieldType) -> &FieldType {
    match kind {
        FieldType::List(item) => item,
        kind => kind,
    }
}

/// A field's value as the values that its column stores: the items of a list that are not null.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    let values = match value {
        Value::List(items) => items.as_slice(),
        value => std::slice::from_ref(value),
    };
    values.iter().filter(|value| **value != Value::Null)
}

/// The bytes of one block of values; `place` gives a text's place in the dictionary.
pub fn encode_block(
    kind: &FieldType,
    values: &[&Value],
    place: &dyn Fn(&str) -> u32,
) -> Result<Vec<u8>, SnapshotError> {
    let mut out = bits(values.iter().map(|value| !matches!(value, Value::Null)));
    match kind {
        FieldType::List(item) => {
            let mut all = Vec::new();
            for list in values {
                all.extend(items(list));
                out.extend(narrow(all.len(), "items in a block of lists")?.to_le_bytes());
            }
            push_values(item, &all, place, &mut out);
        }
        kind => push_values(kind, values, place, &mut out),
    }
    Ok(out)
}

fn push_values(kind: &FieldType, values: &[&Value], place: &dyn Fn(&str) -> u32, out: &mut Vec<u8>) {
    match kind {
        FieldType::Bool => out.extend(bits(values.iter().map(|value| matches!(value, Value::Bool(true))))),
        _ => values.iter().for_each(|value| push_value(kind, value, place, out)),
    }
}

fn push_value(kind: &FieldType, value: &Value, place: &dyn Fn(&str) -> u32, out: &mut Vec<u8>) {
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
    let wrong = |reason: &str| malformed("column", offset, reason);
    let (valid, values) =
        bytes.split_at_checked(rows.div_ceil(8)).ok_or_else(|| wrong("the block ends before its nulls"))?;
    let data = match kind {
        FieldType::List(item) => {
            let (ends, items) = values
                .split_at_checked(rows.saturating_mul(4))
                .ok_or_else(|| wrong("the block ends before its lists"))?;
            let ends = ends.as_chunks().0;
            let number = |end: &[u8; 4]| u32::from_le_bytes(*end);
            if !ends.is_sorted_by_key(number) {
                return Err(wrong("a list ends before it begins"));
            }
            let count = ends.last().map_or(0, number) as usize;
            ColumnData::List(ListData { ends, items: decode_values(item, items, count, offset)? })
        }
        kind => match decode_values(kind, values, rows, offset)? {
            ItemData::Bool(bits) => ColumnData::Bool(bits),
            ItemData::Int(values) => ColumnData::Int(values),
            ItemData::Float(values) => ColumnData::Float(values),
            ItemData::Text(codes) => ColumnData::Text(codes),
        },
    };
    Ok(ColumnBlock { rows, valid, data })
}

fn decode_values<'a>(
    kind: &FieldType,
    bytes: &'a [u8],
    count: usize,
    offset: u64,
) -> Result<ItemData<'a>, SnapshotError> {
    let width = match kind {
        FieldType::Bool => count.div_ceil(8),
        FieldType::Text => count.saturating_mul(4),
        _ => count.saturating_mul(8),
    };
    if bytes.len() != width {
        let reason = format!("{count} values take {width} bytes, the block has {}", bytes.len());
        return Err(malformed("column", offset, reason));
    }
    Ok(match kind {
        FieldType::Bool => ItemData::Bool(bytes),
        FieldType::Text => ItemData::Text(bytes.as_chunks().0),
        FieldType::Float => ItemData::Float(bytes.as_chunks().0),
        FieldType::Int | FieldType::Time => ItemData::Int(bytes.as_chunks().0),
        FieldType::List(_) | FieldType::Json => {
            return Err(malformed("column", offset, "a field of this type has no column"));
        }
    })
}

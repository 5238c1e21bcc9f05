//! A collection's columns as records again: what statistics are counted from, for whoever checks them.

use super::{collection::Collection, columns, layout::malformed, strings::Strings};
use crate::{
    bytes::ByteSource,
    error::SnapshotError,
    filter::{ColumnBlock, ColumnData, ItemData},
    gather::Gather as _,
    schema::{Field, FieldType, Record, Value},
};

/// The records of a collection with their ids and the values of their columns, without nulls inside lists, documents and
/// vectors. All must be resident.
pub fn records(collection: &Collection, source: &dyn ByteSource) -> Result<Vec<Record>, SnapshotError> {
    let missing = || malformed("directory", 0, "a section is not resident");
    let ids = collection.ids().ok_or_else(missing)?;
    let ids = collection.strings(source, ids)?.ok_or_else(missing)?;
    let id = |place| ids.text(place).map(String::from).ok_or_else(missing);
    let record = |id| Record { id, document: None, metadata: Default::default(), vector: Vec::new() };
    let mut records: Vec<Record> =
        (0..ids.count()).map(|place| id(place).map(record)).gather::<Result<_, _>>()?;
    for field in &collection.schema().fields {
        let Some((field, section)) = collection.column(&field.path) else { continue };
        let texts = match collection.dictionary(&field.path) {
            Some(dictionary) => collection.strings(source, dictionary)?,
            None => None,
        };
        let mut rows = records.iter_mut();
        for block in 0..section.blocks {
            let block = collection.column_block(source, (field, section), block)?.ok_or_else(missing)?;
            for (place, record) in (0..block.rows).zip(&mut rows) {
                let value = value(field, &block, place, texts).ok_or_else(missing)?;
                record.metadata.insert(field.path.clone(), value);
            }
        }
    }
    Ok(records)
}

/// The value of a row of a block; `None` if the block contradicts itself.
fn value(field: &Field, block: &ColumnBlock<'_>, row: usize, texts: Option<Strings<'_>>) -> Option<Value> {
    if block.valid.get(row / 8)? >> (row % 8) & 1 == 0 {
        return Some(Value::Null);
    }
    let kind = columns::element(&field.kind);
    let single = |data| item(kind, &data, row, texts);
    match &block.data {
        ColumnData::Bool(bits) => single(ItemData::Bool(bits)),
        ColumnData::Int(values) => single(ItemData::Int(values)),
        ColumnData::Float(values) => single(ItemData::Float(values)),
        ColumnData::Text(codes) => single(ItemData::Text(codes)),
        ColumnData::List(lists) => {
            let end = |row: usize| lists.ends.get(row).map(|end| u32::from_le_bytes(*end) as usize);
            let start = if row == 0 { 0 } else { end(row - 1)? };
            let items = (start..end(row)?).map(|place| item(kind, &lists.items, place, texts));
            items.gather::<Option<Vec<Value>>>().map(Value::List)
        }
        ColumnData::Plain(_) => None,
    }
}

fn item(kind: &FieldType, items: &ItemData<'_>, place: usize, texts: Option<Strings<'_>>) -> Option<Value> {
    Some(match items {
        ItemData::Bool(bits) => Value::Bool(bits.get(place / 8)? >> (place % 8) & 1 == 1),
        ItemData::Int(values) => {
            let number = i64::from_le_bytes(*values.get(place)?);
            if *kind == FieldType::Time { Value::Time(number) } else { Value::Int(number) }
        }
        ItemData::Float(values) => Value::Float(f64::from_le_bytes(*values.get(place)?)),
        ItemData::Text(codes) => Value::Text(texts?.text(u32::from_le_bytes(*codes.get(place)?))?.into()),
    })
}

//! The stored records of rows: id, document, metadata, vector.

use crate::{
    bytes::ByteRange,
    error::{Result, SnapshotError},
    gather::Gather as _,
    json,
    query::Field,
    router::{Needs, hit::Shown, run::Run, shape::from_record, target::Opened},
    schema::{FieldType, Value},
    snapshot::{PayloadBlock, PayloadRow, layout::malformed},
    time::parse_time,
};

/// A table of ids that is no longer than this is read in place of records of which only the ids are shown. Its checksum is
/// that of the whole table: the first statement over a longer one would pay for that more than it spares.
const ID_TABLE_BYTES: u64 = 8 << 20;

/// Reads `fields` of the records of `rows`, and how many bytes that took; or notes in `needs` what is missing. Rows next
/// to each other share a block, so ascending rows open each block once.
pub(in crate::router) fn read(
    run: &Run<'_>,
    opened: &Opened<'_>,
    rows: &[u64],
    fields: &[Field],
    needs: &mut Needs,
) -> Result<Option<(Vec<Shown>, u64)>> {
    if !fields.iter().any(from_record)
        && let Some(found) = ids(opened, rows, fields.len())?
    {
        run.check_stop()?;
        return Ok(Some(found));
    }
    let mut block = Block { range: None, open: None, bytes: 0 };
    let (mut shown, mut missing) = (Vec::with_capacity(rows.len()), false);
    for row in rows {
        if block.find(run, opened, *row)? {
            missing |= block.open.is_none() && block.want(opened, needs);
        }
        // Asked for in the wave of the payload: a wave of its own would be the fourth.
        let embedding = match fields.contains(&Field::Embedding) {
            true => vector(opened, *row, needs)?,
            false => Some(Value::Null),
        };
        missing |= embedding.is_none();
        if let (Some(open), Some(embedding), false) = (&block.open, embedding, missing) {
            shown.push(show(opened, open, *row, fields, embedding)?);
        }
    }
    Ok((!missing).then_some((shown, block.bytes)))
}

/// The ids of `rows`, if their table is short and resident: nothing is decompressed for them.
fn ids(opened: &Opened<'_>, rows: &[u64], fields: usize) -> Result<Option<(Vec<Shown>, u64)>> {
    let section = opened.collection.ids().filter(|ids| ids.range.len() <= ID_TABLE_BYTES);
    let Some(section) = section else { return Ok(None) };
    let Some(table) = opened.collection.strings(opened.source, section)? else { return Ok(None) };
    let (mut shown, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    for row in rows {
        let id = u32::try_from(*row).ok().and_then(|row| table.text(row));
        let id = id.ok_or_else(|| malformed("ids", section.range.start, "an id cannot be read"))?;
        bytes += id.len() as u64;
        shown.push(Shown { id: id.into(), values: vec![Value::Null; fields] });
    }
    Ok(Some((shown, bytes)))
}

/// The payload block that was found last.
struct Block {
    range: Option<ByteRange>,
    open: Option<PayloadBlock>,
    bytes: u64,
}

impl Block {
    /// Goes to the block of a row; says whether it is another one than before.
    fn find(&mut self, run: &Run<'_>, opened: &Opened<'_>, row: u64) -> Result<bool> {
        let range = opened.collection.payload_range(row)?;
        if self.range == Some(range) {
            return Ok(false);
        }
        run.check_stop()?;
        self.range = Some(range);
        self.open = opened.collection.payload_block(opened.source, row)?.map(|(block, _)| block);
        self.bytes += range.len();
        Ok(true)
    }

    fn want(&self, opened: &Opened<'_>, needs: &mut Needs) -> bool {
        self.range.into_iter().for_each(|range| needs.want(opened.file, range));
        true
    }
}

fn vector(opened: &Opened<'_>, row: u64, needs: &mut Needs) -> Result<Option<Value>> {
    match opened.collection.vector(opened.source, row)? {
        Ok(vector) => Ok(Some(Value::List(vector.into_iter().map(|x| Value::Float(x.into())).gather()))),
        Err(range) => {
            needs.want(opened.file, range);
            Ok(None)
        }
    }
}

fn show(
    opened: &Opened<'_>,
    block: &PayloadBlock,
    row: u64,
    fields: &[Field],
    embedding: Value,
) -> Result<Shown, SnapshotError> {
    let collection = &opened.collection;
    let at = || collection.payload_range(row).map_or(0, |range| range.start);
    let wrong = |reason: String| malformed("payload", at(), reason);
    let record: PayloadRow<&str> =
        block.row(collection.place_in_payload(row)).ok_or_else(|| wrong("a record cannot be read".into()))?;
    let metadata = match fields.iter().any(|field| matches!(field, Field::Metadata(_))) {
        true => json::parse(record.metadata).map_err(|e| wrong(format!("metadata is not JSON: {e}")))?,
        false => Value::Null,
    };
    let field = |field: &Field| match field {
        Field::Document => record.document.map_or(Value::Null, |text| Value::Text(text.into())),
        Field::Metadata(Some(path)) => {
            let kind = collection.schema().fields.iter().find(|field| field.path == *path);
            typed(dig(&metadata, path), kind.map(|field| &field.kind))
        }
        Field::Metadata(None) => metadata.clone(),
        Field::Embedding => embedding.clone(),
        _ => Value::Null,
    };
    Ok(Shown { id: record.id.into(), values: fields.iter().map(field).gather() })
}

/// The value at a dotted path of a record's metadata.
fn dig(metadata: &Value, path: &str) -> Value {
    let found = path.split('.').try_fold(metadata, |value, key| match value {
        Value::Object(entries) => entries.get(key),
        _ => None,
    });
    found.cloned().unwrap_or(Value::Null)
}

/// A value of JSON as its field declares it: JSON has no times, and its whole floats may look like integers.
fn typed(value: Value, kind: Option<&FieldType>) -> Value {
    match (kind, value) {
        (Some(FieldType::Time), Value::Text(text)) => {
            parse_time(&text).map_or_else(|| Value::Text(text), Value::Time)
        }
        (Some(FieldType::Float), Value::Int(number)) => Value::Float(number as f64),
        (Some(FieldType::List(kind)), Value::List(items)) => {
            Value::List(items.into_iter().map(|item| typed(item, Some(kind))).gather())
        }
        (_, value) => value,
    }
}

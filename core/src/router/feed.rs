//! Fields of the rows of one collection, read from columns where there are some: what ORDER BY and GROUP BY go by.

use super::{hit::Shown, shape::from_record, target::Opened};
use crate::{
    error::{Result, SnapshotError},
    filter::{ColumnBlock, ColumnData},
    gather::Gather as _,
    order::sort_indices,
    query::Field,
    rank::order_values,
    schema::{FieldType, Value, is_at_or_below},
    snapshot::{COLUMN_ROWS, Section, Strings, layout::malformed},
};

/// How a field is read.
#[derive(Debug)]
pub(super) enum Feed<'s> {
    /// The same value in every row.
    Constant(Value),
    /// Ids: rows are in their order.
    Ids(Strings<'s>),
    /// A typed column.
    Column(Column<'s>),
    /// The place of the field among those that are read from the records.
    Record(usize),
}

/// A column whose blocks are open.
#[derive(Debug)]
pub(super) struct Column<'s> {
    time: bool,
    blocks: Vec<ColumnBlock<'s>>,
    texts: Option<Strings<'s>>,
}

/// Where a field of a collection comes from.
pub(super) enum Origin<'o> {
    Nothing,
    Collection,
    Ids,
    Column(&'o crate::schema::Field, &'o Section),
    Record,
}

impl Opened<'_> {
    /// Where a field comes from here.
    pub(super) fn origin(&self, field: &Field) -> Origin<'_> {
        match field {
            Field::Id => Origin::Ids,
            Field::Collection => Origin::Collection,
            Field::Metadata(Some(path)) => match self.collection.column(path) {
                Some((field, section)) if is_scalar(&field.kind) => Origin::Column(field, section),
                _ if self.holds(path) => Origin::Record,
                _ => Origin::Nothing,
            },
            field if from_record(field) => Origin::Record,
            _ => Origin::Nothing,
        }
    }

    /// Whether a record can have a value at a path that is no column: a list, JSON, or an object that holds fields.
    fn holds(&self, path: &str) -> bool {
        let fields = &self.collection.schema().fields;
        // A path may lead into JSON.
        fields.iter().any(|field| is_at_or_below(&field.path, path) || is_at_or_below(path, &field.path))
    }

    /// The sections that reading `fields` takes.
    pub(super) fn field_sections(&self, fields: &[Field]) -> Vec<Section> {
        let mut sections = Vec::new();
        for field in fields {
            match self.origin(field) {
                Origin::Ids => sections.extend(self.collection.ids()),
                Origin::Column(field, section) => {
                    sections.push(*section);
                    sections.extend(self.collection.dictionary(&field.path));
                }
                _ => {}
            }
        }
        sections
    }

    /// The fields that only records hold, as places in `fields`.
    pub(super) fn record_fields(&self, fields: &[Field]) -> Vec<Field> {
        fields.iter().filter(|field| matches!(self.origin(field), Origin::Record)).cloned().gather()
    }

    /// Opens the fields; their sections are resident.
    pub(super) fn feeds(&self, fields: &[Field], name: &str) -> Result<Vec<Feed<'_>>> {
        let (mut feeds, mut records) = (Vec::with_capacity(fields.len()), 0);
        for field in fields {
            feeds.push(match self.origin(field) {
                Origin::Nothing => Feed::Constant(Value::Null),
                Origin::Collection => Feed::Constant(Value::Text(name.into())),
                Origin::Ids => Feed::Ids(self.id_table()?),
                Origin::Column(field, section) => Feed::Column(self.open_column(field, section)?),
                Origin::Record => {
                    records += 1;
                    Feed::Record(records - 1)
                }
            });
        }
        Ok(feeds)
    }

    /// The ids, which are resident.
    pub(super) fn id_table(&self) -> Result<Strings<'_>, SnapshotError> {
        let section = self.collection.ids().ok_or_else(|| malformed("directory", 0, "no ids"))?;
        self.table(section)
    }

    fn table(&self, section: &Section) -> Result<Strings<'_>, SnapshotError> {
        let table = self.collection.strings(self.source, section)?;
        table.ok_or_else(|| malformed(section.kind.name(), section.range.start, "the texts are not resident"))
    }

    fn open_column(
        &self,
        field: &crate::schema::Field,
        section: &Section,
    ) -> Result<Column<'_>, SnapshotError> {
        let mut blocks = Vec::with_capacity(section.blocks as usize);
        for block in 0..section.blocks {
            let found = self.collection.column_block(self.source, (field, section), block)?;
            blocks.push(
                found.ok_or_else(|| malformed("column", section.range.start, "the block is not resident"))?,
            );
        }
        let texts = match self.collection.dictionary(&field.path) {
            Some(section) => Some(self.table(section)?),
            None => None,
        };
        Ok(Column { time: field.kind == FieldType::Time, blocks, texts })
    }
}

impl Feed<'_> {
    /// Whether every row has the same value.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    /// The field of a row; `record` is what was read of that row's record.
    pub(super) fn value(&self, row: u64, record: Option<&Shown>) -> Result<Value, SnapshotError> {
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Ids(ids) => Value::Text(text(ids, row as u32)?.into()),
            Self::Column(column) => column.value(row)?,
            Self::Record(place) => {
                record.and_then(|record| record.values.get(*place)).cloned().unwrap_or(Value::Null)
            }
        })
    }

    /// A number for each row that is ordered as the field's values are, and equal where they are; 0 for null. `None`
    /// where that takes the values themselves.
    pub(super) fn words(&self, rows: &[u64]) -> Option<Vec<u128>> {
        match self {
            Self::Constant(value) => Some(vec![u128::from(*value != Value::Null); rows.len()]),
            Self::Ids(_) => Some(rows.iter().map(|row| present(*row)).gather()),
            Self::Column(column) => Some(rows.iter().map(|row| column.word(*row)).gather()),
            Self::Record(_) => None,
        }
    }
}

/// Numbers for values: equal for equal values, and in their order. O(n log n).
pub(super) fn value_words(values: &[Value]) -> Vec<u128> {
    let at = |place: u32| values.get(place as usize).unwrap_or(&Value::Null);
    let order = sort_indices(values.len(), &mut |a, b| order_values(at(a), at(b)));
    let (mut words, mut last) = (vec![0; values.len()], None);
    let mut number = 0;
    for place in order {
        if last.is_none_or(|last| order_values(at(last), at(place)).is_ne()) {
            number += 1;
        }
        last = Some(place);
        if let Some(word) = words.get_mut(place as usize) {
            *word = if *at(place) == Value::Null { 0 } else { present(number) };
        }
    }
    words
}

/// The word of a value that is there: above that of null.
pub(super) fn present(word: u64) -> u128 {
    1 << 64 | u128::from(word)
}

impl Column<'_> {
    fn at(&self, row: u64) -> Option<(&ColumnBlock<'_>, usize)> {
        let block = self.blocks.get((row / u64::from(COLUMN_ROWS)) as usize)?;
        let place = (row % u64::from(COLUMN_ROWS)) as usize;
        let valid = block.valid.get(place / 8).is_some_and(|bits| bits >> (place % 8) & 1 == 1);
        valid.then_some((block, place))
    }

    fn word(&self, row: u64) -> u128 {
        let Some((block, place)) = self.at(row) else { return 0 };
        let word = match block.data {
            ColumnData::Bool(bits) => u64::from(bit(bits, place)),
            ColumnData::Int(values) => bytes(values, place) ^ 1 << 63,
            ColumnData::Float(values) => float_word(f64::from_bits(bytes(values, place))),
            ColumnData::Text(codes) => codes.get(place).map_or(0, |code| u32::from_le_bytes(*code).into()),
            // No column that is read here is one of these.
            ColumnData::Plain(_) | ColumnData::List(_) => return 0,
        };
        present(word)
    }

    fn value(&self, row: u64) -> Result<Value, SnapshotError> {
        let Some((block, place)) = self.at(row) else { return Ok(Value::Null) };
        Ok(match block.data {
            ColumnData::Bool(bits) => Value::Bool(bit(bits, place)),
            ColumnData::Int(values) if self.time => Value::Time(bytes(values, place).cast_signed()),
            ColumnData::Int(values) => Value::Int(bytes(values, place).cast_signed()),
            ColumnData::Float(values) => Value::Float(f64::from_bits(bytes(values, place))),
            ColumnData::Text(codes) => {
                let code = codes.get(place).map_or(0, |code| u32::from_le_bytes(*code));
                let table = self.texts.as_ref().ok_or_else(|| malformed("dictionary", 0, "it is missing"))?;
                Value::Text(text(table, code)?.into())
            }
            ColumnData::Plain(_) | ColumnData::List(_) => Value::Null,
        })
    }
}

/// Lists are ordered as they are shown, which their columns do not hold.
fn is_scalar(kind: &FieldType) -> bool {
    !matches!(kind, FieldType::List(_) | FieldType::Json)
}

fn text<'s>(table: &Strings<'s>, place: u32) -> Result<&'s str, SnapshotError> {
    table.text(place).ok_or_else(|| malformed("dictionary", 0, format!("it has no text {place}")))
}

fn bit(bits: &[u8], place: usize) -> bool {
    bits.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
}

fn bytes(values: &[[u8; 8]], place: usize) -> u64 {
    values.get(place).map_or(0, |value| u64::from_le_bytes(*value))
}

/// The order of floats as the order of integers: negative ones are turned around. Both zeros are one value.
pub(super) fn float_word(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

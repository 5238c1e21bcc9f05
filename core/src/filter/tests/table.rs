//! A small random collection: as values for the naive evaluator, as blocks for the real one, as statistics.

use std::collections::BTreeMap;

use super::random::{FLOATS, INTS, TEXTS, TIMES};
use crate::{
    filter::*,
    query::{Column, tests::Random},
    schema::{FieldType, Value},
};

/// Rows of values by column.
#[derive(Debug)]
pub struct Table {
    pub rows: usize,
    pub columns: BTreeMap<Column, Vec<Value>>,
    dictionaries: BTreeMap<Column, Texts>,
}

#[derive(Debug)]
pub struct Texts(pub Vec<String>);

impl TextDictionary for Texts {
    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    fn get(&self, code: u32) -> Option<&str> {
        self.0.get(code as usize).map(String::as_str)
    }
}

pub fn metadata(path: &str) -> Column {
    Column::Metadata(String::from(path))
}

fn cell(path: &str, random: &mut Random) -> Value {
    match path {
        _ if random.below(4) == 0 => Value::Null,
        "b" => Value::Bool(random.below(2) == 1),
        "i" => Value::Int(INTS[random.below(INTS.len())]),
        "f" => Value::Float(FLOATS[random.below(FLOATS.len())]),
        "s" => Value::Text(String::from(TEXTS[random.below(TEXTS.len())])),
        _ => Value::Time(TIMES[random.below(TIMES.len())].0),
    }
}

impl Table {
    pub fn random(random: &mut Random) -> Self {
        let rows = random.below(150);
        Self::with_rows(random, rows)
    }

    pub fn with_rows(random: &mut Random, rows: usize) -> Self {
        let mut columns = BTreeMap::new();
        for path in ["b", "i", "f", "s", "t"] {
            columns.insert(metadata(path), (0..rows).map(|_| cell(path, random)).collect());
        }
        let ids = (0..rows).map(|row| Value::Text(format!("r{row:03}"))).collect();
        columns.insert(Column::Id, ids);
        let mut table = Self { rows, columns, dictionaries: BTreeMap::new() };
        table.index();
        table
    }

    /// Keeps the first `rows` rows.
    pub fn shrink(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.columns.values_mut().for_each(|values| values.truncate(rows));
        self.index();
    }

    pub fn push_null_row(&mut self) {
        self.rows += 1;
        for (column, values) in &mut self.columns {
            values.push(if *column == Column::Id { Value::Text(String::from("n")) } else { Value::Null });
        }
        self.index();
    }

    fn index(&mut self) {
        for column in [Column::Id, metadata("s")] {
            let mut texts: Vec<String> = self.columns[&column].iter().filter_map(text).collect();
            texts.sort();
            texts.dedup();
            self.dictionaries.insert(column, Texts(texts));
        }
    }

    pub fn value(&self, column: &Column, row: usize) -> Value {
        self.columns.get(column).map_or(Value::Null, |values| values[row].clone())
    }

    pub fn evaluate(&self, filter: &Filter) -> Mask {
        let stored: Vec<Stored> = filter.columns().iter().map(|column| self.stored(column)).collect();
        let blocks: Vec<ColumnBlock<'_>> = stored.iter().map(|stored| stored.block(self.rows)).collect();
        filter.evaluate(self.rows, &blocks).expect("blocks fit")
    }

    fn stored(&self, column: &Column) -> Stored {
        let mut stored = Stored { valid: vec![0; self.rows.div_ceil(8)], ..Stored::default() };
        stored.bits = vec![0xff; self.rows.div_ceil(8)];
        for (row, value) in self.columns[column].iter().enumerate() {
            if *value != Value::Null {
                stored.valid[row / 8] |= 1 << (row % 8);
            }
            match value {
                Value::Bool(false) => stored.bits[row / 8] &= !(1 << (row % 8)),
                Value::Text(text) => {
                    let at = self.dictionaries[column].0.binary_search(text).expect("indexed");
                    stored.codes.push((at as u32).to_le_bytes());
                }
                Value::Int(value) | Value::Time(value) => stored.words.push(value.to_le_bytes()),
                Value::Float(value) => stored.words.push(value.to_le_bytes()),
                _ => {
                    stored.codes.push([0; 4]);
                    stored.words.push([0; 8]);
                }
            }
        }
        stored.kind = Some(column.clone());
        stored
    }

    /// Exact, looser or missing statistics, as a release may carry them.
    pub fn stats(&self, random: &mut Random) -> CollectionStats {
        let mut stats = CollectionStats { rows: self.rows as u64, ..CollectionStats::default() };
        for (column, values) in &self.columns {
            let field = field_stats(column, values, random);
            match column {
                Column::Id => stats.id = (random.below(4) > 0).then_some(field),
                _ if field.nulls == stats.rows && random.below(2) == 0 => {}
                _ => stats.fields.push(field),
            }
        }
        stats
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn field_stats(column: &Column, values: &[Value], random: &mut Random) -> FieldStats {
    let mut present: Vec<Value> = values.iter().filter(|value| **value != Value::Null).cloned().collect();
    let nulls = (values.len() - present.len()) as u64;
    present.sort_by(|a, b| compare(a, b).expect("one type"));
    let path = match column {
        Column::Metadata(path) => path.clone(),
        _ => String::from("id"),
    };
    let keep = random.below(8);
    FieldStats {
        path,
        nulls,
        min: present.first().filter(|_| keep != 0).cloned(),
        max: present.last().filter(|_| keep != 1).cloned(),
        distinct: (keep > 4).then(|| {
            present.dedup();
            present
        }),
    }
}

/// One column as it lies in a file.
#[derive(Default)]
struct Stored {
    kind: Option<Column>,
    valid: Vec<u8>,
    bits: Vec<u8>,
    words: Vec<[u8; 8]>,
    codes: Vec<[u8; 4]>,
}

impl Stored {
    fn block(&self, rows: usize) -> ColumnBlock<'_> {
        let data = match &self.kind {
            Some(Column::Metadata(path)) => match path.as_str() {
                "b" => ColumnData::Bool(&self.bits),
                "f" => ColumnData::Float(&self.words),
                "s" => ColumnData::Text(&self.codes),
                _ => ColumnData::Int(&self.words),
            },
            _ => ColumnData::Text(&self.codes),
        };
        ColumnBlock { rows, valid: &self.valid, data }
    }
}

impl BindSchema for Table {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        Some(match path {
            "b" => FieldType::Bool,
            "i" => FieldType::Int,
            "f" => FieldType::Float,
            "s" => FieldType::Text,
            "t" => FieldType::Time,
            _ => return None,
        })
    }

    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary> {
        Some(self.dictionaries.get(column)?)
    }
}

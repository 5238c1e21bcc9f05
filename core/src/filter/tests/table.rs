//! A small random collection: as values for the naive evaluator, as blocks for the real one, as statistics.

use std::collections::BTreeMap;

use super::random::{FLOATS, INTS, TEXTS, TIMES};
use crate::{
    filter::*,
    query::{Column, tests::Random},
    rank::order_values,
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

/// The columns of lists.
pub const LISTS: [&str; 5] = ["lb", "lf", "li", "ls", "lt"];

fn cell(path: &str, random: &mut Random) -> Value {
    match path {
        _ if random.below(4) == 0 => Value::Null,
        _ if LISTS.contains(&path) => {
            let most = [2, 4, 90][random.below(3)];
            Value::List((0..random.below(most)).map(|_| cell(&path[1..], random)).collect())
        }
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
        for path in ["b", "i", "f", "s", "t"].into_iter().chain(LISTS) {
            columns.insert(metadata(path), (0..rows).map(|_| cell(path, random)).collect());
        }
        columns.insert(Column::Document, (0..rows).map(|_| cell("s", random)).collect());
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
        for column in [Column::Id, metadata("s"), metadata("ls")] {
            let mut texts: Vec<String> = self.columns[&column].iter().flat_map(texts).collect();
            texts.sort();
            texts.dedup();
            self.dictionaries.insert(column, Texts(texts));
        }
    }

    pub fn value(&self, column: &Column, row: usize) -> Value {
        self.columns.get(column).map_or(Value::Null, |values| values[row].clone())
    }

    pub fn evaluate(&self, filter: &Filter) -> Mask {
        let mut stored: Vec<Stored> = filter.columns().iter().map(|column| self.stored(column)).collect();
        let undecided = {
            let texts: Vec<Vec<&str>> = stored.iter().map(Stored::texts).collect();
            let blocks: Vec<ColumnBlock<'_>> =
                stored.iter().zip(&texts).map(|(stored, texts)| stored.block(self.rows, texts)).collect();
            filter.undecided(self.rows, &blocks).expect("blocks fit")
        };
        // Documents of decided rows may be anything.
        if let Some(at) = filter.columns().iter().position(|column| *column == Column::Document) {
            let stored = &mut stored[at];
            for row in (0..self.rows).filter(|row| !undecided.contains(*row)) {
                stored.valid[row / 8] ^= 1 << (row % 8);
                stored.texts[row] = String::from("?");
            }
        } else {
            assert!(undecided.is_empty());
        }
        let texts: Vec<Vec<&str>> = stored.iter().map(Stored::texts).collect();
        let blocks: Vec<ColumnBlock<'_>> =
            stored.iter().zip(&texts).map(|(stored, texts)| stored.block(self.rows, texts)).collect();
        filter.evaluate(self.rows, &blocks).expect("blocks fit")
    }

    fn stored(&self, column: &Column) -> Stored {
        let mut stored = Stored { kind: Some(column.clone()), ..Stored::default() };
        let is_list = matches!(column, Column::Metadata(path) if LISTS.contains(&path.as_str()));
        stored.valid = bits(self.columns[column].iter().map(|value| *value != Value::Null));
        let mut items = Vec::new();
        for value in &self.columns[column] {
            match value {
                Value::List(list) => items.extend(list.iter().filter(|item| **item != Value::Null)),
                _ if is_list => {}
                value => items.push(value),
            }
            stored.ends.push((items.len() as u32).to_le_bytes());
        }
        stored.bits = bits(items.iter().map(|item| **item != Value::Bool(false)));
        for item in items {
            let (mut code, mut word, mut plain) = (0, [0; 8], "");
            match item {
                Value::Text(text) => {
                    plain = text;
                    let dictionary = self.dictionaries.get(column);
                    code = dictionary.map_or(0, |texts| texts.0.binary_search(text).expect("indexed"));
                }
                Value::Int(value) | Value::Time(value) => word = value.to_le_bytes(),
                Value::Float(value) => word = value.to_le_bytes(),
                _ => {}
            }
            stored.codes.push((code as u32).to_le_bytes());
            stored.words.push(word);
            stored.texts.push(String::from(plain));
        }
        stored
    }

    /// Exact, looser or missing statistics, as a release may carry them.
    pub fn stats(&self, random: &mut Random) -> CollectionStats {
        let mut stats = CollectionStats { rows: self.rows as u64, ..CollectionStats::default() };
        for (column, values) in &self.columns {
            let field = field_stats(column, values, random);
            match column {
                Column::Id => stats.id = (random.below(4) > 0).then_some(field),
                Column::Document => {}
                _ if field.nulls == stats.rows && random.below(2) == 0 => {}
                _ => stats.fields.push(field),
            }
        }
        stats
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.clone()],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn field_stats(column: &Column, values: &[Value], random: &mut Random) -> FieldStats {
    let mut present: Vec<Value> = values.iter().filter(|value| **value != Value::Null).cloned().collect();
    let nulls = (values.len() - present.len()) as u64;
    present.sort_by(order_values);
    let path = match column {
        Column::Metadata(path) => path.clone(),
        _ => String::from("id"),
    };
    // What is known of lists is known of their items.
    let items = matches!(column, Column::Metadata(path) if LISTS.contains(&path.as_str()));
    if items {
        let flat = |list| if let Value::List(items) = list { items } else { panic!("no list") };
        present = present.into_iter().flat_map(flat).filter(|item| *item != Value::Null).collect();
        present.sort_by(order_values);
    }
    let keep = random.below(8);
    let mut stats = FieldStats {
        path,
        nulls,
        min: present.first().filter(|_| keep != 0).cloned(),
        max: present.last().filter(|_| keep != 1).cloned(),
        items,
        ..FieldStats::default()
    };
    let kind = Table::kind(if items { &stats.path[1..] } else { &stats.path });
    if matches!(kind, Some(FieldType::Int | FieldType::Text)) && random.below(2) == 0 {
        let hashes: Vec<u64> = present.iter().filter_map(sketch_hash).collect();
        stats.sketch = Some(Sketch::new(&hashes));
    }
    if keep > 4 {
        present.dedup();
        stats.distinct = Some(present);
    }
    stats
}

fn bits(values: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let mut out = vec![0; values.len().div_ceil(8)];
    values.enumerate().filter(|(_, set)| *set).for_each(|(at, _)| out[at / 8] |= 1 << (at % 8));
    out
}

/// One column as it lies in a file. Values stand in all forms, of which the column's type picks one.
#[derive(Default)]
struct Stored {
    kind: Option<Column>,
    valid: Vec<u8>,
    ends: Vec<[u8; 4]>,
    bits: Vec<u8>,
    words: Vec<[u8; 8]>,
    codes: Vec<[u8; 4]>,
    texts: Vec<String>,
}

impl Stored {
    fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    fn block<'s>(&'s self, rows: usize, texts: &'s [&'s str]) -> ColumnBlock<'s> {
        let path = match &self.kind {
            Some(Column::Metadata(path)) => path.as_str(),
            Some(Column::Document) => "document",
            _ => "id",
        };
        let list = |items| ColumnData::List(ListData { ends: &self.ends, items });
        let data = match path {
            "b" => ColumnData::Bool(&self.bits),
            "f" => ColumnData::Float(&self.words),
            "i" | "t" => ColumnData::Int(&self.words),
            "document" => ColumnData::Plain(texts),
            "lb" => list(ItemData::Bool(&self.bits)),
            "lf" => list(ItemData::Float(&self.words)),
            "li" | "lt" => list(ItemData::Int(&self.words)),
            "ls" => list(ItemData::Text(&self.codes)),
            _ => ColumnData::Text(&self.codes),
        };
        ColumnBlock { rows, valid: &self.valid, data }
    }
}

impl Table {
    fn kind(path: &str) -> Option<FieldType> {
        Some(match path {
            "id" => FieldType::Text,
            "b" => FieldType::Bool,
            "i" => FieldType::Int,
            "f" => FieldType::Float,
            "s" => FieldType::Text,
            "t" => FieldType::Time,
            list if LISTS.contains(&list) => FieldType::List(Box::new(Self::kind(&list[1..])?)),
            _ => return None,
        })
    }
}

impl BindSchema for Table {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        Self::kind(path)
    }

    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary> {
        Some(self.dictionaries.get(column)?)
    }
}

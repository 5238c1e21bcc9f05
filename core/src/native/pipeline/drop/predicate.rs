//! Conditions on single rows: those of WHERE, over the id, the document and the metadata that a model gives a row.
//!
//! For drops, which go through all rows of a model once. It binds the condition to each row anew, about ten microseconds a row; searches
//! filter whole blocks instead.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::filter::{Bind, BindSchema, ColumnBlock, ColumnData, Filter, ItemData, ListData, TextDictionary};
use crate::native::store::Row;
use crate::query::{Column, Expr, parse};
use crate::schema::{Field, FieldType, Value};

/// A condition and the fields that it can name.
pub struct Predicate {
    expr: Expr,
    fields: Vec<Field>,
}

impl Predicate {
    /// Reads a condition like `metadata.year < 1990 AND metadata.shelf = 'old'`.
    ///
    /// # Errors
    /// [`StoreError::BadSelector`] for what is no condition, names an unknown field, or compares what cannot be compared.
    pub fn parse(text: &str, fields: Vec<Field>) -> Result<Self, StoreError> {
        let bad =
            |reason: String| StoreError::BadSelector { reason: format!("the condition {text:?}: {reason}") };
        let statement =
            parse(&format!("SELECT id FROM rows WHERE ({text})")).map_err(|error| bad(error.to_string()))?;
        let expr = statement.filter.ok_or_else(|| bad("it is empty".into()))?;
        let names: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        if let Some(error) = crate::filter::unknown_columns(&expr, &names) {
            return Err(bad(error.to_string()));
        }
        let predicate = Self { expr, fields };
        let empty = Cells::default();
        let bound = Filter::bind(&predicate.expr, &Bound { predicate: &predicate, cells: &empty });
        bound.map_err(|error| bad(error.to_string()))?;
        Ok(predicate)
    }

    /// Whether a row fulfils it.
    ///
    /// # Errors
    /// None that [`parse`](Self::parse) has not given.
    pub fn holds(&self, row: &Row) -> crate::Result<bool> {
        let cells = self.cells(row);
        let filter = match Filter::bind(&self.expr, &Bound { predicate: self, cells: &cells })? {
            Bind::Ready(filter) => filter,
            Bind::Needs(_) => return Ok(false),
        };
        let texts: Vec<[&str; 1]> = filter.columns().iter().map(|column| [cells.document(column)]).collect();
        let columns = filter.columns().iter().zip(&texts);
        let blocks: Vec<ColumnBlock<'_>> =
            columns.map(|(column, text)| self.block(column, cells.of(column), text)).collect();
        Ok(filter.evaluate(1, &blocks)?.contains(0))
    }

    fn kind(&self, column: &Column) -> Option<&FieldType> {
        let Column::Metadata(path) = column else { return None };
        self.fields.iter().find(|field| field.path == *path).map(|field| &field.kind)
    }

    fn cells(&self, row: &Row) -> Cells {
        let mut cells = Cells::default();
        cells.put(Column::Id, &Value::Text(row.id.clone()));
        let document = row.content.document.clone().map_or(Value::Null, Value::Text);
        cells.put(Column::Document, &document);
        for (path, value) in &row.values {
            cells.put(Column::Metadata(path.to_string()), value);
        }
        cells
    }

    fn block<'c>(&self, column: &Column, cell: &'c Cell, text: &'c [&'c str; 1]) -> ColumnBlock<'c> {
        let scalar = |kind: Option<&FieldType>| match kind {
            Some(FieldType::Bool) => ColumnData::Bool(&cell.bits),
            Some(FieldType::Int | FieldType::Time) => ColumnData::Int(&cell.numbers),
            Some(FieldType::Float) => ColumnData::Float(&cell.numbers),
            _ => ColumnData::Text(&cell.codes),
        };
        let data = match (column, self.kind(column)) {
            (Column::Document, _) => ColumnData::Plain(text),
            (_, Some(FieldType::List(item))) => {
                let items = match &**item {
                    FieldType::Bool => ItemData::Bool(&cell.bits),
                    FieldType::Int | FieldType::Time => ItemData::Int(&cell.numbers),
                    FieldType::Float => ItemData::Float(&cell.numbers),
                    _ => ItemData::Text(&cell.codes),
                };
                ColumnData::List(ListData { ends: &cell.ends, items })
            }
            (_, kind) => scalar(kind),
        };
        ColumnBlock { rows: 1, valid: &cell.valid, data }
    }
}

/// One value of one row, in the ways that a filter may read it.
struct Cell {
    valid: [u8; 1],
    bits: Vec<u8>,
    numbers: Vec<[u8; 8]>,
    codes: Vec<[u8; 4]>,
    ends: [[u8; 4]; 1],
    /// The distinct texts, sorted.
    texts: Vec<String>,
}

impl Cell {
    /// A null has some value of each type, which means nothing.
    fn null() -> Self {
        Self {
            valid: [0],
            bits: vec![0],
            numbers: vec![[0; 8]],
            codes: vec![[0; 4]],
            ends: [[0; 4]],
            texts: Vec::new(),
        }
    }

    fn of(value: &Value) -> Self {
        let items: Vec<&Value> = match value {
            Value::Null => return Self::null(),
            Value::List(items) => items.iter().filter(|item| **item != Value::Null).collect(),
            other => vec![other],
        };
        let text = |item: &&Value| if let Value::Text(text) = item { Some(text.clone()) } else { None };
        let mut texts: Vec<String> = items.iter().filter_map(text).collect();
        texts.sort();
        texts.dedup();
        let mut cell = Self { valid: [1], ends: [(items.len() as u32).to_le_bytes()], texts, ..Self::null() };
        cell.bits = vec![0; items.len() / 8 + 1];
        (cell.numbers, cell.codes) = (Vec::new(), Vec::new());
        for (at, item) in items.iter().enumerate() {
            let number = match item {
                Value::Int(number) | Value::Time(number) => number.to_le_bytes(),
                Value::Float(number) => number.to_le_bytes(),
                _ => [0; 8],
            };
            if let (Value::Bool(true), Some(bits)) = (item, cell.bits.get_mut(at / 8)) {
                *bits |= 1 << (at % 8);
            }
            let code = text(item).and_then(|text| cell.texts.binary_search(&text).ok()).unwrap_or(0);
            cell.numbers.push(number);
            cell.codes.push((code as u32).to_le_bytes());
        }
        cell
    }
}

impl TextDictionary for Cell {
    fn len(&self) -> u32 {
        self.texts.len() as u32
    }

    fn get(&self, code: u32) -> Option<&str> {
        self.texts.get(code as usize).map(String::as_str)
    }
}

/// The values of one row.
struct Cells {
    cells: BTreeMap<Column, Cell>,
    null: Cell,
}

impl Default for Cells {
    fn default() -> Self {
        Self { cells: BTreeMap::new(), null: Cell::null() }
    }
}

impl Cells {
    fn put(&mut self, column: Column, value: &Value) {
        self.cells.insert(column, Cell::of(value));
    }

    fn of(&self, column: &Column) -> &Cell {
        self.cells.get(column).unwrap_or(&self.null)
    }

    fn document(&self, column: &Column) -> &str {
        self.of(column).texts.first().map_or("", String::as_str)
    }
}

struct Bound<'p> {
    predicate: &'p Predicate,
    cells: &'p Cells,
}

impl BindSchema for Bound<'_> {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        self.predicate.fields.iter().find(|field| field.path == path).map(|field| field.kind.clone())
    }

    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary> {
        Some(self.cells.of(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::store::{Content, row_hash};

    #[test]
    fn conditions_mean_what_they_mean_in_statements() {
        let field = |path: &str, kind| Field { path: path.into(), kind };
        let list = FieldType::List(Box::new(FieldType::Text));
        let fields = || {
            vec![
                field("gone", FieldType::Int),
                field("ok", FieldType::Bool),
                field("tags", list.clone()),
                field("topic", FieldType::Text),
                field("year", FieldType::Int),
            ]
        };
        let text = |text: &str| Value::Text(text.into());
        let tags = Value::List(vec![text("b"), Value::Null, text("a")]);
        let values =
            [("ok", Value::Bool(true)), ("tags", tags), ("topic", text("cats")), ("year", Value::Int(1990))];
        let values: Vec<_> = values.into_iter().map(|(path, value)| (path.into(), value)).collect();
        let content = Content::new(Some("A cat purrs".into()), "A cat purrs".into());
        let row_hash = row_hash("m", &content, &values, None);
        let row = Row { id: "x1".into(), content, row_hash, values, vector: None, piece: None, cut: false };
        for (condition, expected) in [
            ("metadata.year < 1991 AND metadata.topic = 'cats'", true),
            ("metadata.year < 1990", false),
            ("NOT metadata.topic = 'dogs'", true),
            ("metadata.gone = 1", false),
            ("NOT metadata.gone = 1", false),
            ("metadata.gone IS NULL", true),
            ("metadata.ok = true AND id = 'x1'", true),
            ("metadata.tags CONTAINS 'a'", true),
            ("metadata.tags CONTAINS 'c'", false),
            ("document LIKE '%purr%'", true),
            ("metadata.topic IN ('dogs', 'birds') OR metadata.year BETWEEN 1980 AND 1990", true),
        ] {
            let predicate = Predicate::parse(condition, fields()).unwrap();
            assert_eq!(predicate.holds(&row).unwrap(), expected, "{condition}");
        }
        for condition in ["", "metadata.yaer = 1", "metadata.year = 'x'", "metadata.year = 1 LIMIT 1", "1 ="]
        {
            assert!(Predicate::parse(condition, fields()).is_err(), "{condition}");
        }
    }
}

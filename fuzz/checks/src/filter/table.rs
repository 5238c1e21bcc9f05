//! A small collection: as values for the naive evaluation, as blocks for the real one, as statistics.

use std::{collections::BTreeMap, ops::Range};

use portolan::{
    filter::{
        Bind, BindSchema, CollectionStats, ColumnBlock, ColumnData, FieldStats, Filter, TextDictionary,
    },
    query::{Column, Expr},
    rank::order_values,
    schema::{FieldType, Value},
};

use super::draw::{Draw, Literals};

/// Evaluation works in words of 64 rows: three of them, the last one partly filled.
const MAX_ROWS: usize = 150;
/// The most columns of a written condition that get values; the others are missing, which is legal too.
const MAX_COLUMNS: usize = 12;

const KINDS: [FieldType; 5] =
    [FieldType::Bool, FieldType::Int, FieldType::Float, FieldType::Text, FieldType::Time];
/// The columns of [`Table::of_every_type`], in the order of [`KINDS`].
pub const PATHS: [&str; 5] = ["b", "i", "f", "s", "t"];

/// Rows of values by column.
#[derive(Debug)]
pub struct Table {
    rows: usize,
    kinds: BTreeMap<String, FieldType>,
    columns: BTreeMap<Column, Vec<Value>>,
    dictionaries: BTreeMap<Column, Texts>,
}

/// Sorted texts, each once.
#[derive(Debug, Default)]
struct Texts(Vec<String>);

impl TextDictionary for Texts {
    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    fn get(&self, code: u32) -> Option<&str> {
        self.0.get(code as usize).map(String::as_str)
    }
}

impl Table {
    /// A table with one column of each type.
    pub fn of_every_type(draw: &mut Draw<'_>) -> Self {
        let kinds = PATHS.into_iter().map(String::from).zip(KINDS).collect();
        Self::draw(kinds, &Literals::fixed(), draw)
    }

    /// A table with the columns of `expr`, of types that its literals fit.
    pub fn for_condition(expr: &Expr, literals: &Literals, draw: &mut Draw<'_>) -> Self {
        let mut kinds = BTreeMap::new();
        for column in expr.columns() {
            if let Column::Metadata(path) = column
                && kinds.len() < MAX_COLUMNS
                && let Some(kind) = fitting(expr, &path, draw)
            {
                kinds.insert(path, kind);
            }
        }
        Self::draw(kinds, literals, draw)
    }

    fn draw(kinds: BTreeMap<String, FieldType>, literals: &Literals, draw: &mut Draw<'_>) -> Self {
        let rows = draw.below(MAX_ROWS);
        let mut columns = BTreeMap::new();
        for (path, kind) in &kinds {
            let nulls = 1 + draw.below(6);
            let values = (0..rows).map(|_| cell(kind, nulls, literals, draw)).collect();
            columns.insert(Column::Metadata(path.clone()), values);
        }
        columns.insert(Column::Id, ids(rows, literals));
        let documents = (0..rows).map(|_| cell(&FieldType::Text, 4, literals, draw)).collect();
        columns.insert(Column::Document, documents);
        let texts = columns.iter().filter(|(column, _)| is_text(&kinds, column));
        let dictionaries = texts.map(|(column, values)| (column.clone(), dictionary(values))).collect();
        Self { rows, kinds, columns, dictionaries }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The value of a metadata column, or of the ids for `id`; null if there is none.
    pub fn value(&self, name: &str, row: usize) -> &Value {
        let column = if name == "id" { Column::Id } else { Column::Metadata(String::from(name)) };
        self.columns.get(&column).and_then(|values| values.get(row)).unwrap_or(&Value::Null)
    }

    /// Which of the rows `range` pass.
    pub fn evaluate(&self, filter: &Filter, range: Range<usize>) -> Vec<bool> {
        let rows = range.len();
        let stored: Vec<Stored<'_>> =
            filter.columns().iter().map(|column| self.stored(column, range.clone())).collect();
        let blocks: Vec<ColumnBlock<'_>> = stored.iter().map(|stored| stored.block(rows)).collect();
        let mask = filter.evaluate(rows, &blocks);
        assert!(mask.is_ok(), "blocks of the filter's own columns are refused: {mask:?}");
        mask.map(|mask| {
            assert_eq!(mask.count(), mask.iter().count());
            (0..rows).map(|row| mask.contains(row)).collect()
        })
        .unwrap_or_default()
    }

    fn stored(&self, column: &Column, range: Range<usize>) -> Stored<'_> {
        let rows = range.len();
        let kind = match column {
            Column::Metadata(path) => self.kinds.get(path).cloned(),
            _ => Some(FieldType::Text),
        };
        let (valid, bits) = (vec![0; rows.div_ceil(8)], vec![0xff; rows.div_ceil(8)]);
        let (words, codes) = (Vec::new(), Vec::new());
        let documents = (*column == Column::Document).then(Vec::new);
        let mut stored = Stored { kind, valid, bits, words, codes, documents };
        let values = self.columns.get(column).and_then(|values| values.get(range)).unwrap_or_default();
        for (row, value) in values.iter().enumerate() {
            stored.push(row, value, self.dictionaries.get(column));
        }
        stored
    }

    /// Statistics as a release may carry them: exact, looser, or partly missing.
    pub fn stats(&self, draw: &mut Draw<'_>) -> CollectionStats {
        let mut stats = CollectionStats { rows: self.rows as u64, ..CollectionStats::default() };
        for (column, values) in &self.columns {
            let field = field_stats(column, values, draw);
            match column {
                Column::Id => stats.id = (!draw.once_in(4)).then_some(field),
                // Nothing is ever known of documents.
                Column::Document => {}
                // A field without values may be listed or not.
                _ if field.nulls == stats.rows && draw.once_in(2) => {}
                _ => stats.fields.push(field),
            }
        }
        stats
    }
}

/// A type of column `path` for which `expr` can be bound, tried from a drawn one on.
fn fitting(expr: &Expr, path: &str, draw: &mut Draw<'_>) -> Option<FieldType> {
    let first = draw.below(KINDS.len());
    let mut kinds = KINDS.iter().cycle().skip(first).take(KINDS.len());
    let fits = |kind: &&FieldType| {
        Filter::bind(expr, &OneColumn(path, kind)).is_ok_and(|bind| matches!(bind, Bind::Ready(_)))
    };
    kinds.find(fits).cloned()
}

fn cell(kind: &FieldType, nulls: usize, literals: &Literals, draw: &mut Draw<'_>) -> Value {
    if draw.once_in(nulls) {
        return Value::Null;
    }
    let value = match kind {
        FieldType::Bool => Some(Value::Bool(draw.once_in(2))),
        FieldType::Int if draw.once_in(16) => Some(Value::Int(draw.any_int())),
        FieldType::Int => draw.one_of(&literals.ints).map(|value| Value::Int(*value)),
        FieldType::Float => draw.one_of(&literals.floats).map(|value| Value::Float(*value)),
        FieldType::Time => draw.one_of(&literals.times).map(|value| Value::Time(*value)),
        _ => draw.one_of(&literals.texts).map(|value| Value::Text(value.clone())),
    };
    value.unwrap_or(Value::Null)
}

/// Distinct ids, those that the statement may ask for first.
fn ids(rows: usize, literals: &Literals) -> Vec<Value> {
    let mut ids: Vec<String> =
        literals.texts.iter().filter(|text| !text.is_empty()).take(rows).cloned().collect();
    ids.extend((ids.len()..rows).map(|row| format!("r{row:03}")));
    ids.sort();
    ids.dedup();
    ids.extend((ids.len()..rows).map(|row| format!("s{row:03}")));
    ids.into_iter().map(Value::Text).collect()
}

fn is_text(kinds: &BTreeMap<String, FieldType>, column: &Column) -> bool {
    match column {
        Column::Metadata(path) => kinds.get(path) == Some(&FieldType::Text),
        column => *column == Column::Id,
    }
}

fn dictionary(values: &[Value]) -> Texts {
    let texts = values.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    });
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts.dedup();
    Texts(texts)
}

fn field_stats(column: &Column, values: &[Value], draw: &mut Draw<'_>) -> FieldStats {
    let mut present: Vec<Value> = values.iter().filter(|value| **value != Value::Null).cloned().collect();
    let nulls = (values.len() - present.len()) as u64;
    present.sort_by(order_values);
    present.dedup_by(|a, b| order_values(a, b).is_eq());
    let path = match column {
        Column::Metadata(path) => path.clone(),
        _ => String::from("id"),
    };
    let slack = if draw.once_in(4) { 1 } else { 0 };
    FieldStats {
        path,
        nulls,
        min: present.first().filter(|_| !draw.once_in(6)).map(|value| loosened(value, -slack)),
        max: present.last().filter(|_| !draw.once_in(6)).map(|value| loosened(value, slack)),
        distinct: draw.once_in(2).then_some(present),
        ..FieldStats::default()
    }
}

/// A bound that is further out than it has to be.
fn loosened(value: &Value, by: i64) -> Value {
    match value {
        Value::Int(value) => Value::Int(value.saturating_add(by)),
        Value::Time(value) => Value::Time(value.saturating_add(by)),
        other => other.clone(),
    }
}

/// One column as it lies in a file.
struct Stored<'t> {
    kind: Option<FieldType>,
    valid: Vec<u8>,
    bits: Vec<u8>,
    words: Vec<[u8; 8]>,
    codes: Vec<[u8; 4]>,
    /// Texts without a dictionary, for `document`.
    documents: Option<Vec<&'t str>>,
}

impl<'t> Stored<'t> {
    /// Adds a row. What stands in the place of a null means nothing, so it is a value that others have too.
    fn push(&mut self, row: usize, value: &'t Value, texts: Option<&Texts>) {
        if let Some(documents) = &mut self.documents {
            documents.push(if let Value::Text(text) = value { text } else { "nothing" });
        }
        if *value != Value::Null
            && let Some(byte) = self.valid.get_mut(row / 8)
        {
            *byte |= 1 << (row % 8);
        }
        let code = match value {
            Value::Text(text) => texts.and_then(|texts| texts.0.binary_search(text).ok()).unwrap_or(0),
            _ => 0,
        };
        self.codes.push((code as u32).to_le_bytes());
        self.words.push(match value {
            Value::Int(value) | Value::Time(value) => value.to_le_bytes(),
            Value::Float(value) => value.to_le_bytes(),
            _ => [0; 8],
        });
        if *value == Value::Bool(false)
            && let Some(byte) = self.bits.get_mut(row / 8)
        {
            *byte &= !(1 << (row % 8));
        }
    }

    fn block(&self, rows: usize) -> ColumnBlock<'_> {
        let data = match (&self.documents, &self.kind) {
            (Some(documents), _) => ColumnData::Plain(documents),
            (_, Some(FieldType::Bool)) => ColumnData::Bool(&self.bits),
            (_, Some(FieldType::Float)) => ColumnData::Float(&self.words),
            (_, Some(FieldType::Int | FieldType::Time)) => ColumnData::Int(&self.words),
            _ => ColumnData::Text(&self.codes),
        };
        ColumnBlock { rows, valid: &self.valid, data }
    }
}

impl BindSchema for Table {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        self.kinds.get(path).cloned()
    }

    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary> {
        self.dictionaries.get(column).map(|texts| texts as &dyn TextDictionary)
    }
}

/// A table whose dictionaries are not resident.
pub struct NoDictionaries<'a>(pub &'a Table);

impl BindSchema for NoDictionaries<'_> {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        self.0.field_type(path)
    }

    fn dictionary(&self, _: &Column) -> Option<&dyn TextDictionary> {
        None
    }
}

/// A collection that has one field, of this type.
struct OneColumn<'a>(&'a str, &'a FieldType);

impl BindSchema for OneColumn<'_> {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        (path == self.0).then(|| self.1.clone())
    }

    fn dictionary(&self, _: &Column) -> Option<&dyn TextDictionary> {
        static EMPTY: Texts = Texts(Vec::new());
        Some(&EMPTY)
    }
}

//! Drawn conditions, and SQL's three-valued logic over them row by row, in the plainest way.
//!
//! A tree of its own and not the parser's: so the parser is in the loop, and the answer shares nothing with the core
//! but the words that are printed.

use std::{cmp::Ordering, fmt};

use portolan::{query::quote_text, schema::Value, time::format_time};

use super::{
    draw::{Draw, Literals},
    table::{PATHS, Table},
};

/// A condition over the columns of [`Table::of_every_type`], `id`, and a column that is not there.
pub enum Condition {
    /// A test of one column.
    Test(&'static str, Test),
    /// NOT.
    Not(Box<Condition>),
    /// AND.
    All(Vec<Condition>),
    /// OR.
    Any(Vec<Condition>),
}

/// A test; the flag says whether NOT stands in it.
pub enum Test {
    /// A comparison by the operator that is named.
    Compare(&'static str, Value),
    /// `IN`
    In(bool, Vec<Value>),
    /// `BETWEEN`
    Between(bool, Value, Value),
    /// `IS NULL`
    IsNull(bool),
}

const OPERATORS: [&str; 7] = ["=", "!=", "<>", "<", "<=", ">", ">="];

impl Condition {
    /// A condition of at most `depth` operators above each other.
    pub fn draw(draw: &mut Draw<'_>, depth: usize) -> Self {
        match draw.below(if depth == 0 { 1 } else { 5 }) {
            0 | 1 => Self::draw_test(draw),
            2 => Self::Not(Box::new(Self::draw(draw, depth - 1))),
            3 => Self::All((0..2 + draw.below(3)).map(|_| Self::draw(draw, depth - 1)).collect()),
            _ => Self::Any((0..2 + draw.below(3)).map(|_| Self::draw(draw, depth - 1)).collect()),
        }
    }

    fn draw_test(draw: &mut Draw<'_>) -> Self {
        let columns = [PATHS.as_slice(), &["id", "gone"]].concat();
        let column = draw.one_of(&columns).copied().unwrap_or("id");
        let negated = draw.once_in(2);
        let test = match draw.below(6) {
            0 => Test::IsNull(negated),
            1 | 2 => Test::In(negated, (0..1 + draw.below(6)).map(|_| literal(column, draw)).collect()),
            3 if column != "b" => Test::Between(negated, literal(column, draw), literal(column, draw)),
            _ => {
                // Booleans have no order.
                let count = if column == "b" { 3 } else { OPERATORS.len() };
                let operator = OPERATORS.iter().take(count).nth(draw.below(count)).copied().unwrap_or("=");
                Test::Compare(operator, literal(column, draw))
            }
        };
        Self::Test(column, test)
    }

    /// Whether it holds for a row; `None` is unknown.
    pub fn truth(&self, table: &Table, row: usize) -> Option<bool> {
        match self {
            Self::Test(column, test) => test.truth(table.value(column, row)),
            Self::Not(inner) => inner.truth(table, row).map(|inner| !inner),
            Self::All(parts) => all(parts.iter().map(|part| part.truth(table, row))),
            Self::Any(parts) => any(parts.iter().map(|part| part.truth(table, row))),
        }
    }
}

impl Test {
    fn truth(&self, value: &Value) -> Option<bool> {
        match self {
            Self::Compare(operator, literal) => compared(value, operator, literal),
            Self::In(negated, literals) => {
                let found = any(literals.iter().map(|literal| compared(value, "=", literal)));
                found.map(|found| found != *negated)
            }
            Self::Between(negated, low, high) => {
                let bounds = [compared(value, ">=", low), compared(value, "<=", high)];
                all(bounds.into_iter()).map(|inside| inside != *negated)
            }
            Self::IsNull(negated) => Some((*value == Value::Null) != *negated),
        }
    }
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.collect();
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    parts.into_iter().collect::<Option<Vec<bool>>>().map(|_| true)
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|part| !part))).map(|none| !none)
}

fn compared(value: &Value, operator: &str, literal: &Value) -> Option<bool> {
    let order = match (value, literal) {
        (Value::Null, _) | (_, Value::Null) => return None,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (a, b) => whole(a).cmp(&whole(b)).then(rest(a).total_cmp(&rest(b))),
    };
    Some(match operator {
        "=" => order == Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        ">=" => order != Ordering::Less,
        _ => order != Ordering::Equal,
    })
}

/// The whole part of a number, rounded down; huge floats saturate, far beyond every integer and at one value, so only
/// one of each sign is drawn.
fn whole(value: &Value) -> i128 {
    match value {
        Value::Int(value) => i128::from(*value),
        Value::Float(value) => value.floor() as i128,
        _ => 0,
    }
}

/// What the whole part leaves.
fn rest(value: &Value) -> f64 {
    match value {
        Value::Float(value) => value - value.floor() + 0.0,
        _ => 0.0,
    }
}

/// A literal that fits the column.
fn literal(column: &str, draw: &mut Draw<'_>) -> Value {
    if draw.once_in(12) {
        return Value::Null;
    }
    let literals = Literals::fixed();
    let drawn = match column {
        "b" => Some(Value::Bool(draw.once_in(2))),
        "i" | "f" | "gone" if draw.once_in(8) => Some(Value::Int(draw.any_int())),
        "i" | "f" | "gone" if draw.once_in(2) => draw.one_of(&literals.ints).map(|value| Value::Int(*value)),
        "i" | "f" | "gone" => draw.one_of(&literals.floats).map(|value| Value::Float(*value)),
        "t" => draw.one_of(&literals.times).map(|value| Value::Time(*value)),
        "id" if draw.once_in(2) => Some(Value::Text(format!("r{:03}", draw.below(150)))),
        _ => draw.one_of(&literals.texts).map(|value| Value::Text(value.clone())),
    };
    drawn.unwrap_or(Value::Null)
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test("id", test) => write!(f, "id {test}"),
            Self::Test(column, test) => write!(f, "metadata.{column} {test}"),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::All(parts) => joined(f, parts, " AND "),
            Self::Any(parts) => joined(f, parts, " OR "),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Condition], operator: &str) -> fmt::Result {
    let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
    f.write_str(&parts.join(operator))
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::Compare(operator, value) => write!(f, "{operator} {}", written(value)),
            Self::In(negated, values) => {
                let values: Vec<String> = values.iter().map(written).collect();
                write!(f, "{}IN ({})", not(negated), values.join(", "))
            }
            Self::Between(negated, low, high) => {
                write!(f, "{}BETWEEN {} AND {}", not(negated), written(low), written(high))
            }
            Self::IsNull(negated) => write!(f, "IS {}NULL", not(negated)),
        }
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Bool(true) => String::from("TRUE"),
        Value::Bool(false) => String::from("FALSE"),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Text(text) => quote_text(text),
        Value::Time(micros) => quote_text(&format_time(*micros)),
        _ => String::from("NULL"),
    }
}

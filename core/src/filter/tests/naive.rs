//! SQL's three-valued logic, row by row, with its own idea of how numbers compare.

use std::{cmp::Ordering, collections::BTreeMap, sync::Mutex};

use super::{random::TIMES, table::Table};
use crate::{
    query::{CompareOp, Expr, FieldRef, Literal, MatchOp},
    schema::Value,
};

/// True, false or unknown.
pub fn truth(expr: &Expr, table: &Table, row: usize) -> Option<bool> {
    match expr {
        Expr::Compare { field, op, value } => compared(&left(field, table, row), *op, value),
        Expr::In { field, values, negated } => {
            let value = left(field, table, row);
            let found = any(values.iter().map(|literal| compared(&value, CompareOp::Eq, literal)));
            found.map(|found| found != *negated)
        }
        Expr::Between { field, low, high, negated } => {
            let value = left(field, table, row);
            let bounds = [compared(&value, CompareOp::Ge, low), compared(&value, CompareOp::Le, high)];
            all(bounds.into_iter()).map(|inside| inside != *negated)
        }
        Expr::Match { field, op, pattern, negated } => {
            let found = match (left(field, table, row), &pattern.value) {
                (Value::Text(text), Value::Text(pattern)) => matches(*op, &text, pattern),
                _ => return None,
            };
            Some(found != *negated)
        }
        Expr::Contains { field, values, all: every, negated } => {
            let value = left(field, table, row);
            let found = values.iter().map(|literal| contains(&value, literal));
            let found = if *every { all(found) } else { any(found) };
            found.map(|found| found != *negated)
        }
        Expr::IsNull { field, negated } => Some((left(field, table, row) == Value::Null) != *negated),
        Expr::Not(inner) => truth(inner, table, row).map(|inner| !inner),
        Expr::And(parts) => all(parts.iter().map(|part| truth(part, table, row))),
        Expr::Or(parts) => any(parts.iter().map(|part| truth(part, table, row))),
    }
}

/// Patterns by other means than the ones under test.
fn matches(op: MatchOp, text: &str, pattern: &str) -> bool {
    let like = |text: &str, pattern: &str| {
        let mut translated = String::from("(?s)^");
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => translated.push_str(".*"),
                '_' => translated.push('.'),
                '\\' => translated.push_str(&::regex::escape(&chars.next().unwrap_or(c).to_string())),
                c => translated.push_str(&::regex::escape(&c.to_string())),
            }
        }
        found(&format!("{translated}$"), text)
    };
    match op {
        MatchOp::Like => like(text, pattern),
        MatchOp::ILike => like(&text.to_lowercase(), &pattern.to_lowercase()),
        MatchOp::Regex => found(pattern, text),
        MatchOp::StartsWith => text.starts_with(pattern),
    }
}

/// Compiling takes far longer than searching, and there are few patterns.
fn found(pattern: &str, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<String, ::regex::Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().expect("no panic in here");
    let regex = compiled.entry(String::from(pattern));
    regex.or_insert_with(|| ::regex::Regex::new(pattern).expect("a pattern")).is_match(text)
}

fn contains(value: &Value, literal: &Literal) -> Option<bool> {
    match (value, &literal.value) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(text), Value::Text(part)) => Some(text.contains(part)),
        (Value::List(items), _) => {
            let items = items.iter().filter(|item| **item != Value::Null);
            any(items.map(|item| compared(item, CompareOp::Eq, literal)))
        }
        other => panic!("{other:?} has no parts"),
    }
}

fn left(field: &FieldRef, table: &Table, row: usize) -> Value {
    table.value(&field.column, row)
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.collect();
    if parts.contains(&Some(false)) {
        Some(false)
    } else {
        parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
    }
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|part| !part))).map(|none| !none)
}

fn compared(value: &Value, op: CompareOp, literal: &Literal) -> Option<bool> {
    let order = match (value, &literal.value) {
        (Value::Null, _) | (_, Value::Null) => return None,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Time(a), Value::Text(b)) => {
            a.cmp(&TIMES.iter().find(|(_, text)| text == b).expect("a known time").0)
        }
        (a, b) => halves(a).cmp(&halves(b)).then(tail(a).total_cmp(&tail(b))),
    };
    Some(match op {
        CompareOp::Eq => order == Ordering::Equal,
        CompareOp::Ne => order != Ordering::Equal,
        CompareOp::Lt => order == Ordering::Less,
        CompareOp::Le => order != Ordering::Greater,
        CompareOp::Gt => order == Ordering::Greater,
        CompareOp::Ge => order != Ordering::Less,
    })
}

/// The whole part of a number, rounded down; huge floats saturate, far beyond every integer.
fn halves(value: &Value) -> i128 {
    match value {
        Value::Int(value) => i128::from(*value),
        Value::Float(value) => value.floor() as i128,
        other => panic!("{other:?} is no number"),
    }
}

/// What the whole part leaves.
fn tail(value: &Value) -> f64 {
    match value {
        Value::Float(value) => value - value.floor() + 0.0,
        _ => 0.0,
    }
}

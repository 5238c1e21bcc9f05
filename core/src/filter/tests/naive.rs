//! SQL's three-valued logic, row by row, with its own idea of how numbers compare.

use std::cmp::Ordering;

use super::{random::TIMES, table::Table};
use crate::{
    query::{CompareOp, Expr, FieldRef, Literal},
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
        Expr::Match { .. } | Expr::Contains { .. } => Some(false),
        Expr::IsNull { field, negated } => Some((left(field, table, row) == Value::Null) != *negated),
        Expr::Not(inner) => truth(inner, table, row).map(|inner| !inner),
        Expr::And(parts) => all(parts.iter().map(|part| truth(part, table, row))),
        Expr::Or(parts) => any(parts.iter().map(|part| truth(part, table, row))),
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

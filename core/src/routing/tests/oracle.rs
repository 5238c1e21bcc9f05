//! Whether a record passes WHERE: three-valued logic over one record's values, with nothing of the crate's own
//! evaluation in it but the comparison of numbers.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    filter::compare,
    query::{Column, CompareOp, Expr, FieldRef, Literal, MatchOp},
    schema::Value,
    time::parse_time,
};

pub type Record = BTreeMap<String, Value>;

/// True, false or unknown.
pub fn truth(expr: &Expr, record: &Record) -> Option<bool> {
    match expr {
        Expr::Not(inner) => truth(inner, record).map(|truth| !truth),
        Expr::And(parts) => all(parts.iter().map(|part| truth(part, record))),
        Expr::Or(parts) => any(parts.iter().map(|part| truth(part, record))),
        Expr::Compare { field, op, value } => compared(value_of(field, record), *op, value),
        Expr::In { field, values, negated } => {
            let value = value_of(field, record);
            any(values.iter().map(|literal| compared(value, CompareOp::Eq, literal)))
                .map(|found| found != *negated)
        }
        Expr::Between { field, low, high, negated } => {
            let value = value_of(field, record);
            let bounds = [compared(value, CompareOp::Ge, low), compared(value, CompareOp::Le, high)];
            all(bounds.into_iter()).map(|inside| inside != *negated)
        }
        Expr::IsNull { field, negated } => Some((*value_of(field, record) == Value::Null) != *negated),
        Expr::Match { field, op: MatchOp::StartsWith, pattern, negated } => {
            match (value_of(field, record), &pattern.value) {
                (Value::Text(text), Value::Text(prefix)) => {
                    Some(text.starts_with(prefix.as_str()) != *negated)
                }
                _ => None,
            }
        }
        Expr::Contains { field, values, all: every, negated } => {
            let parts = values.iter().map(|literal| match (value_of(field, record), &literal.value) {
                (Value::Text(text), Value::Text(part)) => Some(text.contains(part.as_str())),
                _ => None,
            });
            let found = if *every { all(parts) } else { any(parts) };
            found.map(|found| found != *negated)
        }
        other => panic!("the property test makes no {other}"),
    }
}

fn value_of<'r>(field: &FieldRef, record: &'r Record) -> &'r Value {
    match &field.column {
        Column::Metadata(path) => record.get(path).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}

/// Unknown with a null, and between values that cannot be compared.
fn compared(value: &Value, op: CompareOp, literal: &Literal) -> Option<bool> {
    let order = match (value, &literal.value) {
        (Value::Time(a), Value::Text(b)) => a.cmp(&parse_time(b)?),
        // A literal time is equal to no text: which texts are times is the column's matter.
        (Value::Text(_), Value::Time(_)) => return None,
        (a, b) => compare(a, b)?,
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

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(false)) {
        Some(false)
    } else {
        parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
    }
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|part| !part))).map(|none| !none)
}

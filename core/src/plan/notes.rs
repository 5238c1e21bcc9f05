//! Remarks on conditions that are allowed but probably not meant.

use std::cmp::Ordering;

use crate::{
    filter::compare,
    query::{Expr, Field, Literal},
    schema::Value,
};

/// The most remarks of one statement.
const MAX_NOTES: usize = 8;

/// The remarks on `expr`, at most eight.
pub(super) fn notes(expr: &Expr) -> Vec<String> {
    let mut out = Vec::new();
    visit(expr, &mut out);
    out
}

fn visit(expr: &Expr, out: &mut Vec<String>) {
    if out.len() == MAX_NOTES {
        return;
    }
    match expr {
        Expr::Compare { field, value, .. } if value.value == Value::Null => {
            out.push(note(field, "a comparison with NULL is never true; write IS NULL or IS NOT NULL"));
        }
        Expr::In { field, values, negated } if values.iter().any(|value| value.value == Value::Null) => {
            out.push(note(
                field,
                match negated {
                    true => "NOT IN a list with NULL is never true; leave NULL out",
                    false => "NULL in a list matches nothing; add OR ... IS NULL",
                },
            ));
        }
        Expr::Between { field, low, high, .. } if reversed(low, high) => {
            out.push(note(field, "the bounds of BETWEEN are reversed, so nothing lies between them"));
        }
        Expr::Not(inner) => visit(inner, out),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| visit(part, out)),
        _ => {}
    }
}

fn note(field: &Field, text: &str) -> String {
    format!("{}:{}: {}: {text}", field.span.line, field.span.column, field.column)
}

fn reversed(low: &Literal, high: &Literal) -> bool {
    compare(&low.value, &high.value) == Some(Ordering::Greater)
}

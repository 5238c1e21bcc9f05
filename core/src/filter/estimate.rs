//! Selectivity: a guess at the fraction of rows that pass, for EXPLAIN and for choosing an access path. Columns are
//! taken as independent and values as evenly spread; nothing but speed may depend on the guess.

use super::{
    logic::{Condition, Leaf, Node, Test},
    prune::{Prune, holds},
    stats::{CollectionStats, FieldStats, Known},
};
use crate::{
    query::{Column, CompareOp, Expr},
    schema::Value,
};

/// The fraction of rows expected where a column's statistics say nothing of a value: for `=`.
const EQUAL: f64 = 0.01;
/// The same for a pattern, and for a value in lists or texts.
const TEXT: f64 = 0.05;
/// The same for a range.
const RANGE: f64 = 0.3;

/// The expected fraction of rows that pass, from 0 to 1; exactly 0 if the collection can be left out.
pub fn estimate(expr: &Expr, stats: &CollectionStats) -> f64 {
    Condition::new(expr).estimate(stats)
}

impl Condition<'_> {
    /// The expected fraction of rows that pass, from 0 to 1; exactly 0 if the collection can be left out.
    pub fn estimate(&self, stats: &CollectionStats) -> f64 {
        match self.prune(stats) {
            Prune::Skip(_) => 0.0,
            Prune::Keep => fraction(&self.root, stats).clamp(0.0, 1.0),
        }
    }
}

fn fraction(node: &Node<'_>, stats: &CollectionStats) -> f64 {
    match node {
        Node::Leaf(leaf) => leaf_fraction(leaf, stats),
        Node::And(parts) => parts.iter().map(|part| fraction(part, stats)).product(),
        Node::Or(parts) => 1.0 - parts.iter().map(|part| 1.0 - fraction(part, stats)).product::<f64>(),
    }
}

fn leaf_fraction(leaf: &Leaf<'_>, stats: &CollectionStats) -> f64 {
    let rows = stats.rows.max(1) as f64;
    let (known, nulls) = match stats.of(&leaf.field.column) {
        Known::AllNull => {
            return if matches!(leaf.test, Test::IsNull { negated: false }) { 1.0 } else { 0.0 };
        }
        Known::Nothing => (None, 0.0),
        Known::Stats(known) => (Some(known), known.nulls as f64 / rows),
    };
    // Ids are unique, so one value is one row.
    let equal = if leaf.field.column == Column::Id { 1.0 / rows } else { EQUAL };
    match &leaf.test {
        Test::IsNull { negated: false } => nulls,
        Test::IsNull { negated: true } => 1.0 - nulls,
        test => (1.0 - nulls) * value_fraction(test, known, equal).clamp(0.0, 1.0),
    }
}

/// The fraction of the values that are not null.
fn value_fraction(test: &Test<'_>, known: Option<&FieldStats>, equal: f64) -> f64 {
    if let Some(known) = known.filter(|known| known.items) {
        return list_fraction(test, known);
    }
    if let Some(values) = known.and_then(|known| known.distinct.as_ref()) {
        let passing = values.iter().filter(|value| holds(test, value) == Some(true)).count();
        return passing as f64 / values.len().max(1) as f64;
    }
    match test {
        Test::Compare(CompareOp::Eq, _) => equal,
        Test::Compare(CompareOp::Ne, _) => 1.0 - equal,
        Test::Compare(op, literal) => {
            let below = known.and_then(|known| position(&literal.value, known)).unwrap_or(match op {
                CompareOp::Lt | CompareOp::Le => RANGE,
                _ => 1.0 - RANGE,
            });
            if matches!(op, CompareOp::Lt | CompareOp::Le) { below } else { 1.0 - below }
        }
        Test::In { values, negated, .. } => {
            let found = (values.len() as f64 * equal).min(1.0);
            if *negated { 1.0 - found } else { found }
        }
        Test::Match { negated, .. } => {
            if *negated {
                1.0 - TEXT
            } else {
                TEXT
            }
        }
        Test::Contains { values, negated, .. } => {
            let found = (values.len() as f64 * TEXT).min(1.0);
            if *negated { 1.0 - found } else { found }
        }
        Test::IsNull { .. } => 1.0,
    }
}

/// The fraction of the lists that are not null. How often each item occurs is not known.
fn list_fraction(test: &Test<'_>, known: &FieldStats) -> f64 {
    let Test::Contains { values, set, negated, .. } = test else { return 1.0 };
    let found = match &known.distinct {
        Some(items) => {
            let asked = items.iter().filter(|item| set.contains(item) == Some(true)).count();
            asked as f64 / items.len().max(1) as f64
        }
        None => (values.len() as f64 * TEXT).min(1.0),
    };
    if *negated { 1.0 - found } else { found }
}

/// Where a value lies between the bounds, from 0 to 1.
fn position(value: &Value, known: &FieldStats) -> Option<f64> {
    let (min, max) = (number(known.min.as_ref()?)?, number(known.max.as_ref()?)?);
    let value = match (known.min.as_ref()?, value) {
        (Value::Time(_), Value::Text(text)) => crate::time::parse_time(text)? as f64,
        (_, value) => number(value)?,
    };
    (max > min).then(|| ((value - min) / (max - min)).clamp(0.0, 1.0))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) | Value::Time(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

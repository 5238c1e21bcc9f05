//! For which values of the discriminator a record may pass WHERE.
//!
//! A record has one value of it, so sets of values combine exactly as conditions do: AND intersects, OR unites, and NOT
//! moves inward to the tests, as everywhere in three-valued logic. A test of another field may be true of any record.

use std::{cmp::Ordering, ops::Range};

use super::table::RoutingTable;
use crate::{
    gather::Gather as _,
    query::{Column, CompareOp, Expr, FieldRef, Literal, MatchOp},
    rank::order_values,
    schema::Value,
    time::parse_time,
};

/// What may pass.
#[derive(Debug)]
pub(super) struct Passing {
    /// Whether a record without a value may: then the discriminator is not constrained.
    pub null: bool,
    /// Whether a value may that neither the table nor the statement names.
    pub others: bool,
    /// Whether a value may that the statement asks for and the table does not know.
    pub asked_unknown: bool,
    /// The places of the table's values that may. May hold repeats.
    pub models: Vec<usize>,
}

impl Passing {
    /// O(tests x values of the table), with a byte copied for each.
    pub fn new(table: &RoutingTable, filter: Option<&Expr>) -> Self {
        let mut walk = Walk { table, asks_unknown: false };
        let set = match filter {
            Some(filter) => walk.set(filter, false),
            None => walk.all(true),
        };
        let [null, others, unknown] = [NULL, OTHERS, UNKNOWN].map(|place| set.get(place) == Some(&true));
        let known = set.iter().skip(SPECIAL).zip(table.meanings());
        let models = known.filter(|(passes, _)| **passes).map(|(_, (_, model))| *model).gather();
        Self { null, others, asked_unknown: unknown && walk.asks_unknown, models }
    }
}

/// The first places of a set; those of the table's meanings follow, in their order.
const NULL: usize = 0;
/// Values that neither the table nor the statement names.
const OTHERS: usize = 1;
/// Values that the statement asks for, by `=` or IN, and the table does not know.
const UNKNOWN: usize = 2;
const SPECIAL: usize = 3;

type Set = Vec<bool>;

struct Walk<'t> {
    table: &'t RoutingTable,
    asks_unknown: bool,
}

impl Walk<'_> {
    /// The values of which `expr` may be true; or false, if `negated`.
    fn set(&mut self, expr: &Expr, negated: bool) -> Set {
        match expr {
            Expr::Not(inner) => self.set(inner, !negated),
            Expr::And(parts) => self.join(parts, negated, !negated),
            Expr::Or(parts) => self.join(parts, negated, negated),
            Expr::Compare { field, op, value } if self.is_mine(field) => {
                self.compare(if negated { op.opposite() } else { *op }, &value.value)
            }
            Expr::In { field, values, negated: own } if self.is_mine(field) => {
                self.listed(values, *own != negated)
            }
            Expr::Between { field, low, high, negated: own } if self.is_mine(field) => {
                let outside = *own != negated;
                let [low_op, high_op] =
                    if outside { [CompareOp::Lt, CompareOp::Gt] } else { [CompareOp::Ge, CompareOp::Le] };
                let mut set = self.compare(low_op, &low.value);
                combine(&mut set, &self.compare(high_op, &high.value), !outside);
                set
            }
            Expr::Match { field, op, pattern, negated: own } if self.is_mine(field) => {
                self.matches(*op, &pattern.value, *own != negated)
            }
            // In which lists or texts a value of the table may be contained is not known.
            Expr::Contains { field, .. } if self.is_mine(field) => self.not_null(),
            Expr::IsNull { field, negated: own } if self.is_mine(field) => match *own != negated {
                true => self.not_null(),
                false => {
                    let mut set = self.all(false);
                    put(&mut set, NULL..NULL + 1, true);
                    set
                }
            },
            _ => self.all(true),
        }
    }

    fn join(&mut self, parts: &[Expr], negated: bool, every: bool) -> Set {
        let mut set = self.all(every);
        parts.iter().for_each(|part| combine(&mut set, &self.set(part, negated), every));
        set
    }

    fn is_mine(&self, field: &FieldRef) -> bool {
        matches!(&field.column, Column::Metadata(path) if path == self.table.discriminator())
    }

    fn all(&self, passes: bool) -> Set {
        vec![passes; SPECIAL + self.table.meanings().len()]
    }

    fn not_null(&self) -> Set {
        let mut set = self.all(true);
        put(&mut set, NULL..NULL + 1, false);
        set
    }

    fn compare(&mut self, op: CompareOp, literal: &Value) -> Set {
        let mut set = self.all(false);
        match (op, literal) {
            (_, Value::Null) => {}
            (CompareOp::Eq, _) => self.put_equal(&mut set, literal),
            _ => {
                put(&mut set, OTHERS..SPECIAL, true);
                for read in readings(literal) {
                    let (all, same) = (self.comparable(&read), self.equal(&read));
                    let (before, after) = (all.start..same.start, same.end..all.end);
                    if matches!(op, CompareOp::Ne | CompareOp::Lt | CompareOp::Le) {
                        put(&mut set, before, true);
                    }
                    if matches!(op, CompareOp::Ne | CompareOp::Gt | CompareOp::Ge) {
                        put(&mut set, after, true);
                    }
                    if matches!(op, CompareOp::Le | CompareOp::Ge) {
                        put(&mut set, same, true);
                    }
                }
            }
        }
        set
    }

    fn listed(&mut self, values: &[Literal], negated: bool) -> Set {
        let mut set = self.all(false);
        let values = values.iter().map(|literal| &literal.value);
        if !negated {
            values.filter(|value| **value != Value::Null).for_each(|value| self.put_equal(&mut set, value));
            return set;
        }
        // NOT IN a list with NULL is never true.
        if values.clone().any(|value| *value == Value::Null) {
            return set;
        }
        put(&mut set, OTHERS..SPECIAL, true);
        let read: Vec<Value> = values.flat_map(readings).gather();
        read.iter().for_each(|value| put(&mut set, self.comparable(value), true));
        read.iter().for_each(|value| put(&mut set, self.equal(value), false));
        set
    }

    fn put_equal(&mut self, set: &mut Set, literal: &Value) {
        if self.equal(literal).is_empty() {
            self.asks_unknown = true;
            put(set, UNKNOWN..UNKNOWN + 1, true);
        }
        readings(literal).for_each(|read| put(set, self.equal(&read), true));
    }

    /// STARTS WITH is judged, of other patterns only that they are not NULL.
    fn matches(&self, op: MatchOp, pattern: &Value, negated: bool) -> Set {
        match pattern {
            Value::Null => self.all(false),
            Value::Text(prefix) if op == MatchOp::StartsWith => {
                let mut set = self.all(false);
                put(&mut set, OTHERS..SPECIAL, true);
                for (passes, (value, _)) in set.iter_mut().skip(SPECIAL).zip(self.table.meanings()) {
                    *passes =
                        matches!(value, Value::Text(text) if text.starts_with(prefix.as_str()) != negated);
                }
                set
            }
            _ => self.not_null(),
        }
    }

    /// The places of the meanings of the same type.
    fn comparable(&self, value: &Value) -> Range<usize> {
        self.places(|known| kind(known).cmp(&kind(value)))
    }

    fn equal(&self, value: &Value) -> Range<usize> {
        self.places(|known| order_values(known, value))
    }

    fn places(&self, order: impl Fn(&Value) -> Ordering) -> Range<usize> {
        let meanings = self.table.meanings();
        let start = meanings.partition_point(|(known, _)| order(known).is_lt());
        let end = meanings.partition_point(|(known, _)| order(known).is_le());
        SPECIAL + start..SPECIAL + end
    }
}

/// The types that are compared, in the order of [`order_values`].
fn kind(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Int(_) | Value::Float(_) => 1,
        Value::Text(_) => 2,
        Value::Time(_) => 3,
        _ => 4,
    }
}

/// What a literal may mean: a text is also a time, if the column holds times.
fn readings(literal: &Value) -> impl Iterator<Item = Value> {
    let time = if let Value::Text(text) = literal { parse_time(text).map(Value::Time) } else { None };
    [Some(literal.clone()), time].into_iter().flatten()
}

fn put(set: &mut Set, places: Range<usize>, passes: bool) {
    if let Some(places) = set.get_mut(places) {
        places.fill(passes);
    }
}

fn combine(set: &mut Set, other: &Set, every: bool) {
    for (passes, other) in set.iter_mut().zip(other) {
        *passes = if every { *passes && *other } else { *passes || *other };
    }
}

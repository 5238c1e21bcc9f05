//! The normal form of a condition: AND and OR over tests, no NOT.
//!
//! NOT moves inward to the tests; in three-valued logic De Morgan's laws hold, and each test has an opposite that is
//! true exactly where it is false. What is left is monotone, so a row passes if and only if the tests that are *true*
//! make it pass: unknown never needs to be told from false, and one bit per row and test is enough.

use crate::{
    filter::compare::compare,
    gather::Gather as _,
    order::{sort_by, sort_unique},
    pattern::{Pattern, PatternError},
    query::{CompareOp, Expr, FieldRef, Literal, MatchOp},
    schema::Value,
    time::parse_time,
};
use std::{cmp::Ordering, ops::Range};

/// A condition in normal form, ready to be bound, pruned and estimated against many collections.
#[derive(Debug)]
pub struct Condition<'e> {
    pub(super) root: Node<'e>,
}

#[derive(Debug)]
pub(super) enum Node<'e> {
    Leaf(Leaf<'e>),
    /// Holds no `And` directly.
    And(Vec<Node<'e>>),
    /// Holds no `Or` directly.
    Or(Vec<Node<'e>>),
}

#[derive(Debug)]
pub(super) struct Leaf<'e> {
    pub field: &'e FieldRef,
    pub test: Test<'e>,
}

#[derive(Debug)]
pub(super) enum Test<'e> {
    Compare(CompareOp, &'e Literal),
    In {
        values: &'e [Literal],
        set: ValueSet<'e>,
        negated: bool,
    },
    /// The pattern is missing if the literal is no text.
    Match {
        op: MatchOp,
        literal: &'e Literal,
        pattern: Option<Result<Pattern, PatternError>>,
        negated: bool,
    },
    /// One of the values is in a list, or part of a text; `parts` holds the texts among them.
    Contains {
        values: &'e [Literal],
        set: ValueSet<'e>,
        parts: Pattern,
        negated: bool,
    },
    IsNull {
        negated: bool,
    },
}

impl<'e> Condition<'e> {
    /// The normal form of `expr`. O(n log n) in its size.
    pub fn new(expr: &'e Expr) -> Self {
        Self { root: normal(expr, false) }
    }
}

fn normal(expr: &Expr, negated: bool) -> Node<'_> {
    match expr {
        Expr::Not(inner) => normal(inner, !negated),
        Expr::And(parts) if negated => any(parts, negated),
        Expr::Or(parts) if !negated => any(parts, negated),
        Expr::And(parts) | Expr::Or(parts) => all(parts, negated),
        Expr::Compare { field, op, value } => compared(field, *op, value, negated),
        Expr::Match { field, op, pattern, negated: own } => matched(field, *op, pattern, *own != negated),
        Expr::Contains { field, values, all: false, negated: own } => {
            contains(field, values, *own != negated)
        }
        // A list that holds all of the values holds each of them.
        Expr::Contains { field, values, all: true, negated: own } => {
            let negated = *own != negated;
            let each = values.iter().map(|value| contains(field, std::slice::from_ref(value), negated));
            if negated { Node::Or(each.gather()) } else { Node::And(each.gather()) }
        }
        Expr::IsNull { field, negated: own } => {
            Node::Leaf(Leaf { field, test: Test::IsNull { negated: *own != negated } })
        }
        Expr::In { field, values, negated: own } => {
            let test = Test::In { values, set: ValueSet::new(values), negated: *own != negated };
            Node::Leaf(Leaf { field, test })
        }
        Expr::Between { field, low, high, negated: own } => {
            let negated = *own != negated;
            let bounds = vec![
                compared(field, CompareOp::Ge, low, negated),
                compared(field, CompareOp::Le, high, negated),
            ];
            if negated { Node::Or(bounds) } else { Node::And(bounds) }
        }
    }
}

fn compared<'e>(field: &'e FieldRef, op: CompareOp, value: &'e Literal, negated: bool) -> Node<'e> {
    let op = if negated { op.opposite() } else { op };
    Node::Leaf(Leaf { field, test: Test::Compare(op, value) })
}

fn matched<'e>(field: &'e FieldRef, op: MatchOp, literal: &'e Literal, negated: bool) -> Node<'e> {
    let pattern = match &literal.value {
        Value::Text(text) => Some(match op {
            MatchOp::Like => Pattern::like(text, false),
            MatchOp::ILike => Pattern::like(text, true),
            MatchOp::StartsWith => Ok(Pattern::Prefix(text.clone())),
            MatchOp::Regex => Pattern::regex(text),
        }),
        _ => None,
    };
    Node::Leaf(Leaf { field, test: Test::Match { op, literal, pattern, negated } })
}

fn contains<'e>(field: &'e FieldRef, values: &'e [Literal], negated: bool) -> Node<'e> {
    let set = ValueSet::new(values);
    let parts = Pattern::Parts(set.texts.iter().map(|text| String::from(*text)).gather());
    Node::Leaf(Leaf { field, test: Test::Contains { values, set, parts, negated } })
}

fn all(parts: &[Expr], negated: bool) -> Node<'_> {
    let mut nodes = Vec::with_capacity(parts.len());
    for part in parts {
        match normal(part, negated) {
            Node::And(inner) => nodes.extend(inner),
            node => nodes.push(node),
        }
    }
    Node::And(nodes)
}

fn any(parts: &[Expr], negated: bool) -> Node<'_> {
    let mut nodes = Vec::with_capacity(parts.len());
    for part in parts {
        match normal(part, negated) {
            Node::Or(inner) => nodes.extend(inner),
            node => nodes.push(node),
        }
    }
    Node::Or(nodes)
}

/// The values of an IN list by type, each sorted and without repeats.
#[derive(Debug, Default)]
pub(super) struct ValueSet<'e> {
    pub null: bool,
    /// Whether FALSE and TRUE are in it.
    pub bools: [bool; 2],
    pub numbers: Vec<&'e Value>,
    pub texts: Vec<&'e str>,
    pub times: Vec<i64>,
    /// The times and the texts as times, sorted; `None` if a text is no time. Read once, as many collections ask.
    instants: Option<Vec<i64>>,
}

impl<'e> ValueSet<'e> {
    fn new(values: &'e [Literal]) -> Self {
        let mut set = Self::default();
        let mut sorted: Vec<&Value> = values.iter().map(|literal| &literal.value).gather();
        sort_by(&mut sorted, |a, b| literal_order(a, b));
        sorted.dedup_by(|a, b| literal_order(a, b).is_eq());
        for value in sorted {
            match value {
                Value::Null => set.null = true,
                Value::Bool(value) => set.bools[usize::from(*value)] = true,
                Value::Int(_) | Value::Float(_) => set.numbers.push(value),
                Value::Text(text) => set.texts.push(text),
                Value::Time(micros) => set.times.push(*micros),
                // Not written in any statement, and equal to no value of a column.
                Value::List(_) | Value::Object(_) => {}
            }
        }
        let texts: Option<Vec<i64>> = set.texts.iter().map(|text| parse_time(text)).gather();
        set.instants = texts.map(|mut instants| {
            instants.extend_from_slice(&set.times);
            sort_keys(&mut instants);
            instants
        });
        set
    }

    /// Whether `value` equals one of the set. `None` if the set holds a value that cannot be compared with it.
    pub fn contains(&self, value: &Value) -> Option<bool> {
        if !self.only(value) {
            return None;
        }
        match value {
            Value::Bool(value) => Some(self.bools[usize::from(*value)]),
            Value::Int(_) | Value::Float(_) => {
                Some(self.numbers.binary_search_by(|number| literal_order(number, value)).is_ok())
            }
            Value::Text(text) => Some(self.texts.binary_search(&text.as_str()).is_ok()),
            Value::Time(micros) => Some(self.all_times()?.binary_search(micros).is_ok()),
            _ => None,
        }
    }

    /// The places of the values between two bounds, a missing one being unknown, in `numbers`, `texts` or
    /// [`all_times`](Self::all_times), whichever is of the bounds' type. `None` if that cannot be judged. O(log n).
    pub fn between(&self, min: Option<&Value>, max: Option<&Value>) -> Option<Range<usize>> {
        let like = min.or(max)?;
        if !self.only(like) {
            return None;
        }
        let (numbers, texts) = (self.numbers.as_slice(), self.texts.as_slice());
        Some(match like {
            Value::Text(_) => places(texts.len(), min, max, &|place, bound| match bound {
                Value::Text(bound) => Some((*texts.get(place)?).cmp(bound)),
                _ => None,
            }),
            Value::Time(_) => {
                let times = self.all_times()?;
                places(times.len(), min, max, &|place, bound| {
                    compare(&Value::Time(*times.get(place)?), bound)
                })
            }
            Value::Int(_) | Value::Float(_) => {
                places(numbers.len(), min, max, &|place, bound| compare(numbers.get(place)?, bound))
            }
            _ => return None,
        })
    }

    /// Whether the set holds nothing but nulls and values that compare with `value` by type.
    pub fn only(&self, value: &Value) -> bool {
        let no_bools = self.bools == [false; 2];
        match value {
            Value::Bool(_) => self.numbers.is_empty() && self.texts.is_empty() && self.times.is_empty(),
            Value::Int(_) | Value::Float(_) => no_bools && self.texts.is_empty() && self.times.is_empty(),
            Value::Text(_) => no_bools && self.numbers.is_empty() && self.times.is_empty(),
            Value::Time(_) => no_bools && self.numbers.is_empty(),
            _ => false,
        }
    }

    /// The times of the set, texts read as times, sorted. `None` if a text is no time.
    pub fn all_times(&self) -> Option<&[i64]> {
        self.instants.as_deref()
    }
}

/// The places of the `len` sorted values that lie between two bounds; `order` compares a value with a bound.
fn places(
    len: usize,
    min: Option<&Value>,
    max: Option<&Value>,
    order: &dyn Fn(usize, &Value) -> Option<Ordering>,
) -> Range<usize> {
    // The first place whose value does not stand so to the bound.
    let behind = |bound: Option<&Value>, before: fn(Ordering) -> bool, otherwise: usize| {
        let Some(bound) = bound else { return otherwise };
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            if order(middle, bound).is_some_and(before) { low = middle + 1 } else { high = middle }
        }
        low
    };
    let start = behind(min, Ordering::is_lt, 0);
    start..behind(max, Ordering::is_le, len).max(start)
}

/// Sorts keys and drops repeats.
#[inline(never)]
pub(super) fn sort_keys(keys: &mut Vec<i64>) {
    sort_unique(keys);
}

/// A total order of literals: by type, then by value. Numbers are one type, and finite.
fn literal_order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::Time(_) => 4,
        Value::List(_) | Value::Object(_) => 5,
    };
    rank(a).cmp(&rank(b)).then_with(|| compare(a, b).unwrap_or(Ordering::Equal))
}

//! Pruning: proving from statistics that no row of a collection can pass.
//!
//! Sound, not complete: [`Prune::Skip`] is said only when statistics rule every row out. What they cannot decide, a
//! type mismatch included, keeps the collection, so that binding reports it.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    compare::compare,
    logic::{Condition, Leaf, Node, Test, ValueSet},
    stats::{CollectionStats, FieldStats, Known},
};
use crate::{
    error::clip_to,
    order::Map,
    pattern::{Pattern, Scratch},
    query::{Column, CompareOp, Expr, Literal},
    schema::Value,
    time::{format_time, parse_time},
};

/// What statistics say of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prune {
    /// No row can pass, for this reason.
    Skip(String),
    /// Some row may pass.
    Keep,
}

/// Whether the collection with these statistics can be left out. For many collections, build one [`Condition`] and
/// ask it.
pub fn prune(expr: &Expr, stats: &CollectionStats) -> Prune {
    Condition::new(expr).prune(stats)
}

impl Condition<'_> {
    /// Whether the collection with these statistics can be left out.
    pub fn prune(&self, stats: &CollectionStats) -> Prune {
        if stats.rows == 0 {
            return Prune::Skip(String::from("the collection is empty"));
        }
        match impossible(&self.root, stats) {
            Some(reason) => Prune::Skip(reason),
            None => Prune::Keep,
        }
    }
}

/// Why no row passes; `None` if one may.
fn impossible(node: &Node<'_>, stats: &CollectionStats) -> Option<String> {
    match node {
        Node::Leaf(leaf) => impossible_together(&leaf.field.column, &[leaf], stats),
        Node::Or(parts) => {
            let mut reasons = Vec::new();
            for part in parts {
                let reason = impossible(part, stats)?;
                if reasons.len() < 2 && !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
            Some(reasons.join("; "))
        }
        Node::And(parts) => {
            // Tests of one column are judged together: each alone may be possible, all at once not.
            let mut by_column: Map<&Column, Vec<&Leaf<'_>>> = Map::new();
            for part in parts {
                match part {
                    Node::Leaf(leaf) => by_column.get_or_insert(&leaf.field.column, Vec::new()).push(leaf),
                    part => {
                        if let Some(reason) = impossible(part, stats) {
                            return Some(reason);
                        }
                    }
                }
            }
            by_column.iter().find_map(|(column, leaves)| impossible_together(column, leaves, stats))
        }
    }
}

fn impossible_together(column: &Column, leaves: &[&Leaf<'_>], stats: &CollectionStats) -> Option<String> {
    let wants_null = leaves.iter().any(|leaf| matches!(leaf.test, Test::IsNull { negated: false }));
    let only_null = leaves.iter().all(|leaf| matches!(leaf.test, Test::IsNull { negated: false }));
    match stats.of(column) {
        _ if wants_null && !only_null => Some(format!("{column} cannot be null and have a value")),
        Known::Nothing => None,
        Known::AllNull if wants_null => None,
        Known::AllNull => Some(format!("{column} has no value in this collection")),
        Known::Stats(known) if wants_null => {
            (known.nulls == 0).then(|| format!("{column} is never null in this collection"))
        }
        Known::Stats(known) if known.items => {
            leaves.iter().find_map(|leaf| no_list_with(column, &leaf.test, known))
        }
        Known::Stats(known) => match &known.distinct {
            Some(values) => none_of(column, leaves, values),
            None => none_between(column, leaves, known),
        },
    }
}

/// Why no list passes. Each test is judged alone: several may be true of a list because of different items.
fn no_list_with(column: &Column, test: &Test<'_>, known: &FieldStats) -> Option<String> {
    let Test::Contains { set, negated, .. } = test else { return None };
    let possible = if *negated {
        // Whether a list lacks a value cannot be told from what all lists hold together.
        !set.null
    } else if let Some(values) = &known.distinct {
        values.iter().any(|value| set.contains(value) != Some(false))
    } else {
        may_hold_any(known, set) != Some(false)
    };
    (!possible).then(|| format!("no list of {column} holds what is asked for"))
}

/// Whether one of the values lies between the bounds and is one that the sketch admits. `None` if they cannot be
/// compared with the bounds.
fn may_hold_any(known: &FieldStats, set: &ValueSet<'_>) -> Option<bool> {
    let within = set.between(known.min.as_ref(), known.max.as_ref())?;
    let admits = |value: &Value| known.sketch.as_ref().is_none_or(|sketch| sketch.may_hold(value));
    let mut places = within;
    Some(match known.min.as_ref().or(known.max.as_ref())? {
        // There are no sketches of times, and texts may be meant as times.
        Value::Time(_) => !places.is_empty(),
        Value::Text(_) => places
            .any(|place| set.texts.get(place).is_some_and(|text| admits(&Value::Text(String::from(*text))))),
        _ => places.any(|place| set.numbers.get(place).is_some_and(|number| admits(number))),
    })
}

/// Every value is known: tries each.
fn none_of(column: &Column, leaves: &[&Leaf<'_>], values: &[Value]) -> Option<String> {
    let may_pass = |value: &Value| leaves.iter().all(|leaf| holds(&leaf.test, value).unwrap_or(true));
    if values.iter().any(may_pass) {
        return None;
    }
    Some(match values {
        [only] => format!("{column} is always {}", shown(only)),
        values => format!("none of the {} values of {column} passes", values.len()),
    })
}

/// Whether a test is true of a value that is not null. `None`: not comparable.
pub(super) fn holds(test: &Test<'_>, value: &Value) -> Option<bool> {
    match test {
        Test::IsNull { negated } => Some(*negated),
        Test::Compare(_, literal) if literal.value == Value::Null => Some(false),
        Test::Compare(op, literal) => compare(value, &literal.value).map(|order| accepts(*op, order)),
        Test::In { set, negated, .. } => {
            let found = set.contains(value)?;
            Some(if *negated { !found && !set.null } else { found })
        }
        Test::Match { pattern, negated, .. } => match (pattern, value) {
            (Some(Ok(pattern)), Value::Text(text)) => {
                Some(pattern.is_match(text, &mut Scratch::default()) != *negated)
            }
            (None, Value::Text(_)) => Some(false),
            _ => None,
        },
        Test::Contains { set, parts, negated, .. } => match value {
            Value::Text(text) if set.only(value) => {
                let found = parts.is_match(text, &mut Scratch::default());
                Some(if *negated { !found && !set.null } else { found })
            }
            _ => None,
        },
    }
}

/// Whether `op` is true of a value that stands in `order` to the literal.
pub(super) fn accepts(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

/// A bound of a range, and whether the bound itself is excluded.
type Bound<'a> = Option<(Cow<'a, Value>, bool)>;

/// Only bounds are known: narrows them by every test until nothing is left.
fn none_between(column: &Column, leaves: &[&Leaf<'_>], known: &FieldStats) -> Option<String> {
    let mut low = known.min.as_ref().map(|min| (Cow::Borrowed(min), false));
    let mut high = known.max.as_ref().map(|max| (Cow::Borrowed(max), false));
    for leaf in leaves {
        let possible = match &leaf.test {
            Test::Compare(_, literal) if literal.value == Value::Null => false,
            Test::Compare(op, literal) => {
                let value = coerced(literal, known)?;
                let held = known.sketch.as_ref().is_none_or(|sketch| sketch.may_hold(&value));
                narrow(*op, value, &mut low, &mut high)?;
                match op {
                    CompareOp::Eq => held,
                    CompareOp::Ne => {
                        constant(known).is_none_or(|only| holds(&leaf.test, only) != Some(false))
                    }
                    _ => true,
                }
            }
            Test::In { set, negated: true, .. } => {
                !set.null && constant(known).is_none_or(|only| holds(&leaf.test, only) != Some(false))
            }
            Test::In { set, .. } => may_hold_any(known, set)?,
            Test::Match { .. } | Test::Contains { .. } => text_possible(&leaf.test, known)?,
            Test::IsNull { negated } => *negated,
        };
        if !possible {
            return Some(refused(column, &leaf.test, known));
        }
    }
    let ((low, low_open), (high, high_open)) = (low?, high?);
    let empty = match compare(&low, &high)? {
        Ordering::Greater => true,
        Ordering::Equal => low_open || high_open,
        Ordering::Less => false,
    };
    empty.then(|| outside(column, known))
}

/// Whether a test of texts can be true between the bounds; `None` if that cannot be judged.
fn text_possible(test: &Test<'_>, known: &FieldStats) -> Option<bool> {
    let texts = known.min.iter().chain(&known.max).all(|bound| matches!(bound, Value::Text(_)));
    if !texts || (known.min.is_none() && known.max.is_none()) {
        return None;
    }
    Some(match test {
        Test::Match { pattern: None, .. } => false,
        Test::Match { pattern: Some(Ok(pattern)), negated: false, .. } => {
            // Texts with the prefix are not before it, and not behind all that begin with it.
            if let (Pattern::Whole(text), Some(sketch)) = (pattern, &known.sketch)
                && !sketch.may_hold(&Value::Text(text.clone()))
            {
                return Some(false);
            }
            let prefix = pattern.prefix();
            let behind =
                |min: &Value| matches!(min, Value::Text(min) if *min > prefix && !min.starts_with(&prefix));
            let before = |max: &Value| matches!(max, Value::Text(max) if *max < prefix);
            !known.min.as_ref().is_some_and(behind) && !known.max.as_ref().is_some_and(before)
        }
        Test::Match { pattern: Some(Err(_)), .. } => return None,
        Test::Contains { set, negated: true, .. } if set.null => false,
        test => constant(known).is_none_or(|only| holds(test, only) != Some(false)),
    })
}

/// Narrows a range by one comparison; `None` if the values cannot be compared.
fn narrow<'a>(op: CompareOp, value: Cow<'a, Value>, low: &mut Bound<'a>, high: &mut Bound<'a>) -> Option<()> {
    let open = matches!(op, CompareOp::Lt | CompareOp::Gt);
    if matches!(op, CompareOp::Eq | CompareOp::Gt | CompareOp::Ge) {
        tighten(low, (value.clone(), open), Ordering::Greater)?;
    }
    if matches!(op, CompareOp::Eq | CompareOp::Lt | CompareOp::Le) {
        tighten(high, (value, open), Ordering::Less)?;
    }
    Some(())
}

/// Moves a bound to `next` if that is further in.
fn tighten<'a>(bound: &mut Bound<'a>, next: (Cow<'a, Value>, bool), inward: Ordering) -> Option<()> {
    match bound {
        Some((value, open)) => match compare(&next.0, value)? {
            Ordering::Equal => *open |= next.1,
            order if order == inward => *bound = Some(next),
            _ => {}
        },
        None => *bound = Some(next),
    }
    Some(())
}

/// The literal as a value of the column's type; `None` if it is of another type, or the type is not known.
fn coerced<'a>(literal: &'a Literal, known: &FieldStats) -> Option<Cow<'a, Value>> {
    match (known.min.as_ref().or(known.max.as_ref())?, &literal.value) {
        (Value::Time(_), Value::Text(text)) => Some(Cow::Owned(Value::Time(parse_time(text)?))),
        (like, value) => compare(like, value).map(|_| Cow::Borrowed(value)),
    }
}

/// The only value of the column, if its bounds are equal.
fn constant(known: &FieldStats) -> Option<&Value> {
    let (min, max) = (known.min.as_ref()?, known.max.as_ref()?);
    compare(min, max)?.is_eq().then_some(min)
}

/// Why a test fails for all values, alone.
fn refused(column: &Column, test: &Test<'_>, known: &FieldStats) -> String {
    let by_sketch = match test {
        Test::Compare(CompareOp::Eq, literal) => compared_within(literal, known),
        Test::In { set, negated: false, .. } => {
            set.between(known.min.as_ref(), known.max.as_ref()).is_some_and(|within| !within.is_empty())
        }
        _ => false,
    };
    if by_sketch { format!("{column} never has what is asked for") } else { outside(column, known) }
}

fn compared_within(literal: &Literal, known: &FieldStats) -> bool {
    let beyond = |bound: &Option<Value>, side| {
        bound.as_ref().is_some_and(|bound| compare(&literal.value, bound) == Some(side))
    };
    !beyond(&known.min, Ordering::Less) && !beyond(&known.max, Ordering::Greater)
}

fn outside(column: &Column, known: &FieldStats) -> String {
    match (&known.min, &known.max) {
        (Some(min), Some(max)) => format!("{column} lies between {} and {}", shown(min), shown(max)),
        (Some(min), None) => format!("{column} is at least {}", shown(min)),
        (None, Some(max)) => format!("{column} is at most {}", shown(max)),
        (None, None) => format!("the tests of {column} contradict each other"),
    }
}

/// A value for people, not more than 40 characters of it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Time(micros) => format_time(*micros),
        value => Literal { value: value.clone(), span: Default::default() }.to_string(),
    };
    clip_to(&text, 40)
}

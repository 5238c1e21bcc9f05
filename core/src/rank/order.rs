//! The order of values and rows: what ORDER BY, MIN, MAX and the keys of groups go by.
//!
//! WHERE never compares values of different types; an order has to. It is total: no two values are incomparable.

use std::cmp::Ordering;

use crate::{
    filter::compare,
    plan::OrderKey,
    schema::{Object, Value},
};

/// The order of two values: booleans, numbers, texts, times, lists, objects, null. Numbers go by their exact
/// mathematical value, so that 1 and 1.0 are equal; texts by bytes; lists by their items; objects by their entries,
/// each by key and then value.
///
/// A float that is not a number, which no valid file holds, is the largest number.
pub fn order_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::List(a), Value::List(b)) => order_lists(a, b),
        (Value::Object(a), Value::Object(b)) => order_objects(a, b),
        _ => rank(a)
            .cmp(&rank(b))
            .then_with(|| compare(a, b).unwrap_or_else(|| is_no_number(a).cmp(&is_no_number(b)))),
    }
}

/// The order of two rows by the values of their keys. A null comes last in either direction, unless the key says NULLS
/// FIRST. Rows that agree in all keys are equal.
pub fn order_rows(keys: &[OrderKey], a: &[Value], b: &[Value]) -> Ordering {
    keys.iter()
        .zip(a.iter().zip(b))
        .map(|(key, (a, b))| order_by_key(key, a, b))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn order_by_key(key: &OrderKey, a: &Value, b: &Value) -> Ordering {
    let nulls = (*a == Value::Null).cmp(&(*b == Value::Null));
    if nulls.is_ne() {
        return if key.nulls_first { nulls.reverse() } else { nulls };
    }
    let order = order_values(a, b);
    if key.descending { order.reverse() } else { order }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Int(_) | Value::Float(_) => 1,
        Value::Text(_) => 2,
        Value::Time(_) => 3,
        Value::List(_) => 4,
        Value::Object(_) => 5,
        Value::Null => 6,
    }
}

fn is_no_number(value: &Value) -> bool {
    matches!(value, Value::Float(number) if number.is_nan())
}

fn order_lists(a: &[Value], b: &[Value]) -> Ordering {
    let first = a.iter().zip(b).map(|(a, b)| order_values(a, b)).find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn order_objects(a: &Object, b: &Object) -> Ordering {
    let entries = a.iter().zip(b);
    let first = entries
        .map(|((a_key, a), (b_key, b))| a_key.cmp(b_key).then_with(|| order_values(a, b)))
        .find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

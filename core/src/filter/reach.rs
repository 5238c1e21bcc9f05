//! Comparisons as ranges of a column's own type: `n < 2.5` on integers becomes `n` from MIN to 2.
//!
//! The conversions are exact: a range holds a value if and only if the comparison is mathematically true of it.

use super::{column::TextDictionary, compare::compare_int_float};
use crate::{query::CompareOp, schema::Value};
use std::cmp::Ordering;

/// Which values of a column a test accepts. Null is never accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reach<T> {
    /// None.
    Nothing,
    /// All.
    Everything,
    /// Those from the first to the second, both included.
    Within(T, T),
    /// Those before the first and those after the second.
    Outside(T, T),
}

impl<T: Copy + PartialOrd> Reach<T> {
    /// What is neither null nor accepted.
    pub fn opposite(self) -> Self {
        match self {
            Self::Nothing => Self::Everything,
            Self::Everything => Self::Nothing,
            Self::Within(low, high) => Self::Outside(low, high),
            Self::Outside(low, high) => Self::Within(low, high),
        }
    }
}

/// Integers, or times in microseconds, compared with a number.
pub(super) fn int_reach(op: CompareOp, literal: &Value) -> Option<Reach<i64>> {
    // Bounds are computed in a wider type, where nothing overflows, and then cut to the column's range.
    let (floor, ceil) = match literal {
        Value::Int(value) | Value::Time(value) => (i128::from(*value), i128::from(*value)),
        Value::Float(value) => {
            let value = value.clamp(-1e20, 1e20);
            (value.floor() as i128, value.ceil() as i128)
        }
        _ => return None,
    };
    Some(match op {
        CompareOp::Eq if floor != ceil => Reach::Nothing,
        CompareOp::Ne if floor != ceil => Reach::Everything,
        CompareOp::Eq => int_range(floor, floor),
        CompareOp::Ne => int_range(floor, floor).opposite(),
        CompareOp::Lt => int_range(i128::MIN, ceil - 1),
        CompareOp::Le => int_range(i128::MIN, floor),
        CompareOp::Gt => int_range(floor + 1, i128::MAX),
        CompareOp::Ge => int_range(ceil, i128::MAX),
    })
}

fn int_range(low: i128, high: i128) -> Reach<i64> {
    let (min, max) = (i128::from(i64::MIN), i128::from(i64::MAX));
    if low > max || high < min || low > high {
        return Reach::Nothing;
    }
    if low <= min && high >= max {
        return Reach::Everything;
    }
    Reach::Within(low.max(min) as i64, high.min(max) as i64)
}

/// Floats compared with a number.
pub(super) fn float_reach(op: CompareOp, literal: &Value) -> Option<Reach<f64>> {
    let (near, order) = match literal {
        Value::Float(value) => (*value, Ordering::Equal),
        // `near` is the float nearest to the integer, `order` on which side of it the integer lies.
        Value::Int(value) => (*value as f64, compare_int_float(*value, *value as f64)?),
        _ => return None,
    };
    let below = if order == Ordering::Greater { near } else { near.next_down() };
    let above = if order == Ordering::Less { near } else { near.next_up() };
    let exact = order == Ordering::Equal;
    Some(match op {
        CompareOp::Eq if exact => Reach::Within(near, near),
        CompareOp::Ne if exact => Reach::Outside(near, near),
        CompareOp::Eq => Reach::Nothing,
        CompareOp::Ne => Reach::Everything,
        CompareOp::Le if exact => Reach::Within(f64::NEG_INFINITY, near),
        CompareOp::Ge if exact => Reach::Within(near, f64::INFINITY),
        CompareOp::Lt | CompareOp::Le => Reach::Within(f64::NEG_INFINITY, below),
        CompareOp::Gt | CompareOp::Ge => Reach::Within(above, f64::INFINITY),
    })
}

/// The codes of a sorted dictionary, compared with a text. One binary search.
pub(super) fn text_reach(op: CompareOp, text: &str, dictionary: &dyn TextDictionary) -> Reach<u32> {
    let (at, found) = match find(dictionary, text) {
        Ok(code) => (code, 1),
        Err(code) => (code, 0),
    };
    let len = dictionary.len();
    match op {
        CompareOp::Eq => code_range(at, at + found, len),
        CompareOp::Ne => code_range(at, at + found, len).opposite(),
        CompareOp::Lt => code_range(0, at, len),
        CompareOp::Le => code_range(0, at + found, len),
        CompareOp::Gt => code_range(at + found, len, len),
        CompareOp::Ge => code_range(at, len, len),
    }
}

/// The codes of the texts that begin with `prefix`, as a half-open range. Two binary searches.
pub(super) fn prefix_range(prefix: &str, dictionary: &dyn TextDictionary) -> (u32, u32) {
    let (Ok(start) | Err(start)) = find(dictionary, prefix);
    let (mut low, mut high) = (start, dictionary.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // From `start` on, texts with the prefix come before all others.
        match dictionary.get(middle).is_some_and(|text| text.starts_with(prefix)) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    (start, low)
}

/// The codes of `start..end` of `len`.
pub(super) fn code_range(start: u32, end: u32, len: u32) -> Reach<u32> {
    if start >= end {
        Reach::Nothing
    } else if start == 0 && end == len {
        Reach::Everything
    } else {
        Reach::Within(start, end - 1)
    }
}

/// The code of `text`, or where it would stand.
pub(super) fn find(dictionary: &dyn TextDictionary, text: &str) -> Result<u32, u32> {
    let (mut low, mut high) = (0, dictionary.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match dictionary.get(middle).map(|entry| entry.cmp(text)) {
            Some(Ordering::Equal) => return Ok(middle),
            Some(Ordering::Less) => low = middle + 1,
            Some(Ordering::Greater) | None => high = middle,
        }
    }
    Err(low)
}

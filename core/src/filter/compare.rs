//! How two values compare: numbers mathematically, texts by bytes, times as instants.

use std::cmp::Ordering;

use crate::{schema::Value, time::parse_time};

/// The order of two values, or `None` if they cannot be compared: null, another type, a text against a time that is
/// no ISO 8601 time. Integers and floats compare by their exact mathematical value.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) | (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => compare_int_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => compare_int_float(*b, *a).map(Ordering::reverse),
        (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b)),
        (Value::Time(a), Value::Text(b)) => Some(a.cmp(&parse_time(b)?)),
        (Value::Text(a), Value::Time(b)) => Some(parse_time(a)?.cmp(b)),
        _ => None,
    }
}

/// The exact order of an integer and a float; `None` for NaN. Converting either to the other's type would lose
/// precision near and beyond 2^53.
pub(super) fn compare_int_float(int: i64, float: f64) -> Option<Ordering> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if float < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    let fraction = if float > whole {
        Ordering::Less
    } else if float < whole {
        Ordering::Greater
    } else {
        Ordering::Equal
    };
    Some(int.cmp(&(whole as i64)).then(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_compare_exactly() {
        let two_53 = 1_i64 << 53;
        for (int, float, expected) in [
            (two_53 + 1, two_53 as f64, Ordering::Greater),
            (two_53, two_53 as f64, Ordering::Equal),
            (i64::MAX, i64::MAX as f64, Ordering::Less),
            (i64::MIN, i64::MIN as f64, Ordering::Equal),
            (i64::MIN, -1e300, Ordering::Greater),
            (2, 2.5, Ordering::Less),
            (-2, -2.5, Ordering::Greater),
            (0, -0.0, Ordering::Equal),
            (0, f64::MIN_POSITIVE, Ordering::Less),
        ] {
            assert_eq!(compare(&Value::Int(int), &Value::Float(float)), Some(expected), "{int} {float}");
            assert_eq!(compare(&Value::Float(float), &Value::Int(int)), Some(expected.reverse()));
        }
    }
}

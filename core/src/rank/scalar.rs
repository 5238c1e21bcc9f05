//! Calculated values: the arithmetic of SELECT and ORDER BY.

use crate::{
    query::{Aggregate, Arithmetic, Field, Scalar},
    schema::Value,
};

/// The value of a scalar, given what its fields and aggregates are. Arithmetic is done in 64-bit floating point and
/// gives [`Value::Float`]; null where a side is null or no number, or where the result is not finite. Zero has no sign.
///
/// An alias, which no plan holds, is null.
pub fn evaluate(
    value: &Scalar,
    field: &dyn Fn(&Field) -> Value,
    aggregate: &dyn Fn(&Aggregate) -> Value,
) -> Value {
    let result = match value {
        Scalar::Field(of) => return field(of),
        Scalar::Number(number) => return number.clone(),
        Scalar::Aggregate(of) => return aggregate(of),
        Scalar::Alias(_) => None,
        Scalar::Negate(inner) => number(&evaluate(inner, field, aggregate)).map(|number| -number),
        Scalar::Binary(left, operator, right) => {
            let (left, right) = (evaluate(left, field, aggregate), evaluate(right, field, aggregate));
            number(&left).zip(number(&right)).map(|(left, right)| calculate(left, *operator, right))
        }
    };
    result.map_or(Value::Null, finite)
}

fn calculate(left: f64, operator: Arithmetic, right: f64) -> f64 {
    match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// A float as a value: null where it is not finite, and without the sign of zero, which would be printed.
pub(super) fn finite(number: f64) -> Value {
    if number.is_finite() { Value::Float(number + 0.0) } else { Value::Null }
}

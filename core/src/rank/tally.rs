//! Aggregates: one value from many.

use std::cmp::Ordering;

use super::{order::order_values, scalar::finite};
use crate::{
    query::{Aggregate, AggregateFunction},
    schema::Value,
};

/// COUNT, MIN, MAX, SUM or AVG of the values added so far. Nulls do not count; what is no number does not count for SUM
/// and AVG either.
///
/// Integers are summed exactly and floats in the order they come, so the order of integers never matters.
#[derive(Debug, Clone)]
pub struct Tally {
    function: AggregateFunction,
    counts_rows: bool,
    count: u64,
    /// Wide enough for 2^64 integers.
    integers: i128,
    /// `None` until the first float comes.
    floats: Option<f64>,
    best: Value,
}

impl Tally {
    /// The aggregate of no values.
    pub fn new(aggregate: &Aggregate) -> Self {
        Self {
            function: aggregate.function,
            counts_rows: aggregate.of.is_none(),
            count: 0,
            integers: 0,
            floats: None,
            best: Value::Null,
        }
    }

    /// Adds the value of one row. COUNT(*) counts the row whatever the value is.
    pub fn add(&mut self, value: &Value) {
        use AggregateFunction::{Avg, Count, Max, Min, Sum};
        if *value == Value::Null && !self.counts_rows {
            return;
        }
        match self.function {
            Count => self.count += 1,
            Min => self.keep(value, Ordering::Less),
            Max => self.keep(value, Ordering::Greater),
            Sum | Avg => self.sum(value),
        }
    }

    /// The value so far. Of no values: COUNT is 0, the others are null. SUM is an integer if all values are and the sum
    /// fits, else a float; null where it is beyond all floats. AVG is a float.
    pub fn result(&self) -> Value {
        match self.function {
            AggregateFunction::Count => Value::Int(i64::try_from(self.count).unwrap_or(i64::MAX)),
            AggregateFunction::Min | AggregateFunction::Max => self.best.clone(),
            _ if self.count == 0 => Value::Null,
            AggregateFunction::Avg => finite(self.total() / self.count as f64),
            AggregateFunction::Sum => match (self.floats, i64::try_from(self.integers)) {
                (None, Ok(sum)) => Value::Int(sum),
                _ => finite(self.total()),
            },
        }
    }

    fn total(&self) -> f64 {
        self.integers as f64 + self.floats.unwrap_or(0.0)
    }

    /// Of equal values, such as 1 and 1.0, the first is kept.
    fn keep(&mut self, value: &Value, better: Ordering) {
        if self.best == Value::Null || order_values(value, &self.best) == better {
            self.best = value.clone();
        }
    }

    fn sum(&mut self, value: &Value) {
        match value {
            Value::Int(number) => self.integers += i128::from(*number),
            Value::Float(number) => self.floats = Some(self.floats.unwrap_or(0.0) + number),
            _ => return,
        }
        self.count += 1;
    }
}

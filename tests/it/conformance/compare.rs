//! Answers in one neutral form, and where two of them differ.

use serde_json::{Number, Value as Json, json};

use super::oracle::{Answer, Row};

/// Numbers that were calculated may differ by this much, or by 1e-12 of themselves.
const TOLERANCE: f64 = 1e-5;

/// How integers compare.
#[derive(Clone, Copy, PartialEq)]
pub enum Integers {
    /// Each for itself; none is a float.
    Exact,
    /// As the doubles that JavaScript makes of them.
    AsDoubles,
}

/// An answer as JSON: `columns`, `from` (where each row comes from), `ranks` (item, distance and score of each row),
/// `cells`, and `sets` for a batch.
pub fn neutral(answer: &Answer) -> Json {
    let from = |row: &Row| json!([row.collection, row.id]);
    let ranks = |row: &Row| json!([row.item, row.distance, row.score]);
    json!({
        "columns": answer.columns,
        "from": answer.rows.iter().map(from).collect::<Vec<_>>(),
        "ranks": answer.rows.iter().map(ranks).collect::<Vec<_>>(),
        "cells": answer.rows.iter().map(|row| json!(row.cells)).collect::<Vec<_>>(),
        "sets": answer.sets,
    })
}

impl Integers {
    /// The first place at which `got` is not `expected`, with both values there.
    pub fn difference(self, expected: &Json, got: &Json) -> Option<String> {
        self.differ(expected, got, "")
    }

    fn differ(self, expected: &Json, got: &Json, place: &str) -> Option<String> {
        match (expected, got) {
            (Json::Object(a), Json::Object(b)) => {
                let needless = b.keys().find(|key| !a.contains_key(*key));
                let needless = needless.map(|key| format!("{place}.{key} should not be there"));
                let at = |key: &String| {
                    self.differ(&a[key], b.get(key).unwrap_or(&Json::Null), &format!("{place}.{key}"))
                };
                needless.or_else(|| a.keys().find_map(at))
            }
            (Json::Array(a), Json::Array(b)) => {
                let mut pairs = a.iter().zip(b).enumerate();
                let first = pairs.find_map(|(at, (a, b))| self.differ(a, b, &format!("{place}[{at}]")));
                let lengths = || format!("{place}: {} items, not {}", b.len(), a.len());
                first.or_else(|| (a.len() != b.len()).then(lengths))
            }
            (Json::Number(a), Json::Number(b)) if self.near(a, b) => None,
            _ if expected == got => None,
            _ => Some(format!("{place}: expected {expected}, got {got}")),
        }
    }

    fn near(self, a: &Number, b: &Number) -> bool {
        if self == Self::Exact && (a.is_i64() || b.is_i64()) {
            return a == b;
        }
        let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
        (a - b).abs() <= TOLERANCE.max(a.abs() * 1e-12)
    }
}

#[test]
fn differences_are_named() {
    let a = json!({"cells": [[1, 0.5, "x"]], "n": 3});
    let difference = |other: Json| Integers::Exact.difference(&a, &other).unwrap_or_default();
    assert_eq!(difference(json!({"cells": [[1, 0.500_001, "x"]], "n": 3})), "");
    for (other, place) in [
        (json!({"cells": [[1.0, 0.5, "x"]], "n": 3}), ".cells[0][0]: expected 1, got 1.0"),
        (json!({"cells": [[2, 0.5, "x"]], "n": 3}), ".cells[0][0]: expected 1, got 2"),
        (json!({"cells": [[1, 0.6, "x"]], "n": 3}), ".cells[0][1]"),
        (json!({"cells": [[1, 0.5, "x"], []], "n": 3}), ".cells: 2 items, not 1"),
        (json!({"cells": [[1, 0.5, null]], "n": 3}), ".cells[0][2]"),
        (json!({"cells": [[1, 0.5, "x"]], "n": 3, "m": 1}), ".m should not be there"),
    ] {
        let found = difference(other);
        assert!(found.contains(place), "{found}");
    }
    let wide = (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64));
    assert!(Integers::Exact.difference(&wide.0, &wide.1).is_some());
    assert!(Integers::AsDoubles.difference(&wide.0, &wide.1).is_none());
}

//! The oracle's values of rows and groups: fields, arithmetic, aggregates.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    rank::Hit,
    value::{Datum, order},
};

/// What an expression is evaluated over.
pub struct Scope<'s, 'w> {
    /// The row; of a group, its first.
    pub hit: Option<&'s Hit<'w>>,
    /// The rows of the group.
    pub group: &'s [Hit<'w>],
}

impl Scope<'_, '_> {
    /// Whether there is an aggregate in the expression.
    pub fn needs_group(expression: &Json) -> bool {
        let Some(parts) = expression.as_array() else { return false };
        let operator = parts[0].as_str().unwrap();
        ["count", "min", "max", "sum", "avg"].contains(&operator) || parts[1..].iter().any(Self::needs_group)
    }
}

/// The columns of the answer with their expressions: `*` is spelled out.
pub fn columns(select: &Json, search: bool, batch: bool) -> Vec<(String, Json)> {
    let mut columns = Vec::new();
    for item in select.as_array().expect("the question selects nothing") {
        match item {
            Json::String(star) if star == "*" => {
                let all = [("collection", true), ("item", batch), ("id", true), ("distance", search)];
                let all = all.into_iter().chain([("document", true), ("metadata", true)]);
                columns.extend(all.filter(|(_, there)| *there).map(|(name, _)| (name.into(), json!(name))));
            }
            Json::String(field) => columns.push((field.clone(), item.clone())),
            _ => columns.push((item["as"].as_str().unwrap().to_owned(), item["of"].clone())),
        }
    }
    columns
}

/// The value of an expression.
pub fn evaluate(expression: &Json, scope: &Scope<'_, '_>) -> Datum {
    match expression {
        Json::Number(_) => Datum::literal(expression),
        Json::String(name) => scope.hit.map_or(Datum::Null, |hit| field(hit, name)),
        Json::Array(parts) => match (parts[0].as_str().unwrap(), &parts[1..]) {
            ("neg", [inner]) => calculate(&Datum::Int(0), "-", &evaluate(inner, scope)),
            (operator, [left, right]) => calculate(&evaluate(left, scope), operator, &evaluate(right, scope)),
            (function, [of]) => aggregate(function, of.as_str().unwrap(), scope.group),
            _ => panic!("not an expression: {expression}"),
        },
        _ => panic!("not an expression: {expression}"),
    }
}

fn calculate(left: &Datum, operator: &str, right: &Datum) -> Datum {
    let (Some(left), Some(right)) = (left.number(), right.number()) else { return Datum::Null };
    let result = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        _ => left / right,
    };
    if result.is_finite() { Datum::Float(result) } else { Datum::Null }
}

fn aggregate(function: &str, name: &str, group: &[Hit<'_>]) -> Datum {
    if name == "*" {
        return Datum::Int(group.len() as i64);
    }
    let values: Vec<Datum> = group.iter().map(|hit| field(hit, name)).filter(|v| *v != Datum::Null).collect();
    let numbers: Vec<f64> = values.iter().filter_map(Datum::number).collect();
    match function {
        "count" => Datum::Int(values.len() as i64),
        "min" => {
            values.into_iter().reduce(|a, b| if order(&b, &a).is_lt() { b } else { a }).unwrap_or(Datum::Null)
        }
        "max" => {
            values.into_iter().reduce(|a, b| if order(&b, &a).is_gt() { b } else { a }).unwrap_or(Datum::Null)
        }
        _ if numbers.is_empty() => Datum::Null,
        "sum" => sum(&values, &numbers),
        _ => finite(total(&values, &numbers) / numbers.len() as f64),
    }
}

/// An integer if all are and it fits.
fn sum(values: &[Datum], numbers: &[f64]) -> Datum {
    let exact = whole_sum(values).and_then(|sum| i64::try_from(sum).ok());
    exact.map_or_else(|| finite(total(values, numbers)), Datum::Int)
}

/// The sum before it is fitted into 64 bits: integers do not round.
fn total(values: &[Datum], numbers: &[f64]) -> f64 {
    whole_sum(values).map_or_else(|| numbers.iter().sum(), |sum| sum as f64)
}

/// If all numbers among them are integers.
fn whole_sum(values: &[Datum]) -> Option<i128> {
    let integer = |value: &Datum| match value {
        Datum::Int(value) => Some(i128::from(*value)),
        _ => None,
    };
    values.iter().filter(|value| value.number().is_some()).map(integer).sum()
}

fn finite(number: f64) -> Datum {
    if number.is_finite() { Datum::Float(number) } else { Datum::Null }
}

/// A part of a row.
pub fn field(hit: &Hit<'_>, name: &str) -> Datum {
    let record = hit.record;
    let number = |number: Option<f64>| number.map_or(Datum::Null, Datum::Float);
    match name {
        "id" => Datum::Text(record.id.clone()),
        "document" => record.document.clone().map_or(Datum::Null, Datum::Text),
        "collection" => Datum::Text(hit.collection.name.clone()),
        "distance" => number(hit.distance),
        "score" => number(hit.score),
        "item" => hit.item.map_or(Datum::Null, |item| Datum::Int(item as i64)),
        "embedding" => Datum::List(stored_vector(hit).into_iter().map(Datum::Float).collect()),
        "metadata" => nested(&record.metadata, "").unwrap_or_else(|| Datum::Object(BTreeMap::new())),
        _ => {
            let path = name.strip_prefix("metadata.").unwrap_or_else(|| panic!("no field {name}"));
            let value = record.metadata.get(path).cloned();
            value.or_else(|| nested(&record.metadata, &format!("{path}."))).unwrap_or(Datum::Null)
        }
    }
}

/// Of unit length where cosines are compared.
fn stored_vector(hit: &Hit<'_>) -> Vec<f64> {
    let vector = &hit.record.vector;
    let length = match hit.collection.metric.as_str() {
        "cosine" => vector.iter().map(|x| x * x).sum::<f64>().sqrt(),
        _ => 1.0,
    };
    vector.iter().map(|x| x / length).collect()
}

/// The values whose paths begin with `prefix`, as an object; nulls are left out.
fn nested(metadata: &BTreeMap<String, Datum>, prefix: &str) -> Option<Datum> {
    let mut object = BTreeMap::new();
    for (path, value) in metadata.iter().filter(|(_, value)| **value != Datum::Null) {
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        match rest.split_once('.') {
            None => drop(object.insert(rest.to_owned(), value.clone())),
            Some((key, _)) => {
                let inside = nested(metadata, &format!("{prefix}{key}."));
                object.insert(key.to_owned(), inside.unwrap_or(Datum::Null));
            }
        }
    }
    (!object.is_empty()).then_some(Datum::Object(object))
}

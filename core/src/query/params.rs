//! Bind parameters: the values that `?` and `:name` stand for.
//!
//! A value takes the parameter's place while the statement is parsed, so it needs no quoting and can never become
//! syntax. Names of collections and fields cannot be parameters.

use crate::{
    gather::Gather as _,
    json,
    order::Map,
    schema::{Object, Value},
    time::parse_time,
};

/// What one parameter stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// Null, a boolean, a number, a text, a time; or a list of them, for IN and CONTAINS.
    Value(Value),
    /// A query vector.
    Vector(Vec<f32>),
}

impl Param {
    /// One parameter written as JSON, as in [`Params::from_json`].
    ///
    /// # Errors
    /// What is wrong with the text, in words that go on from "the parameter".
    pub fn from_json(text: &str) -> Result<Self, String> {
        Self::from_value(json::parse(text).map_err(|error| format!("is no JSON: {error}"))?)
    }

    /// The same of a text that was read already.
    ///
    /// # Errors
    /// What is wrong, in words that go on from "the parameter".
    pub fn from_value(value: Value) -> Result<Self, String> {
        param(value)
    }
}

impl From<Value> for Param {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// The parameters of one statement. Every `?` takes the next of the positional ones, every `:name` the one of that
/// name; one that no place takes is an error.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params {
    /// For `?`, in the order of the statement.
    pub positional: Vec<Param>,
    /// For `:name`, by name without the colon.
    pub(super) named: Map<String, Param>,
}

impl Params {
    /// No parameters.
    pub fn none() -> Self {
        Self::default()
    }

    /// With one more value for `?`.
    pub fn push(mut self, param: impl Into<Param>) -> Self {
        self.positional.push(param.into());
        self
    }

    /// With a value for `:name`; the last one of a name counts.
    pub fn set(mut self, name: impl Into<String>, param: impl Into<Param>) -> Self {
        self.insert(name, param);
        self
    }

    /// Gives `:name` a value; the last one of a name counts.
    pub fn insert(&mut self, name: impl Into<String>, param: impl Into<Param>) {
        *self.named.get_or_insert(name.into(), Param::Value(Value::Null)) = param.into();
    }

    /// Parameters written as JSON: an array for `?`, an object for `:name`.
    ///
    /// A value is null, a boolean, a number (an integer if it has neither point nor exponent), a text or an array;
    /// `{"time": "2024-05-01T12:00:00Z"}` is a time, `{"int": "9007199254740993"}` an integer that a JavaScript number cannot
    /// hold, `{"vector": [0.5, 1]}` a query vector. Times and such integers may stand in arrays too.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn from_json(text: &str) -> Result<Self, String> {
        Self::from_value(json::parse(text).map_err(|error| error.to_string())?)
    }

    /// The same of a text that was read already.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn from_value(value: Value) -> Result<Self, String> {
        let mut params = Self::default();
        match value {
            Value::Null => {}
            Value::List(items) => {
                for (place, item) in (1..).zip(items) {
                    params
                        .positional
                        .push(param(item).map_err(|reason| format!("parameter {place} {reason}"))?);
                }
            }
            Value::Object(entries) => {
                for (name, item) in entries {
                    let param = param(item).map_err(|reason| format!("parameter :{name} {reason}"))?;
                    params.insert(name, param);
                }
            }
            _ => return Err("parameters are an array or an object".into()),
        }
        Ok(params)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty() && self.named.is_empty()
    }
}

/// A value of JSON as a parameter; else what is wrong with it.
fn param(value: Value) -> Result<Param, String> {
    match value {
        Value::Object(entries) => tagged(entries),
        Value::List(items) => {
            Ok(Param::Value(Value::List(items.into_iter().map(member).gather::<Result<_, _>>()?)))
        }
        plain => Ok(Param::Value(plain)),
    }
}

/// A value of a list.
fn member(value: Value) -> Result<Value, String> {
    const NESTED: &str = "is a list of lists or objects; a list holds plain values, times and integers";
    match value {
        Value::List(_) => Err(String::from(NESTED)),
        Value::Object(entries) => match tagged(entries)? {
            Param::Value(plain) => Ok(plain),
            Param::Vector(_) => Err(String::from(NESTED)),
        },
        plain => Ok(plain),
    }
}

/// `{"time": ..}`, `{"int": ..}`, `{"vector": [..]}`.
fn tagged(entries: Object) -> Result<Param, String> {
    let mut entries = entries.into_iter();
    let (Some((tag, value)), None) = (entries.next(), entries.next()) else {
        return Err(String::from(UNKNOWN_TAG));
    };
    match (tag.as_str(), value) {
        ("time", Value::Text(text)) => {
            let micros = parse_time(&text).ok_or("is no ISO 8601 date or time")?;
            Ok(Param::Value(Value::Time(micros)))
        }
        ("int", Value::Text(text)) => {
            let number = text.parse().map_err(|_| "is no integer of 64 bits")?;
            Ok(Param::Value(Value::Int(number)))
        }
        ("vector", Value::List(items)) => vector(&items).map(Param::Vector),
        _ => Err(String::from(UNKNOWN_TAG)),
    }
}

const UNKNOWN_TAG: &str =
    "is an object; write {\"time\": \"ISO 8601\"}, {\"int\": \"digits\"} or {\"vector\": [numbers]}";

/// The numbers of a list as a vector.
pub(super) fn vector(items: &[Value]) -> Result<Vec<f32>, String> {
    let number = |item: &Value| match item {
        Value::Int(number) => Some(*number as f32),
        Value::Float(number) => Some(*number as f32).filter(|number| number.is_finite()),
        _ => None,
    };
    let numbers: Option<Vec<f32>> = items.iter().map(number).gather();
    numbers
        .filter(|numbers| !numbers.is_empty())
        .ok_or_else(|| "is no list of numbers that fit 32 bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_from_json_with_their_types() {
        let text = r#"[null, true, 3, 3.0, "x", ["a", 1], {"time": "1970-01-01T00:00:01Z"}, {"int": "9007199254740993"},
            {"vector": [1, 0.5]}, [{"time": "1970-01-01"}, {"int": "-1"}]]"#;
        let expected = [
            Value::Null,
            Value::Bool(true),
            Value::Int(3),
            Value::Float(3.0),
            Value::Text("x".into()),
            Value::List(vec![Value::Text("a".into()), Value::Int(1)]),
            Value::Time(1_000_000),
            Value::Int((1 << 53) + 1),
        ];
        let params = Params::from_json(text).unwrap();
        assert_eq!(params.positional[..8], expected.map(Param::Value));
        assert_eq!(params.positional[8], Param::Vector(vec![1.0, 0.5]));
        assert_eq!(params.positional[9], Param::Value(Value::List(vec![Value::Time(0), Value::Int(-1)])));
        assert_eq!(Params::from_json(r#"{"a": 1}"#).unwrap(), Params::none().set("a", Value::Int(1)));
        assert_eq!(Params::from_json("null").unwrap(), Params::none());
    }

    #[test]
    fn one_parameter_is_read_from_json() {
        assert_eq!(Param::from_json(" [1] "), Ok(Param::Value(Value::List(vec![Value::Int(1)]))));
        assert!(Param::from_json("1, 2").unwrap_err().starts_with("is no JSON"));
        assert!(Param::from_json(r#"{"day": 1}"#).unwrap_err().starts_with("is an object"));
    }

    #[test]
    fn what_is_no_parameter_is_named() {
        for (text, part) in [
            ("3", "an array or an object"),
            ("[", ""),
            ("[[[1]]]", "parameter 1 is a list of lists"),
            (r#"[[{"vector": [1]}]]"#, "parameter 1 is a list of lists"),
            (r#"[[{"day": 1}]]"#, "parameter 1 is an object"),
            (r#"{"a": {"day": "x"}}"#, "parameter :a is an object"),
            (r#"[1, {"time": "noon"}]"#, "parameter 2 is no ISO"),
            (r#"[{"int": "1.5"}]"#, "no integer"),
            (r#"[{"vector": []}]"#, "no list of numbers"),
            (r#"[{"vector": [1e300]}]"#, "no list of numbers"),
        ] {
            let error = Params::from_json(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}

//! JSON that holds what plans hold: integers of any size and infinities, which `serde_json` cannot.

use std::fmt;

use serde_json::Value as Json;

use super::{Integer, Value};

/// A JSON document. Its text ([`Display`](fmt::Display)) is exact; infinities are written `1e999`, which is valid
/// JSON and larger than any float.
#[derive(Debug, Clone, PartialEq)]
pub enum ExactJson {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Integer(Integer),
    /// Any other number, or an infinity.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<ExactJson>),
    /// An object: its entries in order, with distinct keys.
    Object(Vec<(String, ExactJson)>),
}

impl ExactJson {
    /// `{key: value}`.
    pub fn entry(key: &str, value: ExactJson) -> ExactJson {
        ExactJson::Object(vec![(String::from(key), value)])
    }

    /// An object of these entries, whose keys are distinct.
    pub(super) fn object<const N: usize>(entries: [(&str, ExactJson); N]) -> ExactJson {
        ExactJson::Object(entries.into_iter().map(|(key, value)| (String::from(key), value)).collect())
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> ExactJson {
        ExactJson::Text(text.into())
    }

    /// The same document for `serde_json`. An integer beyond 64 bits becomes the nearest float, an infinity null.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(bool) => Json::from(*bool),
            Self::Integer(integer) => {
                integer.to_i64().map_or_else(|| Json::from(integer.to_f64()), Json::from)
            }
            Self::Float(float) => Json::from(*float),
            Self::Text(text) => Json::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect()
            }
        }
    }
}

impl<T: Into<ExactJson>> From<Option<T>> for ExactJson {
    fn from(value: Option<T>) -> Self {
        value.map_or(ExactJson::Null, Into::into)
    }
}

impl From<&Value> for ExactJson {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => ExactJson::Null,
            Value::Bool(bool) => ExactJson::Bool(*bool),
            Value::Integer(integer) => ExactJson::Integer(integer.clone()),
            Value::Float(float) => ExactJson::Float(*float),
            Value::Text(text) => ExactJson::Text(text.clone()),
        }
    }
}

impl From<&Integer> for ExactJson {
    fn from(integer: &Integer) -> Self {
        ExactJson::Integer(integer.clone())
    }
}

impl From<f64> for ExactJson {
    fn from(float: f64) -> Self {
        ExactJson::Float(float)
    }
}

impl From<&str> for ExactJson {
    fn from(text: &str) -> Self {
        ExactJson::Text(String::from(text))
    }
}

impl fmt::Display for ExactJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Float(float) if float.is_infinite() => {
                f.write_str(if *float > 0.0 { "1e999" } else { "-1e999" })
            }
            Self::List(items) => write_all(f, ["[", "]"], items, |f, item| write!(f, "{item}")),
            Self::Object(entries) => write_all(f, ["{", "}"], entries, |f, (key, value)| {
                write!(f, "{}:{value}", Json::from(key.as_str()))
            }),
            plain => write!(f, "{}", plain.to_json()),
        }
    }
}

/// Writes `items` with commas between and `ends` around.
fn write_all<T>(
    f: &mut fmt::Formatter<'_>,
    ends: [&str; 2],
    items: &[T],
    write_item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str(ends[0])?;
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(",")?;
        }
        write_item(f, item)?;
    }
    f.write_str(ends[1])
}

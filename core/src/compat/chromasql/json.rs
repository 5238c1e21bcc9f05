//! JSON that holds what plans hold: integers of any size and infinities, which `serde_json` cannot.

use std::fmt;

use serde_json::Value as Json;

use super::{Integer, Value};

/// A JSON document. Its text ([`Display`](fmt::Display)) is exact; infinities are written `1e999`, which is valid
/// JSON and larger than any float.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
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
    List(Vec<Tree>),
    /// An object: its entries in order, with distinct keys.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// `{key: value}`.
    pub fn entry(key: &str, value: Tree) -> Tree {
        Tree::Object(vec![(String::from(key), value)])
    }

    /// An object of these entries, whose keys are distinct.
    pub(super) fn object<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
        Tree::Object(entries.into_iter().map(|(key, value)| (String::from(key), value)).collect())
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Tree {
        Tree::Text(text.into())
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

impl<T: Into<Tree>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Self {
        value.map_or(Tree::Null, Into::into)
    }
}

impl From<&Value> for Tree {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Tree::Null,
            Value::Bool(bool) => Tree::Bool(*bool),
            Value::Integer(integer) => Tree::Integer(integer.clone()),
            Value::Float(float) => Tree::Float(*float),
            Value::Text(text) => Tree::Text(text.clone()),
        }
    }
}

impl From<&Integer> for Tree {
    fn from(integer: &Integer) -> Self {
        Tree::Integer(integer.clone())
    }
}

impl From<f64> for Tree {
    fn from(float: f64) -> Self {
        Tree::Float(float)
    }
}

impl From<&str> for Tree {
    fn from(text: &str) -> Self {
        Tree::Text(String::from(text))
    }
}

impl fmt::Display for Tree {
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

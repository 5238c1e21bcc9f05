//! Values, field types and records: what a collection holds, as every part of the crate sees it.
//!
//! These are plain data. How they are stored is `snapshot`'s matter (or Lance's), how they compare is `filter`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use crate::order::Map;
use crate::{gather::Gather as _, json::Tree, metric::Metric, time::format_time};

/// The entries of an object, by key: few enough for a sorted list.
pub type Object = Map<String, Value>;

/// One typed metadata value, a literal of a statement, or a cell of a result.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Missing or unknown.
    #[default]
    Null,
    /// True or false. Not a number.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A finite double.
    Float(f64),
    /// Text.
    Text(String),
    /// A point in time: microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// A list of values.
    List(Vec<Value>),
    /// A nested object, by key.
    Object(Object),
}

/// The declared type of a metadata field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// [`Value::Bool`]
    Bool,
    /// [`Value::Int`]
    Int,
    /// [`Value::Float`]; integers are accepted and widened.
    Float,
    /// [`Value::Text`]
    Text,
    /// [`Value::Time`]; written in JSON as ISO 8601 text.
    Time,
    /// [`Value::List`] of one type.
    List(Box<FieldType>),
    /// Any value, kept as it was written: shown, but neither filtered nor sorted.
    Json,
}

/// A metadata field: its dotted path (`author.name`) and its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The dotted path inside `metadata`.
    pub path: String,
    /// The type of its values; every value may also be null.
    #[serde(rename = "type")]
    pub kind: FieldType,
}

/// What produced a collection's vectors: vectors of different fingerprints are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmbedderId {
    /// A name for people.
    pub name: String,
    /// The hexadecimal blake3 of everything that changes the embedder's output.
    pub fingerprint: String,
    /// The length of its vectors.
    pub dimension: u32,
}

/// What all records of a collection share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The collection's name.
    pub collection: String,
    /// The length of its vectors.
    pub dimension: u32,
    /// How its vectors are compared.
    pub metric: Metric,
    /// What made its vectors; `None` when they were imported.
    pub embedder: Option<EmbedderId>,
    /// The metadata fields, sorted by path.
    pub fields: Vec<Field>,
}

/// One record on its way into a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Unique within its collection.
    pub id: String,
    /// The text, if any.
    pub document: Option<String>,
    /// Values by dotted path; a missing key is null.
    pub metadata: BTreeMap<String, Value>,
    /// The vector, of the collection's dimension.
    pub vector: Vec<f32>,
}

impl Value {
    /// The value as JSON. A time becomes ISO 8601 text; numbers are finite by construction.
    pub fn to_json(&self) -> Json {
        self.to_tree()
    }

    /// The same as [`to_json`](Self::to_json) in another form.
    pub fn to_tree<T: Tree>(&self) -> T {
        match self {
            Self::Null => T::null(),
            Self::Bool(v) => T::bool(*v),
            Self::Int(v) => T::int(*v),
            Self::Float(v) => T::float(*v),
            Self::Text(v) => T::text(v),
            Self::Time(v) => T::text(&format_time(*v)),
            Self::List(items) => T::list(items.iter().map(Self::to_tree).gather()),
            Self::Object(entries) => {
                T::object(entries.iter().map(|(key, value)| (key.as_str(), value.to_tree())).gather())
            }
        }
    }
}

impl Value {
    /// The value of a JSON text. Whole numbers that fit become integers.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(v) => Self::Bool(*v),
            Json::Number(number) => match number.as_i64() {
                Some(v) => Self::Int(v),
                None => number.as_f64().map_or(Self::Null, Self::Float),
            },
            Json::String(v) => Self::Text(v.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => Self::Object(
                entries.iter().map(|(key, value)| (key.clone(), Self::from_json(value))).collect(),
            ),
        }
    }
}

/// Whether a dotted path is `above`, or leads into it: `author.name` into `author`.
pub(crate) fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Metadata by dotted path as one nested JSON object: `author.name` becomes `{"author": {"name": ..}}`. Nulls are
/// left out. Where a path is also the prefix of another, the longer path is kept under the prefix's object.
pub fn metadata_json(metadata: &BTreeMap<String, Value>) -> Json {
    let mut root = serde_json::Map::new();
    for (path, value) in metadata.iter().filter(|(_, value)| **value != Value::Null) {
        put(&mut root, path, value.to_json());
    }
    Json::Object(root)
}

fn put(object: &mut serde_json::Map<String, Json>, path: &str, value: Json) {
    let Some((first, rest)) = path.split_once('.') else {
        object.insert(path.into(), value);
        return;
    };
    let child = object.entry(first).or_insert(Json::Null);
    if !child.is_object() {
        *child = Json::Object(Default::default());
    }
    if let Json::Object(child) = child {
        put(child, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_nest() {
        let metadata = BTreeMap::from([
            ("author.name".to_owned(), Value::Text("Ada".into())),
            ("author.born".to_owned(), Value::Int(1815)),
            ("tags".to_owned(), Value::List(vec![Value::Bool(true), Value::Null])),
            ("gone".to_owned(), Value::Null),
        ]);
        let expected = serde_json::json!({"author": {"name": "Ada", "born": 1815}, "tags": [true, null]});
        assert_eq!(metadata_json(&metadata), expected);
    }
}

//! Values, field types and records: what a collection holds, as every part of the crate sees it.
//!
//! These are plain data. How they are stored is `snapshot`'s matter (or Lance's), how they compare is `filter`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metric::Metric;

/// One typed metadata value, a literal of a statement, or a cell of a result.
#[derive(Debug, Clone, PartialEq, bincode::Encode, bincode::Decode)]
pub enum Value {
    /// Missing or unknown.
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
    Object(BTreeMap<String, Value>),
}

/// The declared type of a metadata field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, bincode::Encode, bincode::Decode)]
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
}

/// A metadata field: its dotted path (`author.name`) and its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, bincode::Encode, bincode::Decode)]
pub struct Field {
    /// The dotted path inside `metadata`.
    pub path: String,
    /// The type of its values; every value may also be null.
    #[serde(rename = "type")]
    pub kind: FieldType,
}

/// What produced a collection's vectors: vectors of different fingerprints are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, bincode::Encode, bincode::Decode)]
pub struct EmbedderId {
    /// A name for people.
    pub name: String,
    /// The hexadecimal blake3 of everything that changes the embedder's output.
    pub fingerprint: String,
    /// The length of its vectors.
    pub dimension: u32,
}

/// What all records of a collection share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, bincode::Encode, bincode::Decode)]
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

//! What is known of a collection without reading its rows: enough to leave it out, or to guess how many rows pass.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::sketch::Sketch;
use crate::{gather::Gather as _, query::Column, schema::Value, time::format_time};

/// What is known of one field over all rows of a collection.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FieldStats {
    /// The dotted path inside `metadata`; `id` for [`CollectionStats::id`].
    pub path: String,
    /// How many rows have no value.
    pub nulls: u64,
    /// A lower bound of all values: no value is smaller. `None`: not known.
    #[serde(serialize_with = "write_value")]
    pub min: Option<Value>,
    /// An upper bound of all values: no value is larger. `None`: not known.
    #[serde(serialize_with = "write_value")]
    pub max: Option<Value>,
    /// Every value that occurs, if they are few. `None`: not known.
    #[serde(serialize_with = "write_values")]
    pub distinct: Option<Vec<Value>>,
    /// Whether bounds, values and sketch are those of the items of lists. Nulls are always those of whole rows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub items: bool,
    /// A set that every value is in. `None`: not known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_sketch")]
    pub sketch: Option<Sketch>,
}

/// What is known of a collection. A metadata field that `fields` does not list has no value in any row: leave a
/// field out only if that is so.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CollectionStats {
    /// How many rows.
    pub rows: u64,
    /// The ids; `None`: not known.
    pub id: Option<FieldStats>,
    /// The metadata fields.
    pub fields: Vec<FieldStats>,
}

/// What is known of one column.
pub(super) enum Known<'a> {
    /// Nothing.
    Nothing,
    /// It has no value in any row.
    AllNull,
    /// This.
    Stats(&'a FieldStats),
}

impl CollectionStats {
    pub(super) fn of(&self, column: &Column) -> Known<'_> {
        let stats = match column {
            Column::Metadata(path) => match self.fields.iter().find(|field| field.path == *path) {
                None => return Known::AllNull,
                found => found,
            },
            Column::Id => self.id.as_ref(),
            _ => None,
        };
        match stats {
            None => Known::Nothing,
            Some(stats) if stats.nulls >= self.rows => Known::AllNull,
            Some(stats) => Known::Stats(stats),
        }
    }
}

// `release` reads these back. JSON has no time, so it is written as {"time": "2024-05-01T00:00:00Z"}. A float is
// written as {"float": "0.5"}: JSON readers may miss a number's last bit, and a bound that is off by one bit hides the
// row it was taken from.

fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => serde_json::json!({ "float": value.to_string() }),
        Value::Text(value) => Json::from(value.as_str()),
        Value::Time(micros) => serde_json::json!({ "time": format_time(*micros) }),
        Value::Null | Value::List(_) | Value::Object(_) => return None,
    })
}

const NO_SCALAR: &str =
    "statistics hold booleans, integers, texts, {\"float\": \"0.5\"} and {\"time\": \"ISO 8601\"} only";

fn write_value<S: Serializer>(value: &Option<Value>, out: S) -> Result<S::Ok, S::Error> {
    let json = value.as_ref().map(|value| to_json(value).ok_or_else(|| serde::ser::Error::custom(NO_SCALAR)));
    json.transpose()?.serialize(out)
}

fn write_sketch<S: Serializer>(sketch: &Option<Sketch>, out: S) -> Result<S::Ok, S::Error> {
    sketch.as_ref().map(Sketch::to_base64).serialize(out)
}

fn write_values<S: Serializer>(values: &Option<Vec<Value>>, out: S) -> Result<S::Ok, S::Error> {
    let json = values.as_ref().map(|values| {
        values
            .iter()
            .map(to_json)
            .gather::<Option<Vec<Json>>>()
            .ok_or_else(|| serde::ser::Error::custom(NO_SCALAR))
    });
    json.transpose()?.serialize(out)
}

//! What is known of a collection without reading its rows: enough to leave it out, or to guess how many rows pass.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::time::{format_time, parse_time};
use crate::{query::Column, schema::Value};

/// What is known of one field over all rows of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldStats {
    /// The dotted path inside `metadata`; `id` for [`CollectionStats::id`].
    pub path: String,
    /// How many rows have no value.
    pub nulls: u64,
    /// A lower bound of all values: no value is smaller. `None`: not known.
    #[serde(default, serialize_with = "write_value", deserialize_with = "read_value")]
    pub min: Option<Value>,
    /// An upper bound of all values: no value is larger. `None`: not known.
    #[serde(default, serialize_with = "write_value", deserialize_with = "read_value")]
    pub max: Option<Value>,
    /// Every value that occurs, if they are few. `None`: not known.
    #[serde(default, serialize_with = "write_values", deserialize_with = "read_values")]
    pub distinct: Option<Vec<Value>>,
}

/// What is known of a collection. A metadata field that `fields` does not list has no value in any row: leave a
/// field out only if that is so.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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

// JSON has no time, so it is written as {"time": "2024-05-01T00:00:00Z"}. A float is written as {"float": "0.5"}: JSON
// readers may miss a number's last bit, and a bound that is off by one bit hides the row it was taken from.

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

fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(fields) => match (fields.get("time"), fields.get("float")) {
            (Some(time), _) => Value::Time(parse_time(time.as_str()?)?),
            (_, Some(float)) => Value::Float(float.as_str()?.parse().ok()?),
            _ => return None,
        },
        Json::Null | Json::Array(_) => return None,
    })
}

const NO_SCALAR: &str =
    "statistics hold booleans, integers, texts, {\"float\": \"0.5\"} and {\"time\": \"ISO 8601\"} only";

fn write_value<S: Serializer>(value: &Option<Value>, out: S) -> Result<S::Ok, S::Error> {
    let json = value.as_ref().map(|value| to_json(value).ok_or_else(|| serde::ser::Error::custom(NO_SCALAR)));
    json.transpose()?.serialize(out)
}

fn write_values<S: Serializer>(values: &Option<Vec<Value>>, out: S) -> Result<S::Ok, S::Error> {
    let json = values.as_ref().map(|values| {
        values
            .iter()
            .map(to_json)
            .collect::<Option<Vec<Json>>>()
            .ok_or_else(|| serde::ser::Error::custom(NO_SCALAR))
    });
    json.transpose()?.serialize(out)
}

fn read_value<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    let json = Option::<Json>::deserialize(input)?;
    json.map(|json| from_json(&json).ok_or_else(|| serde::de::Error::custom(NO_SCALAR))).transpose()
}

fn read_values<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<Value>>, D::Error> {
    let json = Option::<Vec<Json>>::deserialize(input)?;
    json.map(|json| {
        json.iter()
            .map(from_json)
            .collect::<Option<Vec<Value>>>()
            .ok_or_else(|| serde::de::Error::custom(NO_SCALAR))
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_come_back_from_json_with_their_types() {
        let stats = FieldStats {
            path: String::from("when"),
            nulls: 3,
            min: Some(Value::Time(-1)),
            max: None,
            distinct: Some(vec![
                Value::Int(2),
                Value::Float(2.0),
                Value::Text(String::from("2")),
                Value::Bool(true),
                Value::Int(i64::MIN),
                Value::Float(1e300),
            ]),
        };
        let json = serde_json::to_string(&stats).unwrap();
        assert_eq!(serde_json::from_str::<FieldStats>(&json).unwrap(), stats, "{json}");
        let mut noise = 1_u64;
        for _ in 0..10_000 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(noise >> 12 | 0x3fe0_0000_0000_0000);
            let bound = FieldStats { min: Some(Value::Float(value)), ..stats.clone() };
            let json = serde_json::to_string(&bound).unwrap();
            assert_eq!(serde_json::from_str::<FieldStats>(&json).unwrap(), bound, "{json}");
        }
        assert!(serde_json::from_str::<FieldStats>(r#"{"path":"a","nulls":0,"min":[1]}"#).is_err());
    }
}

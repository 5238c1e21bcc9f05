//! The JSON beside a golden file: what it must hold, and how it was written.

use std::{fs, path::Path};

use portolan::{
    metric::{Encoding, Metric},
    schema::{Field, FieldType, Value},
    time::parse_time,
};
use serde_json::Value as Json;

use crate::doors::setting::Failure;

/// What one file must hold.
pub struct Source {
    /// The name of the file.
    pub file: String,
    /// How its vectors are compared.
    pub metric: Metric,
    /// How its vectors are stored.
    pub encoding: Encoding,
    /// The length of its vectors.
    pub dimension: u32,
    /// Whether the embedder of the folder made its vectors.
    pub embedded: bool,
    /// Whether rows stand in two clusters, and the bits of extended codes; `None` without clusters.
    pub clusters: Option<(bool, u8)>,
    /// Its collections, in their order.
    pub collections: Vec<Content>,
}

/// What one collection must hold.
pub struct Content {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its records, in no order: `id`, `document`, `metadata` by dotted path, `vector`.
    pub records: Vec<Json>,
}

/// Reads all of a folder, by name.
pub fn all(folder: &Path) -> Result<Vec<Source>, Failure> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == "json") && !path.ends_with("release.json"));
    paths.sort();
    paths.iter().map(|path| read(path).map_err(|e| format!("{}: {e}", path.display()).into())).collect()
}

fn read(path: &Path) -> Result<Source, Failure> {
    let json: Json = serde_json::from_str(&fs::read_to_string(path)?)?;
    let name = path.file_stem().ok_or("no name")?.to_string_lossy();
    let soft =
        |clusters: &Json| Some((clusters["soft"].as_bool()?, clusters["extended_bits"].as_u64()? as u8));
    Ok(Source {
        file: format!("{name}.portolan"),
        metric: serde_json::from_value(json["metric"].clone())?,
        encoding: encoding(json["encoding"].as_str().unwrap_or_default())?,
        dimension: serde_json::from_value(json["dimension"].clone())?,
        embedded: json["embedder"].is_string(),
        clusters: soft(&json["clusters"]),
        collections: json["collections"]
            .as_array()
            .into_iter()
            .flatten()
            .map(content)
            .collect::<Result<_, _>>()?,
    })
}

fn content(json: &Json) -> Result<Content, Failure> {
    Ok(Content {
        name: serde_json::from_value(json["name"].clone())?,
        fields: serde_json::from_value(json["fields"].clone())?,
        records: serde_json::from_value(json["records"].clone())?,
    })
}

fn encoding(name: &str) -> Result<Encoding, Failure> {
    match name {
        "f32" => Ok(Encoding::F32),
        "f16" => Ok(Encoding::F16),
        "i8" => Ok(Encoding::I8),
        "none" => Ok(Encoding::None),
        _ => Err(format!("no encoding {name:?}").into()),
    }
}

/// A value of a field of that type.
pub fn value(kind: &FieldType, json: &Json) -> Result<Value, Failure> {
    Ok(match (kind, json) {
        (FieldType::Time, Json::String(text)) => Value::Time(parse_time(text).ok_or("no time")?),
        (FieldType::List(kind), Json::Array(items)) => {
            Value::List(items.iter().map(|item| value(kind, item)).collect::<Result<_, _>>()?)
        }
        _ => Value::from_json(json),
    })
}

/// The vector of a record, if it says it.
pub fn vector(record: &Json) -> Option<Vec<f32>> {
    let numbers = record["vector"].as_array()?;
    numbers.iter().map(|x| Some(x.as_f64()? as f32)).collect()
}

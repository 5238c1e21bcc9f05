//! A [`ReleaseIndex`] as `release.json`: a line for each file and collection, nothing said twice.

use serde_json::{Value as Json, json};

use super::{CollectionEntry, EmbedderEntry, Place, ReleaseFile, ReleaseIndex, SnapshotEntry};
use crate::{
    filter::{CollectionStats, FieldStats},
    metric::{Encoding, Metric},
    schema::{EmbedderId, Field, FieldType, Schema, Value},
    time::format_time,
};

/// The text of a description.
pub fn index(index: &ReleaseIndex) -> String {
    let schemas: Vec<(&Schema, Vec<Field>)> =
        (0..index.snapshots.len()).filter_map(|place| shared(index, place)).collect();
    let mut distinct: Vec<Json> = Vec::new();
    let mut numbers = Vec::with_capacity(schemas.len());
    for (first, fields) in &schemas {
        let json = schema(first, fields);
        let known = distinct.iter().position(|known| *known == json);
        numbers.push(known.unwrap_or(distinct.len()));
        distinct.extend(known.is_none().then_some(json));
    }
    let files = index.snapshots.iter().zip(&numbers).map(|(entry, number)| snapshot(entry, *number));
    let of = |entry: &CollectionEntry| schemas.get(entry.snapshot).map_or(&[][..], |(_, fields)| fields);
    let collections = index.collections.iter().map(|entry| collection(entry, of(entry)));
    let parts = [
        ("layout", json!(index.layout).to_string()),
        ("id", json!(index.id).to_string()),
        ("heads", file(&index.heads).to_string()),
        ("schemas", lines(distinct)),
        ("files", lines(files)),
        ("collections", lines(collections)),
        ("embedders", lines(index.embedders.iter().map(embedder))),
    ];
    let parts: Vec<String> = parts.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}

/// A list with a line for each item.
fn lines(items: impl IntoIterator<Item = Json>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("\n{item}")).collect();
    format!("[{}]", items.join(","))
}

/// What the collections of a file share, and the fields of all of them.
fn shared(index: &ReleaseIndex, place: usize) -> Option<(&Schema, Vec<Field>)> {
    let mut own = index.collections.iter().filter(|entry| entry.snapshot == place);
    let first = &own.next()?.schema;
    let mut fields = first.fields.clone();
    for field in own.flat_map(|entry| &entry.schema.fields) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    Some((first, fields))
}

fn schema(first: &Schema, fields: &[Field]) -> Json {
    let metric = match first.metric {
        Metric::Cosine => "cosine",
        Metric::InnerProduct => "inner_product",
        Metric::L2 => "l2",
    };
    let field = |field: &Field| json!([field.path, type_name(&field.kind)]);
    json!({
        "dimension": first.dimension,
        "metric": metric,
        "embedder": first.embedder.as_ref().map(embedder_id),
        "fields": fields.iter().map(field).collect::<Vec<Json>>(),
    })
}

fn type_name(kind: &FieldType) -> String {
    let name = match kind {
        FieldType::Bool => "bool",
        FieldType::Int => "int",
        FieldType::Float => "float",
        FieldType::Text => "text",
        FieldType::Time => "time",
        FieldType::Json => "json",
        FieldType::List(item) => return type_name(item) + "[]",
    };
    name.into()
}

fn snapshot(entry: &SnapshotEntry, schema: usize) -> Json {
    let mut json = file(&entry.file);
    json["head"] = place(entry.head);
    if !entry.eager.is_empty() {
        json["eager"] = entry.eager.iter().copied().map(place).collect();
    }
    let vectors = match entry.encoding {
        Encoding::F32 => "f32",
        Encoding::F16 => "f16",
        Encoding::I8 => "i8",
        Encoding::None => "none",
    };
    json["vectors"] = vectors.into();
    if let Some(clusters) = entry.clusters {
        json["clusters"] = json!([clusters.count, clusters.soft, clusters.extended_bits]);
    }
    json["schema"] = schema.into();
    json
}

fn collection(entry: &CollectionEntry, of_file: &[Field]) -> Json {
    let CollectionStats { rows, id, fields } = &entry.statistics;
    let number = |field: &Field| of_file.iter().position(|known| known == field);
    let numbers: Vec<usize> = entry.schema.fields.iter().filter_map(number).collect();
    let mut json = json!({ "name": entry.schema.collection, "file": entry.snapshot });
    if let Some(members) = entry.members {
        json["members"] = place(members);
    }
    if !numbers.iter().copied().eq(0..of_file.len()) {
        json["fields"] = json!(numbers);
    }
    json["rows"] = json!(rows);
    if let Some(id) = id {
        json["id"] = json!([id.min.as_ref().map(scalar), id.max.as_ref().map(scalar)]);
    }
    json["statistics"] = fields.iter().map(statistics).collect();
    json
}

/// Bounds are left out where all values are told.
fn statistics(stats: &FieldStats) -> Json {
    let mut json = json!({});
    if stats.nulls > 0 {
        json["nulls"] = stats.nulls.into();
    }
    match &stats.distinct {
        Some(values) => json["values"] = values.iter().map(scalar).collect(),
        None => {
            for (key, bound) in [("min", &stats.min), ("max", &stats.max)] {
                if let Some(bound) = bound {
                    json[key] = scalar(bound);
                }
            }
        }
    }
    if stats.items {
        json["items"] = true.into();
    }
    if let Some(sketch) = &stats.sketch {
        json["sketch"] = sketch.to_base64().into();
    }
    json
}

/// JSON has no time, so it is written as {"time": "2024-05-01T00:00:00Z"}. A float is written as {"float": "0.5"}: JSON
/// readers may miss a number's last bit, and a bound that is off by one bit hides the row it was taken from.
fn scalar(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => json!({ "float": value.to_string() }),
        Value::Text(value) => Json::from(value.as_str()),
        Value::Time(micros) => json!({ "time": format_time(*micros) }),
        // Statistics hold scalars only.
        Value::Null | Value::List(_) | Value::Object(_) => Json::Null,
    }
}

fn embedder(entry: &EmbedderEntry) -> Json {
    let mut json = file(&entry.file);
    json["head"] = place(entry.head);
    json["vocabulary"] = place(entry.vocabulary);
    json["id"] = embedder_id(&entry.id);
    json
}

fn embedder_id(id: &EmbedderId) -> Json {
    json!({ "name": id.name, "fingerprint": id.fingerprint, "dimension": id.dimension })
}

fn file(file: &ReleaseFile) -> Json {
    json!({ "name": file.name, "bytes": file.bytes, "blake3": file.blake3 })
}

fn place(place: Place) -> Json {
    json!([place.offset, place.bytes])
}

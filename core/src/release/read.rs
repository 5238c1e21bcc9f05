//! `release.json` to a [`ReleaseIndex`]. Written by hand: derived code for it was an eighth of the wasm module.

use super::{CollectionEntry, EmbedderEntry, Place, ReleaseFile, ReleaseIndex};
use crate::{
    filter::{CollectionStats, FieldStats, Sketch},
    json::Node,
    metric::Metric,
    number::parse_f64,
    schema::{EmbedderId, Field, FieldType, Schema, Value},
    time::parse_time,
};

/// A part of the description, or what is wrong with it.
type Read<T> = Result<T, String>;

/// The whole description. Unknown keys are left to later versions.
pub fn index(node: &Node<'_>) -> Read<ReleaseIndex> {
    Ok(ReleaseIndex {
        layout: number(&node.get("layout")?)?,
        id: text(node, "id")?,
        heads: file(&node.get("heads")?)?,
        collections: all(&node.get("collections")?, collection)?,
        embedders: all(&node.get("embedders")?, embedder)?,
    })
}

fn collection(node: &Node<'_>) -> Read<CollectionEntry> {
    Ok(CollectionEntry {
        file: file(&node.get("file")?)?,
        head: place(&node.get("head")?)?,
        schema: schema(&node.get("schema")?)?,
        statistics: statistics(&node.get("statistics")?)?,
    })
}

fn embedder(node: &Node<'_>) -> Read<EmbedderEntry> {
    Ok(EmbedderEntry {
        file: file(&node.get("file")?)?,
        head: place(&node.get("head")?)?,
        vocabulary: place(&node.get("vocabulary")?)?,
        id: embedder_id(&node.get("id")?)?,
    })
}

fn file(node: &Node<'_>) -> Read<ReleaseFile> {
    Ok(ReleaseFile { name: text(node, "name")?, bytes: count(node, "bytes")?, blake3: text(node, "blake3")? })
}

fn place(node: &Node<'_>) -> Read<Place> {
    Ok(Place { offset: count(node, "offset")?, bytes: count(node, "bytes")? })
}

fn schema(node: &Node<'_>) -> Read<Schema> {
    Ok(Schema {
        collection: text(node, "collection")?,
        dimension: number(&node.get("dimension")?)?,
        metric: metric(&node.get("metric")?)?,
        embedder: node.get_optional("embedder")?.map(|id| embedder_id(&id)).transpose()?,
        fields: all(&node.get("fields")?, field)?,
    })
}

fn embedder_id(node: &Node<'_>) -> Read<EmbedderId> {
    Ok(EmbedderId {
        name: text(node, "name")?,
        fingerprint: text(node, "fingerprint")?,
        dimension: number(&node.get("dimension")?)?,
    })
}

fn metric(node: &Node<'_>) -> Read<Metric> {
    match node.text()? {
        "cosine" => Ok(Metric::Cosine),
        "inner_product" => Ok(Metric::InnerProduct),
        "l2" => Ok(Metric::L2),
        _ => Err(node.wrong("a metric that this version knows")),
    }
}

fn field(node: &Node<'_>) -> Read<Field> {
    Ok(Field { path: text(node, "path")?, kind: field_type(&node.get("type")?)? })
}

fn field_type(node: &Node<'_>) -> Read<FieldType> {
    if let Value::Object(_) = node.value() {
        return Ok(FieldType::List(Box::new(field_type(&node.get("list")?)?)));
    }
    match node.text()? {
        "bool" => Ok(FieldType::Bool),
        "int" => Ok(FieldType::Int),
        "float" => Ok(FieldType::Float),
        "text" => Ok(FieldType::Text),
        "time" => Ok(FieldType::Time),
        "json" => Ok(FieldType::Json),
        _ => Err(node.wrong("a type that this version knows")),
    }
}

fn statistics(node: &Node<'_>) -> Read<CollectionStats> {
    Ok(CollectionStats {
        rows: count(node, "rows")?,
        id: node.get_optional("id")?.map(|id| field_statistics(&id)).transpose()?,
        fields: all(&node.get("fields")?, field_statistics)?,
    })
}

fn field_statistics(node: &Node<'_>) -> Read<FieldStats> {
    Ok(FieldStats {
        path: text(node, "path")?,
        nulls: count(node, "nulls")?,
        min: node.get_optional("min")?.map(|value| scalar(&value)).transpose()?,
        max: node.get_optional("max")?.map(|value| scalar(&value)).transpose()?,
        distinct: node.get_optional("distinct")?.map(|values| all(&values, scalar)).transpose()?,
        items: node.get_optional("items")?.map(|items| flag(&items)).transpose()?.unwrap_or(false),
        sketch: node.get_optional("sketch")?.map(|sketch| read_sketch(&sketch)).transpose()?,
    })
}

fn flag(node: &Node<'_>) -> Read<bool> {
    match node.value() {
        Value::Bool(value) => Ok(*value),
        _ => Err(node.wrong("true or false")),
    }
}

fn read_sketch(node: &Node<'_>) -> Read<Sketch> {
    Sketch::from_base64(node.text()?).ok_or_else(|| node.wrong("base64 without padding"))
}

/// A value as `filter` writes it into statistics.
fn scalar(node: &Node<'_>) -> Read<Value> {
    let value = node.value();
    let found = match value {
        Value::Bool(_) | Value::Int(_) | Value::Text(_) => Some(value.clone()),
        Value::Object(entries) => match (entries.get("time"), entries.get("float")) {
            (Some(Value::Text(time)), _) => parse_time(time).map(Value::Time),
            (None, Some(Value::Text(float))) => parse_f64(float).map(Value::Float),
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| {
        node.wrong("a boolean, an integer, a text, {\"float\": \"0.5\"} or {\"time\": \"ISO 8601\"}")
    })
}

fn all<T>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Read<T>) -> Read<Vec<T>> {
    let mut out = Vec::new();
    for item in node.items()? {
        out.push(read(&item)?);
    }
    Ok(out)
}

fn text(node: &Node<'_>, key: &str) -> Read<String> {
    Ok(String::from(node.get(key)?.text()?))
}

fn count(node: &Node<'_>, key: &str) -> Read<u64> {
    node.get(key)?.count()
}

fn number(node: &Node<'_>) -> Read<u32> {
    u32::try_from(node.count()?).map_err(|_| node.wrong("a number below 2^32"))
}

//! `release.json` to a [`ReleaseIndex`]. Written by hand: derived code for it was an eighth of the wasm module.
//!
//! Nothing here fails: what is wrong is noted in the walk's [`Fault`](crate::json::Fault), and whoever started it asks.

use super::{
    ClusterSummary, CollectionEntry, EmbedderEntry, Place, ReleaseFile, ReleaseIndex, SnapshotEntry,
};
use crate::{
    filter::{CollectionStats, FieldStats, Sketch},
    gather::Gather as _,
    json::Node,
    metric::{Encoding, Metric},
    number::parse_f64,
    schema::{EmbedderId, Field, FieldType, Schema, Value},
    time::parse_time,
};

/// The whole description. Unknown keys are left to later versions.
pub fn index(node: &Node<'_>) -> ReleaseIndex {
    let schemas = all(&node.get("schemas"), schema);
    let (mut snapshots, mut numbers) = (Vec::new(), Vec::new());
    for item in node.get("files").items() {
        let (entry, number) = snapshot(&item, schemas.len());
        snapshots.push(entry);
        numbers.push(number);
    }
    let mut numbered = vec![0; snapshots.len()];
    let mut collections = Vec::new();
    for item in node.get("collections").items() {
        let place = item.get("file");
        let number = place.count() as usize;
        let of = numbers.get(number).and_then(|number| schemas.get(*number));
        let (Some(of), Some(before), Some(snapshot)) =
            (of, numbered.get_mut(number), snapshots.get_mut(number))
        else {
            place.wrong("the place of a file");
            break;
        };
        let mut entry = collection(&item, of);
        (entry.snapshot, entry.number) = (number, *before);
        *before += 1;
        snapshot.rows = snapshot.rows.saturating_add(entry.statistics.rows);
        collections.push(entry);
    }
    ReleaseIndex {
        layout: number(&node.get("layout")),
        id: text(node, "id"),
        heads: file(&node.get("heads")),
        snapshots,
        collections,
        embedders: all(&node.get("embedders"), embedder),
    }
}

/// A file of collections, and which schema they share.
fn snapshot(node: &Node<'_>, schemas: usize) -> (SnapshotEntry, usize) {
    let encoding = node.get("vectors");
    let encoding = match encoding.text() {
        "f32" => Encoding::F32,
        "f16" => Encoding::F16,
        "i8" => Encoding::I8,
        name => {
            if name != "none" {
                encoding.wrong("an encoding that this version knows");
            }
            Encoding::None
        }
    };
    let eager = node.get_optional("eager").map(|places| all(&places, place));
    let clusters = node.get_optional("clusters").map(|clusters| summary(&clusters));
    let schema = node.get("schema");
    let known = schema.count() as usize;
    let entry = SnapshotEntry {
        file: file(node),
        head: place(&node.get("head")),
        eager: eager.unwrap_or_default(),
        encoding,
        clusters,
        rows: 0,
    };
    if known >= schemas {
        schema.wrong("the place of a schema");
    }
    (entry, known)
}

fn summary(node: &Node<'_>) -> ClusterSummary {
    let mut items = node.items();
    let (Some(count), Some(soft), Some(bits), None) =
        (items.next(), items.next(), items.next(), items.next())
    else {
        node.wrong("a count, a boolean and a number of bits");
        return ClusterSummary { count: 0, soft: false, extended_bits: 0 };
    };
    let extended_bits = u8::try_from(bits.count()).unwrap_or_else(|_| {
        bits.wrong("a number of bits");
        0
    });
    ClusterSummary { count: number(&count), soft: flag(&soft), extended_bits }
}

fn collection(node: &Node<'_>, shared: &Schema) -> CollectionEntry {
    let mut schema = Schema { collection: text(node, "name"), ..shared.clone() };
    if let Some(places) = node.get_optional("fields") {
        schema.fields.clear();
        for place in places.items() {
            match shared.fields.get(place.count() as usize) {
                Some(field) => schema.fields.push(field.clone()),
                None => place.wrong("the place of a field"),
            }
        }
    }
    let said = node.get("statistics");
    let mut fields = all(&said, field_statistics);
    if fields.len() != schema.fields.len() {
        said.wrong("a list of one for each field");
    }
    for (stats, field) in fields.iter_mut().zip(&schema.fields) {
        stats.path.clone_from(&field.path);
    }
    let id = node.get_optional("id").map(|bounds| id_statistics(&bounds));
    let members = node.get_optional("members").map(|members| place(&members));
    let statistics = CollectionStats { rows: count(node, "rows"), id, fields };
    CollectionEntry { snapshot: 0, number: 0, members, schema, statistics }
}

fn id_statistics(node: &Node<'_>) -> FieldStats {
    let bound = |node: Node<'_>| (*node.value() != Value::Null).then(|| scalar(&node));
    let (min, max) = match two(node, "the least and the greatest id") {
        Some([min, max]) => (bound(min), bound(max)),
        None => (None, None),
    };
    FieldStats { path: "id".into(), min, max, ..FieldStats::default() }
}

fn embedder(node: &Node<'_>) -> EmbedderEntry {
    EmbedderEntry {
        file: file(node),
        head: place(&node.get("head")),
        vocabulary: place(&node.get("vocabulary")),
        id: embedder_id(&node.get("id")),
    }
}

fn file(node: &Node<'_>) -> ReleaseFile {
    ReleaseFile { name: text(node, "name"), bytes: count(node, "bytes"), blake3: text(node, "blake3") }
}

fn place(node: &Node<'_>) -> Place {
    let (offset, bytes) = match two(node, "an offset and a length") {
        Some([offset, bytes]) => (offset.count(), bytes.count()),
        None => (0, 0),
    };
    Place { offset, bytes }
}

/// What the collections of a file share; the name is left empty.
fn schema(node: &Node<'_>) -> Schema {
    Schema {
        collection: String::new(),
        dimension: number(&node.get("dimension")),
        metric: metric(&node.get("metric")),
        embedder: node.get_optional("embedder").map(|id| embedder_id(&id)),
        fields: all(&node.get("fields"), field),
    }
}

fn embedder_id(node: &Node<'_>) -> EmbedderId {
    EmbedderId {
        name: text(node, "name"),
        fingerprint: text(node, "fingerprint"),
        dimension: number(&node.get("dimension")),
    }
}

fn metric(node: &Node<'_>) -> Metric {
    match node.text() {
        "inner_product" => Metric::InnerProduct,
        "l2" => Metric::L2,
        name => {
            if name != "cosine" {
                node.wrong("a metric that this version knows");
            }
            Metric::Cosine
        }
    }
}

fn field(node: &Node<'_>) -> Field {
    match two(node, "a path and a type") {
        Some([path, kind]) => Field { path: path.text().into(), kind: field_type(&kind) },
        None => Field { path: String::new(), kind: FieldType::Json },
    }
}

/// A type's name, with `[]` behind it for each list around it.
fn field_type(node: &Node<'_>) -> FieldType {
    let (mut name, mut lists) = (node.text(), 0_u8);
    while let (Some(item), Some(deeper)) = (name.strip_suffix("[]"), lists.checked_add(1)) {
        (name, lists) = (item, deeper);
    }
    let kind = match name {
        "bool" => FieldType::Bool,
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "text" => FieldType::Text,
        "time" => FieldType::Time,
        name => {
            if name != "json" {
                node.wrong("a type that this version knows");
            }
            FieldType::Json
        }
    };
    (0..lists).fold(kind, |item, _| FieldType::List(Box::new(item)))
}

/// The statistics of a field, without its path. Where all values are told, the bounds are among them.
fn field_statistics(node: &Node<'_>) -> FieldStats {
    let one = |key| node.get_optional(key).map(|value| scalar(&value));
    let distinct = node.get_optional("values").map(|values| all(&values, scalar));
    let (min, max) = match &distinct {
        Some(values) => (values.first().cloned(), values.last().cloned()),
        None => (one("min"), one("max")),
    };
    FieldStats {
        path: String::new(),
        nulls: node.get_optional("nulls").map_or(0, |nulls| nulls.count()),
        min,
        max,
        distinct,
        items: node.get_optional("items").is_some_and(|items| flag(&items)),
        sketch: node.get_optional("sketch").and_then(|sketch| read_sketch(&sketch)),
    }
}

fn flag(node: &Node<'_>) -> bool {
    match node.value() {
        Value::Bool(value) => *value,
        _ => {
            node.wrong("true or false");
            false
        }
    }
}

fn read_sketch(node: &Node<'_>) -> Option<Sketch> {
    let sketch = Sketch::from_base64(node.text());
    if sketch.is_none() {
        node.wrong("base64 without padding");
    }
    sketch
}

/// A value as `filter` writes it into statistics.
fn scalar(node: &Node<'_>) -> Value {
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
    found.unwrap_or_else(|| {
        node.wrong("a boolean, an integer, a text, {\"float\": \"0.5\"} or {\"time\": \"ISO 8601\"}");
        Value::Null
    })
}

fn all<T>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> T) -> Vec<T> {
    node.items().map(|item| read(&item)).gather()
}

/// The items of a list that has two.
fn two<'n>(node: &'n Node<'_>, expected: &str) -> Option<[Node<'n>; 2]> {
    let mut items = node.items();
    match (items.next(), items.next(), items.next()) {
        (Some(first), Some(second), None) => Some([first, second]),
        _ => {
            node.wrong(expected);
            None
        }
    }
}

fn text(node: &Node<'_>, key: &str) -> String {
    String::from(node.get(key).text())
}

fn count(node: &Node<'_>, key: &str) -> u64 {
    node.get(key).count()
}

fn number(node: &Node<'_>) -> u32 {
    u32::try_from(node.count()).unwrap_or_else(|_| {
        node.wrong("a number below 2^32");
        0
    })
}

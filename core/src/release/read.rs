//! `release.json` to a [`ReleaseIndex`]. Written by hand: derived code for it was an eighth of the wasm module.

use super::{
    ClusterSummary, CollectionEntry, EmbedderEntry, Place, ReleaseFile, ReleaseIndex, SnapshotEntry,
};
use crate::{
    filter::{CollectionStats, FieldStats, Sketch},
    json::Node,
    metric::{Encoding, Metric},
    number::parse_f64,
    schema::{EmbedderId, Field, FieldType, Schema, Value},
    time::parse_time,
};

/// A part of the description, or what is wrong with it.
type Read<T> = Result<T, String>;

/// The whole description. Unknown keys are left to later versions.
pub fn index(node: &Node<'_>) -> Read<ReleaseIndex> {
    let schemas = all(&node.get("schemas")?, schema)?;
    let (mut snapshots, mut numbers) = (Vec::new(), Vec::new());
    for item in node.get("files")?.items()? {
        let (entry, number) = snapshot(&item, schemas.len())?;
        snapshots.push(entry);
        numbers.push(number);
    }
    let mut numbered = vec![0; snapshots.len()];
    let mut collections = Vec::new();
    for item in node.get("collections")?.items()? {
        let place = item.get("file")?;
        let number = place.count()? as usize;
        let of = numbers.get(number).and_then(|number| schemas.get(*number));
        let mut entry = collection(&item, of.ok_or_else(|| place.wrong("the place of a file"))?)?;
        entry.snapshot = number;
        if let (Some(before), Some(snapshot)) = (numbered.get_mut(number), snapshots.get_mut(number)) {
            entry.number = *before;
            *before += 1;
            snapshot.rows = snapshot.rows.saturating_add(entry.statistics.rows);
        }
        collections.push(entry);
    }
    Ok(ReleaseIndex {
        layout: number(&node.get("layout")?)?,
        id: text(node, "id")?,
        heads: file(&node.get("heads")?)?,
        snapshots,
        collections,
        embedders: all(&node.get("embedders")?, embedder)?,
    })
}

/// A file of collections, and which schema they share.
fn snapshot(node: &Node<'_>, schemas: usize) -> Read<(SnapshotEntry, usize)> {
    let encoding = node.get("vectors")?;
    let encoding = match encoding.text()? {
        "f32" => Encoding::F32,
        "f16" => Encoding::F16,
        "i8" => Encoding::I8,
        "none" => Encoding::None,
        _ => return Err(encoding.wrong("an encoding that this version knows")),
    };
    let eager = node.get_optional("eager")?.map(|places| all(&places, place)).transpose()?;
    let clusters = node.get_optional("clusters")?.map(|clusters| summary(&clusters)).transpose()?;
    let schema = node.get("schema")?;
    let known = schema.count()? as usize;
    let entry = SnapshotEntry {
        file: file(node)?,
        head: place(&node.get("head")?)?,
        eager: eager.unwrap_or_default(),
        encoding,
        clusters,
        rows: 0,
    };
    if known < schemas { Ok((entry, known)) } else { Err(schema.wrong("the place of a schema")) }
}

fn summary(node: &Node<'_>) -> Read<ClusterSummary> {
    let mut items = node.items()?;
    let (Some(count), Some(soft), Some(bits), None) =
        (items.next(), items.next(), items.next(), items.next())
    else {
        return Err(node.wrong("a count, a boolean and a number of bits"));
    };
    let extended_bits = u8::try_from(bits.count()?).map_err(|_| bits.wrong("a number of bits"))?;
    Ok(ClusterSummary { count: number(&count)?, soft: flag(&soft)?, extended_bits })
}

fn collection(node: &Node<'_>, shared: &Schema) -> Read<CollectionEntry> {
    let mut schema = Schema { collection: text(node, "name")?, ..shared.clone() };
    if let Some(places) = node.get_optional("fields")? {
        schema.fields.clear();
        for place in places.items()? {
            let field = shared.fields.get(place.count()? as usize);
            schema.fields.push(field.ok_or_else(|| place.wrong("the place of a field"))?.clone());
        }
    }
    let said = node.get("statistics")?;
    let mut fields = all(&said, field_statistics)?;
    if fields.len() != schema.fields.len() {
        return Err(said.wrong("a list of one for each field"));
    }
    for (stats, field) in fields.iter_mut().zip(&schema.fields) {
        stats.path.clone_from(&field.path);
    }
    let id = node.get_optional("id")?.map(|bounds| id_statistics(&bounds)).transpose()?;
    let members = node.get_optional("members")?.map(|members| place(&members)).transpose()?;
    let statistics = CollectionStats { rows: count(node, "rows")?, id, fields };
    Ok(CollectionEntry { snapshot: 0, number: 0, members, schema, statistics })
}

fn id_statistics(node: &Node<'_>) -> Read<FieldStats> {
    let bound = |node: &Node<'_>| {
        if *node.value() == Value::Null { Ok(None) } else { scalar(node).map(Some) }
    };
    let mut bounds = all(node, bound)?.into_iter();
    match (bounds.next(), bounds.next(), bounds.next()) {
        (Some(min), Some(max), None) => {
            Ok(FieldStats { path: "id".into(), min, max, ..FieldStats::default() })
        }
        _ => Err(node.wrong("the least and the greatest id")),
    }
}

fn embedder(node: &Node<'_>) -> Read<EmbedderEntry> {
    Ok(EmbedderEntry {
        file: file(node)?,
        head: place(&node.get("head")?)?,
        vocabulary: place(&node.get("vocabulary")?)?,
        id: embedder_id(&node.get("id")?)?,
    })
}

fn file(node: &Node<'_>) -> Read<ReleaseFile> {
    Ok(ReleaseFile { name: text(node, "name")?, bytes: count(node, "bytes")?, blake3: text(node, "blake3")? })
}

fn place(node: &Node<'_>) -> Read<Place> {
    let mut items = node.items()?;
    match (items.next(), items.next(), items.next()) {
        (Some(offset), Some(bytes), None) => Ok(Place { offset: offset.count()?, bytes: bytes.count()? }),
        _ => Err(node.wrong("an offset and a length")),
    }
}

/// What the collections of a file share; the name is left empty.
fn schema(node: &Node<'_>) -> Read<Schema> {
    Ok(Schema {
        collection: String::new(),
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
    let mut items = node.items()?;
    match (items.next(), items.next(), items.next()) {
        (Some(path), Some(kind), None) => Ok(Field { path: path.text()?.into(), kind: field_type(&kind)? }),
        _ => Err(node.wrong("a path and a type")),
    }
}

/// A type's name, with `[]` behind it for each list around it.
fn field_type(node: &Node<'_>) -> Read<FieldType> {
    let (mut name, mut lists) = (node.text()?, 0_u8);
    while let (Some(item), Some(deeper)) = (name.strip_suffix("[]"), lists.checked_add(1)) {
        (name, lists) = (item, deeper);
    }
    let kind = match name {
        "bool" => FieldType::Bool,
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "text" => FieldType::Text,
        "time" => FieldType::Time,
        "json" => FieldType::Json,
        _ => return Err(node.wrong("a type that this version knows")),
    };
    Ok((0..lists).fold(kind, |item, _| FieldType::List(Box::new(item))))
}

/// The statistics of a field, without its path. Where all values are told, the bounds are among them.
fn field_statistics(node: &Node<'_>) -> Read<FieldStats> {
    let one = |key| node.get_optional(key)?.map(|value| scalar(&value)).transpose();
    let distinct = node.get_optional("values")?.map(|values| all(&values, scalar)).transpose()?;
    let (min, max) = match &distinct {
        Some(values) => (values.first().cloned(), values.last().cloned()),
        None => (one("min")?, one("max")?),
    };
    Ok(FieldStats {
        path: String::new(),
        nulls: node.get_optional("nulls")?.map(|nulls| nulls.count()).transpose()?.unwrap_or(0),
        min,
        max,
        distinct,
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

//! `release.json` as it is written, and everything else that may stand in its place.

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    error::Error,
    filter::{FieldStats, Sketch},
    metric::Metric,
    schema::{Field, FieldType, Record, Value},
    snapshot::write_collection,
};

/// Every kind of value that a description holds.
fn sample() -> ReleaseIndex {
    let file = |name: &str| ReleaseFile { name: name.into(), bytes: 1 << 40, blake3: "ab".into() };
    let id = EmbedderId { name: "tiny \"é\"".into(), fingerprint: "f".into(), dimension: 256 };
    let field = |path: &str, kind| Field { path: path.into(), kind };
    let bounds = |path: &str, min, max, distinct: Option<Vec<Value>>| FieldStats {
        path: path.into(),
        nulls: if path == "id" { 0 } else { 3 },
        min: distinct.as_ref().map_or(min, |values| values.first().cloned()),
        max: distinct.as_ref().map_or(max, |values| values.last().cloned()),
        distinct,
        items: path == "tags",
        sketch: Sketch::from_bytes(path.as_bytes().to_vec()).filter(|_| path == "size"),
    };
    let [text, int] = [Value::Text("2\n".into()), Value::Int(i64::MIN)];
    let statistics = CollectionStats {
        rows: 7,
        id: Some(bounds("id", Some(text.clone()), None, None)),
        fields: vec![
            bounds("flag", None, None, Some(vec![Value::Bool(true), int, text])),
            bounds("size", Some(Value::Float(-0.1)), Some(Value::Float(1e300)), None),
            bounds("tags", None, None, Some(Vec::new())),
            bounds("when", Some(Value::Time(-1)), Some(Value::Time(0)), None),
            bounds("year", None, None, None),
            bounds("zoo", None, Some(Value::Int(1)), None),
        ],
    };
    let schema = |collection: &str, metric, embedder| Schema {
        collection: collection.into(),
        dimension: 256,
        metric,
        embedder,
        fields: vec![
            field("flag", FieldType::Bool),
            field("size", FieldType::Float),
            field("tags", FieldType::List(Box::new(FieldType::List(Box::new(FieldType::Text))))),
            field("when", FieldType::Time),
            field("year", FieldType::Int),
            field("zoo", FieldType::Json),
        ],
    };
    let collection = |(snapshot, number), schema: Schema, mut statistics: CollectionStats| {
        statistics.fields.retain(|stats| schema.fields.iter().any(|field| field.path == stats.path));
        let members = (number == 1).then_some(Place { offset: 7, bytes: 24 });
        CollectionEntry { snapshot, number, members, schema, statistics }
    };
    let snapshot = |name: &str, encoding, packed: bool| SnapshotEntry {
        file: file(name),
        head: Place { offset: 0, bytes: 10 },
        eager: if packed {
            vec![Place { offset: 64, bytes: 9 }, Place { offset: 128, bytes: 1 }]
        } else {
            vec![]
        },
        encoding,
        clusters: packed.then_some(ClusterSummary { count: 9, soft: true, extended_bits: 4 }),
        rows: if packed { 14 } else { 7 },
    };
    let few = Schema {
        fields: vec![field("size", FieldType::Float), field("year", FieldType::Int)],
        ..schema("b", Metric::Cosine, Some(id.clone()))
    };
    ReleaseIndex {
        layout: LAYOUT,
        id: "00".into(),
        heads: file("heads.portolan"),
        snapshots: vec![
            snapshot("ab.portolan", Encoding::I8, true),
            snapshot("c.portolan", Encoding::None, false),
            snapshot("d.portolan", Encoding::F16, false),
        ],
        collections: vec![
            collection((0, 0), schema("a", Metric::Cosine, Some(id.clone())), statistics.clone()),
            collection((0, 1), few, statistics.clone()),
            collection((1, 0), schema("c", Metric::InnerProduct, None), statistics.clone()),
            collection((2, 0), schema("d", Metric::L2, None), CollectionStats { id: None, ..statistics }),
        ],
        embedders: vec![EmbedderEntry {
            file: file("tiny.portolan"),
            head: Place { offset: 10, bytes: 1 },
            vocabulary: Place { offset: 20, bytes: 2 },
            id,
        }],
    }
}

fn written(index: &ReleaseIndex) -> Vec<u8> {
    index.to_json().into_bytes()
}

fn refusal(json: &Json) -> Option<String> {
    match ReleaseIndex::parse(json.to_string().as_bytes()) {
        Ok(_) => None,
        Err(Error::Snapshot(SnapshotError::BadRelease { reason })) => Some(reason),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(ReleaseIndex::parse(&written(&sample())).unwrap(), sample());
    let record = |id: &str, size| Record {
        id: id.into(),
        document: None,
        metadata: [("size".to_owned(), Value::Float(size)), ("when".to_owned(), Value::Time(1))].into(),
        vector: vec![0.5; 256],
    };
    let schema = Schema { embedder: None, ..sample().collections[0].schema.clone() };
    let records = vec![record("x", 0.1), record("y", 1.0 / 3.0)];
    let file = write_collection(&schema, Encoding::F32, records).unwrap();
    let mut builder = ReleaseBuilder::new();
    builder.add_collection("a.portolan", &file).unwrap();
    let built = builder.finish().unwrap();
    assert!(built.index.collections[0].statistics.fields.iter().any(|field| field.min.is_some()));
    assert_eq!(ReleaseIndex::parse(&built.json).unwrap(), built.index);
    assert_eq!(written(&built.index), built.json);
}

/// Releases that stand in the world are compared byte by byte.
#[test]
fn the_text_of_a_description_never_changes() {
    let text = String::from_utf8(written(&sample())).unwrap();
    assert_eq!(text.trim(), include_str!("golden.json").trim());
}

/// A float's every bit counts: a bound that is off by one hides the row it was taken from.
#[test]
fn bounds_come_back_bit_by_bit() {
    let mut index = sample();
    let mut noise = 1_u64;
    for _ in 0..10_000 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = f64::from_bits(noise >> 12 | 0x3fe0_0000_0000_0000);
        index.collections.truncate(1);
        index.snapshots.truncate(1);
        index.snapshots[0].rows = 7;
        index.collections[0].statistics.fields[1].min = Some(Value::Float(value));
        assert_eq!(ReleaseIndex::parse(&written(&index)).unwrap(), index);
    }
}

/// The places of all values inside `json`, as pointers.
fn places(json: &Json, at: &str, out: &mut Vec<String>) {
    out.push(at.into());
    match json {
        Json::Object(entries) => {
            entries.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), out))
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| places(value, &format!("{at}/{place}"), out));
        }
        _ => {}
    }
}

fn whole() -> (Json, Vec<String>) {
    let json = serde_json::from_slice(&written(&sample())).unwrap();
    let mut all = Vec::new();
    places(&json, "", &mut all);
    (json, all)
}

/// What may be missing or null without harm.
fn optional(place: &str) -> bool {
    let keys =
        ["embedder", "min", "max", "values", "items", "sketch", "nulls", "eager", "clusters", "members"];
    keys.iter().any(|key| place.ends_with(&format!("/{key}")))
        || (place.starts_with("/collections/") && (place.ends_with("/id") || place.contains("/id/")))
}

#[test]
fn a_missing_field_is_refused_by_name() {
    let (json, all) = whole();
    let mut tried = 0;
    for place in &all {
        let Some((parent, key)) = place.rsplit_once('/') else { continue };
        let mut altered = json.clone();
        let Some(Json::Object(entries)) = altered.pointer_mut(parent) else { continue };
        entries.remove(key);
        tried += 1;
        match refusal(&altered) {
            // A list is one key, so without it the object is a type of no name.
            Some(reason) => assert!(reason.contains(key) || reason.contains(" is not "), "{place}: {reason}"),
            None => assert!(optional(place), "{place}"),
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn a_value_of_another_type_is_refused() {
    let (json, all) = whole();
    for place in &all {
        let was = json.pointer(place).unwrap();
        for other in
            [json!(null), json!(true), json!(-1), json!(0.5), json!("x"), json!([]), json!({}), json!([[1]])]
        {
            // Of statistics any scalar is a value; names and hashes may be any text; a list may be empty.
            let scalar = place.contains("min") || place.contains("max") || place.contains("values/");
            let scalar = scalar || place.starts_with("/collections/") && place.contains("/id/");
            let allowed = scalar && matches!(other, Json::Bool(_) | Json::Number(_) | Json::String(_))
                || other.is_null() && optional(place)
                || other == json!([]) && (was.is_array() || place.ends_with("values"))
                // Of a field nothing need be known.
                || other == json!({}) && was.is_object() && place.contains("/statistics/")
                || other.is_boolean() && was.is_boolean()
                || other.is_string() && was.is_string() && !place.ends_with("sketch");
            let mut altered = json.clone();
            *altered.pointer_mut(place).unwrap() = other.clone();
            let refused = refusal(&altered);
            assert!(allowed || refused.is_some(), "{place} as {other}");
        }
    }
}

#[test]
fn counts_beyond_their_range_are_refused() {
    let (json, _) = whole();
    for (place, path, number) in [
        ("/schemas/0/dimension", "schemas[0].dimension", json!(1_u64 << 32)),
        ("/files/0/head/0", "files[0].head[0]", json!(u64::MAX)),
        ("/files/0/clusters/2", "files[0].clusters[2]", json!(256)),
        ("/files/0/schema", "files[0].schema", json!(3)),
        ("/collections/0/file", "collections[0].file", json!(3)),
        ("/collections/1/fields/0", "collections[1].fields[0]", json!(6)),
        ("/heads/bytes", "heads.bytes", json!(-1)),
    ] {
        let mut altered = json.clone();
        *altered.pointer_mut(place).unwrap() = number;
        let reason = refusal(&altered).unwrap();
        assert!(reason.contains(path), "{place}: {reason}");
    }
}

#[test]
fn unknown_keys_are_left_to_later_versions() {
    let (json, all) = whole();
    for place in &all {
        let mut altered = json.clone();
        let Some(Json::Object(entries)) = altered.pointer_mut(place) else { continue };
        entries.insert("later".into(), json!({"deep": [1, {}]}));
        assert_eq!(refusal(&altered), None, "{place}");
    }
}

#[test]
fn a_truncated_description_is_refused() {
    let text = written(&sample());
    for end in 0..text.trim_ascii_end().len() {
        let parsed = ReleaseIndex::parse(&text[..end]);
        assert!(
            matches!(parsed, Err(Error::Snapshot(SnapshotError::BadRelease { .. }))),
            "{end}: {parsed:?}"
        );
    }
}

#[test]
fn deep_nesting_is_refused() {
    let (mut json, _) = whole();
    json["schemas"][0]["fields"][0][1] = format!("text{}", "[]".repeat(255)).into();
    assert_eq!(refusal(&json), None);
    json["schemas"][0]["fields"][0][1] = format!("text{}", "[]".repeat(256)).into();
    assert!(refusal(&json).is_some());
    let text = json.to_string().replacen("\"text\"", &format!("{}{}", "[".repeat(1000), "]".repeat(1000)), 1);
    let parsed = ReleaseIndex::parse(text.as_bytes());
    assert!(matches!(parsed, Err(Error::Snapshot(SnapshotError::BadRelease { .. }))), "{parsed:?}");
}

#[test]
fn what_is_no_text_is_refused() {
    for bytes in [&b"\xff"[..], b"", b"<html>", b"[]", b"{}", b"null"] {
        let parsed = ReleaseIndex::parse(bytes);
        assert!(matches!(parsed, Err(Error::Snapshot(SnapshotError::BadRelease { .. }))), "{parsed:?}");
    }
}

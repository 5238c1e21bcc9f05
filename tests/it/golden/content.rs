//! Whether a file holds what its source says, record by record.

use std::collections::BTreeMap;

use portolan::{
    bytes::Resident,
    metric::{Encoding, Metric},
    snapshot::{Collection, SnapshotFile, verify},
};
use serde_json::{Map, Value as Json};

use super::source::{self, Content, Source};

/// Checks a file.
///
/// # Panics
/// With what differs.
pub fn check(source: &Source, bytes: &[u8]) {
    let name = &source.file;
    verify(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let file = SnapshotFile::open(bytes, bytes.len() as u64).unwrap();
    assert_eq!(file.encoding(), source.encoding, "{name}");
    assert_eq!(file.collections().len(), source.collections.len(), "{name}");
    assert_eq!(
        file.description().clusters.as_ref().map(|c| (c.soft, c.extended_bits)),
        source.clusters,
        "{name}"
    );
    for (number, content) in source.collections.iter().enumerate() {
        let collection = file.collection(number).unwrap();
        let schema = collection.schema();
        assert_eq!((&schema.collection, &schema.fields), (&content.name, &content.fields), "{name}");
        assert_eq!((schema.metric, schema.dimension), (source.metric, source.dimension), "{name}");
        assert_eq!(schema.embedder.is_some(), source.embedded, "{name}");
        assert_eq!(collection.rows(), content.records.len() as u64, "{name}");
        check_records(source, content, &collection, bytes);
    }
}

fn check_records(source: &Source, content: &Content, collection: &Collection, bytes: &[u8]) {
    let records: BTreeMap<&str, &Json> =
        content.records.iter().map(|record| (record["id"].as_str().unwrap(), record)).collect();
    let file = Resident(bytes);
    for (row, (id, record)) in (0..).zip(records) {
        let (block, place) = collection.payload_block(&file, row).unwrap().unwrap();
        let held = block.row(place).unwrap();
        assert_eq!((held.id, held.document), (id, record["document"].as_str()), "{}", source.file);
        let metadata: Json = serde_json::from_str(held.metadata).unwrap();
        assert_eq!(metadata, nested(&record["metadata"]), "{} {id}", source.file);
        if let (Some(expected), true) = (source::vector(record), source.encoding != Encoding::None) {
            let vector = collection.vector(&file, row).unwrap().unwrap();
            check_vector(source, expected, &vector);
        }
    }
}

/// Metadata as files hold it: without nulls, and with objects in place of dots.
fn nested(metadata: &Json) -> Json {
    let mut root = Map::new();
    for (path, value) in metadata.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()) {
        let mut keys: Vec<&str> = path.split('.').collect();
        let last = keys.pop().unwrap();
        let mut object = &mut root;
        for key in keys {
            object = object.entry(key).or_insert(Json::Object(Map::new())).as_object_mut().unwrap();
        }
        object.insert(last.into(), value.clone());
    }
    Json::Object(root)
}

fn check_vector(source: &Source, mut expected: Vec<f32>, vector: &[f32]) {
    if source.metric == Metric::Cosine {
        let length = expected.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        expected.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    let largest = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    // Half a step of each way to store numbers, and a little for the rounding of the unit length.
    let step = match source.encoding {
        Encoding::F32 => 1e-6,
        Encoding::F16 => 0.0005,
        _ => 0.501 / 127.0,
    };
    assert_eq!(vector.len(), expected.len(), "{}", source.file);
    let near = vector.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= largest * step);
    assert!(near, "{}: {vector:?} in place of {expected:?}", source.file);
}

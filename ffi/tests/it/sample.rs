//! A small release on disk: two collections, and an embedder so that TEXT works.

use std::{collections::BTreeMap, fs, path::Path};

use engine::{
    embed::{Embedder, StaticEmbedder},
    metric::{Encoding, Metric},
    release::{ReleaseBuilder, INDEX_NAME},
    schema::{Field, FieldType, Record, Schema, Value},
    snapshot::{write_collection, write_embedder},
};
use tempfile::TempDir;

/// A statement that has an answer.
pub const NEAREST: &str =
    "SELECT id, document, metadata.size FROM * USING EMBEDDING (TEXT 'furry cat') TOPK 5";

const WORDS: [&str; 6] = ["cat", "bird", "run", "fly", "furry", "water"];
const DIMENSION: u32 = 8;

/// Writes the release; it is removed with the handle.
pub fn release() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let embedder = embedder();
    let mut builder = ReleaseBuilder::new();
    for (name, rows) in [("beasts", 40), ("deeds", 20)] {
        let file = collection(&embedder, name, rows);
        builder.add_collection(&format!("{name}.portolan"), &file).unwrap();
        write(&folder, &format!("{name}.portolan"), &file);
    }
    let file = write_embedder(&embedder).unwrap();
    builder.add_embedder("embedder.portolan", &file).unwrap();
    write(&folder, "embedder.portolan", &file);
    let built = builder.finish().unwrap();
    write(&folder, &built.index.heads.name, &built.heads);
    write(&folder, INDEX_NAME, &built.json);
    folder
}

fn write(folder: impl AsRef<Path>, name: &str, bytes: &[u8]) {
    fs::write(folder.as_ref().join(name), bytes).unwrap();
}

fn embedder() -> StaticEmbedder {
    let vocabulary = format!("[PAD]\n[UNK]\n{}\n", WORDS.join("\n"));
    let tokens = vocabulary.lines().count();
    let rows = (0..tokens * DIMENSION as usize).map(|i| (i * 37 % 251) as u8).collect();
    StaticEmbedder::new("tiny".into(), &vocabulary, rows, vec![0.01; tokens], DIMENSION).unwrap()
}

fn collection(embedder: &StaticEmbedder, name: &str, rows: usize) -> Vec<u8> {
    let field = |path: &str, kind| Field { path: path.into(), kind };
    let fields = vec![
        field("born", FieldType::Time),
        field("noise", FieldType::Text),
        field("size", FieldType::Int),
        field("tame", FieldType::Bool),
        field("weight", FieldType::Float),
    ];
    let schema = Schema {
        collection: name.into(),
        dimension: DIMENSION,
        metric: Metric::Cosine,
        embedder: Some(embedder.id().clone()),
        fields,
    };
    let records = (0..rows).map(|number| record(embedder, name, number)).collect();
    write_collection(&schema, Encoding::F16, records).unwrap()
}

fn record(embedder: &StaticEmbedder, collection: &str, number: usize) -> Record {
    let text = format!("{} {}", WORDS[number % 6], WORDS[(number / 6) % 6]);
    let mut metadata = BTreeMap::from([
        ("born".to_owned(), Value::Time(1_000_000 * number as i64)),
        ("noise".to_owned(), Value::Text("me\0ow".into())),
        ("tame".to_owned(), Value::Bool(number.is_multiple_of(2))),
        ("weight".to_owned(), Value::Float(0.5 + number as f64)),
    ]);
    if !number.is_multiple_of(3) {
        metadata.insert("size".to_owned(), Value::Int(number as i64));
    }
    let vector = embedder.embed(&[&text]).remove(0).unwrap();
    Record { id: format!("{collection}-{number:04}"), document: Some(text), metadata, vector }
}

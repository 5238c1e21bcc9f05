//! Statements over small releases, each compared with an answer found otherwise.

mod basics;
mod batch;
mod clustered;
mod clustered_edges;
mod cursor;
mod duplicates;
mod explain;
mod failures;
mod filters;
mod graph;
mod group;
mod mmr;
mod order;
mod packed;
mod parallel;
mod preview;
mod spaces;
mod starvation;
mod world;

use std::{collections::BTreeMap, sync::Arc};

use super::{Catalog, Fanout, FileRange, ResultSet, Step};
use crate::{
    Result,
    bytes::{ByteSource, RangeCache, Resident},
    embed::{Embedder, StaticEmbedder},
    metric::{Encoding, Metric},
    plan::Plan,
    release::{BuiltRelease, ReleaseBuilder},
    schema::{EmbedderId, Field, FieldType, Record, Schema, Value},
    snapshot::{write_collection, write_embedder},
};

const VOCABULARY: &str = "[PAD]\n[UNK]\ncat\ndog\nrun\nswim\nfurry\nwater\nthe\na\n";
const DIMENSION: u32 = 8;

fn embedder() -> StaticEmbedder {
    let tokens = VOCABULARY.lines().count();
    let rows = (0..tokens * DIMENSION as usize).map(|i| (i * 37 % 251) as u8).collect();
    StaticEmbedder::new("tiny".into(), VOCABULARY, rows, vec![0.01; tokens], DIMENSION).unwrap()
}

fn fields() -> Vec<Field> {
    let field = |path: &str, kind| Field { path: path.into(), kind };
    vec![
        field("kind", FieldType::Text),
        field("origin.country", FieldType::Text),
        field("size", FieldType::Int),
        field("tags", FieldType::List(Box::new(FieldType::Text))),
    ]
}

fn schema(collection: &str, metric: Metric, id: &EmbedderId) -> Schema {
    let embedder = Some(id.clone());
    Schema { collection: collection.into(), dimension: DIMENSION, metric, embedder, fields: fields() }
}

fn record(embedder: &StaticEmbedder, collection: &str, number: usize) -> Record {
    let words = ["cat", "dog", "run", "swim", "furry", "water"];
    let text = format!("{} {} the", words[number % 6], words[(number / 6) % 6]);
    let mut metadata = BTreeMap::from([
        ("kind".to_owned(), Value::Text(if collection == "beasts" { "beast" } else { "deed" }.into())),
        ("tags".to_owned(), Value::List(vec![Value::Text("x".into())])),
    ]);
    if !number.is_multiple_of(3) {
        metadata.insert("size".to_owned(), Value::Int(number as i64));
    }
    if number.is_multiple_of(2) {
        metadata.insert("origin.country".to_owned(), Value::Text(["pl", "cz"][number % 4 / 2].into()));
    }
    let vector = embedder.embed(&[&text]).remove(0).unwrap();
    Record {
        id: format!("{collection}-{number:04}"),
        document: (!number.is_multiple_of(5)).then_some(text),
        metadata,
        vector,
    }
}

/// Two collections and their embedder: the description and the files, in order.
fn release() -> (BuiltRelease, Vec<Vec<u8>>) {
    let embedder = embedder();
    let (mut builder, mut files) = (ReleaseBuilder::new(), Vec::new());
    for (name, rows) in [("beasts", 300), ("deeds", 41)] {
        let records = (0..rows).map(|number| record(&embedder, name, number)).collect();
        let file =
            write_collection(&schema(name, Metric::Cosine, embedder.id()), Encoding::F16, records).unwrap();
        builder.add_collection(&format!("{name}.portolan"), &file).unwrap();
        files.push(file);
    }
    let file = write_embedder(&embedder).unwrap();
    builder.add_embedder("embedder.portolan", &file).unwrap();
    files.push(file);
    let built = builder.finish().unwrap();
    files.insert(0, built.heads.clone());
    (built, files)
}

fn ask(sql: &str) -> Result<ResultSet> {
    let (built, files) = release();
    let files: Vec<_> = files.into_iter().map(Resident).collect();
    Fanout::new(Arc::new(Catalog::open(&built.json)?), Plan::parse(sql)?)?.run(&files)
}

/// Asks over files of which nothing is resident at first.
fn ask_by_ranges(sql: &str) -> (ResultSet, u64) {
    let (built, files) = release();
    let mut caches: Vec<_> = files.iter().map(|file| RangeCache::new(file.len() as u64)).collect();
    let catalog = Arc::new(Catalog::open(&built.json).unwrap());
    let mut fanout = Fanout::new(catalog, Plan::parse(sql).unwrap()).unwrap();
    for _ in 0..9 {
        match fanout.step(&caches).unwrap() {
            Step::Done(result) => return (result, caches.iter().map(RangeCache::resident_bytes).sum()),
            Step::Need(ranges) => {
                for FileRange { file, range } in ranges {
                    let bytes = Resident(&files[file]).get(range).expect("a range inside the file").to_vec();
                    caches[file].insert(range.start, bytes);
                }
            }
        }
    }
    panic!("the query does not end");
}

fn ids(result: &ResultSet) -> Vec<&str> {
    result.rows.iter().map(|row| row.id.as_deref().unwrap()).collect()
}

const NEAREST: &str =
    "SELECT collection, id, distance, metadata.size FROM * USING EMBEDDING (TEXT 'furry cat the') TOPK 7";

//! A small but real release: a few hundred definitions of WordNet in five collections, and the embedder that made
//! their vectors.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use flate2::read::GzDecoder;
use portolan::{
    embed::{Embedder, StaticEmbedder},
    metric::{Encoding, Metric},
    release::{INDEX_NAME, ReleaseBuilder},
    schema::{EmbedderId, Field, FieldType, Record, Schema, Value},
    snapshot::{write_collection, write_embedder},
};
use serde_json::Value as Json;

use super::{setting::Failure, tools};

/// The collections, and how many of their records are taken.
const COLLECTIONS: [(&str, usize); 5] =
    [("noun.animal", 400), ("noun.food", 150), ("verb.motion", 120), ("adj.all", 80), ("adv.all", 1)];

/// What the statements need to know of the release.
pub struct Sample {
    /// The vector of the first record of `noun.animal`.
    pub vector: Vec<f32>,
}

/// Writes the release into `folder`.
pub fn write(folder: &Path) -> Result<Sample, Failure> {
    let sample = sample_folder();
    let embedder = embedder(&sample.join("static-256"))?;
    let documents = documents(&sample.join("docs.jsonl.gz"))?;
    let mut release = ReleaseBuilder::new();
    fs::create_dir_all(folder)?;
    for (name, most) in COLLECTIONS {
        let records = records(&documents, name, most, &embedder)?;
        let file = write_collection(&schema(name, embedder.id()), Encoding::F16, records)?;
        let file_name = format!("{name}.portolan");
        release.add_collection(&file_name, &file)?;
        fs::write(folder.join(file_name), file)?;
    }
    let file = write_embedder(&embedder)?;
    release.add_embedder("static-256.portolan", &file)?;
    fs::write(folder.join("static-256.portolan"), file)?;
    finish(release, folder)?;
    let first = records(&documents, "noun.animal", 1, &embedder)?;
    Ok(Sample { vector: first.into_iter().next().ok_or("noun.animal is empty")?.vector })
}

/// Writes a release of one small collection with vectors of eight numbers and no embedder: small enough to alter
/// every byte of it.
pub fn write_tiny(folder: &Path) -> Result<(), Failure> {
    write_small(folder, &["tiny"])
}

/// The same with two collections, `left` and `right`, of the same records.
pub fn write_pair(folder: &Path) -> Result<(), Failure> {
    write_small(folder, &["left", "right"])
}

fn write_small(folder: &Path, collections: &[&str]) -> Result<(), Failure> {
    let documents = documents(&sample_folder().join("docs.jsonl.gz"))?;
    let records: Vec<Record> =
        documents.iter().take(40).enumerate().map(|(row, json)| tiny_record(row, json)).collect();
    let schema = Schema {
        dimension: 8,
        embedder: None,
        metric: Metric::L2,
        ..schema("", &EmbedderId { name: String::new(), fingerprint: String::new(), dimension: 8 })
    };
    let mut release = ReleaseBuilder::new();
    fs::create_dir_all(folder)?;
    for name in collections {
        let schema = Schema { collection: String::from(*name), ..schema.clone() };
        let file = write_collection(&schema, Encoding::F32, records.clone())?;
        release.add_collection(&format!("{name}.portolan"), &file)?;
        fs::write(folder.join(format!("{name}.portolan")), file)?;
    }
    finish(release, folder)
}

fn finish(release: ReleaseBuilder, folder: &Path) -> Result<(), Failure> {
    let built = release.finish()?;
    fs::write(folder.join(&built.index.heads.name), built.heads)?;
    Ok(fs::write(folder.join(INDEX_NAME), built.json)?)
}

fn sample_folder() -> std::path::PathBuf {
    tools::find("PORTOLAN_SAMPLE").unwrap_or_else(|_| tools::root().join("examples/wordnet"))
}

fn schema(collection: &str, embedder: &EmbedderId) -> Schema {
    let field = |path: &str, kind| Field { path: path.into(), kind };
    Schema {
        collection: collection.into(),
        dimension: embedder.dimension,
        metric: Metric::Cosine,
        embedder: Some(embedder.clone()),
        fields: vec![
            field("gloss.long", FieldType::Bool),
            field("gloss.weight", FieldType::Float),
            field("pos", FieldType::Text),
            field("relations", FieldType::Int),
            field("seen", FieldType::Time),
            field("senses", FieldType::Int),
            field("words", FieldType::List(Box::new(FieldType::Text))),
        ],
    }
}

fn documents(path: &Path) -> Result<Vec<Json>, Failure> {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path)?).read_to_string(&mut text)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn records(
    documents: &[Json],
    collection: &str,
    most: usize,
    embedder: &StaticEmbedder,
) -> Result<Vec<Record>, Failure> {
    let own = documents.iter().filter(|json| json["lexname"] == collection).take(most);
    own.map(|json| {
        let text = format!("{}: {}", words(json).join(", "), json["definition"].as_str().unwrap_or_default());
        let vector = embedder.embed(&[&text]).remove(0)?;
        Ok(Record {
            id: json["id"].as_str().unwrap_or_default().into(),
            document: Some(text),
            metadata: metadata(json),
            vector,
        })
    })
    .collect()
}

fn tiny_record(row: usize, json: &Json) -> Record {
    let vector = (0..8).map(|i| ((row * 7 + i * 3) % 11) as f32 / 4.0).collect();
    let document = json["definition"].as_str().map(String::from);
    Record { id: format!("t{row:03}"), document, metadata: metadata(json), vector }
}

fn words(json: &Json) -> Vec<&str> {
    json["words"].as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

/// Every type of field; `relations` and `seen` are missing from some records.
fn metadata(json: &Json) -> BTreeMap<String, Value> {
    let length = json["definition"].as_str().unwrap_or_default().len();
    let offset = json["id"].as_str().and_then(|id| id.get(1..)?.parse::<i64>().ok()).unwrap_or(0);
    let words = words(json).into_iter().map(|word| Value::Text(word.into())).collect();
    let mut metadata = BTreeMap::from([
        ("gloss.long".to_owned(), Value::Bool(length > 60)),
        ("gloss.weight".to_owned(), Value::Float(length as f64 / 8.0)),
        ("pos".to_owned(), Value::from_json(&json["pos"])),
        ("senses".to_owned(), Value::from_json(&json["senses"])),
        ("words".to_owned(), Value::List(words)),
    ]);
    if json["relations"] != 1 {
        metadata.insert("relations".into(), Value::from_json(&json["relations"]));
    }
    if offset % 2 == 0 {
        metadata.insert("seen".into(), Value::Time(offset * 60_000_000));
    }
    metadata
}

/// The static embedder of the sample: its safetensors file is a length, a JSON header and the raw tables.
fn embedder(folder: &Path) -> Result<StaticEmbedder, Failure> {
    let file = fs::read(folder.join("model.safetensors"))?;
    let (length, rest) = file.split_first_chunk::<8>().ok_or("model.safetensors is too short")?;
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: Json = serde_json::from_slice(header)?;
    let table = |name: &str| {
        let ends = &header[name]["data_offsets"];
        let ends = ends[0].as_u64().zip(ends[1].as_u64()).ok_or_else(|| format!("no table {name}"))?;
        data.get(ends.0 as usize..ends.1 as usize).ok_or_else(|| format!("{name} is cut"))
    };
    let scales = table("scales")?.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let dimension = header["embeddings"]["shape"][1].as_u64().ok_or("no dimension")? as u32;
    let vocabulary = fs::read_to_string(folder.join("vocab.txt"))?;
    let name = "portolan-static-256".to_owned();
    Ok(StaticEmbedder::new(name, &vocabulary, table("embeddings")?.to_vec(), scales, dimension)?)
}

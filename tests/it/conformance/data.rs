//! The data of the conformance suite: `tests/conformance/native_data.json`, as the oracle reads it and as a release.
//!
//! Eight collections of one to three hundred records, of all types of fields, with nulls, missing fields, ids that stand
//! in several collections, and vectors that are exactly as far from everything as others. The file is never generated
//! again: cases name its records.

use std::{collections::BTreeMap, fs, path::Path};

use portolan::{
    metric::{Encoding, Metric},
    release::{INDEX_NAME, ReleaseBuilder},
    schema::{Field, FieldType, Record as StoredRecord, Schema, Value},
    snapshot::write_collection,
};
use serde_json::Value as Json;

use super::value::Datum;
use crate::doors::setting::Failure;

const DATA: &str = include_str!("../../conformance/native_data.json");

/// All collections, by name.
pub struct World {
    pub collections: Vec<Collection>,
}

/// One collection.
pub struct Collection {
    pub name: String,
    /// `cosine`, `l2` or `ip`.
    pub metric: String,
    /// Types by dotted path, as the file writes them: `int`, `list text` ...
    pub fields: BTreeMap<String, String>,
    pub records: Vec<Record>,
}

/// One record.
pub struct Record {
    pub id: String,
    pub document: Option<String>,
    /// Values by dotted path; what is missing is null.
    pub metadata: BTreeMap<String, Datum>,
    pub vector: Vec<f64>,
}

impl World {
    /// Reads the file.
    pub fn load() -> Self {
        let json: Json = serde_json::from_str(DATA).unwrap();
        let mut collections: Vec<Collection> = json.as_array().unwrap().iter().map(collection).collect();
        collections.sort_by(|a, b| a.name.cmp(&b.name));
        Self { collections }
    }

    /// Writes the release that the engine is asked about.
    pub fn write_release(&self, folder: &Path) -> Result<(), Failure> {
        let mut release = ReleaseBuilder::new();
        for collection in &self.collections {
            let file = write_collection(&collection.schema(), Encoding::F32, collection.stored_records())?;
            let name = format!("{}.portolan", collection.name);
            release.add_collection(&name, &file)?;
            fs::write(folder.join(name), file)?;
        }
        let built = release.finish()?;
        fs::write(folder.join(&built.index.heads.name), built.heads)?;
        Ok(fs::write(folder.join(INDEX_NAME), built.json)?)
    }
}

fn collection(json: &Json) -> Collection {
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let kinds = json["fields"].as_object().unwrap().iter();
    let fields: BTreeMap<String, String> = kinds.map(|(path, kind)| (path.clone(), text(kind))).collect();
    let metadata = |record: &Json| {
        let entries = record["metadata"].as_object().unwrap().iter();
        entries.map(|(path, value)| (path.clone(), Datum::typed(value, &fields[path]))).collect()
    };
    let record = |record: &Json| Record {
        id: text(&record["id"]),
        document: record["document"].as_str().map(String::from),
        metadata: metadata(record),
        vector: record["vector"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect(),
    };
    Collection {
        name: text(&json["name"]),
        metric: text(&json["metric"]),
        records: json["records"].as_array().unwrap().iter().map(record).collect(),
        fields,
    }
}

impl Collection {
    pub fn schema(&self) -> Schema {
        let field = |(path, kind): (&String, &String)| Field { path: path.clone(), kind: field_type(kind) };
        Schema {
            collection: self.name.clone(),
            dimension: 8,
            metric: match self.metric.as_str() {
                "l2" => Metric::L2,
                "ip" => Metric::InnerProduct,
                _ => Metric::Cosine,
            },
            embedder: None,
            fields: self.fields.iter().map(field).collect(),
        }
    }

    pub fn stored_records(&self) -> Vec<StoredRecord> {
        let stored = |record: &Record| StoredRecord {
            id: record.id.clone(),
            document: record.document.clone(),
            metadata: record.metadata.iter().map(|(path, value)| (path.clone(), stored(value))).collect(),
            vector: record.vector.iter().map(|x| *x as f32).collect(),
        };
        self.records.iter().map(stored).collect()
    }
}

fn field_type(kind: &str) -> FieldType {
    match kind.strip_prefix("list ").unwrap_or(kind) {
        _ if kind.starts_with("list ") => FieldType::List(Box::new(field_type(&kind[5..]))),
        "bool" => FieldType::Bool,
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "time" => FieldType::Time,
        _ => FieldType::Text,
    }
}

/// The engine's form of a value.
pub fn stored(value: &Datum) -> Value {
    match value {
        Datum::Null => Value::Null,
        Datum::Bool(value) => Value::Bool(*value),
        Datum::Int(value) => Value::Int(*value),
        Datum::Float(value) => Value::Float(*value),
        Datum::Text(text) => Value::Text(text.clone()),
        Datum::Time(micros) => Value::Time(*micros),
        Datum::List(items) => Value::List(items.iter().map(stored).collect()),
        Datum::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), stored(value))).collect())
        }
    }
}

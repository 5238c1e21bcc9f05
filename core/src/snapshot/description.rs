//! The description at the end of a head: schema and statistics, in bincode 2.0.1's standard configuration.
//!
//! The one module that knows bincode. What is written are the flat structs below, not the crate's own types: they
//! cannot nest, so a forged description cannot exhaust the stack, and a change of the crate's types cannot change
//! the format.

use bincode::{Decode, Encode, config};

use super::layout::malformed;
use crate::{
    error::SnapshotError,
    filter::{CollectionStats, FieldStats},
    metric::{Encoding, Metric},
    schema::{EmbedderId, Field, FieldType, Schema, Value},
};

/// No description is longer than this when decoded.
const LIMIT: usize = 64 << 20;

/// What a collection's file says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The collection's schema.
    pub schema: Schema,
    /// How vectors are stored.
    pub encoding: Encoding,
    /// What routing knows: the number of records, and about each field and about `id`.
    pub statistics: CollectionStats,
}

#[derive(Encode, Decode)]
struct Wire {
    collection: String,
    dimension: u32,
    metric: u8,
    encoding: u8,
    embedder: Option<WireEmbedder>,
    fields: Vec<WireField>,
    rows: u64,
    id: Option<WireStats>,
    statistics: Vec<WireStats>,
}

/// Also the description of an embedder's file.
#[derive(Encode, Decode)]
struct WireEmbedder {
    name: String,
    fingerprint: String,
    dimension: u32,
}

#[derive(Encode, Decode)]
struct WireField {
    path: String,
    base: u8,
    list_depth: u8,
}

#[derive(Encode, Decode)]
struct WireStats {
    path: String,
    nulls: u64,
    min: Option<Scalar>,
    max: Option<Scalar>,
    distinct: Option<Vec<Scalar>>,
}

#[derive(Encode, Decode)]
enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Time(i64),
}

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::InnerProduct, Metric::L2];
const ENCODINGS: [Encoding; 2] = [Encoding::F32, Encoding::F16];
const BASES: [FieldType; 6] =
    [FieldType::Bool, FieldType::Int, FieldType::Float, FieldType::Text, FieldType::Time, FieldType::Json];

impl Description {
    /// The bytes of the description.
    pub fn encode(&self) -> Result<Vec<u8>, SnapshotError> {
        let schema = &self.schema;
        let wire = Wire {
            collection: schema.collection.clone(),
            dimension: schema.dimension,
            metric: number_of(&METRICS, &schema.metric)?,
            encoding: number_of(&ENCODINGS, &self.encoding)?,
            embedder: schema.embedder.as_ref().map(WireEmbedder::from),
            fields: schema.fields.iter().map(write_field).collect::<Result<_, _>>()?,
            rows: self.statistics.rows,
            id: self.statistics.id.as_ref().map(write_stats),
            statistics: self.statistics.fields.iter().map(write_stats).collect(),
        };
        write(&wire)
    }

    /// Reads a description that begins at `offset` of the file.
    pub fn decode(bytes: &[u8], offset: u64) -> Result<Self, SnapshotError> {
        let wire: Wire = read(bytes, offset)?;
        let wrong = |what: &str| malformed("description", offset, format!("unknown {what}"));
        let schema = Schema {
            collection: wire.collection,
            dimension: wire.dimension,
            metric: *METRICS.get(usize::from(wire.metric)).ok_or_else(|| wrong("metric"))?,
            embedder: wire.embedder.map(EmbedderId::from),
            fields: wire
                .fields
                .into_iter()
                .map(|field| read_field(field, offset))
                .collect::<Result<_, _>>()?,
        };
        let encoding = *ENCODINGS.get(usize::from(wire.encoding)).ok_or_else(|| wrong("encoding"))?;
        let statistics = CollectionStats {
            rows: wire.rows,
            id: wire.id.map(read_stats),
            fields: wire.statistics.into_iter().map(read_stats).collect(),
        };
        Ok(Self { schema, encoding, statistics })
    }
}

/// The description of an embedder's file.
pub fn encode_embedder(id: &EmbedderId) -> Result<Vec<u8>, SnapshotError> {
    write(&WireEmbedder::from(id))
}

/// Reads the description of an embedder's file.
pub fn decode_embedder(bytes: &[u8], offset: u64) -> Result<EmbedderId, SnapshotError> {
    read::<WireEmbedder>(bytes, offset).map(EmbedderId::from)
}

fn write(wire: &impl Encode) -> Result<Vec<u8>, SnapshotError> {
    bincode::encode_to_vec(wire, config::standard())
        .map_err(|e| SnapshotError::CannotWrite { reason: format!("the description cannot be encoded: {e}") })
}

fn read<T: Decode<()>>(bytes: &[u8], offset: u64) -> Result<T, SnapshotError> {
    match bincode::decode_from_slice(bytes, config::standard().with_limit::<LIMIT>()) {
        Ok((wire, used)) if used == bytes.len() => Ok(wire),
        Ok(_) => Err(malformed("description", offset, "bytes after the description")),
        Err(e) => Err(malformed("description", offset, format!("cannot be decoded: {e}"))),
    }
}

fn number_of<T: PartialEq>(known: &[T], value: &T) -> Result<u8, SnapshotError> {
    let place = known.iter().position(|k| k == value).and_then(|place| u8::try_from(place).ok());
    place.ok_or_else(|| SnapshotError::CannotWrite { reason: "a type that this format cannot hold".into() })
}

fn write_field(field: &Field) -> Result<WireField, SnapshotError> {
    let (mut base, mut list_depth) = (&field.kind, 0u8);
    while let FieldType::List(inner) = base {
        list_depth = list_depth.saturating_add(1);
        base = inner;
    }
    Ok(WireField { path: field.path.clone(), base: number_of(&BASES, base)?, list_depth })
}

fn read_field(wire: WireField, offset: u64) -> Result<Field, SnapshotError> {
    let base = BASES.get(usize::from(wire.base)).cloned();
    let base = base.ok_or_else(|| malformed("description", offset, "unknown field type"))?;
    let kind = (0..wire.list_depth).fold(base, |inner, _| FieldType::List(Box::new(inner)));
    Ok(Field { path: wire.path, kind })
}

fn write_stats(stats: &FieldStats) -> WireStats {
    WireStats {
        path: stats.path.clone(),
        nulls: stats.nulls,
        min: stats.min.as_ref().and_then(scalar),
        max: stats.max.as_ref().and_then(scalar),
        distinct: stats.distinct.as_ref().map(|values| values.iter().filter_map(scalar).collect()),
    }
}

fn read_stats(wire: WireStats) -> FieldStats {
    FieldStats {
        path: wire.path,
        nulls: wire.nulls,
        min: wire.min.map(Value::from),
        max: wire.max.map(Value::from),
        distinct: wire.distinct.map(|values| values.into_iter().map(Value::from).collect()),
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Bool(v) => Some(Scalar::Bool(*v)),
        Value::Int(v) => Some(Scalar::Int(*v)),
        Value::Float(v) => Some(Scalar::Float(*v)),
        Value::Text(v) => Some(Scalar::Text(v.clone())),
        Value::Time(v) => Some(Scalar::Time(*v)),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Bool(v) => Value::Bool(v),
            Scalar::Int(v) => Value::Int(v),
            Scalar::Float(v) => Value::Float(v),
            Scalar::Text(v) => Value::Text(v),
            Scalar::Time(v) => Value::Time(v),
        }
    }
}

impl From<&EmbedderId> for WireEmbedder {
    fn from(id: &EmbedderId) -> Self {
        Self { name: id.name.clone(), fingerprint: id.fingerprint.clone(), dimension: id.dimension }
    }
}

impl From<WireEmbedder> for EmbedderId {
    fn from(wire: WireEmbedder) -> Self {
        Self { name: wire.name, fingerprint: wire.fingerprint, dimension: wire.dimension }
    }
}

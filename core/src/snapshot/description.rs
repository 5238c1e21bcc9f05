//! The description at the end of a head: schema and statistics, in bincode 2.0.1's standard configuration.
//!
//! The one module that knows bincode, which writes; `wire` reads. What is written are the flat structs below, not the
//! crate's own types: they cannot nest, so a forged description cannot exhaust the stack, and a change of the crate's
//! types cannot change the format.

use bincode::{Encode, config};

use super::{layout::malformed, wire::Input};
use crate::{
    error::SnapshotError,
    filter::{CollectionStats, FieldStats, Sketch},
    metric::{Encoding, Metric},
    schema::{EmbedderId, Field, FieldType, Schema, Value},
};

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

#[derive(Encode)]
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
#[derive(Encode)]
struct WireEmbedder {
    name: String,
    fingerprint: String,
    dimension: u32,
}

#[derive(Encode)]
struct WireField {
    path: String,
    base: u8,
    list_depth: u8,
}

#[derive(Encode)]
struct WireStats {
    path: String,
    nulls: u64,
    min: Option<Scalar>,
    max: Option<Scalar>,
    distinct: Option<Vec<Scalar>>,
    items: bool,
    sketch: Option<Vec<u8>>,
}

#[derive(Encode)]
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
        read(bytes, offset, description)
    }
}

/// The description of an embedder's file.
pub fn encode_embedder(id: &EmbedderId) -> Result<Vec<u8>, SnapshotError> {
    write(&WireEmbedder::from(id))
}

/// Reads the description of an embedder's file.
pub fn decode_embedder(bytes: &[u8], offset: u64) -> Result<EmbedderId, SnapshotError> {
    read(bytes, offset, embedder)
}

fn write(wire: &impl Encode) -> Result<Vec<u8>, SnapshotError> {
    bincode::encode_to_vec(wire, config::standard())
        .map_err(|e| SnapshotError::CannotWrite { reason: format!("the description cannot be encoded: {e}") })
}

fn read<T>(
    bytes: &[u8],
    offset: u64,
    parse: impl Fn(&mut Input<'_>) -> Option<T>,
) -> Result<T, SnapshotError> {
    let mut input = Input(bytes);
    let read = parse(&mut input);
    let at = offset + (bytes.len() - input.0.len()) as u64;
    match read {
        Some(read) if input.0.is_empty() => Ok(read),
        Some(_) => Err(malformed("description", at, "bytes after the description")),
        None => Err(malformed("description", at, "cannot be decoded")),
    }
}

fn description(input: &mut Input<'_>) -> Option<Description> {
    let collection = input.text()?;
    let dimension = input.small()?;
    let metric = *METRICS.get(usize::from(input.byte()?))?;
    let encoding = *ENCODINGS.get(usize::from(input.byte()?))?;
    let embedder = input.optional(embedder)?;
    let schema = Schema { collection, dimension, metric, embedder, fields: input.list(field)? };
    let statistics = CollectionStats {
        rows: input.number()?,
        id: input.optional(statistics)?,
        fields: input.list(statistics)?,
    };
    Some(Description { schema, encoding, statistics })
}

fn embedder(input: &mut Input<'_>) -> Option<EmbedderId> {
    Some(EmbedderId { name: input.text()?, fingerprint: input.text()?, dimension: input.small()? })
}

fn field(input: &mut Input<'_>) -> Option<Field> {
    let path = input.text()?;
    let base = BASES.get(usize::from(input.byte()?))?.clone();
    let kind = (0..input.byte()?).fold(base, |inner, _| FieldType::List(Box::new(inner)));
    Some(Field { path, kind })
}

fn statistics(input: &mut Input<'_>) -> Option<FieldStats> {
    Some(FieldStats {
        path: input.text()?,
        nulls: input.number()?,
        min: input.optional(value)?,
        max: input.optional(value)?,
        distinct: input.optional(|input| input.list(value))?,
        items: input.bool()?,
        sketch: match input.optional(|input| input.list(Input::byte))? {
            Some(bytes) => Some(Sketch::from_bytes(bytes)?),
            None => None,
        },
    })
}

/// A value, by the places of [`Scalar`]'s variants.
fn value(input: &mut Input<'_>) -> Option<Value> {
    Some(match input.small()? {
        0 => Value::Bool(input.bool()?),
        1 => Value::Int(input.signed()?),
        2 => Value::Float(input.float()?),
        3 => Value::Text(input.text()?),
        4 => Value::Time(input.signed()?),
        _ => return None,
    })
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

fn write_stats(stats: &FieldStats) -> WireStats {
    WireStats {
        path: stats.path.clone(),
        nulls: stats.nulls,
        min: stats.min.as_ref().and_then(scalar),
        max: stats.max.as_ref().and_then(scalar),
        distinct: stats.distinct.as_ref().map(|values| values.iter().filter_map(scalar).collect()),
        items: stats.items,
        sketch: stats.sketch.as_ref().map(|sketch| sketch.bytes().to_vec()),
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

impl From<&EmbedderId> for WireEmbedder {
    fn from(id: &EmbedderId) -> Self {
        Self { name: id.name.clone(), fingerprint: id.fingerprint.clone(), dimension: id.dimension }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Description {
        let stats = |path: &str, min, max, distinct| FieldStats {
            path: path.into(),
            nulls: 251,
            min,
            max,
            distinct,
            items: path == "f",
            sketch: Sketch::from_bytes(path.repeat(300).into_bytes()).filter(|_| path == "d"),
        };
        let fields = BASES.iter().cloned().zip(["a", "b.c", "d", "é", "f"]);
        let mut fields: Vec<Field> = fields.map(|(kind, path)| Field { path: path.into(), kind }).collect();
        fields.push(Field { path: "g".into(), kind: FieldType::List(Box::new(FieldType::Text)) });
        let numbers = [0, -1, 1, 125, -126, 1 << 15, -1 << 20, 1 << 40, i64::MIN, i64::MAX];
        Description {
            schema: Schema {
                collection: "x".repeat(300),
                dimension: 70_000,
                metric: Metric::L2,
                embedder: Some(EmbedderId { name: "n".into(), fingerprint: "f".into(), dimension: 256 }),
                fields,
            },
            encoding: Encoding::F16,
            statistics: CollectionStats {
                rows: u64::MAX,
                id: Some(stats("id", Some(Value::Text("a".into())), None, None)),
                fields: vec![
                    stats("a", None, None, Some(vec![Value::Bool(false), Value::Bool(true)])),
                    stats("b.c", None, None, Some(numbers.map(Value::Int).to_vec())),
                    stats("d", Some(Value::Float(-0.1)), Some(Value::Float(1e300)), Some(Vec::new())),
                    stats("f", Some(Value::Time(i64::MIN)), Some(Value::Time(65_536)), None),
                ],
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample().encode().unwrap();
        assert_eq!(Description::decode(&bytes, 0), Ok(sample()));
        let id = sample().schema.embedder.unwrap();
        assert_eq!(decode_embedder(&encode_embedder(&id).unwrap(), 0), Ok(id));
    }

    #[test]
    fn what_was_cut_or_has_a_tail_is_refused() {
        let mut bytes = sample().encode().unwrap();
        for end in 0..bytes.len() {
            let read = Description::decode(&bytes[..end], 7);
            assert!(matches!(read, Err(SnapshotError::Malformed { offset: 7.., .. })), "{end}: {read:?}");
        }
        bytes.push(0);
        assert!(Description::decode(&bytes, 0).is_err());
    }

    /// A byte that was altered is refused, or gives another description, which is written as it stands.
    #[test]
    fn altered_bytes_are_read_as_they_are_written() {
        let bytes = sample().encode().unwrap();
        let mut read = 0;
        for at in 0..bytes.len() {
            for value in 0..=255 {
                let mut altered = bytes.clone();
                altered[at] = value;
                // Numbers may be written longer than they must; of those only the value is compared.
                if let Ok(other) = Description::decode(&altered, 0) {
                    read += 1;
                    let again = other.encode().unwrap();
                    let nan = format!("{other:?}").contains("NaN");
                    assert!(nan || Description::decode(&again, 0).as_ref() == Ok(&other), "{at} {value}");
                    assert!(again.len() <= altered.len(), "{at} {value}");
                }
            }
        }
        assert!(read > 1000, "{read}");
    }

    /// A length that nothing follows costs neither memory nor time.
    #[test]
    fn forged_lengths_are_refused() {
        for length in [[253, 255, 255, 255, 255, 255, 255, 255, 255], [253, 0, 0, 0, 0, 0, 0, 0, 1]] {
            assert!(Description::decode(&length, 0).is_err());
            let fields = [&[0, 0, 0, 0, 0][..], &length].concat();
            assert!(Description::decode(&fields, 0).is_err());
        }
    }
}

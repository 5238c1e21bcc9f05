//! What the tables of a head do not say: schemas at its end, and statistics in their section. bincode 2.0.1, standard
//! configuration.
//!
//! The one module that knows bincode, which writes; `wire` reads. What is written are the flat structs below, not the
//! crate's own types: they cannot nest, so a forged description cannot exhaust the stack, and a change of the crate's
//! types cannot change the format.

use bincode::{Encode, config};

use super::{layout::malformed, table::Calibration, wire::Input};
use crate::{
    error::SnapshotError,
    filter::{CollectionStats, FieldStats, Sketch},
    metric::{Encoding, Metric},
    schema::{EmbedderId, Field, FieldType, Schema, Value},
};

/// What a file of collections says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The length of the vectors.
    pub dimension: u32,
    /// How they are compared.
    pub metric: Metric,
    /// How they are stored.
    pub encoding: Encoding,
    /// What made them.
    pub embedder: Option<EmbedderId>,
    /// The fields of all collections.
    pub fields: Vec<Field>,
    /// The clusters, if there are any.
    pub clusters: Option<ClusterInfo>,
    /// The collections, in the order of their rows.
    pub collections: Vec<Part>,
}

/// What a file says of its clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterInfo {
    /// How many there are.
    pub count: u32,
    /// Whether a row may stand in two of them.
    pub soft: bool,
    /// The bits a component of the extended codes; 0 when there are none.
    pub extended_bits: u8,
    /// What the stored `A` of a slot is multiplied by.
    pub a_scale: f32,
    /// What the stored `F` of a slot is multiplied by.
    pub f_scale: f32,
    /// How many clusters searches need, as measured when the file was made.
    pub calibration: Calibration,
}

/// One collection of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// How many records it has.
    pub rows: u64,
    /// Its fields, by their places in the file's, in the order of its schema.
    pub fields: Vec<u16>,
}

#[derive(Encode)]
struct Wire {
    dimension: u32,
    metric: u8,
    encoding: u8,
    embedder: Option<WireEmbedder>,
    fields: Vec<WireField>,
    clusters: Option<WireClusters>,
    collections: Vec<(String, u64, Vec<u16>)>,
}

#[derive(Encode)]
struct WireClusters {
    count: u32,
    soft: bool,
    extended_bits: u8,
    a_scale: f32,
    f_scale: f32,
    calibration: [[f32; 4]; 3],
}

#[derive(Encode)]
struct WireStatistics {
    id: Option<WireStats>,
    fields: Vec<WireStats>,
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
const ENCODINGS: [Encoding; 4] = [Encoding::F32, Encoding::F16, Encoding::I8, Encoding::None];
const BASES: [FieldType; 6] =
    [FieldType::Bool, FieldType::Int, FieldType::Float, FieldType::Text, FieldType::Time, FieldType::Json];

impl Description {
    /// The bytes of the description.
    pub fn encode(&self) -> Result<Vec<u8>, SnapshotError> {
        let part = |part: &Part| (part.name.clone(), part.rows, part.fields.clone());
        let wire = Wire {
            dimension: self.dimension,
            metric: number_of(&METRICS, &self.metric)?,
            encoding: number_of(&ENCODINGS, &self.encoding)?,
            embedder: self.embedder.as_ref().map(WireEmbedder::from),
            fields: self.fields.iter().map(write_field).collect::<Result<_, _>>()?,
            clusters: self.clusters.map(WireClusters::from),
            collections: self.collections.iter().map(part).collect(),
        };
        write(&wire)
    }

    /// Reads a description that begins at `offset` of the file.
    pub fn decode(bytes: &[u8], offset: u64) -> Result<Self, SnapshotError> {
        read(bytes, ("description", offset), description)
    }

    /// What the records of one collection share.
    pub fn schema(&self, part: &Part) -> Schema {
        let field = |place: &u16| self.fields.get(usize::from(*place)).cloned();
        Schema {
            collection: part.name.clone(),
            dimension: self.dimension,
            metric: self.metric,
            embedder: self.embedder.clone(),
            fields: part.fields.iter().filter_map(field).collect(),
        }
    }
}

/// The bytes of the statistics of a collection: the section says which one they are of, the description its rows and
/// the fields.
pub fn encode_statistics(statistics: &CollectionStats) -> Result<Vec<u8>, SnapshotError> {
    write(&WireStatistics {
        id: statistics.id.as_ref().map(write_stats),
        fields: statistics.fields.iter().map(write_stats).collect(),
    })
}

/// Reads the statistics of a collection of `rows` records with these `fields`, which begin at `offset` of the file.
pub fn decode_statistics(
    bytes: &[u8],
    offset: u64,
    (rows, fields): (u64, &[Field]),
) -> Result<CollectionStats, SnapshotError> {
    let mut read: CollectionStats = read(bytes, ("statistics", offset), |input| {
        Some(CollectionStats { rows, id: input.optional(statistics)?, fields: input.list(statistics)? })
    })?;
    if read.fields.len() != fields.len() {
        return Err(malformed("statistics", offset, "they are not of the collection's fields"));
    }
    read.id.iter_mut().for_each(|stats| stats.path = "id".into());
    for (stats, field) in read.fields.iter_mut().zip(fields) {
        stats.path.clone_from(&field.path);
    }
    Ok(read)
}

/// The description of an embedder's file.
pub fn encode_embedder(id: &EmbedderId) -> Result<Vec<u8>, SnapshotError> {
    write(&WireEmbedder::from(id))
}

/// Reads the description of an embedder's file.
pub fn decode_embedder(bytes: &[u8], offset: u64) -> Result<EmbedderId, SnapshotError> {
    read(bytes, ("description", offset), embedder)
}

fn write(wire: &impl Encode) -> Result<Vec<u8>, SnapshotError> {
    bincode::encode_to_vec(wire, config::standard())
        .map_err(|e| SnapshotError::CannotWrite { reason: format!("the description cannot be encoded: {e}") })
}

fn read<T>(
    bytes: &[u8],
    (section, offset): (&str, u64),
    parse: impl Fn(&mut Input<'_>) -> Option<T>,
) -> Result<T, SnapshotError> {
    let mut input = Input(bytes);
    let read = parse(&mut input);
    let at = offset + (bytes.len() - input.0.len()) as u64;
    match read {
        Some(read) if input.0.is_empty() => Ok(read),
        Some(_) => Err(malformed(section, at, "bytes after its end")),
        None => Err(malformed(section, at, "cannot be decoded")),
    }
}

fn description(input: &mut Input<'_>) -> Option<Description> {
    Some(Description {
        dimension: input.small()?,
        metric: *METRICS.get(usize::from(input.byte()?))?,
        encoding: *ENCODINGS.get(usize::from(input.byte()?))?,
        embedder: input.optional(embedder)?,
        fields: input.list(field)?,
        clusters: input.optional(clusters)?,
        collections: input.list(part)?,
    })
}

fn clusters(input: &mut Input<'_>) -> Option<ClusterInfo> {
    Some(ClusterInfo {
        count: input.small()?,
        soft: input.bool()?,
        extended_bits: input.byte()?,
        a_scale: input.single()?,
        f_scale: input.single()?,
        calibration: calibration(input)?,
    })
}

fn calibration(input: &mut Input<'_>) -> Option<Calibration> {
    let mut calibration = Calibration::default();
    for number in calibration.clusters.iter_mut().flatten() {
        *number = input.single()?;
    }
    Some(calibration)
}

fn part(input: &mut Input<'_>) -> Option<Part> {
    let fields = |input: &mut Input<'_>| input.list(|input| u16::try_from(input.small()?).ok());
    Some(Part { name: input.text()?, rows: input.number()?, fields: fields(input)? })
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
        path: String::new(),
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

impl From<ClusterInfo> for WireClusters {
    fn from(info: ClusterInfo) -> Self {
        let ClusterInfo { count, soft, extended_bits, a_scale, f_scale, calibration } = info;
        Self { count, soft, extended_bits, a_scale, f_scale, calibration: calibration.clusters }
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
        let fields = BASES.iter().cloned().zip(["a", "b.c", "d", "é", "f"]);
        let mut fields: Vec<Field> = fields.map(|(kind, path)| Field { path: path.into(), kind }).collect();
        fields.push(Field { path: "g".into(), kind: FieldType::List(Box::new(FieldType::Text)) });
        Description {
            dimension: 70_000,
            metric: Metric::L2,
            encoding: Encoding::I8,
            embedder: Some(EmbedderId { name: "n".into(), fingerprint: "f".into(), dimension: 256 }),
            fields,
            clusters: Some(ClusterInfo {
                count: 300,
                soft: true,
                extended_bits: 4,
                a_scale: 0.5,
                f_scale: 1e-3,
                calibration: Calibration {
                    clusters: [[1.0, 2.0, 4.0, 5.0], [8.0, 9.5, 10.0, 11.0], [11.0, 12.0, 300.0, 301.0]],
                },
            }),
            collections: vec![
                Part { name: "x".repeat(300), rows: u64::MAX, fields: vec![0, 5, 1, u16::MAX] },
                Part { name: String::new(), rows: 0, fields: vec![] },
            ],
        }
    }

    fn sample_statistics() -> CollectionStats {
        let stats = |path: &str, min, max, distinct| FieldStats {
            path: path.into(),
            nulls: 251,
            min,
            max,
            distinct,
            items: path == "f",
            sketch: Sketch::from_bytes(path.repeat(300).into_bytes()).filter(|_| path == "d"),
        };
        let numbers = [0, -1, 1, 125, -126, 1 << 15, -1 << 20, 1 << 40, i64::MIN, i64::MAX];
        CollectionStats {
            rows: 1000,
            id: Some(stats("id", Some(Value::Text("a".into())), None, None)),
            fields: vec![
                stats("a", None, None, Some(vec![Value::Bool(false), Value::Bool(true)])),
                stats("b.c", None, None, Some(numbers.map(Value::Int).to_vec())),
                stats("d", Some(Value::Float(-0.1)), Some(Value::Float(1e300)), Some(Vec::new())),
                stats("f", Some(Value::Time(i64::MIN)), Some(Value::Time(65_536)), None),
            ],
        }
    }

    fn decode_sample(bytes: &[u8], offset: u64) -> Result<CollectionStats, SnapshotError> {
        let fields = ["a", "b.c", "d", "f"].map(|path| Field { path: path.into(), kind: FieldType::Int });
        decode_statistics(bytes, offset, (1000, &fields))
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample().encode().unwrap();
        assert_eq!(Description::decode(&bytes, 0), Ok(sample()));
        let statistics = sample_statistics();
        assert_eq!(decode_sample(&encode_statistics(&statistics).unwrap(), 0), Ok(statistics));
        let id = sample().embedder.unwrap();
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
        let bytes = encode_statistics(&sample_statistics()).unwrap();
        for end in 0..bytes.len() {
            let read = decode_sample(&bytes[..end], 7);
            assert!(matches!(read, Err(SnapshotError::Malformed { offset: 7.., .. })), "{end}: {read:?}");
        }
        assert!(decode_statistics(&bytes, 0, (1000, &[])).is_err());
    }

    /// Replaces every byte by every other. What is still read is written as it stands, and then read as the same; of
    /// numbers that are written longer than they must be only the value counts, and a NaN is unlike itself.
    fn alter<T: PartialEq + std::fmt::Debug>(
        bytes: &[u8],
        decode: impl Fn(&[u8]) -> Result<T, SnapshotError>,
        encode: impl Fn(&T) -> Vec<u8>,
    ) -> usize {
        let mut read = 0;
        for at in 0..bytes.len() {
            for value in 0..=255 {
                let mut altered = bytes.to_vec();
                altered[at] = value;
                if let Ok(other) = decode(&altered) {
                    read += 1;
                    let again = encode(&other);
                    let nan = format!("{other:?}").contains("NaN");
                    assert!(nan || decode(&again).as_ref() == Ok(&other), "{at} {value}");
                    assert!(again.len() <= altered.len(), "{at} {value}");
                }
            }
        }
        read
    }

    #[test]
    fn altered_bytes_are_read_as_they_are_written() {
        let bytes = sample().encode().unwrap();
        let read = alter(&bytes, |bytes| Description::decode(bytes, 0), |other| other.encode().unwrap());
        assert!(read > 1000, "{read}");
        let bytes = encode_statistics(&sample_statistics()).unwrap();
        let read = alter(&bytes, |bytes| decode_sample(bytes, 0), |other| encode_statistics(other).unwrap());
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

//! Writing a file of collections: records are checked and put in order first, then become bytes.
//!
//! Use [`write_collection`] for one collection. [`Draft`] is for several in one file, and for whoever builds clusters
//! over its vectors. Nothing is produced from input that is not acceptable.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    assemble::{Assembler, Title},
    clusters::ClusterSections,
    columns,
    description::{Description, Part, encode_statistics},
    graph::GraphSections,
    layout::{self, FileKind, NO_FIELD, SectionKind},
    members::encode_members,
    payload::{self, PayloadRow},
    statistics::statistics,
    strings::encode_strings,
};
use crate::{
    error::{Result, SnapshotError},
    metric::{Encoding, Metric, check_encodable, check_vector, encode_row},
    schema::{Field, FieldType, Record, Schema, Value, metadata_json},
};

/// Writes one collection. Records are put in the order of their ids, so the same records give the same bytes
/// whatever their order.
///
/// # Errors
/// As [`Draft::new`].
pub fn write_collection(schema: &Schema, encoding: Encoding, records: Vec<Record>) -> Result<Vec<u8>> {
    Draft::new(vec![(schema.clone(), records)], encoding)?.write(None)
}

/// The records of one file, checked and in the order of its rows: by collection, then by id.
#[derive(Debug)]
pub struct Draft {
    encoding: Encoding,
    /// The fields of all collections.
    fields: Vec<Field>,
    collections: Vec<DraftCollection>,
}

#[derive(Debug)]
struct DraftCollection {
    schema: Schema,
    /// The places of the schema's fields among those of the file.
    places: Vec<u16>,
    records: Vec<Record>,
}

impl Draft {
    /// Checks the records of the collections that a file is to hold.
    ///
    /// # Errors
    /// [`InputError`](crate::error::InputError) when a vector is not acceptable; [`SnapshotError::CannotWrite`] when two
    /// records of a collection share an id, a value is not of its field's type, or the collections do not go together:
    /// they share dimension, metric, embedder, and the types of the fields that several have.
    pub fn new(mut collections: Vec<(Schema, Vec<Record>)>, encoding: Encoding) -> Result<Self> {
        collections.sort_by(|(a, _), (b, _)| a.collection.cmp(&b.collection));
        check_together(&collections)?;
        let mut draft = Self { encoding, fields: Vec::new(), collections: Vec::new() };
        for (schema, mut records) in collections {
            records.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            if let Some(pair) = records.windows(2).find(|pair| pair[0].id == pair[1].id) {
                let reason = format!("two records of {:?} have the id {:?}", schema.collection, pair[0].id);
                return Err(cannot_write(reason).into());
            }
            for record in &mut records {
                fit_record(&schema, record)?;
                check_vector(&record.id, &record.vector, schema.dimension as usize, schema.metric)?;
                check_encodable(&record.vector, schema.metric, encoding)
                    .map_err(|e| e.for_record(&record.id))?;
            }
            let places = draft.place_fields(&schema)?;
            draft.collections.push(DraftCollection { schema, places, records });
        }
        if u32::try_from(draft.rows()).is_err() {
            return Err(
                cannot_write(format!("{} records, a file holds fewer than 2^32", draft.rows())).into()
            );
        }
        Ok(draft)
    }

    /// Adds a schema's fields to those of the file.
    fn place_fields(&mut self, schema: &Schema) -> Result<Vec<u16>, SnapshotError> {
        let mut places = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let known = self.fields.iter().position(|known| known.path == field.path);
            let place = known.unwrap_or(self.fields.len());
            match self.fields.get(place) {
                None => self.fields.push(field.clone()),
                Some(known) if known.kind == field.kind => {}
                Some(known) => {
                    let (path, a, b) = (&field.path, &known.kind, &field.kind);
                    return Err(cannot_write(format!(
                        "metadata.{path} is declared as {b:?} in {:?} and as {a:?} before; \
                         write the collections into files of their own",
                        schema.collection
                    )));
                }
            }
            let number = u16::try_from(place).ok().filter(|number| *number != NO_FIELD);
            let number = number.ok_or_else(|| cannot_write("more than 65535 fields".into()))?;
            if places.contains(&number) {
                return Err(cannot_write(format!("metadata.{} is declared twice", field.path)));
            }
            places.push(number);
        }
        Ok(places)
    }

    /// The length of the vectors.
    pub fn dimension(&self) -> usize {
        self.collections.first().map_or(0, |first| first.schema.dimension as usize)
    }

    /// How the vectors are stored.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How the vectors are compared.
    pub fn metric(&self) -> Metric {
        self.collections.first().map_or(Metric::Cosine, |first| first.schema.metric)
    }

    /// The names of the collections and how many rows each has, in the order of the rows.
    pub fn collections(&self) -> impl ExactSizeIterator<Item = (&str, usize)> {
        self.collections.iter().map(|one| (one.schema.collection.as_str(), one.records.len()))
    }

    /// The number of records of all collections.
    pub fn rows(&self) -> usize {
        self.collections.iter().map(|one| one.records.len()).sum()
    }

    /// The vectors as they were given, in the order of the rows. Under cosine they are not of unit length yet.
    pub fn vectors(&self) -> impl Iterator<Item = &[f32]> {
        self.records().map(|record| record.vector.as_slice())
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.collections.iter().flat_map(|one| &one.records)
    }

    /// The bytes of the file, with the clusters that were built over its vectors, if any were.
    ///
    /// # Errors
    /// [`SnapshotError::CannotWrite`] for what 32 bits cannot count, and for clusters that are not those of the draft.
    pub fn write(&self, clusters: Option<&ClusterSections>) -> Result<Vec<u8>> {
        self.write_with(clusters, None)
    }

    /// The same with a graph over the rows. A graph is entered through clusters, so there is none without them.
    ///
    /// # Errors
    /// As [`write`](Self::write); for a graph that is not one of the draft's rows, or without clusters.
    pub fn write_with(
        &self,
        clusters: Option<&ClusterSections>,
        graph: Option<&GraphSections>,
    ) -> Result<Vec<u8>> {
        let mut file = Assembler::new();
        self.write_columns(&mut file)?;
        let rows = self.rows() as u64;
        let ids =
            self.collections.iter().map(|one| encode_strings(one.records.iter().map(|r| r.id.as_str())));
        file.section(Title::new(SectionKind::Ids, 0, rows), ids.collect::<Result<Vec<_>, _>>()?)?;
        self.write_payload(&mut file)?;
        self.write_vectors(&mut file)?;
        let statistics =
            self.collections.iter().map(|one| encode_statistics(&statistics(&one.schema, &one.records)));
        let statistics = statistics.collect::<Result<Vec<_>, _>>()?;
        file.section(Title::new(SectionKind::Statistics, 0, rows), statistics)?;
        if let Some(clusters) = clusters {
            self.write_clusters(&mut file, clusters)?;
        }
        if let Some(graph) = graph {
            let enters = clusters.is_some() && self.encoding != Encoding::None;
            graph.write(&mut file, self.rows(), enters)?;
        }
        let description = self.description(clusters).encode()?;
        Ok(file.finish(FileKind::Collection, self.features(clusters), rows, &description)?)
    }

    fn description(&self, clusters: Option<&ClusterSections>) -> Description {
        let first = self.collections.first().map(|one| &one.schema);
        let part = |one: &DraftCollection| Part {
            name: one.schema.collection.clone(),
            rows: one.records.len() as u64,
            fields: one.places.clone(),
        };
        Description {
            dimension: first.map_or(0, |schema| schema.dimension),
            metric: self.metric(),
            encoding: self.encoding,
            embedder: first.and_then(|schema| schema.embedder.clone()),
            fields: self.fields.clone(),
            clusters: clusters.map(|clusters| clusters.info),
            collections: self.collections.iter().map(part).collect(),
        }
    }

    fn features(&self, clusters: Option<&ClusterSections>) -> u64 {
        let info = clusters.map(|clusters| clusters.info);
        let bit = |set: bool, feature: u64| if set { feature } else { 0 };
        bit(info.is_some(), layout::CLUSTERS)
            | bit(info.is_some_and(|info| info.soft), layout::SOFT)
            | bit(self.collections.len() > 1, layout::PACKED)
            | bit(info.is_some_and(|info| info.extended_bits > 0), layout::EXTENDED)
    }

    fn write_columns(&self, file: &mut Assembler) -> Result<()> {
        for (number, field) in (0..).zip(&self.fields).filter(|(_, field)| columns::has_column(&field.kind)) {
            let holders = || self.collections.iter().filter(|one| one.places.contains(&number));
            let rows = holders().map(|one| one.records.len() as u64).sum();
            let (mut dictionaries, mut blocks) = (Vec::new(), Vec::new());
            for one in holders() {
                let stored = column(field, &one.records)?;
                dictionaries.extend(stored.dictionary);
                blocks.extend(stored.blocks);
            }
            let title = |kind, rows_per_block| Title { kind, field: number, rows_per_block, rows };
            if *columns::element(&field.kind) == FieldType::Text {
                file.section(title(SectionKind::Dictionary, 0), dictionaries)?;
            }
            file.section(title(SectionKind::Column, columns::ROWS_PER_BLOCK), blocks)?;
        }
        Ok(())
    }

    fn write_payload(&self, file: &mut Assembler) -> Result<()> {
        let mut blocks = Vec::new();
        let chunks =
            self.collections.iter().flat_map(|one| one.records.chunks(payload::ROWS_PER_BLOCK as usize));
        for chunk in chunks {
            let metadata: Vec<String> =
                chunk.iter().map(|r| metadata_json(&r.metadata).to_string()).collect();
            let row = |(r, metadata)| {
                let r: &Record = r;
                PayloadRow { id: r.id.as_str(), document: r.document.as_deref(), metadata }
            };
            let metadata = metadata.iter().map(String::as_str);
            blocks.push(payload::encode_block(&chunk.iter().zip(metadata).map(row).collect::<Vec<_>>())?);
        }
        let title = Title::new(SectionKind::Payload, payload::ROWS_PER_BLOCK, self.rows() as u64);
        Ok(file.section(title, blocks)?)
    }

    fn write_vectors(&self, file: &mut Assembler) -> Result<()> {
        let Some(schema) = self.collections.first().map(|one| &one.schema) else { return Ok(()) };
        let row_bytes = self.encoding.row_bytes(schema.dimension as usize);
        if row_bytes == 0 {
            return Ok(());
        }
        let row = |record: &Record| {
            let mut row = Vec::with_capacity(row_bytes);
            // It was asked in `new` whether this succeeds; a row that is not as long as the others is refused below.
            let _ = encode_row(&record.vector, schema.metric, self.encoding, &mut row);
            row
        };
        let title = Title::new(SectionKind::Vectors, 1, self.rows() as u64);
        Ok(file.even_section(title, row_bytes, self.records().map(row))?)
    }

    fn write_clusters(&self, file: &mut Assembler, clusters: &ClusterSections) -> Result<()> {
        let sizes = clusters.check(self.dimension(), self.rows())?;
        file.section(
            Title::new(SectionKind::Centroids, 0, clusters.info.count.into()),
            [&clusters.centroids],
        )?;
        if self.collections.len() > 1 {
            let ends = self.collections.iter().scan(0, |end, one| {
                *end += one.records.len() as u64;
                Some(*end)
            });
            let blocks = encode_members(clusters, &sizes, &ends.collect::<Vec<_>>())?;
            let entries = blocks.iter().map(|block| block.len() as u64 / 12).sum();
            file.section(Title::new(SectionKind::Members, 0, entries), blocks)?;
        }
        let cells = clusters.codes.chunks(sizes.cell_bytes);
        let title = Title::new(SectionKind::Codes, super::clusters::CELL_SLOTS as u32, sizes.slots);
        file.even_section(title, sizes.cell_bytes, cells)?;
        if clusters.info.extended_bits > 0 {
            let title = Title::new(SectionKind::Extended, 1, self.rows() as u64);
            file.even_section(title, sizes.extended_bytes, clusters.extended.chunks(sizes.extended_bytes))?;
        }
        Ok(())
    }
}

fn cannot_write(reason: String) -> SnapshotError {
    SnapshotError::CannotWrite { reason }
}

/// The collections of one file share what its head says once.
fn check_together(collections: &[(Schema, Vec<Record>)]) -> Result<(), SnapshotError> {
    let Some((first, _)) = collections.first() else {
        return Err(cannot_write("a file holds at least one collection".into()));
    };
    for pair in collections.windows(2) {
        let other = &pair[1].0;
        if pair[0].0.collection == other.collection {
            return Err(cannot_write(format!("two collections are called {:?}", other.collection)));
        }
        let differs = match () {
            () if first.dimension != other.dimension => "dimension",
            () if first.metric != other.metric => "metric",
            () if first.embedder != other.embedder => "embedder",
            () => continue,
        };
        let (a, b) = (&first.collection, &other.collection);
        return Err(cannot_write(format!(
            "{a:?} and {b:?} differ in {differs}; write them into files of their own"
        )));
    }
    match first.dimension {
        0 => Err(cannot_write(format!("the vectors of {:?} have dimension 0", first.collection))),
        _ => Ok(()),
    }
}

/// Widens integers of float fields, and refuses what the columns would turn into something else.
fn fit_record(schema: &Schema, record: &mut Record) -> Result<(), SnapshotError> {
    for (path, value) in &mut record.metadata {
        let kind = schema.fields.iter().find(|field| field.path == *path).map(|field| &field.kind);
        if *value != Value::Null && !kind.is_some_and(|kind| fit_value(kind, value)) {
            let expected = kind.map_or("not declared".into(), |kind| format!("declared as {kind:?}"));
            let reason =
                format!("{}: metadata.{path} is {expected}, its value is {}", record.id, value.to_json());
            return Err(SnapshotError::CannotWrite { reason });
        }
    }
    Ok(())
}

fn fit_value(kind: &FieldType, value: &mut Value) -> bool {
    if let (FieldType::Float, Value::Int(number)) = (kind, &*value) {
        *value = Value::Float(*number as f64);
    }
    match (kind, value) {
        (FieldType::Bool, Value::Bool(_))
        | (FieldType::Int, Value::Int(_))
        | (FieldType::Text, Value::Text(_))
        | (FieldType::Time, Value::Time(_))
        | (FieldType::Json, _) => true,
        (FieldType::Float, Value::Float(number)) => number.is_finite(),
        (FieldType::List(kind), Value::List(items)) => {
            items.iter_mut().all(|item| *item == Value::Null || fit_value(kind, item))
        }
        _ => false,
    }
}

/// A field's values as they are stored.
struct Stored {
    /// Of texts.
    dictionary: Option<Vec<u8>>,
    blocks: Vec<Vec<u8>>,
}

fn column(field: &Field, records: &[Record]) -> Result<Stored, SnapshotError> {
    let values: Vec<&Value> =
        records.iter().map(|r| r.metadata.get(&field.path).unwrap_or(&Value::Null)).collect();
    let texts: BTreeSet<&str> =
        values.iter().flat_map(|value| columns::items(value)).filter_map(text_of).collect();
    let places: BTreeMap<&str, u32> = texts.iter().copied().zip(0..).collect();
    let dictionary = match columns::element(&field.kind) {
        FieldType::Text => Some(encode_strings(texts.iter().copied())?),
        _ => None,
    };
    let place = |text: &str| places.get(text).copied().unwrap_or(0);
    let blocks = values.chunks(columns::ROWS_PER_BLOCK as usize);
    let blocks = blocks.map(|block| columns::encode_block(&field.kind, block, &place));
    Ok(Stored { dictionary, blocks: blocks.collect::<Result<_, _>>()? })
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

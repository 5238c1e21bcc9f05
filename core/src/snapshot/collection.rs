//! A collection's file: records in, bytes out; and the opened form that a search reads.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    assemble::Assembler,
    columns,
    description::Description,
    head::Head,
    layout::{FileKind, HEADER_BYTES, SectionEntry, SectionKind, malformed},
    payload::{self, PayloadBlock, PayloadRow},
    statistics::statistics,
    strings::{Strings, encode_strings},
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
    filter::{CollectionStats, ColumnBlock},
    metric::{Encoding, check_vector, encode_row},
    schema::{Field, FieldType, Record, Schema, Value, metadata_json},
};

/// Blocks of vectors hold about this many bytes.
const VECTOR_BLOCK_BYTES: usize = 64 << 10;

/// Writes one collection. Records are put in the order of their ids, so the same records give the same bytes
/// whatever their order.
///
/// # Errors
/// [`InputError`](crate::error::InputError) when a vector is not acceptable, [`SnapshotError::CannotWrite`] when two
/// records share an id or a value is not of its field's type.
pub fn write_collection(
    schema: &Schema,
    encoding: Encoding,
    mut records: Vec<Record>,
) -> crate::Result<Vec<u8>> {
    records.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = records.windows(2).find(|pair| pair[0].id == pair[1].id) {
        let reason = format!("two records of {:?} have the id {:?}", schema.collection, pair[0].id);
        return Err(SnapshotError::CannotWrite { reason }.into());
    }
    records.iter_mut().try_for_each(|record| fit_record(schema, record))?;
    let mut file = Assembler::new();
    write_columns(&mut file, schema, &records)?;
    let ids = encode_strings(records.iter().map(|r| r.id.as_str()))?;
    file.section(SectionKind::Ids, 0, 0, [ids])?;
    write_vectors(&mut file, schema, encoding, &records)?;
    write_payload(&mut file, &records)?;
    let description =
        Description { schema: schema.clone(), encoding, statistics: statistics(schema, &records) };
    Ok(file.finish(FileKind::Collection, records.len() as u64, &description.encode()?)?)
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

fn write_columns(file: &mut Assembler, schema: &Schema, records: &[Record]) -> crate::Result<()> {
    for (index, field) in
        schema.fields.iter().enumerate().filter(|(_, field)| columns::has_column(&field.kind))
    {
        let index = u16::try_from(index).map_err(|_| SnapshotError::CannotWrite {
            reason: format!("{} fields, the most is 65536", schema.fields.len()),
        })?;
        let values: Vec<&Value> =
            records.iter().map(|r| r.metadata.get(&field.path).unwrap_or(&Value::Null)).collect();
        let texts: BTreeSet<&str> =
            values.iter().flat_map(|value| columns::items(value)).filter_map(text_of).collect();
        let places: BTreeMap<&str, u32> = texts.iter().copied().zip(0..).collect();
        if *columns::element(&field.kind) == FieldType::Text {
            file.section(SectionKind::Dictionary, index, 0, [encode_strings(texts.iter().copied())?])?;
        }
        let place = |text: &str| places.get(text).copied().unwrap_or(0);
        let blocks = values.chunks(columns::ROWS_PER_BLOCK as usize);
        let blocks: Vec<Vec<u8>> = blocks
            .map(|block| columns::encode_block(&field.kind, block, &place))
            .collect::<Result<_, _>>()?;
        file.section(SectionKind::Column, index, columns::ROWS_PER_BLOCK, blocks)?;
    }
    Ok(())
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn write_vectors(
    file: &mut Assembler,
    schema: &Schema,
    encoding: Encoding,
    records: &[Record],
) -> crate::Result<()> {
    let row_bytes = schema.dimension as usize * encoding.bytes_per_component();
    let rows_per_block = vectors_per_block(row_bytes);
    let mut blocks = Vec::with_capacity(records.len().div_ceil(rows_per_block as usize));
    for chunk in records.chunks(rows_per_block as usize) {
        let mut block = Vec::with_capacity(chunk.len() * row_bytes);
        for record in chunk {
            check_vector(&record.id, &record.vector, schema.dimension as usize, schema.metric)?;
            encode_row(&record.vector, schema.metric, encoding, &mut block)
                .map_err(|e| e.for_record(&record.id))?;
        }
        blocks.push(block);
    }
    Ok(file.section(SectionKind::Vectors, 0, rows_per_block, blocks)?)
}

fn vectors_per_block(row_bytes: usize) -> u32 {
    (VECTOR_BLOCK_BYTES / row_bytes.max(1)).max(1) as u32
}

fn write_payload(file: &mut Assembler, records: &[Record]) -> crate::Result<()> {
    let mut blocks = Vec::new();
    for chunk in records.chunks(payload::ROWS_PER_BLOCK as usize) {
        let metadata: Vec<String> = chunk.iter().map(|r| metadata_json(&r.metadata).to_string()).collect();
        let rows: Vec<_> = chunk
            .iter()
            .zip(&metadata)
            .map(|(r, metadata)| PayloadRow { id: r.id.as_str(), document: r.document.as_deref(), metadata })
            .collect();
        blocks.push(payload::encode_block(&rows)?);
    }
    Ok(file.section(SectionKind::Payload, 0, payload::ROWS_PER_BLOCK, blocks)?)
}

/// An opened collection: its checked head and what it describes. Holds no data; blocks are lent by a
/// [`ByteSource`] of the same file.
#[derive(Debug)]
pub struct Collection {
    head: Head,
    description: Description,
    row_bytes: usize,
}

impl Collection {
    /// Opens a collection from the first bytes of its file.
    pub fn open(head: &[u8], file_bytes: u64) -> Result<Self, SnapshotError> {
        let head = Head::parse(head, file_bytes)?;
        head.expect_kind(FileKind::Collection)?;
        let description = Description::decode(head.description(), head.header().description_at())?;
        if description.statistics.rows != head.header().rows {
            return Err(malformed("description", head.header().description_at(), "another number of rows"));
        }
        let row_bytes = (description.schema.dimension as usize)
            .checked_mul(description.encoding.bytes_per_component())
            .filter(|bytes| *bytes > 0)
            .ok_or_else(|| malformed("description", head.header().description_at(), "dimension 0"))?;
        let collection = Self { head, description, row_bytes };
        collection.check_sections()?;
        Ok(collection)
    }

    /// The sections are those that the schema asks for, with blocks of the sizes that the format lays down: a forged
    /// head can then claim no more rows than it has blocks for.
    fn check_sections(&self) -> Result<(), SnapshotError> {
        let wrong = |reason: &str| malformed("directory", HEADER_BYTES as u64, reason);
        if u32::try_from(self.rows()).is_err() {
            return Err(wrong("more rows than a table of ids can hold"));
        }
        let found = self.head.sections();
        let expected = self.expected_sections();
        let fits = |(section, expected): (&SectionEntry, &(SectionKind, usize, u32))| {
            let whole = expected.2 > 0 || section.blocks == 1;
            whole && (section.kind, usize::from(section.index), section.rows_per_block) == *expected
        };
        if found.len() != expected.len() || !found.iter().zip(&expected).all(fits) {
            return Err(wrong("the sections are not those that the schema asks for"));
        }
        let vectors = self.vectors()?;
        for block in 0..vectors.blocks {
            let bytes = self.head.block_range(vectors, block).map_or(0, |range| range.len());
            if bytes != (self.rows_in(vectors, block) * self.row_bytes) as u64 {
                return Err(malformed("vectors", vectors.offset, format!("block {block} has {bytes} bytes")));
            }
        }
        Ok(())
    }

    /// Kind, index and rows of a block of each section, in the order in which [`write_collection`] writes them.
    fn expected_sections(&self) -> Vec<(SectionKind, usize, u32)> {
        let mut sections = Vec::with_capacity(self.head.sections().len());
        for (index, field) in self.schema().fields.iter().enumerate() {
            if *columns::element(&field.kind) == FieldType::Text {
                sections.push((SectionKind::Dictionary, index, 0));
            }
            if columns::has_column(&field.kind) {
                sections.push((SectionKind::Column, index, columns::ROWS_PER_BLOCK));
            }
        }
        sections.push((SectionKind::Ids, 0, 0));
        sections.push((SectionKind::Vectors, 0, vectors_per_block(self.row_bytes)));
        sections.push((SectionKind::Payload, 0, payload::ROWS_PER_BLOCK));
        sections
    }

    /// What the collection's records share.
    pub fn schema(&self) -> &Schema {
        &self.description.schema
    }

    /// How vectors are stored.
    pub fn encoding(&self) -> Encoding {
        self.description.encoding
    }

    /// What routing knows about fields.
    pub fn statistics(&self) -> &CollectionStats {
        &self.description.statistics
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The number of records.
    pub fn rows(&self) -> u64 {
        self.head.header().rows
    }

    /// The bytes of one stored vector.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// How many rows a block of a section holds; the last one may hold fewer.
    pub fn rows_in(&self, section: &SectionEntry, block: u32) -> usize {
        let before = u64::from(block) * u64::from(section.rows_per_block);
        self.rows().saturating_sub(before).min(section.rows_per_block.into()) as usize
    }

    /// The section of vectors.
    pub fn vectors(&self) -> Result<&SectionEntry, SnapshotError> {
        self.head.require(SectionKind::Vectors, 0)
    }

    /// The section of a field's column, by the field's path; `None` when the field is unknown, a list or JSON.
    pub fn column(&self, path: &str) -> Option<(&Field, &SectionEntry)> {
        let index = self.schema().fields.iter().position(|field| field.path == path)?;
        let section = self.head.section(SectionKind::Column, u16::try_from(index).ok()?)?;
        Some((self.schema().fields.get(index)?, section))
    }

    /// The section of the sorted ids.
    pub fn ids(&self) -> Option<&SectionEntry> {
        self.head.section(SectionKind::Ids, 0)
    }

    /// The section that holds the texts of a field of texts or of lists of texts.
    pub fn dictionary(&self, path: &str) -> Option<&SectionEntry> {
        let index = self.schema().fields.iter().position(|field| field.path == path)?;
        self.head.section(SectionKind::Dictionary, u16::try_from(index).ok()?)
    }

    /// The texts of a dictionary section, if resident.
    pub fn strings<'s>(
        &self,
        source: &'s dyn ByteSource,
        section: &SectionEntry,
    ) -> Result<Option<Strings<'s>>, SnapshotError> {
        let Some(bytes) = self.head.block(source, section, 0)? else { return Ok(None) };
        Strings::open(bytes, section.kind.name(), section.offset).map(Some)
    }

    /// A block of a column, if resident.
    pub fn column_block<'s>(
        &self,
        source: &'s dyn ByteSource,
        (field, section): (&Field, &SectionEntry),
        block: u32,
    ) -> Result<Option<ColumnBlock<'s>>, SnapshotError> {
        let Some(bytes) = self.head.block(source, section, block)? else { return Ok(None) };
        let offset = self.head.block_range(section, block).map_or(section.offset, |range| range.start);
        columns::decode_block(&field.kind, bytes, self.rows_in(section, block), offset).map(Some)
    }

    /// The stored vector of a row (under cosine of unit length), or the range that must become resident first.
    pub fn vector(
        &self,
        source: &dyn ByteSource,
        row: u64,
    ) -> Result<Result<Vec<f32>, ByteRange>, SnapshotError> {
        let section = self.vectors()?;
        let per_block = u64::from(section.rows_per_block.max(1));
        let block = u32::try_from(row / per_block).unwrap_or(u32::MAX);
        let Some(bytes) = self.head.block(source, section, block)? else {
            let range = self.head.block_range(section, block);
            return Ok(Err(
                range.ok_or_else(|| malformed("vectors", section.offset, format!("no row {row}")))?
            ));
        };
        let at = (row % per_block) as usize * self.row_bytes;
        Ok(Ok(decode_row(bytes.get(at..at + self.row_bytes).unwrap_or_default(), self.encoding())))
    }

    /// The decompressed payload block that holds a row, and the row's place in it; `None` if not resident.
    pub fn payload_block(
        &self,
        source: &dyn ByteSource,
        row: u64,
    ) -> Result<Option<(PayloadBlock, usize)>, SnapshotError> {
        let (section, block) = self.payload_place(row)?;
        let Some(bytes) = self.head.block(source, section, block)? else { return Ok(None) };
        let opened = PayloadBlock::open(bytes, self.rows_in(section, block), section.offset)?;
        Ok(Some((opened, self.place_in_payload(row))))
    }

    /// The place of a row in its payload block.
    pub fn place_in_payload(&self, row: u64) -> usize {
        let per_block = self.payload_place(row).map_or(1, |(section, _)| section.rows_per_block);
        (row % u64::from(per_block.max(1))) as usize
    }

    /// Where the payload block of a row lies in the file.
    pub fn payload_range(&self, row: u64) -> Result<ByteRange, SnapshotError> {
        let (section, block) = self.payload_place(row)?;
        let range = self.head.block_range(section, block);
        range.ok_or_else(|| malformed("payload", section.offset, format!("no block for row {row}")))
    }

    fn payload_place(&self, row: u64) -> Result<(&SectionEntry, u32), SnapshotError> {
        let section = self.head.require(SectionKind::Payload, 0)?;
        Ok((section, u32::try_from(row / u64::from(section.rows_per_block.max(1))).unwrap_or(u32::MAX)))
    }
}

/// The numbers of a stored row.
pub(crate) fn decode_row(row: &[u8], encoding: Encoding) -> Vec<f32> {
    match encoding {
        Encoding::F32 => row.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
        Encoding::F16 => {
            row.as_chunks::<2>().0.iter().map(|x| half::f16::from_le_bytes(*x).to_f32()).collect()
        }
    }
}

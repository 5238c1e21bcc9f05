//! One collection of an opened file, as a search reads it.

use std::sync::Arc;

use super::{
    clusters::Clusters,
    columns,
    description::{Part, decode_statistics},
    file::SnapshotFile,
    head::{Head, Section},
    layout::{SectionKind, malformed},
    members::Members,
    payload::PayloadBlock,
    strings::Strings,
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::{CatalogError, Result, SnapshotError},
    filter::{CollectionStats, ColumnBlock},
    gather::Gather as _,
    metric::{Encoding, decode_row},
    schema::{Field, Schema},
};

/// An opened collection: its place in a file, and what it describes. Holds no data; blocks are lent by a
/// [`ByteSource`] of the same file. Rows are counted from the collection's first.
#[derive(Debug)]
pub struct Collection {
    file: Arc<SnapshotFile>,
    number: usize,
    first_row: u64,
    rows: u64,
    schema: Schema,
    /// By field of the schema: dictionary and column.
    fields: Vec<(Option<Section>, Option<Section>)>,
    /// Those that belong to no field.
    sections: Vec<Section>,
}

impl Collection {
    /// Opens the only collection of a file from the first bytes of the file.
    ///
    /// # Errors
    /// As [`SnapshotFile::open`]; [`SnapshotError::Malformed`] when the file holds several.
    pub fn open(head: &[u8], file_bytes: u64) -> Result<Self, SnapshotError> {
        let file = SnapshotFile::open(head, file_bytes)?;
        let single = file.collection(0).filter(|_| file.collections().len() == 1);
        let at = file.head().header().description_at();
        single.ok_or_else(|| malformed("description", at, "several collections where one was expected"))
    }

    /// The collection whose blocks are `sections`: those of its fields first.
    pub(super) fn new(
        file: Arc<SnapshotFile>,
        (number, first_row): (usize, u64),
        schema: Schema,
        part: &Part,
        sections: &[Section],
    ) -> Self {
        // They come in the order of the fields, so that nothing is looked for.
        let mut rest = sections.iter().copied().peekable();
        let mut take = |field: u16, kind: SectionKind| {
            rest.next_if(|section| section.field == field && section.kind == kind)
        };
        let fields = part.fields.iter().map(|field| {
            let dictionary = take(*field, SectionKind::Dictionary);
            (dictionary, take(*field, SectionKind::Column))
        });
        let fields = fields.gather();
        Self { file, number, first_row, rows: part.rows, schema, fields, sections: rest.gather() }
    }

    /// What the collection's records share.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How vectors are stored.
    pub fn encoding(&self) -> Encoding {
        self.file.encoding()
    }

    /// The file.
    pub fn file(&self) -> &Arc<SnapshotFile> {
        &self.file
    }

    /// The head of the file.
    pub fn head(&self) -> &Head {
        self.file.head()
    }

    /// Which collection of the file it is.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The collection's first row, as the file counts rows.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// The number of records.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes of one stored vector.
    pub fn row_bytes(&self) -> usize {
        self.encoding().row_bytes(self.schema.dimension as usize)
    }

    /// How many rows a block of a section holds; the last one may hold fewer.
    pub fn rows_in(&self, section: &Section, block: u32) -> usize {
        section.rows_in(block, self.rows)
    }

    fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind)
    }

    /// What routing knows about fields, if resident.
    pub fn statistics(&self, source: &dyn ByteSource) -> Result<Option<CollectionStats>, SnapshotError> {
        let section = self.expect(SectionKind::Statistics)?;
        let Some(bytes) = self.head().block(source, section, 0)? else { return Ok(None) };
        decode_statistics(bytes, section.range.start, (self.rows, &self.schema.fields)).map(Some)
    }

    fn expect(&self, kind: SectionKind) -> Result<&Section, SnapshotError> {
        self.section(kind).ok_or_else(|| malformed("directory", 0, format!("no {}", kind.name())))
    }

    /// The vectors, a row a block; `None` in a file that was written without.
    pub fn vectors(&self) -> Option<&Section> {
        self.section(SectionKind::Vectors)
    }

    /// The vectors, which the statement cannot do without.
    ///
    /// # Errors
    /// [`CatalogError::NoVectors`].
    pub fn expect_vectors(&self) -> Result<&Section, CatalogError> {
        let none = || CatalogError::NoVectors { collection: self.schema.collection.clone() };
        self.vectors().ok_or_else(none)
    }

    /// The section of a field's column, by the field's path; `None` when the field is unknown or has no column.
    pub fn column(&self, path: &str) -> Option<(&Field, &Section)> {
        let place = self.schema.fields.iter().position(|field| field.path == path)?;
        Some((self.schema.fields.get(place)?, self.fields.get(place)?.1.as_ref()?))
    }

    /// The section of the sorted ids.
    pub fn ids(&self) -> Option<&Section> {
        self.section(SectionKind::Ids)
    }

    /// The section that holds the texts of a field of texts or of lists of texts.
    pub fn dictionary(&self, path: &str) -> Option<&Section> {
        let place = self.schema.fields.iter().position(|field| field.path == path)?;
        self.fields.get(place)?.0.as_ref()
    }

    /// All sections: those of fields, then the others.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        let of_fields = self.fields.iter().flat_map(|(dictionary, column)| dictionary.iter().chain(column));
        of_fields.chain(&self.sections)
    }

    /// The texts of a dictionary section, if resident.
    pub fn strings<'s>(
        &self,
        source: &'s dyn ByteSource,
        section: &Section,
    ) -> Result<Option<Strings<'s>>, SnapshotError> {
        let Some(bytes) = self.head().block(source, section, 0)? else { return Ok(None) };
        Strings::open(bytes, section.kind.name(), section.range.start).map(Some)
    }

    /// A block of a column, if resident.
    pub fn column_block<'s>(
        &self,
        source: &'s dyn ByteSource,
        (field, section): (&Field, &Section),
        block: u32,
    ) -> Result<Option<ColumnBlock<'s>>, SnapshotError> {
        let Some(bytes) = self.head().block(source, section, block)? else { return Ok(None) };
        let offset = self.head().expect_block(section, block)?.start;
        columns::decode_block(&field.kind, bytes, self.rows_in(section, block), offset).map(Some)
    }

    /// The stored vector of a row (under cosine of unit length), or the range that must become resident first.
    ///
    /// # Errors
    /// Damage; [`CatalogError::NoVectors`].
    pub fn vector(&self, source: &dyn ByteSource, row: u64) -> Result<Result<Vec<f32>, ByteRange>> {
        let section = self.expect_vectors()?;
        let block = u32::try_from(row).unwrap_or(u32::MAX);
        let Some(bytes) = self.head().block(source, section, block)? else {
            return Ok(Err(self.head().expect_block(section, block)?));
        };
        Ok(Ok(decode_row(bytes, self.encoding(), self.schema.dimension as usize)))
    }

    /// The clusters of the file, if they were opened.
    pub fn clusters(&self) -> Option<&Arc<Clusters>> {
        self.file.opened_clusters()
    }

    /// Where the list lies of the slots that belong to the collection; `None` where all slots do, and without clusters.
    pub fn members_range(&self) -> Option<ByteRange> {
        Some(self.section(SectionKind::Members)?.range)
    }

    /// Which slots of which clusters belong to the collection, if resident; `None` also where all slots do.
    pub fn members(
        &self,
        source: &dyn ByteSource,
        clusters: &Clusters,
    ) -> Result<Option<Members>, SnapshotError> {
        let Some(section) = self.section(SectionKind::Members) else { return Ok(None) };
        let Some(bytes) = self.head().block(source, section, 0)? else { return Ok(None) };
        Members::open(bytes, clusters, section.range.start).map(Some)
    }

    /// The decompressed payload block that holds a row, and the row's place in it; `None` if not resident.
    pub fn payload_block(
        &self,
        source: &dyn ByteSource,
        row: u64,
    ) -> Result<Option<(PayloadBlock, usize)>, SnapshotError> {
        let (section, block) = self.payload_place(row)?;
        let Some(bytes) = self.head().block(source, section, block)? else { return Ok(None) };
        let opened = PayloadBlock::open(bytes, self.rows_in(section, block), section.range.start)?;
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
        self.head().expect_block(section, block)
    }

    fn payload_place(&self, row: u64) -> Result<(&Section, u32), SnapshotError> {
        let section = self.expect(SectionKind::Payload)?;
        Ok((section, u32::try_from(row / u64::from(section.rows_per_block.max(1))).unwrap_or(u32::MAX)))
    }
}

//! An opened file of collections: its checked head, and where each collection lies in it.
//!
//! One head serves all collections of a file, and so do its verified blocks and its clusters.

use std::sync::{Arc, OnceLock};

use super::{
    clusters::Clusters,
    collection::Collection,
    columns,
    description::{ClusterInfo, Description, Part},
    head::{Head, Section},
    layout::{self, CHECKSUM_BYTES, FileKind, HEADER_BYTES, NO_FIELD, SectionEntry, SectionKind, malformed},
    payload,
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
    gather::Gather as _,
    metric::Encoding,
    schema::{Field, FieldType},
};

/// A file of one collection, or of several packed together.
#[derive(Debug)]
pub struct SnapshotFile {
    head: Arc<Head>,
    description: Description,
    placed: Vec<Placed>,
    /// The first blocks of the collections' sections, collection by collection.
    first_blocks: Vec<u32>,
    /// The sections that every file has, and those of fields in between.
    expected: Vec<Expected>,
    clusters: OnceLock<Arc<Clusters>>,
}

/// Where a collection begins.
#[derive(Debug, Clone, Copy)]
struct Placed {
    first_row: u64,
    /// The place of its first block number.
    first: usize,
}

/// A section that the description asks for.
#[derive(Debug, Clone, Copy)]
struct Expected {
    kind: SectionKind,
    field: u16,
    rows_per_block: u32,
    /// Its place in the directory.
    number: usize,
}

impl SnapshotFile {
    /// Opens a file from its first bytes. O(sections + blocks of varying length + collections and their fields).
    ///
    /// # Errors
    /// What is wrong with the head, or with what it says.
    pub fn open(head: &[u8], file_bytes: u64) -> Result<Arc<Self>, SnapshotError> {
        let head = Head::parse(head, file_bytes)?;
        head.expect_kind(FileKind::Collection)?;
        let description = Description::decode(head.description(), head.header().description_at())?;
        let expected = expected_sections(&head, &description)?;
        let (placed, first_blocks) = (Vec::new(), Vec::new());
        let clusters = OnceLock::new();
        let mut file = Self { head: Arc::new(head), description, placed, first_blocks, expected, clusters };
        file.check_description()?;
        file.place_collections()?;
        Ok(Arc::new(file))
    }

    /// The description agrees with the header and with itself.
    fn check_description(&self) -> Result<(), SnapshotError> {
        let (header, description) = (self.head.header(), &self.description);
        let wrong = |reason: &str| Err(malformed("description", header.description_at(), reason));
        let parts = &description.collections;
        let rows = parts.iter().try_fold(0_u64, |rows, part| rows.checked_add(part.rows));
        if rows != Some(header.rows) || u32::try_from(header.rows).is_err() {
            return wrong("another number of rows, or more than 2^32 - 1");
        }
        if parts.is_empty() || !parts.is_sorted_by(|a, b| a.name < b.name) {
            return wrong("the collections are not sorted by name, each once");
        }
        if description.fields.len() > usize::from(NO_FIELD) {
            return wrong("too many fields");
        }
        let info = description.clusters;
        let says = |bit: u64| header.features & bit != 0;
        let agrees = says(layout::PACKED) == (parts.len() > 1)
            && says(layout::CLUSTERS) == info.is_some()
            && says(layout::SOFT) == info.is_some_and(|info| info.soft)
            && says(layout::EXTENDED) == info.is_some_and(|info| info.extended_bits > 0);
        if !agrees {
            return wrong("it does not agree with the feature bits");
        }
        let scale = |scale: f32| scale.is_finite() && scale > 0.0;
        let sound = |info: ClusterInfo| {
            info.count > 0
                && matches!(info.extended_bits, 0 | 2..=8)
                && scale(info.a_scale)
                && scale(info.f_scale)
                && info.calibration.clusters.iter().flatten().all(|clusters| clusters.is_finite())
        };
        if info.is_some_and(|info| !sound(info)) || description.dimension == 0 {
            return wrong("dimension 0, or clusters of no sense");
        }
        Ok(())
    }

    /// Finds the first blocks of each collection, and checks that the sections hold what the collections have.
    fn place_collections(&mut self) -> Result<(), SnapshotError> {
        let wrong = |reason: &str| malformed("directory", HEADER_BYTES as u64, reason);
        let mut next = vec![(0_u64, 0_u64); self.expected.len()];
        let mut first_row = 0;
        let mut holder = vec![usize::MAX; self.description.fields.len()];
        for (place, part) in self.description.collections.iter().enumerate() {
            self.placed.push(Placed { first_row, first: self.first_blocks.len() });
            first_row += part.rows;
            for field in &part.fields {
                match holder.get_mut(usize::from(*field)) {
                    Some(last) if *last != place => *last = place,
                    _ => return Err(wrong("a collection has a field twice, or one that there is not")),
                }
            }
            for number in own(&self.expected, part) {
                let (Some(expected), Some((blocks, rows))) =
                    (self.expected.get(number), next.get_mut(number))
                else {
                    continue;
                };
                self.first_blocks.push(u32::try_from(*blocks).unwrap_or(u32::MAX));
                *blocks += blocks_of(expected.rows_per_block, part.rows);
                *rows += part.rows;
            }
        }
        for (expected, (blocks, rows)) in self.expected.iter().zip(next) {
            let entry = self.head.directory().get(expected.number);
            let whole = matches!(expected.kind, SectionKind::Centroids | SectionKind::Codes);
            let fits = |entry: &SectionEntry| match expected.kind {
                SectionKind::Centroids => entry.blocks == 1,
                SectionKind::Codes => {
                    entry.rows.div_ceil(entry.rows_per_block.max(1).into()) <= entry.blocks.into()
                }
                SectionKind::Members => u64::from(entry.blocks) == blocks,
                _ => u64::from(entry.blocks) == blocks && entry.rows == rows,
            };
            if !entry.is_some_and(fits) {
                let what = if whole { "of the clusters" } else { "of the collections" };
                return Err(wrong(&format!("{} does not have the blocks {what}", expected.kind.name())));
            }
        }
        Ok(())
    }

    /// The head.
    pub fn head(&self) -> &Arc<Head> {
        &self.head
    }

    /// The collections, in the order of their rows.
    pub fn collections(&self) -> &[Part] {
        &self.description.collections
    }

    /// What the head says of all collections.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The number of records of all collections.
    pub fn rows(&self) -> u64 {
        self.head.header().rows
    }

    /// How vectors are stored.
    pub fn encoding(&self) -> Encoding {
        self.description.encoding
    }

    /// The collection of that number; `None` if there are not so many.
    pub fn collection(self: &Arc<Self>, number: usize) -> Option<Collection> {
        let (part, placed) = (self.description.collections.get(number)?, self.placed.get(number)?);
        let sections = own(&self.expected, part).into_iter().zip(self.first_blocks.get(placed.first..)?);
        let section = |(number, first): (usize, &u32)| {
            let expected = self.expected.get(number)?;
            let blocks = blocks_of(expected.rows_per_block, part.rows);
            self.head.run(expected.number, *first, u32::try_from(blocks).ok()?)
        };
        let sections = sections.map(section).gather::<Option<Vec<Section>>>()?;
        let schema = self.description.schema(part);
        Some(Collection::new(self.clone(), (number, placed.first_row), schema, part, &sections))
    }

    /// The number of the collection that holds a row of the file, and the row in it.
    pub fn collection_of(&self, row: u64) -> Option<(usize, u64)> {
        // Of collections that begin at one row only the last has it: those before are empty.
        let number = self.placed.partition_point(|placed| placed.first_row <= row).checked_sub(1)?;
        let placed = self.placed.get(number).filter(|_| row < self.rows())?;
        Some((number, row - placed.first_row))
    }

    /// Where the parts lie, in the file, that every search in its clusters needs.
    pub fn eager(&self) -> Vec<ByteRange> {
        self.head.section(SectionKind::Centroids).map(|section| section.range).into_iter().gather()
    }

    /// The clusters, if the eager parts are resident; `None` also for a file without clusters.
    pub fn clusters(&self, source: &dyn ByteSource) -> Result<Option<Arc<Clusters>>, SnapshotError> {
        match self.eager().first().and_then(|range| source.get(*range)) {
            Some(bytes) => self.open_clusters(bytes),
            None => Ok(self.clusters.get().cloned()),
        }
    }

    /// The clusters, from a copy of the eager parts; `None` for a file without clusters.
    pub fn open_clusters(&self, eager: &[u8]) -> Result<Option<Arc<Clusters>>, SnapshotError> {
        let Some(info) = self.description.clusters else { return Ok(None) };
        if let Some(open) = self.clusters.get() {
            return Ok(Some(open.clone()));
        }
        let clusters = Clusters::open(&self.head, info, self.description.dimension as usize, eager)?;
        Ok(Some(self.clusters.get_or_init(|| Arc::new(clusters)).clone()))
    }

    /// The clusters that were opened before.
    pub fn opened_clusters(&self) -> Option<&Arc<Clusters>> {
        self.clusters.get()
    }
}

/// How many blocks the rows of one collection take.
fn blocks_of(rows_per_block: u32, rows: u64) -> u64 {
    if rows_per_block == 0 { 1 } else { rows.div_ceil(rows_per_block.into()) }
}

/// The sections that hold blocks of a collection, as places in `expected`: its fields' in the order of its schema,
/// then the others.
fn own(expected: &[Expected], part: &Part) -> Vec<usize> {
    let mut own = Vec::new();
    for field in &part.fields {
        // Sections of fields come first, in the order of fields.
        let from = expected.partition_point(|section| section.field < *field);
        let to = expected.partition_point(|section| section.field <= *field);
        own.extend(from..to);
    }
    let from = expected.partition_point(|section| section.field != NO_FIELD);
    let shared = |place: &usize| {
        let kind = expected.get(*place).map(|section| section.kind);
        !matches!(kind, Some(SectionKind::Centroids | SectionKind::Codes))
    };
    own.extend((from..expected.len()).filter(shared));
    own
}

/// The sections that the description asks for, in the order in which they are written; all are there, with blocks of
/// the sizes that the format lays down. A forged head can then claim no more rows than it has blocks for.
fn expected_sections(head: &Head, description: &Description) -> Result<Vec<Expected>, SnapshotError> {
    let mut expected = Vec::with_capacity(head.directory().len());
    let mut add = |kind, field, rows_per_block| {
        expected.push(Expected { kind, field, rows_per_block, number: 0 });
    };
    for (number, Field { kind, .. }) in (0..NO_FIELD).zip(&description.fields) {
        if *columns::element(kind) == FieldType::Text {
            add(SectionKind::Dictionary, number, 0);
        }
        if columns::has_column(kind) {
            add(SectionKind::Column, number, columns::ROWS_PER_BLOCK);
        }
    }
    add(SectionKind::Ids, NO_FIELD, 0);
    add(SectionKind::Payload, NO_FIELD, payload::ROWS_PER_BLOCK);
    if description.encoding != Encoding::None {
        add(SectionKind::Vectors, NO_FIELD, 1);
    }
    add(SectionKind::Statistics, NO_FIELD, 0);
    if let Some(info) = description.clusters {
        add(SectionKind::Centroids, NO_FIELD, 0);
        if description.collections.len() > 1 {
            add(SectionKind::Members, NO_FIELD, 0);
        }
        add(SectionKind::Codes, NO_FIELD, super::clusters::CELL_SLOTS as u32);
        if info.extended_bits > 0 {
            add(SectionKind::Extended, NO_FIELD, 1);
        }
    }
    let known = |(_, entry): &(usize, &SectionEntry)| !matches!(entry.kind, SectionKind::Optional(_));
    let mut found = head.directory().iter().enumerate().filter(known);
    for section in &mut expected {
        let fits = |entry: &SectionEntry| {
            (entry.kind, entry.field, entry.rows_per_block)
                == (section.kind, section.field, section.rows_per_block)
                // Before anything is allocated by the number of collections: each of them has a block of ids.
                && (entry.kind != SectionKind::Ids || entry.blocks as usize == description.collections.len())
                && match content_bytes(entry.kind, description) {
                    Some(bytes) => bytes.checked_add(CHECKSUM_BYTES) == Some(entry.block_bytes as usize),
                    None => entry.block_bytes == 0,
                }
        };
        section.number = match found.next() {
            Some((number, entry)) if fits(entry) => number,
            _ => {
                let reason = format!("the {} are not as the description asks", section.kind.name());
                return Err(malformed("directory", HEADER_BYTES as u64, reason));
            }
        };
    }
    match found.next() {
        None => Ok(expected),
        Some(_) => Err(malformed("directory", HEADER_BYTES as u64, "a section that nothing asks for")),
    }
}

/// The length of a block's content where all have one; `None` where the lengths are in the head.
fn content_bytes(kind: SectionKind, description: &Description) -> Option<usize> {
    let dimension = description.dimension as usize;
    match kind {
        SectionKind::Vectors => Some(description.encoding.row_bytes(dimension)),
        SectionKind::Codes => Some(super::clusters::cell_bytes(dimension)),
        SectionKind::Extended => {
            let bits = description.clusters.map_or(0, |info| info.extended_bits);
            Some(super::clusters::extended_bytes(dimension, bits))
        }
        _ => None,
    }
}

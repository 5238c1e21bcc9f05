//! Where everything lies in a snapshot file: the one place that knows offsets.
//!
//! A file is a *head* (header, section directory, length table, description) and then its sections, each aligned to
//! 64 bytes and cut into blocks. Every block ends with its checksum, so that a range read is verified without reading
//! more than the range. docs/format.md draws the same tables for people. Little-endian throughout.

use crate::error::SnapshotError;

/// The first eight bytes of every file.
pub const MAGIC: [u8; 8] = *b"PORTOLAN";
/// The format this library writes.
pub const FORMAT_VERSION: u16 = 1;
/// The oldest format this library reads. 0 was a draft that nothing else reads.
pub const OLDEST_FORMAT: u16 = 1;
/// Feature bit: the vectors are in clusters, as codes.
pub const CLUSTERS: u64 = 1;
/// Feature bit: a row may stand in two clusters.
pub const SOFT: u64 = 2;
/// Feature bit: the file holds several collections.
pub const PACKED: u64 = 4;
/// Feature bit: there are codes of more bits beside the sign codes.
pub const EXTENDED: u64 = 8;
/// The feature bits this library knows. 16 is kept for graphs.
pub const KNOWN_FEATURES: u64 = CLUSTERS | SOFT | PACKED | EXTENDED;
/// The length of the header in bytes.
pub const HEADER_BYTES: usize = 128;
/// The length of one directory entry in bytes.
pub const SECTION_BYTES: usize = 48;
/// The length of one entry of the length table in bytes.
pub const LENGTH_BYTES: usize = 4;
/// The length of the checksum at the end of every block in bytes.
pub const CHECKSUM_BYTES: usize = 8;
/// The field of sections that belong to none.
pub const NO_FIELD: u16 = 0xffff;
/// Kinds of sections from this number on are optional: a reader that does not know one passes over it.
pub const OPTIONAL_KINDS: u16 = 0x8000;
/// The alignment of sections in bytes.
pub const ALIGNMENT: u64 = 64;
/// The position of the head's checksum in the header; the field counts as zero while it is computed.
pub const CHECKSUM_AT: usize = 56;
/// The position of the content id in the header; it counts as zero, with the checksum, while it is computed.
pub const CONTENT_ID_AT: usize = 64;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// One collection, or several packed together.
    Collection,
    /// A static embedder.
    Embedder,
}

impl FileKind {
    /// The kind in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collection => "a collection",
            Self::Embedder => "an embedder",
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Collection => 1,
            Self::Embedder => 2,
        }
    }

    fn from_number(number: u32) -> Result<Self, SnapshotError> {
        match number {
            1 => Ok(Self::Collection),
            2 => Ok(Self::Embedder),
            _ => Err(malformed("header", 12, format!("unknown file kind {number}"))),
        }
    }
}

/// What a section holds. The number is what the file stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// Vectors as they were given, or nearly so; one row a block.
    Vectors,
    /// The values of one metadata field.
    Column,
    /// The sorted distinct texts of one text field.
    Dictionary,
    /// The sorted ids, laid out like a dictionary: an id's place is its row.
    Ids,
    /// Ids, documents and metadata, compressed block by block.
    Payload,
    /// What routing knows of a collection.
    Statistics,
    /// The centres of the clusters, and where their cells begin.
    Centroids,
    /// Which slots of which clusters belong to a collection.
    Members,
    /// The sign codes, in cells of 32 slots, cluster by cluster.
    Codes,
    /// The codes of more bits, row by row.
    Extended,
    /// A static embedder's vocabulary, compressed, its tokens sorted.
    Vocabulary,
    /// A static embedder's rows: f32 scale, then int8 components.
    TokenRows,
    /// The line of each token in the vocabulary as it was given.
    TokenNumbers,
    /// A kind that this library does not know and may pass over.
    Optional(u16),
}

impl SectionKind {
    /// What searches of the graph need, as measured. Optional: readers without graphs pass over it.
    pub const GRAPH: Self = Self::Optional(OPTIONAL_KINDS + 1);
    /// The neighbours of every row in the graph. Optional as well.
    pub const LINKS: Self = Self::Optional(OPTIONAL_KINDS + 2);

    const ALL: [(Self, u16, &'static str); 13] = [
        (Self::Vectors, 1, "vectors"),
        (Self::Column, 2, "column"),
        (Self::Dictionary, 3, "dictionary"),
        (Self::Ids, 4, "ids"),
        (Self::Payload, 5, "payload"),
        (Self::Statistics, 6, "statistics"),
        (Self::Centroids, 7, "centroids"),
        (Self::Members, 8, "members"),
        (Self::Codes, 9, "codes"),
        (Self::Extended, 10, "extended codes"),
        (Self::Vocabulary, 16, "vocabulary"),
        (Self::TokenRows, 17, "token rows"),
        (Self::TokenNumbers, 18, "token numbers"),
    ];

    /// The section's name in errors and in docs/format.md.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::GRAPH => "graph",
            #[cfg(not(target_arch = "wasm32"))]
            Self::LINKS => "links",
            _ => Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("section", |(.., name)| name),
        }
    }

    fn number(self) -> u16 {
        match self {
            Self::Optional(number) => number,
            known => Self::ALL.iter().find(|(kind, ..)| *kind == known).map_or(0, |(_, number, _)| *number),
        }
    }

    fn from_number(number: u16, at: u64) -> Result<Self, SnapshotError> {
        match Self::ALL.iter().find(|(_, known, _)| *known == number) {
            Some((kind, ..)) => Ok(*kind),
            None if number >= OPTIONAL_KINDS => Ok(Self::Optional(number)),
            None => Err(malformed("directory", at, format!("unknown section kind {number}"))),
        }
    }
}

/// The first 128 bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the file holds.
    pub kind: FileKind,
    /// The length of the file in bytes.
    pub file_bytes: u64,
    /// The length of the head in bytes: everything before the first section.
    pub head_bytes: u64,
    /// The number of sections.
    pub sections: u32,
    /// The number of entries of the length table.
    pub lengths: u32,
    /// The number of rows (records of all collections, or tokens of an embedder).
    pub rows: u64,
    /// What a reader has to understand: [`CLUSTERS`] and the others.
    pub features: u64,
    /// The first eight bytes of the head's blake3.
    pub checksum: u64,
    /// The blake3 of the file, this field and the checksum counted as zero.
    pub content_id: [u8; 32],
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &MAGIC);
        put(8, &FORMAT_VERSION.to_le_bytes());
        put(10, &OLDEST_FORMAT.to_le_bytes());
        put(12, &self.kind.number().to_le_bytes());
        put(16, &self.features.to_le_bytes());
        put(24, &self.file_bytes.to_le_bytes());
        put(32, &self.head_bytes.to_le_bytes());
        put(40, &self.sections.to_le_bytes());
        put(44, &self.lengths.to_le_bytes());
        put(48, &self.rows.to_le_bytes());
        put(CHECKSUM_AT, &self.checksum.to_le_bytes());
        put(CONTENT_ID_AT, &self.content_id);
        out
    }

    /// Reads a header and decides whether this library may open the file. Counts are checked against `head_bytes`,
    /// so that what follows can be sliced.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        if bytes.get(..8) != Some(&MAGIC[..]) {
            return Err(SnapshotError::BadMagic);
        }
        let cut = |_| SnapshotError::WrongLength { expected: HEADER_BYTES as u64, got: bytes.len() as u64 };
        let header: &[u8; HEADER_BYTES] =
            bytes.get(..HEADER_BYTES).unwrap_or_default().try_into().map_err(cut)?;
        check_version(header)?;
        let decoded = Self {
            kind: FileKind::from_number(u32_at(header, 12))?,
            file_bytes: u64_at(header, 24),
            head_bytes: u64_at(header, 32),
            sections: u32_at(header, 40),
            lengths: u32_at(header, 44),
            rows: u64_at(header, 48),
            features: u64_at(header, 16),
            checksum: u64_at(header, CHECKSUM_AT),
            content_id: array_at(header, CONTENT_ID_AT),
        };
        if decoded.head_bytes > decoded.file_bytes || decoded.description_at() > decoded.head_bytes {
            return Err(malformed(
                "header",
                32,
                "the head is longer than the file or shorter than its tables",
            ));
        }
        Ok(decoded)
    }

    /// Where the length table begins.
    pub fn lengths_at(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.sections) * SECTION_BYTES as u64
    }

    /// Where the description begins; it ends with the head.
    pub fn description_at(&self) -> u64 {
        self.lengths_at() + u64::from(self.lengths) * LENGTH_BYTES as u64
    }
}

fn check_version(header: &[u8; HEADER_BYTES]) -> Result<(), SnapshotError> {
    let (version, oldest_reader) = (u16_at(header, 8), u16_at(header, 10));
    let features = u64_at(header, 16);
    if oldest_reader > FORMAT_VERSION {
        return Err(SnapshotError::TooNew { needed: oldest_reader, supported: FORMAT_VERSION });
    }
    if version < OLDEST_FORMAT {
        return Err(SnapshotError::TooOld { found: version, oldest: OLDEST_FORMAT });
    }
    match features & !KNOWN_FEATURES {
        0 => Ok(()),
        unknown => Err(SnapshotError::UnknownFeatures { unknown }),
    }
}

/// One entry of the section directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionEntry {
    /// What it holds.
    pub kind: SectionKind,
    /// The field that it belongs to, by its place in the description; [`NO_FIELD`] for none.
    pub field: u16,
    /// How many rows a block holds; 0 for one block a collection, or one of the file.
    pub rows_per_block: u32,
    /// The length of every block, its checksum included; 0 when the lengths stand in the length table.
    pub block_bytes: u32,
    /// The place of its first length in the length table.
    pub first_length: u32,
    /// The number of its blocks.
    pub blocks: u32,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many rows it holds.
    pub rows: u64,
}

impl SectionEntry {
    /// The entry's bytes.
    pub fn encode(&self) -> [u8; SECTION_BYTES] {
        let mut out = [0; SECTION_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.kind.number().to_le_bytes());
        put(2, &self.field.to_le_bytes());
        put(4, &self.rows_per_block.to_le_bytes());
        put(8, &self.block_bytes.to_le_bytes());
        put(12, &self.first_length.to_le_bytes());
        put(16, &self.blocks.to_le_bytes());
        put(24, &self.offset.to_le_bytes());
        put(32, &self.bytes.to_le_bytes());
        put(40, &self.rows.to_le_bytes());
        out
    }

    /// Reads an entry that stands at offset `at` of the file.
    pub fn decode(bytes: &[u8; SECTION_BYTES], at: u64) -> Result<Self, SnapshotError> {
        Ok(Self {
            kind: SectionKind::from_number(u16_at(bytes, 0), at)?,
            field: u16_at(bytes, 2),
            rows_per_block: u32_at(bytes, 4),
            block_bytes: u32_at(bytes, 8),
            first_length: u32_at(bytes, 12),
            blocks: u32_at(bytes, 16),
            offset: u64_at(bytes, 24),
            bytes: u64_at(bytes, 32),
            rows: u64_at(bytes, 40),
        })
    }

    /// How many of the section's lengths stand in the length table.
    pub fn lengths(&self) -> u32 {
        if self.block_bytes == 0 { self.blocks } else { 0 }
    }
}

/// A checksum: the first eight bytes of a blake3. It finds accidents; the content id, all 32 bytes, finds intent.
pub fn checksum(bytes: &[u8]) -> u64 {
    u64_at(blake3::hash(bytes).as_bytes(), 0)
}

/// The checksum of a block that begins at `offset` of the file. The offset counts, so that a block is also told from
/// another one of the same file.
pub fn block_checksum(offset: u64, content: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&offset.to_le_bytes());
    hasher.update(content);
    u64_at(hasher.finalize().as_bytes(), 0)
}

/// A [`SnapshotError::Malformed`].
pub fn malformed(section: &str, offset: u64, reason: impl Into<String>) -> SnapshotError {
    SnapshotError::Malformed { section: section.into(), offset, reason: reason.into() }
}

/// `N` bytes at a fixed place of a fixed-size record: out of range does not compile into a panic but into zeros,
/// which no caller can reach because both sizes are constants of this module.
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            kind: FileKind::Embedder,
            file_bytes: 4096,
            head_bytes: 2048,
            sections: 3,
            lengths: 7,
            rows: 11,
            features: CLUSTERS | PACKED,
            checksum: 13,
            content_id: [17; 32],
        }
    }

    #[test]
    fn a_header_survives_its_bytes() {
        assert_eq!(Header::decode(&header().encode()), Ok(header()));
    }

    #[test]
    fn another_version_is_told_apart_from_damage() {
        let mut newer = header().encode();
        newer[10] = 9;
        assert!(matches!(Header::decode(&newer), Err(SnapshotError::TooNew { needed: 9, .. })));
        let mut featured = header().encode();
        featured[23] = 0x80;
        assert!(matches!(Header::decode(&featured), Err(SnapshotError::UnknownFeatures { .. })));
        let mut draft = header().encode();
        draft[8..12].fill(0);
        assert_eq!(Header::decode(&draft), Err(SnapshotError::TooOld { found: 0, oldest: 1 }));
        assert_eq!(Header::decode(b"PORTULAN"), Err(SnapshotError::BadMagic));
        assert!(matches!(Header::decode(b"PORTOLAN"), Err(SnapshotError::WrongLength { .. })));
    }

    #[test]
    fn a_table_longer_than_the_head_is_refused() {
        let forged = Header { lengths: u32::MAX, ..header() };
        assert!(matches!(Header::decode(&forged.encode()), Err(SnapshotError::Malformed { .. })));
    }
}

//! Where everything lies in a snapshot file: the one place that knows offsets.
//!
//! A file is a *head* (header, section directory, block table, description) and then its sections, each aligned to
//! 64 bytes and cut into blocks. The head carries one checksum per block, so that a range read is verified without
//! reading more than the range. docs/format.md draws the same tables for people. Little-endian throughout.

use crate::error::SnapshotError;

/// The first eight bytes of every file.
pub const MAGIC: [u8; 8] = *b"PORTOLAN";
/// The format this library writes. 0 is the draft before version 1 is frozen: nothing else reads it.
pub const FORMAT_VERSION: u16 = 0;
/// The oldest format this library reads.
pub const OLDEST_FORMAT: u16 = 0;
/// The feature bits this library knows.
pub const KNOWN_FEATURES: u64 = 0;
/// The length of the header in bytes.
pub const HEADER_BYTES: usize = 128;
/// The length of one directory entry in bytes.
pub const SECTION_BYTES: usize = 32;
/// The length of one block table entry in bytes.
pub const BLOCK_BYTES: usize = 12;
/// The alignment of sections in bytes.
pub const ALIGNMENT: u64 = 64;
/// The position of the head's checksum in the header; the field counts as zero while it is computed.
pub const CHECKSUM_AT: usize = 56;
/// The position of the content id in the header; it counts as zero, with the checksum, while it is computed.
pub const CONTENT_ID_AT: usize = 64;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// One collection.
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
    /// Rows of f16 or f32 components.
    Vectors,
    /// The values of one metadata field; the section's index is the field's place in the schema.
    Column,
    /// The sorted distinct texts of one text field.
    Dictionary,
    /// The sorted ids, laid out like a dictionary: an id's place is its row.
    Ids,
    /// Ids, documents and metadata, compressed block by block.
    Payload,
    /// A static embedder's vocabulary, compressed, its tokens sorted.
    Vocabulary,
    /// A static embedder's rows: f32 scale, then int8 components.
    TokenRows,
    /// The line of each token in the vocabulary as it was given.
    TokenNumbers,
}

impl SectionKind {
    const ALL: [(Self, u16, &'static str); 8] = [
        (Self::Vectors, 1, "vectors"),
        (Self::Column, 2, "column"),
        (Self::Dictionary, 3, "dictionary"),
        (Self::Ids, 4, "ids"),
        (Self::Payload, 5, "payload"),
        (Self::Vocabulary, 16, "vocabulary"),
        (Self::TokenRows, 17, "token rows"),
        (Self::TokenNumbers, 18, "token numbers"),
    ];

    /// The section's name in errors and in docs/format.md.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("section", |(.., name)| name)
    }

    fn number(self) -> u16 {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(0, |(_, number, _)| *number)
    }

    fn from_number(number: u16, at: u64) -> Result<Self, SnapshotError> {
        let found = Self::ALL.iter().find(|(_, n, _)| *n == number);
        found
            .map(|(kind, ..)| *kind)
            .ok_or_else(|| malformed("directory", at, format!("unknown section kind {number}")))
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
    /// The number of blocks of all sections.
    pub blocks: u32,
    /// The number of rows (records, or tokens of an embedder).
    pub rows: u64,
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
        put(24, &self.file_bytes.to_le_bytes());
        put(32, &self.head_bytes.to_le_bytes());
        put(40, &self.sections.to_le_bytes());
        put(44, &self.blocks.to_le_bytes());
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
            blocks: u32_at(header, 44),
            rows: u64_at(header, 48),
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

    /// Where the block table begins.
    pub fn block_table_at(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.sections) * SECTION_BYTES as u64
    }

    /// Where the description begins; it ends with the head.
    pub fn description_at(&self) -> u64 {
        self.block_table_at() + u64::from(self.blocks) * BLOCK_BYTES as u64
    }
}

fn check_version(header: &[u8; HEADER_BYTES]) -> Result<(), SnapshotError> {
    let (version, oldest_reader) = (u16_at(header, 8), u16_at(header, 10));
    let features = u64_at(header, 16);
    if oldest_reader > FORMAT_VERSION {
        return Err(SnapshotError::TooNew { needed: oldest_reader, supported: FORMAT_VERSION });
    }
    // The lint sees that nothing is older than format 0; the next format makes this a real question.
    #[expect(clippy::absurd_extreme_comparisons, reason = "0 is the oldest format only until the next one")]
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
    /// Which one of its kind, from 0.
    pub index: u16,
    /// How many rows one block holds; 0 when the section is a single block whatever the rows.
    pub rows_per_block: u32,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its first block in the block table.
    pub first_block: u32,
    /// The number of its blocks.
    pub blocks: u32,
}

impl SectionEntry {
    /// The entry's bytes.
    pub fn encode(&self) -> [u8; SECTION_BYTES] {
        let mut out = [0; SECTION_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.kind.number().to_le_bytes());
        put(2, &self.index.to_le_bytes());
        put(4, &self.rows_per_block.to_le_bytes());
        put(8, &self.offset.to_le_bytes());
        put(16, &self.bytes.to_le_bytes());
        put(24, &self.first_block.to_le_bytes());
        put(28, &self.blocks.to_le_bytes());
        out
    }

    /// Reads an entry that stands at offset `at` of the file.
    pub fn decode(bytes: &[u8; SECTION_BYTES], at: u64) -> Result<Self, SnapshotError> {
        Ok(Self {
            kind: SectionKind::from_number(u16_at(bytes, 0), at)?,
            index: u16_at(bytes, 2),
            rows_per_block: u32_at(bytes, 4),
            offset: u64_at(bytes, 8),
            bytes: u64_at(bytes, 16),
            first_block: u32_at(bytes, 24),
            blocks: u32_at(bytes, 28),
        })
    }
}

/// One entry of the block table: blocks follow each other without gaps inside their section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockEntry {
    /// The first eight bytes of the block's blake3.
    pub checksum: u64,
    /// The block's length in bytes.
    pub bytes: u32,
}

impl BlockEntry {
    /// The entry's bytes.
    pub fn encode(&self) -> [u8; BLOCK_BYTES] {
        let mut out = [0; BLOCK_BYTES];
        out[..8].copy_from_slice(&self.checksum.to_le_bytes());
        out[8..].copy_from_slice(&self.bytes.to_le_bytes());
        out
    }

    /// Reads an entry.
    pub fn decode(bytes: &[u8; BLOCK_BYTES]) -> Self {
        Self { checksum: u64_at(bytes, 0), bytes: u32_at(bytes, 8) }
    }
}

/// The checksum of a block: the first eight bytes of its blake3. It finds accidents; the content id, all 32 bytes,
/// finds intent.
pub fn checksum(bytes: &[u8]) -> u64 {
    u64_at(blake3::hash(bytes).as_bytes(), 0)
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
            blocks: 7,
            rows: 11,
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
        assert_eq!(Header::decode(b"PORTULAN"), Err(SnapshotError::BadMagic));
        assert!(matches!(Header::decode(b"PORTOLAN"), Err(SnapshotError::WrongLength { .. })));
    }

    #[test]
    fn a_table_longer_than_the_head_is_refused() {
        let forged = Header { blocks: u32::MAX, ..header() };
        assert!(matches!(Header::decode(&forged.encode()), Err(SnapshotError::Malformed { .. })));
    }
}

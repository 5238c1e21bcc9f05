//! The opened head of a file: checked tables, and blocks lent after their checksum was verified.
//!
//! Everything that came from the file is checked here, once: after [`Head::parse`] every section lies inside the
//! file, every block inside its section. What a block means is the business of its section's reader.

use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{
    BLOCK_BYTES, BlockEntry, CHECKSUM_AT, CONTENT_ID_AT, FileKind, HEADER_BYTES, Header, SECTION_BYTES,
    SectionEntry, SectionKind, checksum, malformed,
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
};

/// A checked head.
#[derive(Debug)]
pub struct Head {
    header: Header,
    sections: Vec<SectionEntry>,
    blocks: Vec<Block>,
    description: Vec<u8>,
    /// A bit per block: its bytes were seen to match its checksum.
    verified: Vec<AtomicU64>,
}

/// A block's place and checksum.
#[derive(Debug, Clone, Copy)]
struct Block {
    range: ByteRange,
    checksum: u64,
}

impl Head {
    /// Reads the head from the first bytes of a file (more bytes than the head are fine) that is `file_bytes` long.
    /// O(sections + blocks).
    pub fn parse(bytes: &[u8], file_bytes: u64) -> Result<Self, SnapshotError> {
        let header = Header::decode(bytes)?;
        if header.file_bytes != file_bytes {
            return Err(SnapshotError::WrongLength { expected: header.file_bytes, got: file_bytes });
        }
        let short = SnapshotError::WrongLength { expected: header.head_bytes, got: bytes.len() as u64 };
        let head = usize::try_from(header.head_bytes).ok().and_then(|end| bytes.get(..end)).ok_or(short)?;
        if head_checksum(head) != header.checksum {
            return Err(SnapshotError::Checksum { section: "head".into(), offset: 0 });
        }
        let part = |from: u64, to: u64| head.get(from as usize..to as usize).unwrap_or_default();
        let sections = read_directory(part(HEADER_BYTES as u64, header.block_table_at()))?;
        let (table, _) = part(header.block_table_at(), header.description_at()).as_chunks::<BLOCK_BYTES>();
        let blocks = place_blocks(&header, &sections, table)?;
        let description = part(header.description_at(), header.head_bytes).to_vec();
        let verified = (0..blocks.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { header, sections, blocks, description, verified })
    }

    /// Demands that the file holds `kind`.
    pub fn expect_kind(&self, kind: FileKind) -> Result<(), SnapshotError> {
        if self.header.kind == kind {
            return Ok(());
        }
        let reason = format!("the file holds {}, expected {}", self.header.kind.name(), kind.name());
        Err(malformed("header", 12, reason))
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The file's id: hexadecimal blake3 of its content.
    pub fn content_id(&self) -> String {
        blake3::Hash::from(self.header.content_id).to_hex().to_string()
    }

    /// The description's bytes.
    pub fn description(&self) -> &[u8] {
        &self.description
    }

    /// All sections, in file order.
    pub fn sections(&self) -> &[SectionEntry] {
        &self.sections
    }

    /// The section of that kind and index.
    pub fn section(&self, kind: SectionKind, index: u16) -> Option<&SectionEntry> {
        self.sections.iter().find(|s| s.kind == kind && s.index == index)
    }

    /// The section of that kind and index, which this file must have.
    pub fn require(&self, kind: SectionKind, index: u16) -> Result<&SectionEntry, SnapshotError> {
        let missing =
            || malformed("directory", HEADER_BYTES as u64, format!("no {} section {index}", kind.name()));
        self.section(kind, index).ok_or_else(missing)
    }

    /// Where block `index` of the section lies, if it has that many.
    pub fn block_range(&self, section: &SectionEntry, index: u32) -> Option<ByteRange> {
        let inside = index < section.blocks;
        inside.then(|| self.blocks.get((section.first_block + index) as usize)).flatten().map(|b| b.range)
    }

    /// The verified bytes of block `index` of the section; `None` when the source does not have them yet. The
    /// checksum is computed at the first reading and remembered.
    pub fn block<'s>(
        &self,
        source: &'s dyn ByteSource,
        section: &SectionEntry,
        index: u32,
    ) -> Result<Option<&'s [u8]>, SnapshotError> {
        let number = (section.first_block + index.min(section.blocks)) as usize;
        let (Some(block), true) = (self.blocks.get(number), index < section.blocks) else {
            let reason = format!("block {index} asked, there are {}", section.blocks);
            return Err(malformed(section.kind.name(), section.offset, reason));
        };
        let Some(bytes) = source.get(block.range) else { return Ok(None) };
        let (word, bit) = (&self.verified[number / 64], 1 << (number % 64));
        if word.load(Ordering::Relaxed) & bit == 0 {
            if checksum(bytes) != block.checksum {
                let section = section.kind.name().into();
                return Err(SnapshotError::Checksum { section, offset: block.range.start });
            }
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(Some(bytes))
    }
}

/// The head's checksum, its own field counted as zero.
fn head_checksum(head: &[u8]) -> u64 {
    let mut head = head.to_vec();
    if let Some(field) = head.get_mut(CHECKSUM_AT..CHECKSUM_AT + 8) {
        field.fill(0);
    }
    checksum(&head)
}

/// The content id of a whole file, computed: the head's checksum and the id itself counted as zero.
pub fn compute_content_id(file: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let (id_end, len) = (CONTENT_ID_AT + 32, file.len());
    hasher.update(&file[..CHECKSUM_AT.min(len)]);
    hasher.update(&[0; HEADER_BYTES][..id_end.min(len).saturating_sub(CHECKSUM_AT)]);
    hasher.update(&file[id_end.min(len)..]);
    *hasher.finalize().as_bytes()
}

fn read_directory(bytes: &[u8]) -> Result<Vec<SectionEntry>, SnapshotError> {
    let (entries, _) = bytes.as_chunks::<SECTION_BYTES>();
    let at = |i: usize| (HEADER_BYTES + i * SECTION_BYTES) as u64;
    entries.iter().enumerate().map(|(i, entry)| SectionEntry::decode(entry, at(i))).collect()
}

/// Checks that sections follow each other inside the file, that their blocks follow each other in the table and
/// fill them exactly, and that the number of blocks fits the number of rows.
fn place_blocks(
    header: &Header,
    sections: &[SectionEntry],
    table: &[[u8; BLOCK_BYTES]],
) -> Result<Vec<Block>, SnapshotError> {
    let mut blocks = Vec::with_capacity(table.len());
    let mut free_from = header.head_bytes;
    for (i, section) in sections.iter().enumerate() {
        let wrong = |reason: &str| malformed("directory", (HEADER_BYTES + i * SECTION_BYTES) as u64, reason);
        if section.first_block as usize != blocks.len() {
            return Err(wrong("the section's blocks do not follow those of the section before"));
        }
        let own = table.get(blocks.len()..).and_then(|rest| rest.get(..section.blocks as usize));
        let own = own.ok_or_else(|| wrong("the section has more blocks than the table"))?;
        let per_block = u64::from(section.rows_per_block);
        if per_block > 0 && header.rows.div_ceil(per_block) != u64::from(section.blocks) {
            return Err(wrong("the number of blocks does not fit the number of rows"));
        }
        let mut at = section.offset;
        for entry in own.iter().map(BlockEntry::decode) {
            let range = ByteRange::at(at, entry.bytes.into());
            at = range.end;
            blocks.push(Block { range, checksum: entry.checksum });
        }
        if section.offset < free_from || Some(at) != section.offset.checked_add(section.bytes) {
            return Err(wrong("the section overlaps another or its blocks do not fill it"));
        }
        free_from = at;
    }
    match (blocks.len() == table.len(), free_from <= header.file_bytes) {
        (true, true) => Ok(blocks),
        (false, _) => {
            Err(malformed("directory", header.block_table_at(), "blocks that belong to no section"))
        }
        (_, false) => Err(malformed("directory", HEADER_BYTES as u64, "a section ends after the file")),
    }
}

//! The opened head of a file: checked tables, and blocks lent after their checksum was verified.
//!
//! Everything that came from the file is checked here, once: after [`Head::parse`] every section lies inside the
//! file, every block inside its section. What a block means is the business of its section's reader.

use std::{
    ops::Range,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::layout::{
    CHECKSUM_AT, CHECKSUM_BYTES, CONTENT_ID_AT, FileKind, HEADER_BYTES, Header, LENGTH_BYTES, NO_FIELD,
    SECTION_BYTES, SectionEntry, SectionKind, block_checksum, malformed,
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
    gather::Gather as _,
};

/// A checked head.
#[derive(Debug)]
pub struct Head {
    header: Header,
    sections: Vec<SectionEntry>,
    /// Where each block ends whose length stands in the length table.
    ends: Vec<u64>,
    description: Vec<u8>,
    /// By section a bit a block: its bytes were seen to match its checksum. Made when a section is first read: a head
    /// alone claims many blocks in few bytes.
    verified: Vec<OnceLock<Vec<AtomicU64>>>,
}

/// Blocks of one section that follow each other: all of them, or those of one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// What it holds.
    pub kind: SectionKind,
    /// The field that it belongs to, as the file counts fields; [`NO_FIELD`] for none.
    pub field: u16,
    /// How many rows a block holds; the last one may hold fewer. 0 when all rows are in one block.
    pub rows_per_block: u32,
    /// How many blocks.
    pub blocks: u32,
    /// Where they lie in the file.
    pub range: ByteRange,
    /// The section's place in the directory.
    number: u32,
    first_block: u32,
}

impl Head {
    /// Reads the head from the first bytes of a file (more bytes than the head are fine) that is `file_bytes` long.
    /// O(sections + lengths).
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
        let sections = read_directory(part(HEADER_BYTES as u64, header.lengths_at()))?;
        let (lengths, _) = part(header.lengths_at(), header.description_at()).as_chunks::<LENGTH_BYTES>();
        let ends = place_blocks(&header, &sections, lengths)?;
        let description = part(header.description_at(), header.head_bytes).to_vec();
        let verified = sections.iter().map(|_| OnceLock::new()).gather();
        Ok(Self { header, sections, ends, description, verified })
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

    /// The directory: all sections, in file order.
    pub fn directory(&self) -> &[SectionEntry] {
        &self.sections
    }

    /// All sections, in file order.
    pub fn sections(&self) -> impl Iterator<Item = Section> {
        (0..self.sections.len()).filter_map(|number| self.whole(number))
    }

    /// The section of that kind that belongs to no field.
    pub fn section(&self, kind: SectionKind) -> Option<Section> {
        self.section_of(kind, NO_FIELD)
    }

    /// The section of that kind and field.
    pub fn section_of(&self, kind: SectionKind, field: u16) -> Option<Section> {
        self.whole(self.sections.iter().position(|s| s.kind == kind && s.field == field)?)
    }

    /// The section of that kind, which this file must have.
    pub fn require(&self, kind: SectionKind) -> Result<Section, SnapshotError> {
        let missing =
            || malformed("directory", HEADER_BYTES as u64, format!("no section of {}", kind.name()));
        self.section(kind).ok_or_else(missing)
    }

    fn whole(&self, number: usize) -> Option<Section> {
        self.run(number, 0, self.sections.get(number)?.blocks)
    }

    /// Blocks of a section, by its place in the directory; `None` if it has not so many.
    pub(super) fn run(&self, number: usize, first_block: u32, blocks: u32) -> Option<Section> {
        let entry = self.sections.get(number)?;
        let last = first_block.checked_add(blocks).filter(|last| *last <= entry.blocks)?;
        Some(Section {
            kind: entry.kind,
            field: entry.field,
            rows_per_block: entry.rows_per_block,
            blocks,
            range: ByteRange { start: self.start(entry, first_block)?, end: self.start(entry, last)? },
            number: u32::try_from(number).ok()?,
            first_block,
        })
    }

    /// Where a block begins; the one after the last begins where the section ends.
    fn start(&self, entry: &SectionEntry, block: u32) -> Option<u64> {
        match (entry.block_bytes, block) {
            (0, 0) => Some(entry.offset),
            (0, _) => self.ends.get(entry.first_length as usize + block as usize - 1).copied(),
            (stride, _) => Some(entry.offset + u64::from(stride) * u64::from(block)),
        }
    }

    /// Where block `index` of the section lies, its checksum included, if it has that many.
    pub fn block_range(&self, section: &Section, index: u32) -> Option<ByteRange> {
        let entry = self.sections.get(section.number as usize).filter(|_| index < section.blocks)?;
        let block = section.first_block + index;
        Some(ByteRange { start: self.start(entry, block)?, end: self.start(entry, block + 1)? })
    }

    /// The same of a block that is asked for by what the file says elsewhere.
    pub(super) fn expect_block(&self, section: &Section, index: u32) -> Result<ByteRange, SnapshotError> {
        let reason = || format!("block {index} asked, there are {}", section.blocks);
        self.block_range(section, index)
            .ok_or_else(|| malformed(section.kind.name(), section.range.start, reason()))
    }

    /// The content of block `index` of the section, verified; `None` when the source does not have it yet. The checksum
    /// is computed at the first reading and remembered.
    #[inline]
    pub fn block<'s>(
        &self,
        source: &'s dyn ByteSource,
        section: &Section,
        index: u32,
    ) -> Result<Option<&'s [u8]>, SnapshotError> {
        let range = self.expect_block(section, index)?;
        match source.get(range) {
            Some(bytes) => self.check_at(section, index, range, bytes).map(Some),
            None => Ok(None),
        }
    }

    /// The content of a block whose bytes, checksum included, came from elsewhere, such as the copy in a heads file.
    pub fn check<'b>(
        &self,
        section: &Section,
        index: u32,
        bytes: &'b [u8],
    ) -> Result<&'b [u8], SnapshotError> {
        self.check_at(section, index, self.expect_block(section, index)?, bytes)
    }

    /// The same of a block that lies at `range`.
    #[inline]
    fn check_at<'b>(
        &self,
        section: &Section,
        index: u32,
        range: ByteRange,
        bytes: &'b [u8],
    ) -> Result<&'b [u8], SnapshotError> {
        let damaged = || SnapshotError::Checksum { section: section.kind.name().into(), offset: range.start };
        let (content, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
        let bit = (section.first_block + index) as usize;
        let word = self.verified(section.number as usize).and_then(|words| words.get(bit / 64));
        let mask = 1 << (bit % 64);
        if word.is_none_or(|word| word.load(Ordering::Relaxed) & mask == 0) {
            if bytes.len() as u64 != range.len()
                || block_checksum(range.start, content) != u64::from_le_bytes(*sum)
            {
                return Err(damaged());
            }
            if let Some(word) = word {
                word.fetch_or(mask, Ordering::Relaxed);
            }
        }
        Ok(content)
    }

    /// The bytes of blocks that follow each other, all of one length: every [`stride`](Self::stride) bytes the content of
    /// one and its checksum. Verified as [`block`](Self::block) does; `None` when the source lacks some.
    pub fn blocks<'s>(
        &self,
        source: &'s dyn ByteSource,
        section: &Section,
        blocks: Range<u32>,
    ) -> Result<Option<&'s [u8]>, SnapshotError> {
        let Some(last) = blocks.end.checked_sub(1).filter(|last| blocks.start <= *last) else {
            return Ok(Some(&[]));
        };
        let range = ByteRange {
            start: self.expect_block(section, blocks.start)?.start,
            end: self.expect_block(section, last)?.end,
        };
        let (Some(bytes), stride) = (source.get(range), self.stride(section)) else { return Ok(None) };
        if !self.are_verified(section, blocks.clone()) {
            for (index, block) in blocks.zip(bytes.chunks(stride)) {
                self.check(section, index, block)?;
            }
        }
        Ok(Some(bytes))
    }

    /// Whether the checksums of all these blocks were found right before.
    fn are_verified(&self, section: &Section, blocks: Range<u32>) -> bool {
        let Some(words) = self.verified(section.number as usize) else { return false };
        let end = section.first_block.saturating_add(blocks.end);
        let mut bit = section.first_block.saturating_add(blocks.start);
        while bit < end {
            let word = words.get((bit / 64) as usize).map_or(0, |word| word.load(Ordering::Relaxed));
            let span = (64 - bit % 64).min(end - bit);
            if (word >> (bit % 64)).trailing_ones() < span {
                return false;
            }
            bit += span;
        }
        true
    }

    /// The length of every block of the section, its checksum included. Of a section with blocks of many lengths it is
    /// the length of all, so that a run of one block is read all the same.
    pub fn stride(&self, section: &Section) -> usize {
        let even = self.sections.get(section.number as usize).map_or(0, |entry| entry.block_bytes);
        if even == 0 { section.range.len().max(1) as usize } else { even as usize }
    }

    fn verified(&self, number: usize) -> Option<&[AtomicU64]> {
        let make = || {
            let blocks = self.sections.get(number).map_or(0, |entry| entry.blocks as usize);
            (0..blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).gather()
        };
        Some(self.verified.get(number)?.get_or_init(make))
    }
}

impl Section {
    /// How many of the collection's `rows` are in a block.
    pub fn rows_in(&self, block: u32, rows: u64) -> usize {
        if self.rows_per_block == 0 {
            return rows as usize;
        }
        let before = u64::from(block) * u64::from(self.rows_per_block);
        rows.saturating_sub(before).min(self.rows_per_block.into()) as usize
    }
}

/// The head's checksum, its own field counted as zero.
fn head_checksum(head: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let (before, rest) = head.split_at(CHECKSUM_AT.min(head.len()));
    let (field, after) = rest.split_at(CHECKSUM_BYTES.min(rest.len()));
    hasher.update(before);
    hasher.update(&[0; CHECKSUM_BYTES][..field.len()]);
    hasher.update(after);
    hasher.finalize().as_bytes().first_chunk().map_or(0, |sum| u64::from_le_bytes(*sum))
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
    entries.iter().enumerate().map(|(i, entry)| SectionEntry::decode(entry, at(i))).gather()
}

/// Where each block ends whose length is in the table. Checks that sections follow each other inside the file, and that
/// their blocks fill them.
fn place_blocks(
    header: &Header,
    sections: &[SectionEntry],
    table: &[[u8; LENGTH_BYTES]],
) -> Result<Vec<u64>, SnapshotError> {
    let mut ends = Vec::with_capacity(table.len());
    let mut free_from = header.head_bytes;
    for (number, section) in sections.iter().enumerate() {
        let wrong =
            |reason: &str| malformed("directory", (HEADER_BYTES + number * SECTION_BYTES) as u64, reason);
        let filled = match section.block_bytes {
            0 => {
                if section.first_length as usize != ends.len() {
                    return Err(wrong("the section's lengths do not follow those of the section before"));
                }
                let own = table.get(ends.len()..).and_then(|rest| rest.get(..section.blocks as usize));
                let own = own.ok_or_else(|| wrong("the section has more blocks than the table"))?;
                let mut at = section.offset;
                for length in own.iter().map(|length| u32::from_le_bytes(*length)) {
                    if (length as usize) < CHECKSUM_BYTES {
                        return Err(wrong("a block is shorter than its checksum"));
                    }
                    at = at.saturating_add(length.into());
                    ends.push(at);
                }
                at.checked_sub(section.offset)
            }
            1..=8 => return Err(wrong("its blocks are shorter than their checksums")),
            stride => Some(u64::from(stride) * u64::from(section.blocks)),
        };
        let end = section.offset.checked_add(section.bytes);
        let end = end.filter(|end| section.offset >= free_from && *end <= header.file_bytes);
        free_from = end.filter(|_| filled == Some(section.bytes)).ok_or_else(|| {
            wrong("it overlaps another, ends after the file or is not filled by its blocks")
        })?;
    }
    match ends.len() == table.len() {
        true => Ok(ends),
        false => Err(malformed("directory", header.lengths_at(), "lengths that belong to no section")),
    }
}

//! Assembling a file: sections in, bytes out. Knows the layout, not what the sections mean.
//!
//! The same sections give the same bytes: there is no clock, no randomness and no order but the caller's.

use super::layout::{
    ALIGNMENT, CHECKSUM_AT, CHECKSUM_BYTES, CONTENT_ID_AT, FileKind, Header, NO_FIELD, SectionEntry,
    SectionKind, block_checksum, checksum,
};
use crate::error::SnapshotError;

/// Collects the sections of one file.
#[derive(Debug, Default)]
pub struct Assembler {
    body: Vec<u8>,
    sections: Vec<SectionEntry>,
    lengths: Vec<u32>,
}

/// What a section is, before its blocks.
#[derive(Debug, Clone, Copy)]
pub struct Title {
    /// What it holds.
    pub kind: SectionKind,
    /// The field that it belongs to; [`NO_FIELD`] for none.
    pub field: u16,
    /// How many rows a block holds; 0 for one block a collection or a file.
    pub rows_per_block: u32,
    /// How many rows it holds.
    pub rows: u64,
}

impl Title {
    /// A section that belongs to no field.
    pub fn new(kind: SectionKind, rows_per_block: u32, rows: u64) -> Self {
        Self { kind, field: NO_FIELD, rows_per_block, rows }
    }
}

impl Assembler {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a section made of `blocks` of any length, each of which a reader verifies on its own.
    pub fn section<B: AsRef<[u8]>>(
        &mut self,
        title: Title,
        blocks: impl IntoIterator<Item = B>,
    ) -> Result<(), SnapshotError> {
        let first_length = narrow(self.lengths.len(), "blocks in the file")?;
        self.begin(title, 0, first_length);
        for block in blocks {
            let bytes = self.push(block.as_ref());
            self.lengths.push(narrow(bytes, "bytes in a block")?);
        }
        let blocks = narrow(self.lengths.len(), "blocks in the file")? - first_length;
        self.end(blocks);
        Ok(())
    }

    /// Adds a section whose blocks are all `content_bytes` long: their lengths take no place in the head.
    pub fn even_section<B: AsRef<[u8]>>(
        &mut self,
        title: Title,
        content_bytes: usize,
        blocks: impl IntoIterator<Item = B>,
    ) -> Result<(), SnapshotError> {
        let block_bytes = narrow(content_bytes + CHECKSUM_BYTES, "bytes in a block")?;
        self.begin(title, block_bytes, 0);
        let mut count = 0;
        for block in blocks {
            let block = block.as_ref();
            if block.len() != content_bytes {
                let reason = format!("a block has {} bytes, all have {content_bytes}", block.len());
                return Err(SnapshotError::CannotWrite { reason });
            }
            self.push(block);
            count += 1;
        }
        self.end(narrow(count, "blocks in a section")?);
        Ok(())
    }

    fn begin(&mut self, title: Title, block_bytes: u32, first_length: u32) {
        self.body.resize(self.body.len().next_multiple_of(ALIGNMENT as usize), 0);
        let Title { kind, field, rows_per_block, rows } = title;
        let offset = self.body.len() as u64;
        let (blocks, bytes) = (0, 0);
        self.sections.push(SectionEntry {
            kind,
            field,
            rows_per_block,
            block_bytes,
            first_length,
            blocks,
            offset,
            bytes,
            rows,
        });
    }

    /// Adds a block, with place for its checksum: where the file's sections begin is known only at the end.
    fn push(&mut self, content: &[u8]) -> usize {
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(&[0; CHECKSUM_BYTES]);
        content.len() + CHECKSUM_BYTES
    }

    fn end(&mut self, blocks: u32) {
        let body = self.body.len() as u64;
        if let Some(section) = self.sections.last_mut() {
            section.blocks = blocks;
            section.bytes = body - section.offset;
        }
    }

    /// The whole file. `description` is what readers need to know beyond the tables.
    pub fn finish(
        mut self,
        kind: FileKind,
        features: u64,
        rows: u64,
        description: &[u8],
    ) -> Result<Vec<u8>, SnapshotError> {
        let mut header = Header {
            kind,
            file_bytes: 0,
            head_bytes: 0,
            sections: narrow(self.sections.len(), "sections")?,
            lengths: narrow(self.lengths.len(), "blocks in the file")?,
            rows,
            features,
            checksum: 0,
            content_id: [0; 32],
        };
        header.head_bytes = header.description_at() + description.len() as u64;
        let body_at = header.head_bytes.next_multiple_of(ALIGNMENT);
        header.file_bytes = body_at + self.body.len() as u64;
        self.fill_checksums(body_at);

        let mut file = Vec::with_capacity(header.file_bytes as usize);
        file.extend_from_slice(&header.encode());
        for section in &mut self.sections {
            section.offset += body_at;
            file.extend_from_slice(&section.encode());
        }
        file.extend(self.lengths.iter().flat_map(|length| length.to_le_bytes()));
        file.extend_from_slice(description);
        file.resize(body_at as usize, 0);
        file.append(&mut self.body);
        seal(&mut file, header.head_bytes as usize);
        Ok(file)
    }

    /// Computes the checksums of all blocks, in a file whose sections begin at `body_at`.
    fn fill_checksums(&mut self, body_at: u64) {
        for section in &self.sections {
            let mut at = section.offset as usize;
            for block in 0..section.blocks as usize {
                let length = match section.block_bytes {
                    0 => self.lengths[section.first_length as usize + block],
                    stride => stride,
                };
                let end = at + length as usize;
                let (content, sum) = self.body[at..end].split_at_mut(length as usize - CHECKSUM_BYTES);
                sum.copy_from_slice(&block_checksum(body_at + at as u64, content).to_le_bytes());
                at = end;
            }
        }
    }
}

/// Fills in the content id, then the head's checksum, which covers the content id.
fn seal(file: &mut [u8], head_bytes: usize) {
    let id = *blake3::hash(file).as_bytes();
    file[CONTENT_ID_AT..CONTENT_ID_AT + 32].copy_from_slice(&id);
    let head = checksum(&file[..head_bytes]);
    file[CHECKSUM_AT..CHECKSUM_AT + 8].copy_from_slice(&head.to_le_bytes());
}

/// A count as the file's 32 bits, or an error that says what there is too much of.
pub(super) fn narrow(count: usize, what: &str) -> Result<u32, SnapshotError> {
    u32::try_from(count).map_err(|_| SnapshotError::CannotWrite {
        reason: format!("{count} {what} are more than 32 bits can count"),
    })
}

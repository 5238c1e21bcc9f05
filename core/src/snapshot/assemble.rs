//! Assembling a file: sections in, bytes out. Knows the layout, not what the sections mean.
//!
//! The same sections give the same bytes: there is no clock, no randomness and no order but the caller's.

use super::layout::{
    ALIGNMENT, BlockEntry, CHECKSUM_AT, CONTENT_ID_AT, FileKind, Header, SectionEntry, SectionKind, checksum,
};
use crate::error::SnapshotError;

/// Collects the sections of one file.
#[derive(Debug, Default)]
pub struct Assembler {
    body: Vec<u8>,
    sections: Vec<SectionEntry>,
    blocks: Vec<BlockEntry>,
}

impl Assembler {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a section made of `blocks`, each of which a reader verifies on its own.
    pub fn section<B: AsRef<[u8]>>(
        &mut self,
        kind: SectionKind,
        index: u16,
        rows_per_block: u32,
        blocks: impl IntoIterator<Item = B>,
    ) -> Result<(), SnapshotError> {
        self.body.resize(self.body.len().next_multiple_of(ALIGNMENT as usize), 0);
        let (offset, first_block) =
            (self.body.len() as u64, narrow(self.blocks.len(), "blocks in the file")?);
        for block in blocks {
            let block = block.as_ref();
            self.blocks.push(BlockEntry {
                checksum: checksum(block),
                bytes: narrow(block.len(), "bytes in a block")?,
            });
            self.body.extend_from_slice(block);
        }
        self.sections.push(SectionEntry {
            kind,
            index,
            rows_per_block,
            offset,
            bytes: self.body.len() as u64 - offset,
            first_block,
            blocks: narrow(self.blocks.len(), "blocks in the file")? - first_block,
        });
        Ok(())
    }

    /// The whole file. `description` is what readers need to know beyond the tables.
    pub fn finish(mut self, kind: FileKind, rows: u64, description: &[u8]) -> Result<Vec<u8>, SnapshotError> {
        let mut header = Header {
            kind,
            file_bytes: 0,
            head_bytes: 0,
            sections: narrow(self.sections.len(), "sections")?,
            blocks: narrow(self.blocks.len(), "blocks in the file")?,
            rows,
            checksum: 0,
            content_id: [0; 32],
        };
        header.head_bytes = header.description_at() + description.len() as u64;
        let body_at = header.head_bytes.next_multiple_of(ALIGNMENT);
        header.file_bytes = body_at + self.body.len() as u64;

        let mut file = Vec::with_capacity(header.file_bytes as usize);
        file.extend_from_slice(&header.encode());
        for section in &mut self.sections {
            section.offset += body_at;
            file.extend_from_slice(&section.encode());
        }
        file.extend(self.blocks.iter().flat_map(BlockEntry::encode));
        file.extend_from_slice(description);
        file.resize(body_at as usize, 0);
        file.append(&mut self.body);
        seal(&mut file, header.head_bytes as usize);
        Ok(file)
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

//! What a winner shows: id, document and stored metadata, compressed in blocks of a few dozen records.
//!
//! A block, decompressed: per record three `u32` ends (id, document, metadata; counted from the first text of the
//! block) with the document's highest bit set when there is none, then the texts. Metadata is a JSON object. The
//! compression is LZ4's block format behind a `u32` of the decompressed length.

use super::{assemble::narrow, layout::malformed};
use crate::error::SnapshotError;

/// How many records a block holds: small enough that ten winners cost few bytes, large enough to compress.
pub const ROWS_PER_BLOCK: u32 = 64;
/// A block never grows beyond this when decompressed, so that a forged length cannot exhaust memory.
const MAX_BLOCK_BYTES: usize = 64 << 20;
const NO_DOCUMENT: u32 = 1 << 31;

/// One record as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadRow<T> {
    /// The record's id.
    pub id: T,
    /// Its text.
    pub document: Option<T>,
    /// Its metadata, a JSON object.
    pub metadata: T,
}

/// Compresses one block of records.
pub fn encode_block(rows: &[PayloadRow<&str>]) -> Result<Vec<u8>, SnapshotError> {
    let (mut ends, mut texts) = (Vec::with_capacity(rows.len() * 12), Vec::new());
    for row in rows {
        for (text, flag) in [
            (row.id, 0),
            (row.document.unwrap_or_default(), if row.document.is_none() { NO_DOCUMENT } else { 0 }),
            (row.metadata, 0),
        ] {
            texts.extend_from_slice(text.as_bytes());
            ends.extend_from_slice(&(narrow(texts.len(), "bytes in a payload block")? | flag).to_le_bytes());
        }
    }
    if ends.len() + texts.len() > MAX_BLOCK_BYTES {
        let reason = format!("{} records next to each other hold more than 64 MiB of text", rows.len());
        return Err(SnapshotError::CannotWrite { reason });
    }
    ends.append(&mut texts);
    Ok(lz4_flex::block::compress_prepend_size(&ends))
}

/// A decompressed block.
#[derive(Debug)]
pub struct PayloadBlock {
    bytes: Vec<u8>,
    rows: usize,
}

impl PayloadBlock {
    /// Decompresses a block of `rows` records that begins at `offset` of the file.
    pub fn open(compressed: &[u8], rows: usize, offset: u64) -> Result<Self, SnapshotError> {
        let wrong = |reason: &str| malformed("payload", offset, reason);
        let (size, data) =
            lz4_flex::block::uncompressed_size(compressed).map_err(|_| wrong("too short a block"))?;
        if size > MAX_BLOCK_BYTES || size / 255 > data.len() {
            return Err(wrong("the block claims to hold more than it can"));
        }
        let bytes =
            lz4_flex::block::decompress(data, size).map_err(|_| wrong("the block cannot be decompressed"))?;
        if bytes.len() != size || bytes.len() < rows * 12 {
            return Err(wrong("the block is shorter than its table"));
        }
        Ok(Self { bytes, rows })
    }

    /// The number of records.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The document at a place of the block, the inner `None` if the record has none; `None` when its bounds or its
    /// text are forged.
    pub fn document(&self, place: usize) -> Option<Option<&str>> {
        let (ends, texts) = self.parts()?;
        let end = |i: usize| ends.get(i).map(|end| u32::from_le_bytes(*end));
        let (id, document) = (end(place * 3)?, end(place * 3 + 1)?);
        let document_end = document & !NO_DOCUMENT;
        let text = std::str::from_utf8(texts.get(id as usize..document_end as usize)?).ok()?;
        Some((document == document_end).then_some(text))
    }

    /// The table of ends, and the texts.
    fn parts(&self) -> Option<(&[[u8; 4]], &[u8])> {
        let (ends, texts) = self.bytes.split_at_checked(self.rows * 12)?;
        Some((ends.as_chunks().0, texts))
    }

    /// The record at a place of the block; `None` when its bounds or its text are forged.
    pub fn row(&self, place: usize) -> Option<PayloadRow<&str>> {
        let (ends, texts) = self.parts()?;
        let end = |i: usize| ends.get(i).map(|end| u32::from_le_bytes(*end));
        let first = place * 3;
        let start = if first == 0 { 0 } else { end(first - 1)? };
        let (id, document, metadata) = (end(first)?, end(first + 1)?, end(first + 2)?);
        let text = |from: u32, to: u32| std::str::from_utf8(texts.get(from as usize..to as usize)?).ok();
        let document_end = document & !NO_DOCUMENT;
        Some(PayloadRow {
            id: text(start, id)?,
            document: if document == document_end { Some(text(id, document_end)?) } else { None },
            metadata: text(document_end, metadata)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_by_place() {
        let rows = [
            PayloadRow { id: "a", document: Some("text"), metadata: "{}" },
            PayloadRow { id: "b", document: None, metadata: "{\"k\":1}" },
            PayloadRow { id: "c", document: Some(""), metadata: "{}" },
        ];
        let block = PayloadBlock::open(&encode_block(&rows).unwrap(), 3, 0).unwrap();
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(block.row(place).as_ref(), Some(row));
            assert_eq!(block.document(place), Some(row.document));
        }
        assert_eq!((block.row(3), block.document(3)), (None, None));
    }

    #[test]
    fn altered_blocks_give_errors_and_no_panic() {
        let block =
            encode_block(&[PayloadRow { id: "abcabcabc", document: Some("abcabcabcabc"), metadata: "{}" }])
                .unwrap();
        let size = 64 << 20;
        for at in 0..block.len() {
            for bit in 0..8 {
                let mut altered = block.clone();
                altered[at] ^= 1 << bit;
                if let Ok(opened) = PayloadBlock::open(&altered, 1, 0) {
                    assert!(opened.row(0).is_none_or(|row| row.metadata.len() <= size));
                }
            }
            drop(PayloadBlock::open(&block[..at], 1, 0));
        }
    }
}

//! A static embedder's file: vocabulary and rows, so that TEXT works with no model and no network.
//!
//! Over HTTP a query reads the vocabulary once and then only the rows of its own words: each block holds a few rows,
//! each row its scale (f32) and its int8 components.

use super::{
    assemble::{Assembler, Title},
    description::{decode_embedder, encode_embedder},
    head::Head,
    layout::{CHECKSUM_BYTES, FileKind, SectionKind, malformed},
};
use crate::{
    bytes::{ByteRange, ByteSource},
    embed::{StaticEmbedder, WordPiece},
    error::{Result, SnapshotError},
    schema::EmbedderId,
};

/// Rows of one block: 4 kB at 256 dimensions.
const ROWS_PER_BLOCK: usize = 16;
/// The longest vocabulary, decompressed.
const MAX_VOCABULARY_BYTES: usize = 64 << 20;

/// Writes a static embedder.
pub fn write_embedder(embedder: &StaticEmbedder) -> Result<Vec<u8>> {
    use crate::embed::Embedder;
    let dimension = embedder.id().dimension as usize;
    let rows: Vec<&[u8]> = embedder.rows().chunks(dimension.max(1)).collect();
    let blocks =
        rows.chunks(ROWS_PER_BLOCK).zip(embedder.scales().chunks(ROWS_PER_BLOCK)).map(|(rows, scales)| {
            let row = |(row, scale): (&&[u8], &f32)| [&scale.to_le_bytes()[..], row].concat();
            rows.iter().zip(scales).flat_map(row).collect::<Vec<u8>>()
        });
    let mut file = Assembler::new();
    let count = rows.len() as u64;
    let vocabulary = lz4_flex::block::compress_prepend_size(embedder.vocab().as_bytes());
    file.section(Title::new(SectionKind::Vocabulary, 0, count), [vocabulary])?;
    file.section(Title::new(SectionKind::TokenRows, ROWS_PER_BLOCK as u32, count), blocks)?;
    Ok(file.finish(FileKind::Embedder, 0, count, &encode_embedder(embedder.id())?)?)
}

/// An opened embedder file.
#[derive(Debug)]
pub struct EmbedderFile {
    head: Head,
    id: EmbedderId,
}

impl EmbedderFile {
    /// Opens an embedder from the first bytes of its file.
    pub fn open(head: &[u8], file_bytes: u64) -> Result<Self, SnapshotError> {
        let head = Head::parse(head, file_bytes)?;
        head.expect_kind(FileKind::Embedder)?;
        let id = decode_embedder(head.description(), head.header().description_at())?;
        let rows = head.require(SectionKind::TokenRows)?;
        let vocabulary = head.require(SectionKind::Vocabulary)?;
        let checksums = u64::from(rows.blocks) * CHECKSUM_BYTES as u64;
        let expected = head.header().rows.checked_mul(u64::from(id.dimension) + 4);
        let fits = expected.and_then(|bytes| bytes.checked_add(checksums)) == Some(rows.range.len())
            && u64::from(rows.blocks) == head.header().rows.div_ceil(ROWS_PER_BLOCK as u64);
        if rows.rows_per_block as usize != ROWS_PER_BLOCK
            || id.dimension == 0
            || vocabulary.blocks != 1
            || !fits
        {
            return Err(malformed("token rows", rows.range.start, "the rows do not fit the dimension"));
        }
        Ok(Self { head, id })
    }

    /// Name, fingerprint, dimension.
    pub fn id(&self) -> &EmbedderId {
        &self.id
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The tokenizer, if the vocabulary is resident. O(vocabulary): keep it.
    pub fn tokenizer(&self, source: &dyn ByteSource) -> Result<Option<WordPiece>> {
        let section = self.head.require(SectionKind::Vocabulary)?;
        let Some(bytes) = self.head.block(source, &section, 0)? else { return Ok(None) };
        let wrong = |reason: &str| malformed("vocabulary", section.range.start, reason);
        let (size, data) = lz4_flex::block::uncompressed_size(bytes).map_err(|_| wrong("too short"))?;
        if size > MAX_VOCABULARY_BYTES || size / 255 > data.len() {
            return Err(wrong("it claims to hold more than it can").into());
        }
        let text = lz4_flex::block::decompress(data, size).map_err(|_| wrong("it cannot be decompressed"))?;
        let text = String::from_utf8(text).map_err(|_| wrong("it is not UTF-8"))?;
        Ok(Some(WordPiece::from_vocab(&text)?))
    }

    /// Where the vocabulary lies in the file.
    pub fn vocabulary_range(&self) -> Option<ByteRange> {
        self.head.block_range(&self.head.section(SectionKind::Vocabulary)?, 0)
    }

    /// Where the block with a token's row lies in the file; `None` for a token the table does not have.
    pub fn token_range(&self, token: u32) -> Option<ByteRange> {
        let section = self.head.section(SectionKind::TokenRows)?;
        self.head.block_range(&section, token / section.rows_per_block)
    }

    /// A token's components (int8 bit patterns) and scale, if resident.
    pub fn token_row<'s>(
        &self,
        source: &'s dyn ByteSource,
        token: u32,
    ) -> Result<Option<(&'s [u8], f32)>, SnapshotError> {
        let section = self.head.require(SectionKind::TokenRows)?;
        let Some(block) = self.head.block(source, &section, token / section.rows_per_block)? else {
            return Ok(None);
        };
        let width = self.id.dimension as usize + 4;
        let at = (token % section.rows_per_block) as usize * width;
        let row = block.get(at..at + width).and_then(|row| row.split_first_chunk::<4>());
        let (scale, components) =
            row.ok_or_else(|| malformed("token rows", section.range.start, format!("no row {token}")))?;
        Ok(Some((components, f32::from_le_bytes(*scale))))
    }
}

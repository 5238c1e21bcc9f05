//! A static embedder's file: vocabulary and rows, so that TEXT works with no model and no network.
//!
//! Over HTTP a query reads the vocabulary once and then only the rows of its own words, each its scale (f32) and its
//! int8 components. The file numbers tokens in the order of their bytes, because that makes the vocabulary short; it
//! keeps their first numbers for whoever wants to check the fingerprint.

use super::{
    assemble::{Assembler, Title, narrow},
    description::{decode_embedder, encode_embedder},
    head::Head,
    layout::{CHECKSUM_BYTES, FileKind, SectionKind, malformed},
    vocabulary::{decode_vocabulary, encode_vocabulary},
};
use crate::{
    bytes::{ByteRange, ByteSource},
    embed::{Embedder, StaticEmbedder, TokenRows, WordPiece},
    error::{Result, SnapshotError},
    schema::EmbedderId,
};

/// Writes a static embedder.
///
/// # Errors
/// [`SnapshotError::CannotWrite`] for a vocabulary over 16 MiB.
pub fn write_embedder(embedder: &StaticEmbedder) -> Result<Vec<u8>> {
    let (vocab, dimension) = (embedder.vocab(), embedder.id().dimension as usize);
    let lines: Vec<&str> = vocab.split_inclusive('\n').map(|line| line.trim_end_matches('\n')).collect();
    let order = sorted_order(&lines);
    let row = |&number: &u32| {
        let (row, scale) = embedder.row(number).unwrap_or_default();
        [&scale.to_le_bytes()[..], row].concat()
    };
    let tokens = order.iter().filter_map(|&number| lines.get(number as usize).copied());
    let count = order.len() as u64;
    let mut file = Assembler::new();
    file.section(Title::new(SectionKind::Vocabulary, 0, count), [encode_vocabulary(tokens)?])?;
    file.even_section(Title::new(SectionKind::TokenRows, 1, count), 4 + dimension, order.iter().map(row))?;
    file.section(Title::new(SectionKind::TokenNumbers, 0, count), [encode_numbers(vocab, &order)?])?;
    Ok(file.finish(FileKind::Embedder, 0, count, &encode_embedder(embedder.id())?)?)
}

/// The numbers of the lines in the order of their tokens' bytes, because neighbours then share their beginnings. Of
/// equal tokens the last one counts, so they keep their order.
fn sorted_order(lines: &[&str]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..lines.len() as u32).collect();
    order.sort_by_key(|&number| {
        lines.get(number as usize).map(|line| line.strip_suffix('\r').unwrap_or(line))
    });
    order
}

/// What it takes to write the vocabulary's text again, and so to check the fingerprint: how long it is, which says
/// whether its last line has an end; then each token's line.
fn encode_numbers(vocab: &str, order: &[u32]) -> Result<Vec<u8>, SnapshotError> {
    let length = narrow(vocab.len(), "bytes of a vocabulary")?;
    Ok(std::iter::once(&length).chain(order).flat_map(|number| number.to_le_bytes()).collect())
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
        let stride = u64::from(id.dimension) + 4 + CHECKSUM_BYTES as u64;
        let one_each = rows.rows_per_block == 1 && u64::from(rows.blocks) == head.header().rows;
        if id.dimension == 0 || !one_each || Some(rows.range.len()) != stride.checked_mul(rows.blocks.into())
        {
            return Err(malformed("token rows", rows.range.start, "the rows do not fit the dimension"));
        }
        for kind in [SectionKind::Vocabulary, SectionKind::TokenNumbers] {
            let section = head.require(kind)?;
            if section.blocks != 1 {
                return Err(malformed(kind.name(), section.range.start, "it is not one block"));
            }
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

    /// The tokenizer, if the vocabulary is resident. Its tokens are numbered as the rows of this file. O(vocabulary):
    /// keep it.
    pub fn tokenizer(&self, source: &dyn ByteSource) -> Result<Option<WordPiece>> {
        let section = self.head.require(SectionKind::Vocabulary)?;
        let Some(code) = self.head.block(source, &section, 0)? else { return Ok(None) };
        let tokens = u32::try_from(self.head.header().rows).ok();
        let text = tokens.and_then(|tokens| decode_vocabulary(code, tokens));
        let wrong = || malformed("vocabulary", section.range.start, "it is not the code of that many tokens");
        Ok(Some(WordPiece::from_vocab(&text.ok_or_else(wrong)?)?))
    }

    /// The embedder as it was before it was written, with its tokens in their first order; `None` if the source does
    /// not have all of it. O(file).
    pub fn restore(&self, source: &dyn ByteSource) -> Result<Option<StaticEmbedder>> {
        let section = self.head.require(SectionKind::TokenNumbers)?;
        let Some(block) = self.head.block(source, &section, 0)? else { return Ok(None) };
        let Some(tokenizer) = self.tokenizer(source)? else { return Ok(None) };
        let lines: Vec<&str> = tokenizer.vocab().split_inclusive('\n').collect();
        let wrong = || malformed("token numbers", section.range.start, "they do not number the tokens");
        let (length, places) = decode_numbers(block, lines.len()).ok_or_else(wrong)?;
        let (mut vocab, mut rows, mut scales) = (String::new(), Vec::new(), Vec::new());
        for place in places {
            let Some((row, scale)) = self.token_row(source, place)? else { return Ok(None) };
            vocab.push_str(lines.get(place as usize).ok_or_else(wrong)?);
            rows.extend_from_slice(row);
            scales.push(scale);
        }
        // The text may lack the end of its last line, and nothing else.
        if vocab.len().checked_sub(length).ok_or_else(wrong)? > 1 {
            return Err(wrong().into());
        }
        vocab.truncate(length);
        Ok(Some(StaticEmbedder::new(self.id.name.clone(), &vocab, rows, scales, self.id.dimension)?))
    }

    /// Where the vocabulary lies in the file.
    pub fn vocabulary_range(&self) -> Option<ByteRange> {
        self.head.block_range(&self.head.section(SectionKind::Vocabulary)?, 0)
    }

    /// Where a token's row lies in the file; `None` for a token the table does not have.
    pub fn token_range(&self, token: u32) -> Option<ByteRange> {
        self.head.block_range(&self.head.section(SectionKind::TokenRows)?, token)
    }

    /// A token's components (int8 bit patterns) and scale, if resident.
    pub fn token_row<'s>(
        &self,
        source: &'s dyn ByteSource,
        token: u32,
    ) -> Result<Option<(&'s [u8], f32)>, SnapshotError> {
        let section = self.head.require(SectionKind::TokenRows)?;
        let Some(row) = self.head.block(source, &section, token)? else { return Ok(None) };
        let split = row.split_first_chunk::<4>();
        let short = || malformed("token rows", section.range.start, format!("no row {token}"));
        let (scale, components) = split.ok_or_else(short)?;
        Ok(Some((components, f32::from_le_bytes(*scale))))
    }
}

/// The length of the vocabulary's text and, for each of its `count` lines, the place of its token.
fn decode_numbers(block: &[u8], count: usize) -> Option<(usize, Vec<u32>)> {
    let ([length, numbers @ ..], []) = block.as_chunks::<4>() else { return None };
    if numbers.len() != count {
        return None;
    }
    let mut places = vec![u32::MAX; count];
    for (place, number) in (0..).zip(numbers) {
        *places.get_mut(u32::from_le_bytes(*number) as usize)? = place;
    }
    // As many places as tokens, so that none is missing unless another stands twice.
    (!places.contains(&u32::MAX)).then_some((u32::from_le_bytes(*length) as usize, places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Resident;

    fn embedder(vocab: &str) -> StaticEmbedder {
        let tokens = vocab.lines().count();
        let rows = (0..tokens * 3).map(|i| (i * 37 + 1) as u8).collect();
        let scales = (0..tokens).map(|i| 0.5 + i as f32).collect();
        StaticEmbedder::new("tiny".into(), vocab, rows, scales, 3).unwrap()
    }

    #[test]
    fn an_embedder_comes_back_as_it_was_whatever_its_lines_end_with() {
        for vocab in ["b\na\n", "b\na", "b\r\na\r\n##a\r\n", "a\r\nb\na\n\na\r", "b\r\n\na\n"] {
            let embedder = embedder(vocab);
            let file = write_embedder(&embedder).unwrap();
            let opened = EmbedderFile::open(&file, file.len() as u64).unwrap();
            let restored = opened.restore(&Resident(&file)).unwrap().unwrap();
            assert_eq!((restored.vocab(), restored.id()), (vocab, embedder.id()));
            assert_eq!((restored.rows(), restored.scales()), (embedder.rows(), embedder.scales()));
        }
    }

    #[test]
    fn a_text_has_the_rows_it_had_before() {
        let embedder = embedder("word\nb\r\nab\n##b\nb\nab\r\n[CLS]\n");
        let file = write_embedder(&embedder).unwrap();
        let source = Resident(&file);
        let opened = EmbedderFile::open(&file, file.len() as u64).unwrap();
        let tokenizer = opened.tokenizer(&source).unwrap().unwrap();
        for text in ["b", "ab", "word wordb", "b [CLS] ab", "none"] {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            embedder.tokenizer().encode(text, &mut before);
            tokenizer.encode(text, &mut after);
            let rows: Vec<_> =
                after.iter().map(|token| opened.token_row(&source, *token).unwrap().unwrap()).collect();
            let expected: Vec<_> = before.iter().map(|token| embedder.row(*token).unwrap()).collect();
            assert_eq!(rows, expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_a_permutation_are_refused() {
        let block = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        assert_eq!(decode_numbers(&block(&[9, 1, 2, 0]), 3), Some((9, vec![2, 0, 1])));
        for forged in [&[9, 0, 0, 1][..], &[9, 0, 1, 3], &[9, 0, 1], &[9, 0, 1, 2, 3], &[]] {
            assert_eq!(decode_numbers(&block(forged), 3), None, "{forged:?}");
        }
        assert_eq!(decode_numbers(&block(&[9, 0, 1, 2])[1..], 3), None);
    }
}

//! Text to vector with no neural network: the sum of one stored row per token, scaled to unit length.
//!
//! Use [`StaticEmbedder`] where the whole table is in memory, and [`WordPiece`] with [`pool`] where only a query's rows
//! are brought, as a browser does. The same text gives the same bits on every machine. Nothing here reads files, and
//! nothing trains a table.

use super::{Embedder, WordPiece};
use crate::{
    error::InputError, gather::Gather as _, metric::normalize, order::sort_unique, schema::EmbedderId,
};

/// Where the rows of tokens come from.
pub trait TokenRows {
    /// The number of components of a row.
    fn dimension(&self) -> usize;

    /// The row of `token` as the bit patterns of `i8`, [`dimension`](Self::dimension) of them, and the scale they are
    /// multiplied by. `None`: not here yet.
    fn row(&self, token: u32) -> Option<(&[u8], f32)>;
}

/// What [`pool`] could do with the rows at hand.
#[derive(Debug, Clone, PartialEq)]
pub enum Pooled {
    /// The vector, of unit length.
    Vector(Vec<f32>),
    /// The tokens whose rows must be brought first, ascending, each once.
    Missing(Vec<u32>),
}

/// The vector of a text from its tokens: the sum of their rows in the order of the tokens, each component times the
/// row's scale, scaled to unit length. O(tokens x dimension).
///
/// # Errors
/// [`InputError::NothingToEmbed`], with empty names, if there is no token or the rows add up to zero;
/// [`InputError::BadEmbedder`] if a row has another length or the sum is not finite.
pub fn pool(tokens: &[u32], rows: &impl TokenRows) -> Result<Pooled, InputError> {
    let mut sum = vec![0.0_f32; rows.dimension()];
    let mut missing = Vec::new();
    for &token in tokens {
        match rows.row(token) {
            Some((row, scale)) if row.len() == sum.len() => add_row(&mut sum, row, scale),
            Some((row, _)) => return Err(wrong_row(token, row.len(), sum.len())),
            None => missing.push(token),
        }
    }
    if !missing.is_empty() {
        sort_unique(&mut missing);
        return Ok(Pooled::Missing(missing));
    }
    if sum.iter().any(|x| !x.is_finite()) {
        return Err(InputError::BadEmbedder { reason: String::from("the rows' scales are too large") });
    }
    if sum.iter().all(|&x| x == 0.0) {
        return Err(InputError::NothingToEmbed { record: String::new(), embedder: String::new() });
    }
    normalize(&mut sum);
    Ok(Pooled::Vector(sum))
}

fn add_row(sum: &mut [f32], row: &[u8], scale: f32) {
    for (x, &byte) in sum.iter_mut().zip(row) {
        *x += f32::from(byte.cast_signed()) * scale;
    }
}

fn wrong_row(token: u32, got: usize, expected: usize) -> InputError {
    InputError::BadEmbedder { reason: format!("the row of token {token} has {got} bytes, not {expected}") }
}

/// The fingerprint of a static embedder: the hexadecimal blake3 of everything that changes its vectors. The parts may
/// come from a model's folder or from a snapshot. O(bytes).
pub fn fingerprint(
    vocab: &str,
    rows: &[u8],
    scales: impl IntoIterator<Item = f32>,
    dimension: u32,
) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"portolan static embedder 1: BERT uncased WordPiece, sum of int8 rows, unit length\n");
    hasher.update(&dimension.to_le_bytes());
    hasher.update(&(vocab.len() as u64).to_le_bytes()).update(vocab.as_bytes());
    hasher.update(&(rows.len() as u64).to_le_bytes()).update(rows);
    let scales: Vec<u8> = scales.into_iter().flat_map(f32::to_le_bytes).gather();
    hasher.update(&scales);
    hasher.finalize().to_hex().to_string()
}

/// A static embedder whose whole table is in memory.
#[derive(Debug, Clone)]
pub struct StaticEmbedder {
    id: EmbedderId,
    tokenizer: WordPiece,
    rows: Vec<u8>,
    scales: Vec<f32>,
}

impl StaticEmbedder {
    /// An embedder from its parts: the text of a `vocab.txt` with n lines; n rows of `dimension` bytes, one after
    /// another, each the bit pattern of an `i8`; n scales. Costs a hash of all of it.
    ///
    /// # Errors
    /// [`InputError::BadEmbedder`] if the parts do not fit together, the dimension is zero or a scale is not finite.
    pub fn new(
        name: String,
        vocab: &str,
        rows: Vec<u8>,
        scales: Vec<f32>,
        dimension: u32,
    ) -> Result<Self, InputError> {
        let tokenizer = WordPiece::from_vocab(vocab)?;
        let tokens = u64::from(tokenizer.vocab_len());
        if dimension == 0 || tokens == 0 {
            return bad(format!("it has {tokens} tokens of dimension {dimension}"));
        }
        if scales.len() as u64 != tokens || rows.len() as u64 != tokens * u64::from(dimension) {
            return bad(format!(
                "{tokens} tokens of dimension {dimension} do not fit {} bytes of rows and {} scales",
                rows.len(),
                scales.len()
            ));
        }
        if let Some(token) = scales.iter().position(|scale| !scale.is_finite()) {
            return bad(format!("the scale of token {token} is not finite"));
        }
        let fingerprint = fingerprint(vocab, &rows, scales.iter().copied(), dimension);
        Ok(Self { id: EmbedderId { name, fingerprint, dimension }, tokenizer, rows, scales })
    }

    /// The text of the vocabulary.
    pub fn vocab(&self) -> &str {
        self.tokenizer.vocab()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &WordPiece {
        &self.tokenizer
    }

    /// The rows of all tokens: tokens x dimension bytes, each the bit pattern of an `i8`.
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// The scale of each token's row.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    fn embed_one(&self, text: &str, tokens: &mut Vec<u32>) -> Result<Vec<f32>, InputError> {
        let nothing = || InputError::NothingToEmbed { record: String::new(), embedder: self.id.name.clone() };
        tokens.clear();
        self.tokenizer.encode(text, tokens);
        match pool(tokens, self) {
            Ok(Pooled::Vector(vector)) => Ok(vector),
            // Unreachable: the tokenizer's tokens are below the number of rows.
            Ok(Pooled::Missing(_)) | Err(InputError::NothingToEmbed { .. }) => Err(nothing()),
            Err(other) => Err(other),
        }
    }
}

impl TokenRows for StaticEmbedder {
    fn dimension(&self) -> usize {
        self.id.dimension as usize
    }

    fn row(&self, token: u32) -> Option<(&[u8], f32)> {
        let (token, dimension) = (token as usize, self.dimension());
        let scale = *self.scales.get(token)?;
        let start = token.checked_mul(dimension)?;
        Some((self.rows.get(start..start.checked_add(dimension)?)?, scale))
    }
}

impl Embedder for StaticEmbedder {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>> {
        let mut tokens = Vec::new();
        texts.iter().map(|text| self.embed_one(text, &mut tokens)).gather()
    }
}

fn bad<T>(reason: String) -> Result<T, InputError> {
    Err(InputError::BadEmbedder { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three tokens of dimension 2: a = (3, 0), b = (0, -4) in halves of 8, c = zero.
    fn embedder() -> StaticEmbedder {
        let rows = vec![3, 0, 0, (-8_i8).cast_unsigned(), 0, 0];
        StaticEmbedder::new(String::from("tiny"), "a\nb\nc\n", rows, vec![1.0, 0.5, 1.0], 2).unwrap()
    }

    #[test]
    fn a_vector_is_the_scaled_sum_of_rows_at_unit_length() {
        let vectors = embedder().embed(&["A b", "b", "a a x"]);
        assert_eq!(vectors, [Ok(vec![0.6, -0.8]), Ok(vec![0.0, -1.0]), Ok(vec![1.0, 0.0])]);
    }

    #[test]
    fn a_text_without_known_words_fails_alone() {
        let results = embedder().embed(&["?", "a", "", "c"]);
        let nothing = |result: &Result<_, InputError>| matches!(result, Err(InputError::NothingToEmbed { embedder, .. }) if embedder == "tiny");
        assert_eq!(results.iter().map(nothing).collect::<Vec<_>>(), [true, false, true, true]);
    }

    #[test]
    fn rows_that_are_not_here_are_named_once() {
        struct Only(StaticEmbedder, u32);
        impl TokenRows for Only {
            fn dimension(&self) -> usize {
                2
            }
            fn row(&self, token: u32) -> Option<(&[u8], f32)> {
                if token == self.1 { self.0.row(token) } else { None }
            }
        }
        let rows = Only(embedder(), 1);
        assert_eq!(pool(&[2, 1, 0, 2], &rows), Ok(Pooled::Missing(vec![0, 2])));
        assert_eq!(pool(&[1, 1], &rows), Ok(Pooled::Vector(vec![0.0, -1.0])));
        assert!(matches!(pool(&[], &rows), Err(InputError::NothingToEmbed { .. })));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let new = |rows: usize, scales: Vec<f32>, dimension| {
            StaticEmbedder::new(String::new(), "a\nb\n", vec![0; rows], scales, dimension).is_err()
        };
        assert!(!new(4, vec![1.0; 2], 2));
        assert!(new(3, vec![1.0; 2], 2) && new(4, vec![1.0; 3], 2) && new(0, vec![1.0; 2], 0));
        assert!(new(4, vec![1.0, f32::NAN], 2));
    }

    #[test]
    fn the_fingerprint_depends_on_every_part() {
        let prints = [
            fingerprint("a\n", &[1, 2], [1.0], 2),
            fingerprint("b\n", &[1, 2], [1.0], 2),
            fingerprint("a\n", &[1, 3], [1.0], 2),
            fingerprint("a\n", &[1, 2], [1.5], 2),
            fingerprint("a\n", &[1, 2], [1.0], 1),
            fingerprint("a\n1", &[2], [1.0], 2),
        ];
        for (i, print) in prints.iter().enumerate() {
            assert_eq!(print.len(), 64);
            assert!(!prints[..i].contains(print));
        }
        assert_eq!(embedder().id().fingerprint, embedder().id().fingerprint);
    }
}

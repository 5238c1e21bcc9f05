//! Counting the tokens of a text as an embedder does.
//!
//! Budgets are measured by it. It never fails: names of control tokens in a text are text like any other, or the tokens
//! that the embedder makes of them.

use crate::embed::WordPiece;

/// Counts tokens.
pub trait Tokenizer: Send + Sync {
    /// The number of tokens that the embedder makes of a text, with those it adds to every text.
    fn count(&self, text: &str) -> usize;
}

impl Tokenizer for WordPiece {
    /// Unknown words are no tokens: they do not reach the vector.
    fn count(&self, text: &str) -> usize {
        let mut tokens = Vec::new();
        self.encode(text, &mut tokens);
        tokens.len()
    }
}

/// One token for each run of characters that are no white space: the tokens of the [`Fake`](super::Fake) embedder.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words;

impl Tokenizer for Words {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }
}

//! What backfill asks of an embedder besides vectors: how large a call may be, and what a failure means.
//!
//! An [`Embedder`] that cannot fail as a whole needs `impl Provider for Mine {}` and nothing more. It does not retry or
//! wait itself: it says how long to wait, and the pipeline does.

use std::time::Duration;

use super::tokens::Tokenizer;
use crate::embed::{Embedder, StaticEmbedder, WordPiece};
use crate::error::InputError;

/// What a failure means for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The text itself cannot be embedded: asking again gives the same answer.
    BadText,
    /// It may work later: a timeout, a refused connection, an error of the server. `after` is what the provider asks to wait.
    Transient {
        /// How long the provider asks to wait.
        after: Option<Duration>,
    },
    /// The call was too large, or came too fast: the next ones should be smaller.
    Overloaded {
        /// How long the provider asks to wait.
        after: Option<Duration>,
    },
    /// Nothing will work until somebody acts: a wrong key, a missing model.
    Refused,
}

/// Why a text, or a whole call, has no vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means for the next try.
    pub kind: FailureKind,
    /// One sentence for people, without the record's id, which the caller knows.
    pub reason: String,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// The text itself cannot be embedded.
    pub fn bad_text(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::BadText, reason)
    }

    /// It may work later.
    pub fn transient(reason: impl Into<String>, after: Option<Duration>) -> Self {
        Self::new(FailureKind::Transient { after }, reason)
    }

    /// How long the provider asks to wait.
    pub fn after(&self) -> Option<Duration> {
        match self.kind {
            FailureKind::Transient { after } | FailureKind::Overloaded { after } => after,
            FailureKind::BadText | FailureKind::Refused => None,
        }
    }
}

impl From<InputError> for Failure {
    /// The errors of an [`Embedder`] are all about the text. Their record is still empty, so their message begins with
    /// the colon after it.
    fn from(error: InputError) -> Self {
        Self::bad_text(error.to_string().trim_start_matches(": "))
    }
}

/// How large one call may be. A text that alone exceeds a limit goes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most texts.
    pub texts: usize,
    /// The most bytes of text.
    pub bytes: usize,
    /// The most tokens; needs a [`Tokenizer`].
    pub tokens: Option<usize>,
}

impl Default for Limits {
    /// For embedders in the same process.
    fn default() -> Self {
        Self { texts: 512, bytes: 4 << 20, tokens: None }
    }
}

/// An embedder as the pipeline uses it.
pub trait Provider: Embedder {
    /// Counts tokens as the embedder does; `None` when it cannot say.
    fn tokenizer(&self) -> Option<&dyn Tokenizer> {
        None
    }

    /// The most tokens of one text that reach its vector; `None` when all do.
    fn token_limit(&self) -> Option<usize> {
        None
    }

    /// How large one call may be.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// The number of tokens of a text; `None` when the embedder cannot say.
    fn count_tokens(&self, text: &str) -> Option<usize> {
        self.tokenizer().map(|tokenizer| tokenizer.count(text))
    }

    /// One vector or failure per text, in order.
    ///
    /// # Errors
    /// Why the whole call failed. The caller finds out which of its texts was to blame, if any.
    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Result<Vec<f32>, Failure>>, Failure> {
        Ok(self.embed(texts).into_iter().map(|result| result.map_err(Failure::from)).collect())
    }
}

impl Provider for StaticEmbedder {
    fn tokenizer(&self) -> Option<&dyn Tokenizer> {
        Some(self.tokenizer() as &WordPiece)
    }
}

//! Errors about what comes in: vectors, texts and records that cannot be accepted.

use super::Quoted;
use crate::number::Shown;

/// A vector or text that is refused at the door, with the record it belongs to.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The vector's length is not the collection's dimension.
    #[error("{record}: the vector has {got} numbers, the collection needs {expected}")]
    WrongDimension {
        /// The record's id, or "query".
        record: String,
        /// The collection's dimension.
        expected: usize,
        /// The vector's length.
        got: usize,
    },
    /// A component is NaN or infinite.
    #[error("{record}: component {position} of the vector is {}; every number must be finite", Shown::from(*value))]
    NotFinite {
        /// The record's id, or "query".
        record: String,
        /// The position of the first such component, from 0.
        position: usize,
        /// Its value.
        value: f32,
    },
    /// The vector has length zero, and cosine needs a direction.
    #[error("{record}: the vector is all zeros, which has no direction; cosine cannot compare it")]
    ZeroVector {
        /// The record's id, or "query".
        record: String,
    },
    /// The embedder found nothing it knows in the text.
    #[error(
        "{record}: the text has no word that the embedder {} knows, so it has no vector",
        Quoted(embedder)
    )]
    NothingToEmbed {
        /// The record's id, or "query".
        record: String,
        /// The embedder's name.
        embedder: String,
    },
    /// The embedder's files do not fit together.
    #[error("the embedder cannot be loaded: {reason}")]
    BadEmbedder {
        /// What does not fit.
        reason: String,
    },
    /// A component is too large for the encoding or for the metric's sums. Remedy: scale the vectors down, or store
    /// them as `f32`.
    #[error(
        "{record}: component {position} of the vector is {}, beyond {}, the most that can be stored and \
         summed here; scale the vectors down or store them as f32",
        Shown::from(*value),
        Shown::from(*limit)
    )]
    OutOfRange {
        /// The record's id, or "query".
        record: String,
        /// The position of the first such component, from 0.
        position: usize,
        /// Its value.
        value: f32,
        /// The largest magnitude accepted.
        limit: f32,
    },
}

impl InputError {
    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        match self {
            Self::WrongDimension { .. } => 3001,
            Self::NotFinite { .. } => 3002,
            Self::ZeroVector { .. } => 3003,
            Self::NothingToEmbed { .. } => 3004,
            Self::BadEmbedder { .. } => 3005,
            Self::OutOfRange { .. } => 3006,
        }
    }

    /// The same error about `id`, for callers of functions that do not know which record a vector or text belongs to.
    pub fn for_record(mut self, id: &str) -> Self {
        match &mut self {
            Self::WrongDimension { record, .. }
            | Self::NotFinite { record, .. }
            | Self::ZeroVector { record }
            | Self::NothingToEmbed { record, .. }
            | Self::OutOfRange { record, .. } => *record = String::from(id),
            Self::BadEmbedder { .. } => {}
        }
        self
    }
}

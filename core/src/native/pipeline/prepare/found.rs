//! What a reader of source files gives: one record after the other, each whole or with the reason why not.

use serde_json::{Map, Value as Json};

use crate::error::StoreError;

/// The most of a refused record's text that is kept.
pub const KEPT_BYTES: usize = 4 << 10;

/// One record of a source file.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its bytes in the file, first and one past the last; `None` in formats that have no such thing.
    pub bytes: Option<(u64, u64)>,
    /// What it is.
    pub content: Content,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Source columns and their values; with what had to be repaired, if anything.
    Record(Map<String, Json>, Option<String>),
    /// It cannot be read.
    Refused {
        /// Why.
        reason: String,
        /// Its text, cut to [`KEPT_BYTES`].
        raw: String,
    },
}

/// Reads the records of one file, in their order.
pub trait RecordSource {
    /// The next record.
    ///
    /// # Errors
    /// [`StoreError::File`] or [`StoreError::BadSource`] when no later record can be read either.
    fn next(&mut self) -> Result<Option<Found>, StoreError>;

    /// How many bytes of the file are read.
    fn consumed(&self) -> u64;
}

/// The beginning of a text.
pub fn cut(text: &str) -> String {
    let mut end = text.len().min(KEPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

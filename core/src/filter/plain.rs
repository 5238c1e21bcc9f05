//! Tests of texts that have no dictionary: documents.

use super::prune::accepts;
use crate::{
    pattern::{Pattern, Scratch},
    query::CompareOp,
};

/// A test of a text as it is. Owns all it needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PlainTest {
    /// A comparison, by bytes.
    Compare(CompareOp, String),
    /// One of these, sorted; or, negated, none.
    In(Vec<String>, bool),
    /// A pattern matches; or, negated, does not.
    Match(Pattern, bool),
}

impl PlainTest {
    /// Whether the test is true of a text that is not null.
    pub fn holds(&self, text: &str, scratch: &mut Scratch) -> bool {
        match self {
            Self::Compare(op, other) => accepts(*op, text.cmp(other)),
            Self::In(texts, negated) => {
                texts.binary_search_by(|other| other.as_str().cmp(text)).is_ok() != *negated
            }
            Self::Match(pattern, negated) => pattern.is_match(text, scratch) != *negated,
        }
    }
}

//! Errors about the statement: where it is wrong, what was expected, how to repair it.

/// The statement is wrong at a known place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong, in one sentence.
    pub message: String,
}

impl QueryError {
    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        1000
    }
}

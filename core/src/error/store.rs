//! Errors about the writable store and the file system.

use std::path::PathBuf;

use super::ErrorKind;

/// The store or the file system refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file operation failed.
    #[error("{action} {path:?}: {source}")]
    File {
        /// What was tried: "read", "write", "create".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl StoreError {
    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        match self {
            Self::File { .. } => 5001,
        }
    }

    /// Whose turn it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. } => ErrorKind::Io,
        }
    }
}

//! Everything that can go wrong, by family, each case with a fixed number.
//!
//! Numbers are part of the public contract of C, Go and JavaScript: they are never reused. Query errors are
//! 1000 to 1999, catalogue errors 2000 to 2999, input errors 3000 to 3999, snapshot errors 4000 to 4999, store
//! errors 5000 to 5999. A message says what happened, where, and what to do.

mod catalog;
mod input;
mod query;
mod query_kind;
mod quoted;
mod snapshot;

pub use catalog::{CatalogError, near_names};
pub use input::InputError;
pub use query::{QueryError, Span};
pub(crate) use query::{clip_to, shown, snippet};
pub use query_kind::QueryErrorKind;
pub(crate) use quoted::{Quoted, escaped};
pub use snapshot::SnapshotError;

#[cfg(feature = "mmap")]
mod store;
#[cfg(feature = "mmap")]
pub use store::StoreError;

/// A result whose error is [`Error`] unless said otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The statement is wrong: it does not parse, or asks for what the language does not offer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The statement or call names something that is not there.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A vector, text or record that cannot be accepted.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file is damaged, truncated, or of another version.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The writable store or the file system refused.
    #[cfg(feature = "mmap")]
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose turn it is after an error. The command's exit code and the C status class derive from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller must change the request.
    Usage,
    /// Something named does not exist, or is in a state that does not allow the request.
    NotFound,
    /// The file needs another version of this library.
    Unsupported,
    /// The file's bytes are not what was written.
    Damaged,
    /// The operating system, the disk or the store refused, or the statement was stopped before its end.
    Io,
}

impl Error {
    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        match self {
            Error::Query(e) => e.code(),
            Error::Catalog(e) => e.code(),
            Error::Input(e) => e.code(),
            Error::Snapshot(e) => e.code(),
            #[cfg(feature = "mmap")]
            Error::Store(e) => e.code(),
        }
    }

    /// Whose turn it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Query(_) | Error::Input(_) => ErrorKind::Usage,
            Error::Catalog(e) => e.kind(),
            Error::Snapshot(e) => e.kind(),
            #[cfg(feature = "mmap")]
            Error::Store(e) => e.kind(),
        }
    }
}

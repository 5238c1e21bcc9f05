//! Errors about snapshot files: not ours, too new, or damaged.

use super::{ErrorKind, Quoted};

/// A snapshot or release file cannot be used. Three cases are kept apart by type: not our file, another version,
/// damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file does not begin with the magic bytes.
    #[error("not a Portolan snapshot: the first 8 bytes are not \"PORTOLAN\"")]
    BadMagic,
    /// The file was written for a newer reader.
    #[error(
        "the snapshot needs a reader of format {needed}, this one reads up to {supported}; upgrade Portolan"
    )]
    TooNew {
        /// The oldest reader version that the file allows.
        needed: u16,
        /// The newest format this library reads.
        supported: u16,
    },
    /// The file was written in a format this library no longer reads.
    #[error("the snapshot has format {found}, this library reads {oldest} and later; export it again")]
    TooOld {
        /// The file's format version.
        found: u16,
        /// The oldest format this library reads.
        oldest: u16,
    },
    /// The file requires a feature this library does not know.
    #[error("the snapshot requires features {unknown:#x} that this library does not know; upgrade Portolan")]
    UnknownFeatures {
        /// The unknown bits.
        unknown: u64,
    },
    /// The file is shorter or longer than its header says.
    #[error(
        "the file has {got} bytes, its header says {expected}; it is truncated or has a tail, copy it again"
    )]
    WrongLength {
        /// The length in the header.
        expected: u64,
        /// The real length.
        got: u64,
    },
    /// A checksum does not match.
    #[error("checksum mismatch in section {section} at byte {offset}; the file is damaged, copy it again")]
    Checksum {
        /// The section's name.
        section: String,
        /// Where the damaged block begins in the file.
        offset: u64,
    },
    /// A value in the file contradicts another.
    #[error("section {section} at byte {offset}: {reason}; the file is damaged, copy it again")]
    Malformed {
        /// The section's name.
        section: String,
        /// Where the contradiction was found in the file.
        offset: u64,
        /// What contradicts what.
        reason: String,
    },
    /// Any of the others, with the file of the release that it was found in.
    #[error("{file}{}: {error}", of_collection(collection))]
    InFile {
        /// The file's name inside the release.
        file: String,
        /// The collection that the file holds; `None` for an embedder and for the heads.
        collection: Option<String>,
        /// What is wrong with it. Never this variant again.
        error: Box<SnapshotError>,
    },
    /// `release.json` cannot be read.
    #[error("release.json: {reason}")]
    BadRelease {
        /// What is wrong.
        reason: String,
    },
    /// The input of a snapshot writer cannot be written.
    #[error("cannot write the snapshot: {reason}")]
    CannotWrite {
        /// What does not fit the format.
        reason: String,
    },
}

fn of_collection(collection: &Option<String>) -> String {
    collection.as_ref().map(|name| format!(" (collection {})", Quoted(name))).unwrap_or_default()
}

impl SnapshotError {
    /// The error without the name of the file.
    pub fn inner(&self) -> &SnapshotError {
        match self {
            Self::InFile { error, .. } => error,
            other => other,
        }
    }

    /// The error with the file that it was found in, unless it has one already or names it itself.
    pub(crate) fn in_file(self, file: &str, collection: Option<&str>) -> Self {
        match self {
            Self::InFile { .. } | Self::BadRelease { .. } | Self::CannotWrite { .. } => self,
            error => Self::InFile {
                file: file.into(),
                collection: collection.map(String::from),
                error: Box::new(error),
            },
        }
    }

    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        match self {
            Self::InFile { error, .. } => error.code(),
            Self::BadMagic => 4001,
            Self::TooNew { .. } => 4002,
            Self::TooOld { .. } => 4003,
            Self::UnknownFeatures { .. } => 4004,
            Self::WrongLength { .. } => 4005,
            Self::Checksum { .. } => 4006,
            Self::Malformed { .. } => 4007,
            Self::BadRelease { .. } => 4008,
            Self::CannotWrite { .. } => 4009,
        }
    }

    /// Whose turn it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InFile { error, .. } => error.kind(),
            Self::TooNew { .. } | Self::TooOld { .. } | Self::UnknownFeatures { .. } => {
                ErrorKind::Unsupported
            }
            Self::CannotWrite { .. } => ErrorKind::Usage,
            _ => ErrorKind::Damaged,
        }
    }
}

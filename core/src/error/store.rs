//! Errors about the writable store, its registry of models and the file system.

use std::path::PathBuf;

use super::ErrorKind;

/// The store, the registry or the file system refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file operation failed.
    #[error("cannot {action} {path:?}: {source}")]
    File {
        /// What was tried: "read", "write", "create".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Lance refused an operation. What was committed before stays; the operation can be run again.
    #[error("cannot {action} the table {table:?}: {source}")]
    Table {
        /// What was tried: "open", "append to", "scan".
        action: &'static str,
        /// The Lance table.
        table: String,
        /// What Lance said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process is writing to the store. Remedy: wait until it ends.
    #[error("the store {dir:?} is being written by {holder}; wait until it ends, or stop it, then run again")]
    Locked {
        /// The store's directory.
        dir: PathBuf,
        /// Who writes: the process id and what it does.
        holder: String,
    },
    /// The directory is not a store. Remedy: name the right one, or an empty one for a new store.
    #[error("{dir:?} is not a Portolan store: {reason}")]
    NotAStore {
        /// The directory.
        dir: PathBuf,
        /// What is missing or in the way.
        reason: &'static str,
    },
    /// The store was written by a newer version.
    #[error("the store has schema version {found}, this library knows up to {supported}; upgrade Portolan")]
    TooNew {
        /// The version in the store.
        found: u32,
        /// The newest version this library knows.
        supported: u32,
    },
    /// A write was asked of a store opened for reading.
    #[error("the store {dir:?} was opened for reading; open it for writing to change it")]
    ReadOnly {
        /// The store's directory.
        dir: PathBuf,
    },
    /// A collection cannot have that name.
    #[error("{name:?} cannot name a collection: {reason}")]
    BadName {
        /// The name, cut to 64 characters.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A row of the store holds what no version of this library writes.
    #[error("the table {table:?} is damaged: {reason}; restore it from a backup, or build the store again")]
    Corrupt {
        /// The Lance table.
        table: String,
        /// What contradicts what.
        reason: String,
    },
    /// The registry file is wrong.
    #[error("{path:?}: {reason}")]
    BadRegistry {
        /// The registry file.
        path: PathBuf,
        /// What is wrong, with its line where known.
        reason: String,
    },
    /// A field was declared with another type than the one its collection already holds.
    #[error(
        "collection {collection:?} holds field {field:?} as {held}, the model {model:?} declares it as {declared}; \
         use another field name, or another collection"
    )]
    FieldTypeChanged {
        /// The collection.
        collection: String,
        /// The field's dotted path.
        field: String,
        /// The type in the store.
        held: String,
        /// The type in the registry.
        declared: String,
        /// The model that declares it.
        model: String,
    },
    /// Two models that share a collection disagree about it.
    #[error(
        "collection {collection:?} is shared by the models {models}, and {model:?} wants another {what}; \
         give both the same, or send them to different collections"
    )]
    CollectionConflict {
        /// The collection.
        collection: String,
        /// The models already in it.
        models: String,
        /// The model that disagrees.
        model: String,
        /// What differs: "metric" or "embedder".
        what: &'static str,
    },
    /// The files of an import do not fit what the collection is. Nothing of them was written.
    #[error("cannot import into collection {collection:?}: {reason}")]
    CannotImport {
        /// The collection.
        collection: String,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// A file of vectors is not what it must be, or does not fit the records beside it. Nothing was written.
    #[error("{path:?}: {reason}")]
    BadVectors {
        /// The file of vectors.
        path: PathBuf,
        /// What is wrong, with the record's line and id where one is concerned.
        reason: String,
    },
    /// What a selector means cannot be told, or it means nothing in particular. Nothing was changed.
    #[error("cannot select: {reason}")]
    BadSelector {
        /// What cannot be understood, and what to write.
        reason: String,
    },
    /// A file of cached vectors is not what it must be. Nothing of it was taken in.
    #[error("{path:?} cannot be taken into the cache: {reason}")]
    BadCacheFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the row where one is concerned.
        reason: String,
    },
    /// The collection has no vectors yet. Remedy: embed it.
    #[error("collection {collection:?} has no vectors yet; embed it first")]
    NotEmbedded {
        /// The collection.
        collection: String,
    },
    /// The folder to export into holds something else. Remedy: name a new folder, an empty one, or an older release.
    #[error("{folder:?} is not a release: it holds {file:?}; export into a new folder")]
    NotARelease {
        /// The folder.
        folder: PathBuf,
        /// What is in the way.
        file: PathBuf,
    },
    /// Nothing in the store has a vector yet. Remedy: embed first.
    #[error(
        "nothing in the store {store:?} is embedded yet, so there is nothing to export; run `portolan embed` first"
    )]
    NothingToExport {
        /// The store's directory.
        store: PathBuf,
    },
    /// The embedder broke its contract or stopped. Nothing that was committed is lost; a new run goes on from there.
    #[error("the embedder {embedder:?} failed on collection {collection:?}: {reason}; run again to go on")]
    EmbedderFailed {
        /// The embedder's name.
        embedder: String,
        /// The collection it worked on.
        collection: String,
        /// What it did.
        reason: String,
    },
    /// The thread that reads the source files stopped, which is a defect of this library. What was read before is kept.
    #[error("reading the source files stopped: {reason}; please report it with the line that was read")]
    ReadingStopped {
        /// What it said last.
        reason: String,
    },
    /// A source file is not what its settings say. Nothing was prepared.
    #[error("{path:?}: {reason}")]
    BadSource {
        /// The source file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The manifest or a file that it names is damaged. Remedy: restore it from a backup.
    #[error("{path:?} is damaged: {reason}; restore it from a backup, or prepare its sources again")]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What contradicts what.
        reason: String,
    },
    /// Nothing of what was asked has been prepared. Remedy: prepare it.
    #[error("{what}; run `portolan prepare` first")]
    NotPrepared {
        /// What is missing.
        what: String,
    },
    /// The records of a source do not add up, which is a defect of this library. Nothing was prepared.
    #[error("the records of {path:?} do not add up: {reason}; nothing was prepared, please report it")]
    CountsDiffer {
        /// The source file.
        path: PathBuf,
        /// The numbers.
        reason: String,
    },
    /// Rows cannot be read by the changed model. Nothing was changed.
    #[error(
        "{rows} rows cannot be read by the changed model {model:?}, the first: {first}; change the model, or leave these rows          out with --skip-refused"
    )]
    RowsRefused {
        /// The model.
        model: String,
        /// How many.
        rows: u64,
        /// The first of them, and why.
        first: String,
    },
    /// A drop cannot be applied or undone as things are. Nothing was changed.
    #[error("{what}")]
    WrongDrop {
        /// Why, and what to do.
        what: String,
    },
}

impl StoreError {
    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        match self {
            Self::File { .. } => 5001,
            Self::Table { .. } => 5002,
            Self::Locked { .. } => 5003,
            Self::NotAStore { .. } => 5004,
            Self::TooNew { .. } => 5005,
            Self::ReadOnly { .. } => 5006,
            Self::BadName { .. } => 5007,
            Self::Corrupt { .. } => 5008,
            Self::BadRegistry { .. } => 5009,
            Self::FieldTypeChanged { .. } => 5010,
            Self::CollectionConflict { .. } => 5011,
            Self::NotEmbedded { .. } => 5012,
            Self::EmbedderFailed { .. } => 5013,
            Self::NotARelease { .. } => 5014,
            Self::NothingToExport { .. } => 5015,
            Self::ReadingStopped { .. } => 5016,
            Self::CannotImport { .. } => 5017,
            Self::BadVectors { .. } => 5018,
            Self::BadSource { .. } => 5030,
            Self::BadManifest { .. } => 5031,
            Self::NotPrepared { .. } => 5032,
            Self::CountsDiffer { .. } => 5033,
            Self::RowsRefused { .. } => 5034,
            Self::BadSelector { .. } => 5035,
            Self::WrongDrop { .. } => 5036,
            Self::BadCacheFile { .. } => 5037,
        }
    }

    /// Whose turn it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. }
            | Self::Table { .. }
            | Self::EmbedderFailed { .. }
            | Self::CountsDiffer { .. }
            | Self::ReadingStopped { .. } => ErrorKind::Io,
            Self::Locked { .. }
            | Self::NotAStore { .. }
            | Self::NotEmbedded { .. }
            | Self::NotARelease { .. }
            | Self::NotPrepared { .. }
            | Self::WrongDrop { .. }
            | Self::NothingToExport { .. } => ErrorKind::NotFound,
            Self::TooNew { .. } => ErrorKind::Unsupported,
            Self::Corrupt { .. } | Self::BadManifest { .. } => ErrorKind::Damaged,
            Self::ReadOnly { .. }
            | Self::BadName { .. }
            | Self::BadRegistry { .. }
            | Self::FieldTypeChanged { .. }
            | Self::CannotImport { .. }
            | Self::BadVectors { .. }
            | Self::BadSource { .. }
            | Self::RowsRefused { .. }
            | Self::BadSelector { .. }
            | Self::BadCacheFile { .. }
            | Self::CollectionConflict { .. } => ErrorKind::Usage,
        }
    }
}

//! What a long step tells its caller while it works.

/// What a step is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Looking through a source file before it is read; the total is as of [`Read`](Phase::Read).
    Survey,
    /// Reading records of a source file; the total is in bytes of the file as stored.
    Read,
    /// Reading prepared rows again; the total is in rows of the partition.
    Replay,
    /// Writing records; the total is in records.
    Write,
    /// Embedding texts; the total is in records of the collection that need a vector.
    Embed,
}

/// One sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done.
    pub phase: Phase,
    /// To which collection, or from which file.
    pub subject: &'a str,
    /// How much of it is done.
    pub done: u64,
    /// Of how much; `None` when it cannot be known.
    pub total: Option<u64>,
}

/// Receives [`Progress`]. Called often, from one thread at a time: it should return at once.
pub type ProgressFn<'a> = dyn Fn(Progress<'_>) + Send + Sync + 'a;

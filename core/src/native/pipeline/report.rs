//! What embedding did, in numbers that add up.

use std::path::PathBuf;

/// What embedding did to one collection. The six numbers after the name add up to its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EmbedSummary {
    /// The collection.
    pub collection: String,
    /// Records that had their vector already.
    pub ready: u64,
    /// Records whose text was in the cache.
    pub from_cache: u64,
    /// Records that the embedder made a vector for (texts that occur twice were embedded once).
    pub embedded: u64,
    /// Records whose text failed now.
    pub errors: u64,
    /// Records whose text failed three times before.
    pub skipped: u64,
    /// Records that wait for another run, because the embedder was away.
    pub waiting: u64,
    /// Calls of the embedder.
    pub calls: u64,
    /// Those that repeated an earlier one.
    pub retries: u64,
    /// Texts sent to the embedder, repeated ones each time.
    pub sent: u64,
    /// Why the embedder was away.
    pub away: Option<String>,
    /// The files that say what failed.
    pub error_files: Vec<PathBuf>,
}

impl EmbedSummary {
    /// Which part of the records that needed a vector had it from the cache, from 0 to 1; `None` if none needed one.
    pub fn hit_rate(&self) -> Option<f64> {
        let needed = self.from_cache + self.embedded;
        (needed > 0).then(|| self.from_cache as f64 / needed as f64)
    }
}

/// What embedding did to several collections.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EmbedReport {
    /// One summary a collection.
    pub collections: Vec<EmbedSummary>,
}

impl EmbedReport {
    /// The sums over all collections, with an empty name, and the first reason why the embedder was away.
    pub fn total(&self) -> EmbedSummary {
        let mut total = EmbedSummary::default();
        for one in &self.collections {
            total.ready += one.ready;
            total.from_cache += one.from_cache;
            total.embedded += one.embedded;
            total.errors += one.errors;
            total.skipped += one.skipped;
            total.waiting += one.waiting;
            total.calls += one.calls;
            total.retries += one.retries;
            total.sent += one.sent;
            total.away = total.away.or(one.away.clone());
            total.error_files.extend(one.error_files.iter().cloned());
        }
        total
    }
}

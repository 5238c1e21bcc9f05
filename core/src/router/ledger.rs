//! What the stages of a statement cost, beside what each collection cost: for EXPLAIN ANALYZE.

/// Times in microseconds, all 0 without a clock; stages that are stepped several times add up.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// When the first step began.
    pub(super) started: Option<u64>,
    pub(super) route: u64,
    pub(super) embed: u64,
    /// How many texts were embedded.
    pub(super) texts: u64,
    pub(super) merge: u64,
    /// How many rows were left for reading their records.
    pub(super) merged: u64,
    pub(super) answer: u64,
}

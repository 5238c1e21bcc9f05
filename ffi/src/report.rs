//! What a result says beside its rows: which collections were asked, which rows answer which item of a BATCH.

use engine::router::{CollectionReport, Outcome, RowSet};
use safer_ffi::prelude::*;

use crate::text::{Chars, Text};

/// What became of a collection that FROM names.
#[derive_ReprC(rename = "portolan_outcome")]
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeView {
    /// It was searched.
    Asked = 0,
    /// It provably holds no matching record, so it was left out.
    Skipped = 1,
    /// It could not be searched, and the statement was not strict: its rows are missing.
    Failed = 2,
}

/// One collection in the report of a result. Fields that the outcome does not name are zero; texts are never NULL.
#[derive_ReprC(rename = "portolan_collection")]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CollectionView {
    /// Its name. A view: it lives as long as the result.
    pub name: *const Chars,
    /// What became of it.
    pub outcome: OutcomeView,
    /// How many of the answer's rows are its own, if it was asked.
    pub rows: u64,
    /// How many bytes of it were read, if it was asked.
    pub bytes: u64,
    /// How many microseconds the search of it took, if it was asked and the time was taken; else -1.
    pub micros: i64,
    /// The number of the error, if it failed.
    pub code: u32,
    /// Why it was skipped, or how it failed; else "". A view: it lives as long as the result.
    pub reason: *const Chars,
}

/// The texts of a report.
#[derive(Debug)]
pub(crate) struct ReportText {
    name: Text,
    reason: Text,
}

impl ReportText {
    pub(crate) fn new(report: &CollectionReport) -> Self {
        let reason = match &report.outcome {
            Outcome::Asked { .. } => "",
            Outcome::Skipped { reason } => reason,
            Outcome::Failed { message, .. } => message,
        };
        Self { name: Text::new(&report.name), reason: Text::new(reason) }
    }
}

impl CollectionView {
    /// What C sees of a report.
    pub(crate) fn new(report: &CollectionReport, text: &ReportText) -> Self {
        let nothing = Self {
            name: text.name.as_ptr(),
            outcome: OutcomeView::Skipped,
            rows: 0,
            bytes: 0,
            micros: -1,
            code: 0,
            reason: text.reason.as_ptr(),
        };
        match report.outcome {
            Outcome::Asked { rows, bytes, micros } => {
                let micros = micros.map_or(-1, |micros| i64::try_from(micros).unwrap_or(i64::MAX));
                Self { outcome: OutcomeView::Asked, rows, bytes, micros, ..nothing }
            }
            Outcome::Skipped { .. } => nothing,
            Outcome::Failed { code, .. } => Self { outcome: OutcomeView::Failed, code, ..nothing },
        }
    }
}

/// The rows that answer one item of a BATCH: they stand together, in their order.
#[derive_ReprC(rename = "portolan_set")]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SetView {
    /// The item, from 0.
    pub item: u32,
    /// Its first row.
    pub first: usize,
    /// How many rows it has; there may be none.
    pub rows: usize,
}

impl From<RowSet> for SetView {
    fn from(RowSet { item, first, rows }: RowSet) -> Self {
        Self { item, first, rows }
    }
}

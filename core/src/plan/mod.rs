//! Plans: a statement that has been checked, ready to be explained or run.
//!
//! [`Plan`] is the one object that EXPLAIN prints and the executor runs, so that the two cannot disagree. Building
//! one needs no collection; what depends on the collections (columns, access paths, routing) is decided later and
//! told to [`explain`](Plan::explain_text) as [`CollectionFacts`].

mod build;
mod explain;
mod notes;

#[cfg(test)]
mod tests;

use crate::query::Expr;

pub use explain::CollectionFacts;

/// The candidates of a vector query that names no TOPK.
pub const DEFAULT_TOPK: u64 = 10;

/// A checked statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whether only the plan is asked for. Then nothing is executed.
    pub explain: bool,
    /// Which collections.
    pub source: Source,
    /// The columns of the result, in order, with distinct names.
    pub columns: Vec<OutputColumn>,
    /// What the vectors are compared with; `None` for a statement that only filters.
    pub probe: Option<Probe>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// How many nearest rows are looked for over all collections: TOPK, raised to LIMIT + OFFSET. Zero without a
    /// probe.
    pub topk: u64,
    /// The most rows to return, after `offset`.
    pub limit: Option<u64>,
    /// The rows to skip.
    pub offset: u64,
    /// Remarks on what is allowed but probably not meant, such as `= NULL`.
    pub notes: Vec<String>,
}

/// The collections of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// All that the release has.
    All,
    /// These, in the order of first mention, each once.
    Named(Vec<String>),
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name: the alias, else the field as written (`metadata.author.name`).
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// What a column of the result holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// The record's id.
    Id,
    /// The record's text, or null.
    Document,
    /// The distance to the probe; null without one.
    Distance,
    /// The collection that the record came from.
    Collection,
    /// The stored vector.
    Embedding,
    /// All metadata as one object, or the value at a dotted path (an object if longer paths begin with it).
    Metadata(Option<String>),
}

impl ColumnKind {
    /// The field as it is written in a statement, and the column's name when it has no alias.
    pub fn field(&self) -> String {
        String::from(match self {
            Self::Id => "id",
            Self::Document => "document",
            Self::Distance => "distance",
            Self::Collection => "collection",
            Self::Embedding => "embedding",
            Self::Metadata(None) => "metadata",
            Self::Metadata(Some(path)) => return format!("metadata.{path}"),
        })
    }
}

/// What the vectors are compared with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Probe {
    /// A text, to be embedded once per embedder.
    Text {
        /// The text; never empty.
        text: String,
        /// The embedder's name, if the statement insists on one.
        model: Option<String>,
    },
    /// A ready vector: at least one component, all finite.
    Vector(Vec<f32>),
}

impl Plan {
    /// How many of the best rows, before `offset` is skipped, decide the result. `None`: all that match.
    ///
    /// No more than these have to be merged, over all collections together.
    pub fn rows_wanted(&self) -> Option<u64> {
        match (self.limit, &self.probe) {
            (Some(0), _) => Some(0),
            (Some(limit), _) => Some(limit.saturating_add(self.offset)),
            (None, Some(_)) => Some(self.topk),
            (None, None) => None,
        }
    }

    /// Whether any output column is of this kind, decided by `test`.
    pub fn selects(&self, test: impl Fn(&ColumnKind) -> bool) -> bool {
        self.columns.iter().any(|column| test(&column.kind))
    }
}

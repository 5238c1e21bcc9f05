//! Plans: a statement that has been checked, ready to be explained or run.
//!
//! [`Plan`] is the one object that EXPLAIN prints and the executor runs, so that the two cannot disagree. Building
//! one needs no collection; what depends on the collections (columns, access paths, routing) is decided later and
//! added by the router.

mod build;
mod check;
mod cursor;
mod explain;
mod notes;
mod rank;

#[cfg(test)]
mod tests;

use crate::{
    error::{CatalogError, near_names},
    filter::{is_field_or_object, unknown_columns},
    metric::Metric,
    order::sort_unique,
    query::{Duplicates, Explain, Expr, Field, Scalar},
};

pub use cursor::{Cursor, CursorFault};

/// The candidates of a vector query that names no TOPK.
pub const DEFAULT_TOPK: u64 = 10;

/// The constant k of reciprocal rank fusion where FUSE BY RRF names none (Cormack, Clarke and Büttcher, SIGIR 2009).
pub const DEFAULT_RRF_K: f64 = 60.0;
/// MMR's lambda where RERANK BY MMR names none.
pub const DEFAULT_MMR_LAMBDA: f64 = 0.5;
/// The most candidates that MMR may choose from: it compares each with each chosen row.
pub const MAX_MMR_CANDIDATES: u64 = 10_000;

/// A checked statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whether only the plan is asked for (then nothing is executed), or the cost of executing it too.
    pub explain: Option<Explain>,
    /// Which collections.
    pub source: Source,
    /// The columns of the result, in order, with distinct names.
    pub columns: Vec<OutputColumn>,
    /// What the vectors are compared with: none for a statement that only filters, several for a BATCH.
    pub probes: Vec<Probe>,
    /// Whether the probes are the items of a BATCH, even a single one; unless fused, each has its own set of rows.
    pub batch: bool,
    /// WHERE.
    pub filter: Option<Expr>,
    /// SIMILARITY: the metric to rank by, if the statement insists on one.
    pub similarity: Option<Metric>,
    /// How many nearest rows are looked for over all collections, for each probe: TOPK, raised to LIMIT + OFFSET. Zero
    /// without a probe.
    pub topk: u64,
    /// GROUP BY, and every aggregate without it: then one group holds all rows.
    pub group: Option<Group>,
    /// ORDER BY, aliases resolved. Empty: by score or distance with a probe, else by collection and id; groups by their
    /// first row.
    pub order: Vec<OrderKey>,
    /// RERANK BY MMR.
    pub rerank: Option<Mmr>,
    /// FUSE BY RRF: the probes of a BATCH become one ranking, with this constant k.
    pub fuse: Option<f64>,
    /// WITH SCORE THRESHOLD: rows further than this are left out.
    pub threshold: Option<f64>,
    /// What becomes of rows that share an id.
    pub duplicates: Duplicates,
    /// RECALL: the share of the true nearest rows that is enough, above 0 and up to 1.
    pub recall: Option<f64>,
    /// CANDIDATES: how many rows an approximate search looks at, at least.
    pub candidates: Option<u64>,
    /// The most rows to return, after `offset`.
    pub limit: Option<u64>,
    /// The rows to skip.
    pub offset: u64,
    /// AFTER: the row to go on behind.
    pub after: Option<Cursor>,
    /// Remarks on what is allowed but probably not meant, such as `= NULL`.
    pub notes: Vec<String>,
}

/// The collections of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What is asked, in the order of first mention, each once.
    pub include: Vec<NamePattern>,
    /// What is left out of it.
    pub except: Vec<NamePattern>,
}

/// One collection, or all that begin alike; an empty prefix is all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamePattern {
    /// This one. It has to exist.
    Name(String),
    /// All that begin so, in the order of their names. At least one has to exist.
    Prefix(String),
}

impl NamePattern {
    /// Whether it stands for the collection of this name.
    pub fn fits(&self, collection: &str) -> bool {
        match self {
            Self::Name(name) => collection == name,
            Self::Prefix(prefix) => collection.starts_with(prefix.as_str()),
        }
    }

    /// That it stands for none of the collections that are known.
    pub(crate) fn unknown<'n>(&self, known: impl IntoIterator<Item = &'n str>) -> CatalogError {
        let (Self::Name(name) | Self::Prefix(name)) = self;
        CatalogError::UnknownCollection { name: self.to_string(), near: near_names(name, known) }
    }
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// Its name: the alias, else the value as written (`metadata.author.name`).
    pub name: String,
    /// What it holds; no [`Scalar::Alias`] in it.
    pub value: Scalar,
}

/// GROUP BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Rows with equal values of all these are one group. Empty: all rows are.
    pub keys: Vec<Field>,
    /// How many of each group's best rows to return; `None`: one row a group.
    pub top: Option<u64>,
}

/// A key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderKey {
    /// The key; no [`Scalar::Alias`] in it.
    pub value: Scalar,
    /// Whether larger values come first.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}

/// RERANK BY MMR: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmr {
    /// From 0, diversity alone, to 1, nearness alone.
    pub lambda: f64,
    /// How many of the nearest rows to choose from: at least TOPK, at most [`MAX_MMR_CANDIDATES`].
    pub candidates: u64,
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
    /// The plan that selects nothing of all records of some collections: the beginning of a plan made by a program.
    pub fn over(source: Source) -> Self {
        Self {
            explain: None,
            source,
            columns: Vec::new(),
            probes: Vec::new(),
            batch: false,
            filter: None,
            similarity: None,
            topk: 0,
            group: None,
            order: Vec::new(),
            rerank: None,
            fuse: None,
            threshold: None,
            duplicates: Duplicates::KeepAll,
            recall: None,
            candidates: None,
            limit: None,
            offset: 0,
            after: None,
            notes: Vec::new(),
        }
    }

    /// Whether rows are ranked by their distance to something.
    pub fn is_search(&self) -> bool {
        !self.probes.is_empty()
    }

    /// How many of the best rows, in the order of distance or, without a probe, in the plan's own order, decide the
    /// result, before `offset` is skipped. `None`: all that match.
    ///
    /// No more than these have to be merged, over all collections together, for each probe. What MMR and KEEP NEAREST
    /// look at beyond is theirs to say.
    pub fn rows_wanted(&self) -> Option<u64> {
        let cut = self.limit.map(|limit| if limit == 0 { 0 } else { limit.saturating_add(self.offset) });
        let rearranged = self.group.is_some() || self.fuse.is_some() || !self.order.is_empty();
        match (self.is_search(), cut) {
            (_, Some(0)) => Some(0),
            (true, Some(cut)) if !rearranged => Some(cut),
            (true, _) => Some(self.topk),
            (false, _) if self.group.is_some() => None,
            (false, cut) => cut,
        }
    }

    /// The first metadata column of WHERE or SELECT that is not among `all_fields`, the dotted paths of all asked
    /// collections, as an error with near names. SELECT may also name an object that holds fields.
    pub fn unknown_column(&self, all_fields: &[&str]) -> Option<CatalogError> {
        if let Some(error) = self.filter.as_ref().and_then(|filter| unknown_columns(filter, all_fields)) {
            return Some(error);
        }
        let unknown = |field: &Field| match field {
            Field::Metadata(Some(path)) if !is_field_or_object(path, all_fields) => {
                let near = near_names(path, all_fields.iter().copied());
                Some(CatalogError::UnknownColumn { name: path.clone(), near })
            }
            _ => None,
        };
        self.fields().into_iter().find_map(unknown)
    }

    /// The parts of rows that output, order and groups are made of, each once, in order.
    pub fn fields(&self) -> Vec<&Field> {
        let mut fields = Vec::new();
        self.columns.iter().for_each(|column| column.value.collect_fields(&mut fields));
        self.order.iter().for_each(|key| key.value.collect_fields(&mut fields));
        fields.extend(self.group.iter().flat_map(|group| &group.keys));
        sort_unique(&mut fields);
        fields
    }
}

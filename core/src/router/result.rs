//! What a query gives: rows with their provenance, and what became of each collection.

use serde_json::Value as Json;

use crate::{
    gather::Gather as _,
    json::{Ordered, Tree},
    schema::Value,
};

/// The answer to one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultSet {
    /// The names of the selected columns, in the order of the statement.
    pub columns: Vec<String>,
    /// The rows, in the order of ORDER BY; without it nearest first for a search, otherwise by collection in the order
    /// of FROM, then by id.
    pub rows: Vec<ResultRow>,
    /// Which rows answer which item of a BATCH; empty without BATCH, and when its items were fused.
    pub sets: Vec<RowSet>,
    /// What became of every collection that FROM named, in that order.
    pub collections: Vec<CollectionReport>,
    /// How many times the host had to bring bytes.
    pub waves: u32,
    /// What a reader of the rows should know: how collections that cannot be compared were merged, and such.
    pub notes: Vec<String>,
    /// Where the next page begins, for AFTER: when LIMIT, or TOPK, cut the answer and paging is possible.
    pub cursor: Option<String>,
    /// The plan, when the statement was an EXPLAIN: then there are no rows and nothing was read. With EXPLAIN ANALYZE it
    /// stands beside the rows and says what they cost.
    pub explanation: Option<Explanation>,
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// The collection it comes from; `None` for a row that stands for a group.
    pub collection: Option<String>,
    /// The record's id; `None` for a row that stands for a group.
    pub id: Option<String>,
    /// Which item of a BATCH it answers, from 0; `None` without BATCH, and when its items were fused.
    pub item: Option<u32>,
    /// The distance to the query; `None` without one.
    pub distance: Option<f32>,
    /// What RRF or MMR ranked the row by, larger is better; `None` without either.
    pub score: Option<f64>,
    /// The selected columns.
    pub cells: Vec<Value>,
}

/// The rows of one item of a BATCH: they stand together, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowSet {
    /// The item, from 0.
    pub item: u32,
    /// The place of its first row in [`ResultSet::rows`].
    pub first: usize,
    /// How many rows it has.
    pub rows: usize,
}

/// A plan, and what was done for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// For people.
    pub text: String,
    /// The same for programs.
    pub json: Ordered,
}

/// What became of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionReport {
    /// Its name.
    pub name: String,
    /// Asked, skipped or failed.
    pub outcome: Outcome,
}

/// Whether a collection was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was searched.
    Asked {
        /// How many of the answer's rows are its own.
        rows: u64,
        /// How many bytes of it were read.
        bytes: u64,
        /// How long the search of it took, in microseconds of all threads together; `None` without a clock.
        micros: Option<u64>,
    },
    /// Routing proves that it holds no matching record.
    Skipped {
        /// The proof, for people.
        reason: String,
    },
    /// It could not be searched, and the caller wants the rows of the others all the same.
    Failed {
        /// The error's number.
        code: u32,
        /// The error, for people.
        message: String,
    },
}

impl ResultSet {
    /// How many collections were asked.
    pub fn asked(&self) -> usize {
        self.collections.iter().filter(|c| matches!(c.outcome, Outcome::Asked { .. })).count()
    }

    /// The answer as JSON: `columns`, `rows` (an object per row, keyed by column), `row_ids` (null for a group),
    /// `collections` (`asked`, `skipped` and `failed`), `waves`, `notes`; `sets` for a BATCH, `cursor` where there is a
    /// next page, `explanation` (text) and `plan` for an EXPLAIN.
    pub fn to_json(&self) -> Json {
        self.to_tree()
    }

    /// The same as [`to_json`](Self::to_json) in another form.
    pub fn to_tree<T: Tree>(&self) -> T {
        let row_id = |row: &ResultRow| row.id.as_ref().map_or_else(T::null, |id| T::text(id));
        let mut out = vec![
            ("columns", T::list(self.columns.iter().map(|name| T::text(name)).gather())),
            ("rows", T::list(self.rows.iter().map(|row| self.row_tree(row)).gather())),
            ("row_ids", T::list(self.rows.iter().map(row_id).gather())),
            ("collections", self.collections_tree()),
            ("waves", T::count(u64::from(self.waves))),
            ("notes", T::list(self.notes.iter().map(|note| T::text(note)).gather())),
        ];
        if !self.sets.is_empty() {
            out.push(("sets", T::list(self.sets.iter().map(set_tree).gather())));
        }
        out.extend(self.cursor.iter().map(|cursor| ("cursor", T::text(cursor))));
        if let Some(Explanation { text, json }) = &self.explanation {
            out.push(("explanation", T::text(text)));
            out.push(("plan", json.to_tree()));
        }
        T::object(out)
    }

    fn collections_tree<T: Tree>(&self) -> T {
        let (mut asked, mut skipped, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for CollectionReport { name, outcome } in &self.collections {
            let mut entry = vec![("name", T::text(name))];
            match outcome {
                Outcome::Asked { rows, bytes, micros } => {
                    entry.extend([("rows", T::count(*rows)), ("bytes", T::count(*bytes))]);
                    entry.extend(micros.iter().map(|micros| ("micros", T::count(*micros))));
                    asked.push(T::object(entry));
                }
                Outcome::Skipped { reason } => {
                    entry.push(("reason", T::text(reason)));
                    skipped.push(T::object(entry));
                }
                Outcome::Failed { code, message } => {
                    entry.extend([("code", T::count(u64::from(*code))), ("message", T::text(message))]);
                    failed.push(T::object(entry));
                }
            }
        }
        let lists = [("asked", asked), ("skipped", skipped), ("failed", failed)];
        T::object(lists.map(|(name, list)| (name, T::list(list))).into())
    }

    fn row_tree<T: Tree>(&self, row: &ResultRow) -> T {
        let cells = self.columns.iter().map(String::as_str).zip(row.cells.iter().map(Value::to_tree));
        T::object(cells.gather())
    }
}

fn set_tree<T: Tree>(set: &RowSet) -> T {
    T::object(vec![
        ("item", T::count(set.item.into())),
        ("first", T::count(set.first as u64)),
        ("rows", T::count(set.rows as u64)),
    ])
}

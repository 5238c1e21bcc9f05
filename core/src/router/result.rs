//! What a query gives: rows with their provenance, and what became of each collection.

use serde_json::Value as Json;

use crate::{json::Tree, schema::Value};

/// The answer to one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultSet {
    /// The names of the selected columns, in the order of the statement.
    pub columns: Vec<String>,
    /// The rows, nearest first for a search; otherwise by collection in the order of FROM, then by id.
    pub rows: Vec<ResultRow>,
    /// What became of every collection that FROM named, in that order.
    pub collections: Vec<CollectionReport>,
    /// How many times the host had to bring bytes.
    pub waves: u32,
    /// The plan, when the statement was an EXPLAIN; then there are no rows and nothing was read.
    pub explanation: Option<String>,
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// The collection it comes from.
    pub collection: String,
    /// The record's id.
    pub id: String,
    /// The distance to the query; `None` without one.
    pub distance: Option<f32>,
    /// The selected columns.
    pub cells: Vec<Value>,
}

/// What became of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionReport {
    /// Its name.
    pub name: String,
    /// Asked or skipped.
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
    },
    /// Its statistics prove that it holds no matching record.
    Skipped {
        /// The proof, for people.
        reason: String,
    },
}

impl ResultSet {
    /// How many collections were asked.
    pub fn asked(&self) -> usize {
        self.collections.iter().filter(|c| matches!(c.outcome, Outcome::Asked { .. })).count()
    }

    /// The answer as JSON: `columns`, `rows` (an object per row, keyed by column), `row_ids`, `collections` (`asked`
    /// and `skipped`), `waves`; `explanation` for an EXPLAIN.
    pub fn to_json(&self) -> Json {
        self.to_tree()
    }

    /// The same as [`to_json`](Self::to_json) in another form.
    pub fn to_tree<T: Tree>(&self) -> T {
        let (mut asked, mut skipped) = (Vec::new(), Vec::new());
        for report in &self.collections {
            let name = ("name", T::text(&report.name));
            match &report.outcome {
                Outcome::Asked { rows, bytes } => {
                    asked.push(T::object(vec![name, ("rows", T::count(*rows)), ("bytes", T::count(*bytes))]))
                }
                Outcome::Skipped { reason } => {
                    skipped.push(T::object(vec![name, ("reason", T::text(reason))]));
                }
            }
        }
        let mut out = vec![
            ("columns", T::list(self.columns.iter().map(|name| T::text(name)).collect())),
            ("rows", T::list(self.rows.iter().map(|row| self.row_tree(row)).collect())),
            ("row_ids", T::list(self.rows.iter().map(|row| T::text(&row.id)).collect())),
            ("collections", T::object(vec![("asked", T::list(asked)), ("skipped", T::list(skipped))])),
            ("waves", T::count(u64::from(self.waves))),
        ];
        out.extend(self.explanation.iter().map(|text| ("explanation", T::text(text))));
        T::object(out)
    }

    fn row_tree<T: Tree>(&self, row: &ResultRow) -> T {
        let cells = self.columns.iter().map(String::as_str).zip(row.cells.iter().map(Value::to_tree));
        T::object(cells.collect())
    }
}

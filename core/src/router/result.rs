//! What a query gives: rows with their provenance, and what became of each collection.

use serde_json::{Map, Value as Json, json};

use crate::schema::Value;

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
        let rows: Vec<Json> = self.rows.iter().map(|row| self.row_json(row)).collect();
        let row_ids: Vec<&str> = self.rows.iter().map(|row| row.id.as_str()).collect();
        let (mut asked, mut skipped) = (Vec::new(), Vec::new());
        for report in &self.collections {
            match &report.outcome {
                Outcome::Asked { rows, bytes } => {
                    asked.push(json!({"name": report.name, "rows": rows, "bytes": bytes}));
                }
                Outcome::Skipped { reason } => skipped.push(json!({"name": report.name, "reason": reason})),
            }
        }
        let mut out = json!({
            "columns": self.columns,
            "rows": rows,
            "row_ids": row_ids,
            "collections": {"asked": asked, "skipped": skipped},
            "waves": self.waves,
        });
        if let (Some(text), Some(object)) = (&self.explanation, out.as_object_mut()) {
            object.insert("explanation".into(), Json::from(text.as_str()));
        }
        out
    }

    fn row_json(&self, row: &ResultRow) -> Json {
        let cells = self.columns.iter().cloned().zip(row.cells.iter().map(Value::to_json));
        Json::Object(cells.collect::<Map<_, _>>())
    }
}

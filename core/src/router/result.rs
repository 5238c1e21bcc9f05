//! What a query gives: rows with their provenance, and what became of each collection.

use serde_json::{Map, Value as Json, json};

use crate::schema::Value;

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
    pub json: Json,
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
        /// How long the search of it took, if there is a clock.
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
        let rows: Vec<Json> = self.rows.iter().map(|row| self.row_json(row)).collect();
        let row_ids: Vec<Option<&str>> = self.rows.iter().map(|row| row.id.as_deref()).collect();
        let mut out = json!({
            "columns": self.columns,
            "rows": rows,
            "row_ids": row_ids,
            "collections": self.collections_json(),
            "waves": self.waves,
            "notes": self.notes,
        });
        if let Some(object) = out.as_object_mut() {
            if !self.sets.is_empty() {
                let set = |set: &RowSet| json!({"item": set.item, "first": set.first, "rows": set.rows});
                object.insert("sets".into(), self.sets.iter().map(set).collect());
            }
            if let Some(cursor) = &self.cursor {
                object.insert("cursor".into(), Json::from(cursor.as_str()));
            }
            if let Some(Explanation { text, json }) = &self.explanation {
                object.insert("explanation".into(), Json::from(text.as_str()));
                object.insert("plan".into(), json.clone());
            }
        }
        out
    }

    fn collections_json(&self) -> Json {
        let (mut asked, mut skipped, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for CollectionReport { name, outcome } in &self.collections {
            match outcome {
                Outcome::Asked { rows, bytes, micros: None } => {
                    asked.push(json!({"name": name, "rows": rows, "bytes": bytes}));
                }
                Outcome::Asked { rows, bytes, micros } => {
                    asked.push(json!({"name": name, "rows": rows, "bytes": bytes, "micros": micros}));
                }
                Outcome::Skipped { reason } => skipped.push(json!({"name": name, "reason": reason})),
                Outcome::Failed { code, message } => {
                    failed.push(json!({"name": name, "code": code, "message": message}));
                }
            }
        }
        json!({"asked": asked, "skipped": skipped, "failed": failed})
    }

    fn row_json(&self, row: &ResultRow) -> Json {
        let cells = self.columns.iter().cloned().zip(row.cells.iter().map(Value::to_json));
        Json::Object(cells.collect::<Map<_, _>>())
    }
}

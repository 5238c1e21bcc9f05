//! One statement over many collections: choose them, step the fan-out, merge the rows.
//!
//! Sans-I/O: [`Fanout::step`] either finishes or says which byte ranges it lacks. The host brings them (a disk, an
//! HTTP server, a callback) and steps again. Over resident files the first step is the last; over ranges a query
//! takes at most three waves: heads and vocabulary; codes, columns and token rows; the winners' payload.

mod binding;
mod catalog;
mod documents;
mod fanout;
mod probe;
mod result;
mod sources;
mod target;

pub use catalog::Catalog;
pub use fanout::{Fanout, Step};
pub use result::{CollectionReport, Explanation, Outcome, ResultRow, ResultSet, RowSet};
pub use sources::{FileRange, Needs, Sources};

/// How many of the best rows decide the result; all that match without a LIMIT.
fn limit(plan: &crate::plan::Plan) -> usize {
    plan.rows_wanted().map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;

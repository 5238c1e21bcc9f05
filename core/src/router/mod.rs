//! One statement over many collections: choose them, step the fan-out, merge the rows.
//!
//! Sans-I/O: [`Fanout::step`] either finishes or says which byte ranges it lacks. The host brings them (a disk, an
//! HTTP server, a callback) and steps again. Over resident files the first step is the last; over ranges a query
//! takes at most three waves: heads and vocabulary; codes, columns and token rows; the winners' payload.

mod binding;
mod catalog;
mod clustered;
mod documents;
mod explain;
mod fanout;
mod feed;
mod hit;
mod jobs;
mod ledger;
mod member;
mod options;
mod prepared;
mod preview;
mod probe;
mod result;
mod run;
mod shape;
mod sources;
mod spaces;
mod stages;
mod target;

pub use catalog::Catalog;
pub use fanout::{Fanout, Step};
pub use options::{Host, OneByOne, Options, Path, Spread};
pub use prepared::{NearRow, Prepared};
pub use preview::{HostText, Preview};
pub use result::{CollectionReport, Explanation, Outcome, ResultRow, ResultSet, RowSet};
pub use sources::{FileRange, Needs, Sources};

#[cfg(test)]
mod tests;

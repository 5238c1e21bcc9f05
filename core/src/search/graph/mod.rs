//! Searching by a graph: from rows near the query to their neighbours, as long as those come nearer.
//!
//! The rows to begin with are those that the codes of a few clusters put first, so that nothing is walked to get near: the
//! walk finds what lies in the clusters that were not read. A search keeps the nearest rows that it has seen, as many as its *width*, and goes on to the neighbours of the nearest one whose
//! neighbours it has not looked at. It ends when there is none left.
//!
//! Right for files that are in memory as a whole: each step depends on the one before. Over ranges it would take as many
//! waves as steps; clusters take two. A filter does not narrow the walk: whoever asks takes a width that leaves enough rows.

mod cost;
mod pool;
mod visited;
mod walk;

pub use cost::{Foreseen, LOOK_COST};
pub use walk::{Entries, GraphFile, Walked, enter, walk};

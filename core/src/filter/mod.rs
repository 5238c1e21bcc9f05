//! Filters: typed conditions over columns, with SQL's three-valued logic.
//!
//! A WHERE is used three times, each time with less left to do: [`prune`] and [`estimate`] look at a collection's
//! statistics, [`Filter::bind`] turns literals into ranges of the collection's own types and dictionary codes, and
//! [`Filter::evaluate`] runs over blocks of column values with integer and float compares only. Nothing here reads a
//! file or knows its format.

mod bind;
mod column;
mod compare;
mod estimate;
mod eval;
mod keys;
mod logic;
mod lower;
mod names;
mod plain;
mod prune;
mod reach;
mod sketch;
mod stats;
mod types;

#[cfg(test)]
mod tests;

pub use bind::{Bind, BindSchema, Filter};
pub use column::{ColumnBlock, ColumnData, ItemData, ListData, Mask, TextDictionary};
pub use compare::compare;
pub use estimate::estimate;
pub use logic::Condition;
pub(crate) use names::is_field_or_object;
pub use names::unknown_columns;
pub use prune::{Prune, prune};
pub use sketch::{Sketch, hash as sketch_hash};
pub use stats::{CollectionStats, FieldStats};

//! Dropping prepared rows: plan, apply, undo, audit.
//!
//! A drop names what goes by model, schema version, partition and time, and single records of a model by their keys or by a condition; at least one of these, and all
//! that are named must hold. [`plan`](plan_drop) changes nothing. Applied, the rows are gone from answers at once and stay gone however often
//! their partitions are applied; an older version of a record that stands in another live partition counts again. Partition files stay, so
//! that [`undo`](undo_drop) brings the rows back, without embedding them again. What `ingest` wrote cannot be dropped.

mod leaving;
mod predicate;
mod records;
mod run;
mod selector;

pub(crate) use leaving::Leaving;
pub(super) use run::FOLDER;
pub use run::{DropPlan, DropReport, Selected, apply_drop, plan_drop, undo_drop};
pub use selector::Selector;

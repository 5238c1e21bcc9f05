//! Changed models: what they mean, what changed, what a change costs, and carrying it out.
//!
//! Rows are kept as their sources had them, so a changed model reads them again from the partitions. Use [`plan`] to see what that
//! takes and [`apply`] to do it. Vectors are found by the hash of the text, so what the change leaves alone is not embedded again.

mod apply;
mod description;
mod diff;
mod plan;
mod replay;
mod restate;
mod translate;

pub use apply::{ApplyOptions, ApplyReport, ModelReport, apply};
pub(super) use apply::{chosen, mark, retire};
pub use description::Description;
pub use diff::{Change, register};
pub use plan::{ModelPlan, plan};
pub(super) use replay::{Replay, fields};

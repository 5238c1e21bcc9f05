//! Filling a store: models say what a record is, ingestion reads records in, embedding gives them vectors.
//!
//! Records that bring their vectors and declare nothing come in through [`import`], which needs no registry. Otherwise use
//! it in this order: load a [`Registry`], [`ingest`] files of a [`Model`], [`embed_all`] the collections. Each step
//! can be stopped at any moment and run again. Nothing here prints: progress goes to a callback.

mod budget;
mod deliver;
mod embed;
mod failures;
mod import;
mod ingest;
mod intake;
mod lines;
mod model;
mod pace;
mod progress;
mod quarantine;
mod record;
mod registry;
mod report;
mod slab;
mod source;
mod template;
mod yaml;

pub use budget::{Budget, BudgetPlan, Strategy};
pub use embed::{EmbedOptions, embed_all, embed_collection};
pub use import::{Beside, ImportOptions, import};
pub use ingest::{IngestReport, ingest};
pub use model::{CollectionRule, Model};
pub use pace::{Clock, SystemClock};
pub use progress::{Phase, Progress, ProgressFn};
pub use quarantine::Refused;
pub use registry::{EmbedderSpec, FakeSpec, Registry};
pub use report::{EmbedReport, EmbedSummary};

#[cfg(test)]
mod tests;

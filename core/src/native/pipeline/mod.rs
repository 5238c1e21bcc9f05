//! Filling a store: models say what a record is, ingestion reads records in, embedding gives them vectors.
//!
//! Records that bring their vectors and declare nothing come in through [`import`], which needs no registry. Otherwise use
//! it in this order: load a [`Registry`], [`ingest`] files of a [`Model`], [`embed_all`] the collections. Each step
//! can be stopped at any moment and run again. Nothing here prints: progress goes to a callback.

mod budget;
mod check;
mod deliver;
mod drop;
mod embed;
mod evolve;
mod failures;
mod idxr;
mod import;
mod infer;
mod ingest;
mod insights;
mod intake;
mod lines;
mod manifest;
mod model;
mod pace;
mod prepare;
mod progress;
mod quarantine;
mod record;
mod registry;
mod registry_file;
mod report;
mod slab;
mod source;
mod template;
mod yaml;

pub use budget::{Budget, BudgetPlan, Strategy};
pub use check::{StoreCheck, check_store};
pub(crate) use drop::Leaving;
pub use drop::{DropPlan, DropReport, Selected, Selector, apply_drop, plan_drop, undo_drop};
pub use embed::{EmbedOptions, embed_all, embed_collection};
pub use evolve::{
    ApplyOptions, ApplyReport, Change, Description, ModelPlan, ModelReport, apply, plan as plan_models,
};
pub use idxr::{IdxrDoubt, IdxrReport, import_idxr};
pub use import::{Beside, ImportOptions, import};
pub use infer::infer;
pub use ingest::{IngestReport, ingest};
pub use insights::{FieldInsight, ModelInsight, PartitionStatus, insights, partitions};
pub use manifest::{Manifest, SourceRun};
pub use model::{CollectionRule, Model};
pub use pace::{Clock, SystemClock};
pub use prepare::{
    Fate, HeaderPolicy, Noticed, PrepareOptions, PrepareReport, Prepared, SourceFormat, SourceSpec, prepare,
};
pub use progress::{Phase, Progress, ProgressFn};
pub use quarantine::Refused;
pub use registry::{EmbedderSpec, FakeSpec, Registry};
pub use report::{EmbedReport, EmbedSummary};

#[cfg(test)]
mod tests;

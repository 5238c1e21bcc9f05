//! From the writable store to releases: exporting one, and answering from the store without one.
//!
//! Use [`export`] to make what programs, pages and edge workers carry, and [`StoreRelease`] to ask a store directly.
//! Both go through the same snapshot bytes and the same engine, so both give the same rows. Staging, publishing and
//! rolling back releases do not happen here.

mod embedders;
mod export;
mod files;
mod from_store;

pub use embedders::{keep_embedder, kept_embedder};
pub use export::{Clustering, ExportOptions, ExportProgress, Exported, default_encoding, export};
pub(crate) use files::write_durably;
pub use from_store::StoreRelease;

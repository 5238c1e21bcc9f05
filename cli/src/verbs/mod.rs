//! The verbs, one a file.

pub mod apply;
pub mod bench;
pub mod cache;
pub mod drop;
pub mod embed;
pub mod export;
pub mod import;
pub mod import_idxr;
pub mod ingest;
pub mod insights;
pub mod models;
pub mod plan;
pub mod prepare;
pub mod query;
pub mod status;
pub mod verify;

//! The verbs, one a file.

pub mod bench;
pub mod cache;
pub mod embed;
pub mod export;
pub mod import;
pub mod ingest;
pub mod plan;
pub mod query;
pub mod status;
pub mod verify;

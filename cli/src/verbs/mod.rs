//! The verbs, one a file.

pub mod bench;
pub mod embed;
pub mod export;
pub mod import;
pub mod ingest;
pub mod plan;
pub mod prepare;
pub mod query;
pub mod status;
pub mod verify;

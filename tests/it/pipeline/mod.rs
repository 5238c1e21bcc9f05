//! The pipeline through the command: prepare, apply, changed models, drops, embedding. Tests are named after the promises they
//! keep.

mod checks;
mod drops;
mod embedding;
mod evolution;
mod idxr;
mod kills;
mod malformed;
mod models;
mod pieces;
mod place;
mod promises;
mod registry;
mod runbook;

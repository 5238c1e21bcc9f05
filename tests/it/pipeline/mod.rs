//! The pipeline through the command: prepare, apply, changed models, drops. Tests are named after the promises they keep.

mod drops;
mod evolution;
mod idxr;
mod kills;
mod malformed;
mod place;
mod registry;
mod runbook;

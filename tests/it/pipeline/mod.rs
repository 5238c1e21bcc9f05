//! The pipeline through the command: prepare, apply, changed models, drops. Tests are named after the promises they keep.

mod malformed;
mod place;

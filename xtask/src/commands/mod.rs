//! The commands: one file for each verb of `cargo xtask`.

pub mod bench;
mod bench_search;
pub mod ci;
pub mod demo;
pub mod deny;
pub mod env;
mod format_header;
pub mod fuzz;
pub mod headers;
mod one_build;
mod purity;
pub mod setup;
pub mod test;
pub mod wasm;

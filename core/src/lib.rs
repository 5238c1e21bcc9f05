//! Portolan: vector search that is carried, not served.
//!
//! A *store* of Lance tables (feature `native`) is exported as a *release*: read-only, checksummed snapshot files,
//! one a collection. One SQL-like statement is planned, fanned out over many collections and merged. Everything
//! outside `native` and `local` does no I/O, starts no thread and compiles for wasm32: the host brings byte ranges,
//! the engine computes.

mod base64;
pub mod bytes;
pub mod cluster;
pub mod compat;
pub mod embed;
pub mod error;
pub mod filter;
mod gather;
#[cfg(not(target_arch = "wasm32"))]
pub mod graph;
pub mod json;
#[cfg(feature = "mmap")]
pub mod local;
pub mod metric;
#[cfg(feature = "native")]
pub mod native;
mod number;
mod order;
mod pattern;
pub mod plan;
pub mod quant;
pub mod query;
pub mod rank;
pub mod release;
pub mod router;
pub mod routing;
pub mod schema;
pub mod search;
pub mod snapshot;
pub mod time;

pub use error::{Error, ErrorKind, Result};

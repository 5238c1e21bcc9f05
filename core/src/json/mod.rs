//! JSON as snapshots and `release.json` hold it: read into [`Value`](crate::schema::Value)s, and answers built for any reader.
//!
//! For what a browser has to load: this reader is a twentieth of a general one. Native code that reads into its own
//! types, or writes text, uses `serde_json`.

mod node;
mod ordered;
mod reader;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use node::{Fault, Node};
pub use ordered::Ordered;
pub use reader::{JsonError, parse};
pub use tree::Tree;

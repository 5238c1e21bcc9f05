//! Searching one collection: the exact scan, clusters, and for files in memory a graph.

pub mod clusters;
#[cfg(not(target_arch = "wasm32"))]
pub mod graph;
mod measure;
mod scan;
mod top;

pub use measure::Measure;
pub use scan::{Reach, scan};
pub use top::Top;

//! Searching one collection. The one access path so far is the exact scan.

pub mod clusters;
mod measure;
mod scan;
mod top;

pub use measure::Measure;
pub use scan::{Reach, scan};
pub use top::Top;

//! Searching one collection. The one access path so far is the exact scan.

mod scan;
mod top;

pub use scan::{Found, scan};
pub use top::Top;

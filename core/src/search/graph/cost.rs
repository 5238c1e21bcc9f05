//! What a walk costs beside clusters.

use crate::snapshot::{Calibration, GraphCost};

/// A row whose vector is compared costs as much as this many slots that are scanned: on a walk, and after a scan.
pub const LOOK_COST: f32 = 16.0;

/// A search as it was measured when the file was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foreseen {
    /// The recall at which clusters are read for the rows that a walk begins with.
    pub entry: f32,
    /// How wide it is.
    pub width: f32,
    /// What it costs, in slots that are scanned.
    pub walk: f32,
    /// What clusters alone would cost.
    pub clusters: f32,
}

impl GraphCost {
    /// A search for `depth` rows at a recall. Beyond what was measured the ends count.
    pub fn at(&self, depth: f32, recall: f32) -> Foreseen {
        let at = |grid: &Calibration| grid.number(depth, recall);
        Foreseen {
            entry: at(&self.entry).min(recall),
            width: at(&self.width).max(depth),
            walk: at(&self.walk),
            clusters: at(&self.clusters),
        }
    }
}

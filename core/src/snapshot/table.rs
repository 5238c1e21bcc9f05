//! The clusters of a file as a search holds them in memory: a few hundred bytes a cluster, read once.

use std::ops::Range;

use super::description::ClusterInfo;
use crate::{
    gather::Gather as _,
    quant::{SLOTS, code_dimension},
};

/// The clusters of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterTable {
    /// Rows of the file.
    pub rows: u64,
    /// Components of a code.
    pub code_dimension: usize,
    /// Whether each row stands in two clusters.
    pub soft: bool,
    /// What the first factor of a slot is multiplied with.
    pub a_scale: f32,
    /// The same of the second factor.
    pub f_scale: f32,
    /// By cluster: half a byte a component of its centroid.
    pub nibbles: Vec<u8>,
    /// By cluster: what its centroid's components are multiplied with.
    pub scales: Vec<f32>,
    /// By cluster: the squared length of its centroid.
    pub norms: Vec<f32>,
    /// By cluster: the standard deviation of its rows along directions in which other rows lie.
    pub spreads: Vec<f32>,
    /// By cluster its first cell, then the number of all cells.
    pub first_cells: Vec<u32>,
    /// What searches need, as measured.
    pub calibration: Calibration,
}

impl ClusterTable {
    /// Reads the block of centroids. `None`: it is not of the length that the numbers ask for, its first cells do not
    /// ascend from 0, or a float is not finite.
    pub fn read(block: &[u8], info: &ClusterInfo, rows: u64, dimension: usize) -> Option<Self> {
        let (count, code_dimension) = (info.count as usize, code_dimension(dimension));
        let (nibbles, block) = block.split_at_checked(count.checked_mul(code_dimension / 2)?)?;
        let (scales, block) = floats(block, count)?;
        let (norms, block) = floats(block, count)?;
        let (spreads, block) = floats(block, count)?;
        let (words, rest) = block.as_chunks::<4>();
        let first_cells: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).gather();
        let fits = first_cells.len() == count + 1 && rest.is_empty();
        if !fits || first_cells.first() != Some(&0) || !first_cells.is_sorted() {
            return None;
        }
        let ClusterInfo { soft, a_scale, f_scale, calibration, .. } = *info;
        let nibbles = nibbles.to_vec();
        Some(Self {
            rows,
            code_dimension,
            soft,
            a_scale,
            f_scale,
            nibbles,
            scales,
            norms,
            spreads,
            first_cells,
            calibration,
        })
    }

    /// The number of clusters.
    pub fn count(&self) -> usize {
        self.scales.len()
    }

    /// The cells of a cluster; none of one that is not there.
    pub fn cells_of(&self, cluster: u32) -> Range<u32> {
        match self.first_cells.get(cluster as usize..).and_then(|rest| rest.first_chunk()) {
            Some([first, end]) => *first..*end,
            None => 0..0,
        }
    }

    /// The slots of a cluster, empty ones included.
    pub fn slots_of(&self, cluster: u32) -> u32 {
        let cells = self.cells_of(cluster);
        cells.end.saturating_sub(cells.start).saturating_mul(SLOTS as u32)
    }

    /// The slots of all clusters, empty ones included.
    pub fn slots(&self) -> u64 {
        u64::from(self.first_cells.last().copied().unwrap_or_default()) * SLOTS as u64
    }
}

/// The first `count` floats, all finite, and what follows.
fn floats(bytes: &[u8], count: usize) -> Option<(Vec<f32>, &[u8])> {
    let (floats, rest) = bytes.split_at_checked(count.checked_mul(4)?)?;
    let floats: Vec<f32> = floats.as_chunks().0.iter().map(|float| f32::from_le_bytes(*float)).gather();
    floats.iter().all(|float| float.is_finite()).then_some((floats, rest))
}

/// How many clusters a file's searches need, measured when the file was made with questions drawn between its own rows.
///
/// For each depth k and each recall of the grid: the number of clusters that questions of middling difficulty need. Between
/// the points of the grid it is interpolated, beyond it the ends count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calibration {
    /// By depth ([`DEPTHS`](Self::DEPTHS)), then recall ([`RECALLS`](Self::RECALLS)).
    pub clusters: [[f32; 4]; 3],
}

impl Calibration {
    /// The numbers of nearest rows that were measured.
    pub const DEPTHS: [f32; 3] = [10.0, 100.0, 1000.0];
    /// The recalls that were measured.
    pub const RECALLS: [f32; 4] = [0.8, 0.9, 0.95, 0.99];

    /// The number of clusters for `depth` nearest rows at `recall`.
    pub fn clusters(&self, depth: f32, recall: f32) -> f32 {
        self.number(depth, recall).max(1.0)
    }

    /// What was measured for `depth` nearest rows at `recall`, whatever it counts.
    pub fn number(&self, depth: f32, recall: f32) -> f32 {
        let at = |row: &[f32; 4]| {
            let points = [0, 1, 2, 3].map(|i| (miss(Self::RECALLS[i]), row[i]));
            between(&points, miss(recall))
        };
        let points = [0, 1, 2].map(|i| (log2(Self::DEPTHS[i]), at(&self.clusters[i])));
        between(&points, log2(depth.max(1.0)))
    }
}

/// A recall as the logarithm of what may be missed: the scale on which the cost of recall is nearly straight.
fn miss(recall: f32) -> f32 {
    -log2((1.0 - recall).clamp(1e-3, 1.0))
}

/// The value at `x` on the line through the points, which ascend.
pub(crate) fn between(points: &[(f32, f32)], x: f32) -> f32 {
    let mut last = match points.first() {
        Some(first) if x > first.0 => *first,
        Some(first) => return first.1,
        None => return 0.0,
    };
    for next in points {
        if x <= next.0 {
            return last.1 + (next.1 - last.1) * (x - last.0) / (next.0 - last.0).max(1e-9);
        }
        last = *next;
    }
    last.1
}

/// The logarithm to base two of a positive number, by its exponent and a line between powers: the same bits on every
/// machine, which a library's logarithm does not promise.
pub(crate) fn log2(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let fraction = f32::from_bits((bits & 0x7f_ffff) | 0x3f80_0000) - 1.0;
    exponent as f32 + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURED: Calibration = Calibration {
        clusters: [[4.0, 8.0, 16.0, 64.0], [10.0, 20.0, 40.0, 120.0], [30.0, 60.0, 100.0, 300.0]],
    };

    #[test]
    fn measured_points_are_met_and_others_lie_between() {
        assert_eq!(MEASURED.clusters(10.0, 0.9), 8.0);
        assert_eq!(MEASURED.clusters(100.0, 0.95), 40.0);
        assert_eq!(MEASURED.clusters(1e6, 0.99), 300.0);
        let middle = MEASURED.clusters(30.0, 0.97);
        assert!((16.0..120.0).contains(&middle), "{middle}");
        assert_eq!(MEASURED.clusters(1.0, 0.5), 4.0);
        assert_eq!(Calibration::default().clusters(10.0, 0.9), 1.0);
    }
}

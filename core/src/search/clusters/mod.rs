//! Searching by clusters: rows that lie near each other share a cluster, and only the clusters near the query are read.
//!
//! Three steps, each of which can say what bytes it lacks:
//! 1. *Choosing*: the clusters to read follow from the centroids, the number of rows wanted and the recall asked.
//! 2. *Scanning*: each row of a chosen cluster is estimated from its sign code (RaBitQ, <https://arxiv.org/abs/2405.12497>).
//!    The error bound of the code decides which rows may be among the nearest.
//! 3. *Looking*: those rows' vectors are compared, least bounds first, until no bound reaches the k-th distance.
//!
//! Many files are searched as one: their clusters are one list, and the bound is shared. Which rows are found follows from
//! the bytes of the files alone, never from what was resident: whole files and ranges give the same answer. Right from some
//! thousand rows; small sets and rare matches are better scanned exactly. No I/O, no threads.

mod candidates;
mod choose;
mod file;
mod look;
mod scan;
mod settings;

use std::ops::Range;

pub use candidates::{Candidates, Entry, Ranked};
pub use choose::{Chosen, choose, everything};
pub use file::{ClusterFile, Part};
pub use look::{Near, Yardstick, look, missing_rows};
pub use scan::{sample, scan};
pub use settings::Settings;

use crate::{
    error::Result,
    metric::{Metric, normalize},
    quant::{ByteQuery, Rotation, SignQuery},
};

/// A query made ready for the clusters of files of one dimension and metric.
#[derive(Debug)]
pub struct Query {
    metric: Metric,
    signs: SignQuery,
    centroids: ByteQuery,
    /// The squared length of the vector.
    norm: f32,
    rotated: Vec<f32>,
}

impl Query {
    /// `vector` has passed [`check_vector`](crate::metric::check_vector) for `metric`, which is that of the files.
    pub fn new(metric: Metric, rotation: &Rotation, vector: &[f32]) -> Self {
        let mut vector = vector.to_vec();
        if metric == Metric::Cosine {
            normalize(&mut vector);
        }
        Self::rotated(metric, &rotation.rotate(&vector))
    }

    /// The same of a vector that was rotated, and under cosine has length one.
    pub fn rotated(metric: Metric, rotated: &[f32]) -> Self {
        let norm = rotated.iter().fold(0.0, |sum, x| sum + x * x);
        let (signs, centroids) = (SignQuery::new(rotated), ByteQuery::new(rotated));
        Self { metric, signs, centroids, norm, rotated: rotated.to_vec() }
    }
}

/// The cells of chosen clusters that are not resident: by part, ranges of cells.
///
/// # Errors
/// Damage.
pub fn missing_cells(parts: &[Part<'_>], chosen: &[Chosen]) -> Result<Vec<(u32, Range<u32>)>> {
    let mut missing = Vec::new();
    for cluster in chosen {
        let Some(part) = parts.get(cluster.part as usize) else { continue };
        for cells in part.cells(cluster.cluster) {
            if part.file.cells(cells.clone())?.is_none() {
                missing.push((cluster.part, cells));
            }
        }
    }
    Ok(missing)
}

//! The clusters of a snapshot file: which rows lie near each other, and the bytes of the sections that say so.
//!
//! [`build`] takes the vectors of all rows in file order and gives the content of the sections centroids, codes
//! and extended codes. Use it when a file is written; a search never comes here. It does not know files: the
//! checksums behind each block are the writer's.
//!
//! The same rows give the same bytes on every machine and on any number of threads. All sums over components of rows
//! against centroids are integers, hence exact; floats are added in an order that the rows fix, never the threads;
//! what looks random (which rows are trained on) comes from a hash with a fixed seed.

mod assign;
mod calibrate;
mod cells;
mod centroids;
mod codes;
mod draft;
mod groups;
mod jobs;
mod kernel;
mod kmeans;
mod panel;
mod rows;
mod sample;
mod soft;
mod split;
mod spread;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use calibrate::{Built, Question, question};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use draft::Rows as DraftRows;
pub use draft::of_draft;
pub use jobs::{OneThread, Parallel, Stage};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use jobs::{map, part};
pub use kernel::kernel_name as cluster_kernel_name;

use crate::{
    error::Result,
    metric::Metric,
    quant::{Rotation, SLOTS},
};

/// The vectors of a file's rows.
pub trait Vectors: Sync {
    /// Writes the vector of `row` into `into`, which has one place for each dimension. Under cosine it is of unit
    /// length.
    fn read(&self, row: usize, into: &mut [f32]);
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The dimension of the vectors.
    pub dimension: usize,
    /// How they are compared.
    pub metric: Metric,
    /// How many there are.
    pub rows: usize,
}

/// How to build clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many clusters; none: [`default_clusters`]. There are never more than rows, and none without a row.
    pub clusters: Option<NonZeroU32>,
    /// Whether each row stands in a second cluster too. That takes twice the bytes and finds the same neighbours in
    /// about a third fewer rows.
    pub soft: bool,
    /// How long the codes of a row are.
    pub bits: CodeBits,
}

impl Default for Options {
    fn default() -> Self {
        Self { clusters: None, soft: true, bits: CodeBits::default() }
    }
}

/// The bits a code spends on each component, from 1 to 8. With 1 there are sign codes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeBits(u8);

impl CodeBits {
    /// So many bits, if they are from 1 to 8.
    pub const fn new(bits: u8) -> Option<Self> {
        if bits >= 1 && bits <= 8 { Some(Self(bits)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for CodeBits {
    fn default() -> Self {
        Self(1)
    }
}

/// The content of the sections of a clustered file, without checksums. See docs/format.md for the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// How many clusters. None of them is empty, but the only one of a file without rows.
    pub count: u32,
    /// Whether each row stands in two clusters. Never with one cluster.
    pub soft: bool,
    /// The bits of a code.
    pub bits: CodeBits,
    /// What the stored A of a slot are to be multiplied with.
    pub a_scale: f32,
    /// What the stored F of a slot are to be multiplied with.
    pub f_scale: f32,
    /// Nibbles, scales, squared lengths, spreads and first cells of the clusters: one block.
    pub centroids: Vec<u8>,
    /// Sign codes: cells of [`Clusters::cell_bytes`].
    pub cells: Vec<u8>,
    /// Extended codes: one block of [`Clusters::extended_bytes`] for each row; empty with 1 bit.
    pub extended: Vec<u8>,
    /// The bytes of a cell.
    pub cell_bytes: usize,
    /// The bytes of the extended code of a row; 0 with 1 bit.
    pub extended_bytes: usize,
}

/// How many clusters a file of so many rows has if nobody says: one and a half times the square root of `rows`, and one
/// below 128 rows.
///
/// A query compares itself with every centroid and then scans the codes of a few clusters; the sum of both is least
/// near the square root, a little above it because comparing a centroid is cheap. Fewer rows than four cells fill are
/// read as one cluster.
pub fn default_clusters(rows: usize) -> u32 {
    if rows < 4 * SLOTS {
        return 1;
    }
    u32::try_from(rows.isqrt() * 3 / 2).unwrap_or(u32::MAX)
}

/// Builds the clusters of a file and the codes of its rows.
///
/// Takes about four bytes of memory for each component of a row beside the vectors, and time in proportion to rows x
/// clusters x dimension.
///
/// # Errors
/// The error of [`crate::metric::check_vector`] for the first row that it refuses, named by its number.
pub fn build(
    vectors: &dyn Vectors,
    shape: Shape,
    options: Options,
    parallel: &dyn Parallel,
) -> Result<Clusters> {
    let count = shape.rows;
    let rotation = Rotation::new(shape.dimension);
    let source = rows::Source { vectors, shape, rotation: &rotation, count };
    parallel.stage(Stage::Rotate);
    let rows = rows::Rows::read(&source, parallel)?;
    let wanted = options.clusters.map_or_else(|| default_clusters(count), NonZeroU32::get);
    let wanted = (wanted as usize).min(count).max(1);
    parallel.stage(Stage::Train);
    let means = kmeans::train(&rows, wanted, parallel);
    parallel.stage(Stage::Assign);
    let (centroids, first) = assign::settle(&rows, &means, parallel);
    parallel.stage(Stage::Soft);
    let second = if options.soft { soft::second(&rows, &centroids, &first, parallel) } else { Vec::new() };
    parallel.stage(Stage::Encode);
    let places = cells::Places::new(&first, &second, centroids.count());
    let spreads = spread::spreads(&rows, &centroids, &places, parallel);
    let centroids = centroids.in_units_of(rows.unit);
    let codes = codes::encode(&source, &centroids, &places, options.bits, parallel)?;
    Ok(cells::assemble(&centroids, &places, codes, &spreads, parallel))
}

//! All rows as bytes: rotated, each with its own scale. Distances to centroids are taken over these.
//!
//! Eight bits a component keep the order of distances well below what codes of one bit can tell apart, take a quarter
//! of the memory, and make every sum exact.

use super::{
    Parallel, Shape, Vectors,
    jobs::{map, part},
};
use crate::{
    error::{InputError, Result},
    metric::check_vector,
    quant::Rotation,
};

/// Rows that one job reads.
const PART: usize = 1024;

/// Where the rows come from.
pub(super) struct Source<'a> {
    pub(super) vectors: &'a dyn Vectors,
    pub(super) shape: Shape,
    pub(super) rotation: &'a Rotation,
    pub(super) count: usize,
}

/// Component `i` of row `r` is `scales[r] * bytes[r * width + i]`, in units of `unit`.
pub(super) struct Rows {
    pub(super) width: usize,
    pub(super) bytes: Vec<i8>,
    pub(super) scales: Vec<f32>,
    /// A power of two near the largest component: in units of it no square overflows.
    pub(super) unit: f32,
}

impl Rows {
    pub(super) fn read(source: &Source<'_>, parallel: &dyn Parallel) -> Result<Self> {
        let width = source.rotation.code_dimension();
        let (mut bytes, mut scales) = (Vec::new(), Vec::new());
        bytes.reserve_exact(source.count * width);
        scales.reserve_exact(source.count);
        for done in map(parallel, source.count.div_ceil(PART), &|job| read_part(source, job)) {
            let (some_bytes, some_scales) = done?;
            bytes.extend(some_bytes);
            scales.extend(some_scales);
        }
        let unit = unit_of(scales.iter().fold(0.0, |largest, scale| scale.max(largest)));
        scales.iter_mut().for_each(|scale| *scale /= unit);
        Ok(Self { width, bytes, scales, unit })
    }

    pub(super) fn count(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn row(&self, row: usize) -> &[i8] {
        self.bytes.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }

    pub(super) fn scale(&self, row: usize) -> f32 {
        self.scales.get(row).copied().unwrap_or_default()
    }

    /// The rows of these numbers, in their order.
    pub(super) fn pick(&self, rows: &[u32]) -> Self {
        let mut bytes = Vec::with_capacity(rows.len() * self.width);
        rows.iter().for_each(|row| bytes.extend_from_slice(self.row(*row as usize)));
        let scales = rows.iter().map(|row| self.scale(*row as usize)).collect();
        Self { width: self.width, bytes, scales, unit: self.unit }
    }

    /// The product of a row with `weights`.
    pub(super) fn product(&self, row: usize, weights: &[f32]) -> f32 {
        let mut lanes = [0.0; 8];
        for (bytes, weights) in self.row(row).as_chunks::<8>().0.iter().zip(weights.as_chunks::<8>().0) {
            for ((lane, byte), weight) in lanes.iter_mut().zip(bytes).zip(weights) {
                *lane += f32::from(*byte) * weight;
            }
        }
        self.scale(row) * lanes.iter().sum::<f32>()
    }

    /// Adds `factor` times a row to `sums`.
    pub(super) fn add(&self, row: usize, factor: f32, sums: &mut [f32]) {
        let factor = factor * self.scale(row);
        for (sum, byte) in sums.iter_mut().zip(self.row(row)) {
            *sum += factor * f32::from(*byte);
        }
    }
}

fn read_part(source: &Source<'_>, job: usize) -> Result<(Vec<i8>, Vec<f32>), InputError> {
    let rows = part(job, PART, source.count);
    let mut vector = vec![0.0; source.shape.dimension];
    let mut rotated = Vec::new();
    let mut bytes = Vec::with_capacity(rows.len() * source.rotation.code_dimension());
    let mut scales = Vec::with_capacity(rows.len());
    for row in rows {
        source.vectors.read(row, &mut vector);
        check_vector("", &vector, source.shape.dimension, source.shape.metric)
            .map_err(|error| error.for_record(&format!("row {row}")))?;
        source.rotation.rotate_into(&vector, &mut rotated);
        scales.push(push_bytes(&rotated, &mut bytes));
    }
    Ok((bytes, scales))
}

/// Appends `vector` in bytes, and gives their scale.
fn push_bytes(vector: &[f32], bytes: &mut Vec<i8>) -> f32 {
    let largest =
        vector.iter().fold(0.0, |largest: f32, x| if x.abs() > largest { x.abs() } else { largest });
    // The inverse of less than this is infinite, and its square is nothing anyway.
    if largest < f32::MIN_POSITIVE {
        bytes.resize(bytes.len() + vector.len(), 0);
        return 0.0;
    }
    let inverse = 127.0 / largest;
    bytes.extend(vector.iter().map(|x| (x * inverse + 0.5_f32.copysign(*x)) as i8));
    largest / 127.0
}

/// The largest power of two that is not above `scale`; 1 for nothing.
fn unit_of(scale: f32) -> f32 {
    let exponent = f32::from_bits(scale.to_bits() & 0x7f80_0000);
    if exponent > 0.0 { exponent } else { 1.0 }
}

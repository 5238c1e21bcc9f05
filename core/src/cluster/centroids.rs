//! Centroids in few bits a component, as a file holds them. What the bits say is the centroid from then on: rows are
//! assigned to it and coded against it.

use super::{Parallel, jobs::map};

/// The steps of the scale that are tried, from the largest component downwards, in 32nds of it.
const TRIED: std::ops::RangeInclusive<u32> = 12..=32;

/// Component `i` of centroid `c` is `scales[c] * (2 * codes[c * width + i] - top)`.
pub(super) struct Centroids {
    pub(super) width: usize,
    /// The largest code: 15 with four bits.
    pub(super) top: u8,
    pub(super) codes: Vec<u8>,
    pub(super) scales: Vec<f32>,
}

/// Four bits: what a file holds.
pub(super) const STORED: u8 = 15;
/// Seven bits, while centroids are still looked for: the most that the kernels take.
pub(super) const TRAINING: u8 = 127;

impl Centroids {
    /// Codes for `means`, `width` numbers each, with the scale that has the least squared error.
    pub(super) fn of(means: &[f32], width: usize, top: u8, parallel: &dyn Parallel) -> Self {
        let count = means.len() / width.max(1);
        let (mut codes, mut scales) = (Vec::with_capacity(means.len()), Vec::with_capacity(count));
        for (code, scale) in map(parallel, count, &|c| quantize(mean_of(means, width, c), top)) {
            codes.extend(code);
            scales.push(scale);
        }
        Self { width, top, codes, scales }
    }

    pub(super) fn count(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn code(&self, c: usize) -> &[u8] {
        self.codes.get(c * self.width..(c + 1) * self.width).unwrap_or_default()
    }

    pub(super) fn scale(&self, c: usize) -> f32 {
        self.scales.get(c).copied().unwrap_or_default()
    }

    /// The components of centroid `c`.
    pub(super) fn decode(&self, c: usize, into: &mut Vec<f32>) {
        let scale = self.scale(c);
        into.clear();
        into.extend(self.levels(c).map(|level| scale * level as f32));
    }

    /// The squared length of centroid `c`.
    pub(super) fn norm_sq(&self, c: usize) -> f32 {
        let sum: i64 = self.levels(c).map(|level| i64::from(level * level)).sum();
        self.scale(c) * self.scale(c) * sum as f32
    }

    /// The components of centroid `c` without its scale.
    pub(super) fn levels(&self, c: usize) -> impl Iterator<Item = i32> + '_ {
        let top = i32::from(self.top);
        self.code(c).iter().map(move |code| 2 * i32::from(*code) - top)
    }

    /// The same centroids, `unit` times as long. Exact, as `unit` is a power of two.
    pub(super) fn in_units_of(mut self, unit: f32) -> Self {
        self.scales.iter_mut().for_each(|scale| *scale *= unit);
        self
    }

    /// The centroids of these numbers, in their order.
    pub(super) fn pick(&self, kept: &[usize]) -> Self {
        let codes = kept.iter().flat_map(|c| self.code(*c)).copied().collect();
        let scales = kept.iter().map(|c| self.scale(*c)).collect();
        Self { width: self.width, top: self.top, codes, scales }
    }
}

fn mean_of(means: &[f32], width: usize, c: usize) -> &[f32] {
    means.get(c * width..(c + 1) * width).unwrap_or_default()
}

fn quantize(mean: &[f32], top: u8) -> (Vec<u8>, f32) {
    let largest = mean.iter().fold(0.0, |largest: f32, x| if x.abs() > largest { x.abs() } else { largest });
    let whole = largest / f32::from(top);
    // Where the scale is subnormal its inverse overflows, and squares of such components are nothing.
    if whole < f32::MIN_POSITIVE {
        return (vec![0; mean.len()], 0.0);
    }
    // With many levels nothing is gained by cutting off the largest.
    let tried = if top == STORED { TRIED } else { 32..=32 };
    let scales = tried.map(|step| whole * step as f32 / 32.0);
    let errors = scales.map(|scale| (error(mean, scale, top), scale));
    let best = errors.reduce(|best, next| if next.0 < best.0 { next } else { best });
    let scale = best.map_or(whole, |(_, scale)| scale);
    let inverse = 1.0 / scale;
    (mean.iter().map(|x| level(x * inverse, top)).collect(), scale)
}

fn error(mean: &[f32], scale: f32, top: u8) -> f32 {
    let inverse = 1.0 / scale;
    let value = |x: f32| scale * (2 * i32::from(level(x * inverse, top)) - i32::from(top)) as f32;
    mean.iter().fold(0.0, |sum, x| sum + (x - value(*x)) * (x - value(*x)))
}

/// The code whose level is nearest to `x`.
fn level(x: f32, top: u8) -> u8 {
    // A float as an integer is cut off to its range: below nothing is nothing.
    let code = (x + f32::from(top)) * 0.5 + 0.5;
    (code as u8).min(top)
}

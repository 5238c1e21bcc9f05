//! The fixed rotation that spreads a vector's energy evenly over its components.
//!
//! Codes of few bits are good only if no component is much larger than the others; a random rotation makes it so for
//! any data. Here it is built from seeded signs, Walsh-Hadamard transforms and Kac's pairwise rotations (Ailon and
//! Chazelle, "The fast Johnson-Lindenstrauss transform", SIAM J. Comput. 39, 2009; RaBitQ's own library does the same):
//! O(P log P) instead of the P^2 of a matrix, and no matrix to store.
//!
//! The rotation is part of the file format: it depends on the dimension alone, and every step is one addition or
//! multiplication in a fixed place, so all machines get the same bits. It neither centres nor normalizes.

use std::f32::consts::FRAC_1_SQRT_2;

use super::arch::wide;

/// "portolan": the seed of all signs.
const SEED: u64 = 0x706f_7274_6f6c_616e;
const ROUNDS: usize = 4;
const SIGN_BIT: u32 = 1 << 31;

/// The number of components of a rotated vector: `dimension` rounded up to a multiple of 8.
pub const fn code_dimension(dimension: usize) -> usize {
    dimension.next_multiple_of(8)
}

/// The rotation of vectors of one dimension. Cheap to make and to keep: 16 bytes a component.
#[derive(Debug, Clone)]
pub struct Rotation {
    code_dimension: usize,
    /// The largest power of two within the code dimension: the length of the Walsh-Hadamard transforms.
    power: usize,
    /// For each round, the sign bit to flip in each component.
    signs: [Vec<u32>; ROUNDS],
}

impl Rotation {
    /// The rotation of vectors of `dimension` components.
    pub fn new(dimension: usize) -> Self {
        let code_dimension = code_dimension(dimension);
        let power = code_dimension.checked_ilog2().map_or(0, |log| 1 << log);
        Self { code_dimension, power, signs: std::array::from_fn(|round| signs(round, code_dimension)) }
    }

    /// The number of components of a rotated vector.
    pub fn code_dimension(&self) -> usize {
        self.code_dimension
    }

    /// `x`, rotated. See [`rotate_into`](Self::rotate_into).
    pub fn rotate(&self, x: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        self.rotate_into(x, &mut out);
        out
    }

    /// Makes `out` the rotated `x`, which is filled up with zeros, or cut, to the code dimension. Lengths and angles
    /// stay as they were, but for rounding. O(P log P).
    pub fn rotate_into(&self, x: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(x);
        out.resize(self.code_dimension, 0.0);
        wide(
            #[inline(always)]
            || self.rotate_in_place(out),
        );
    }

    #[inline(always)]
    fn rotate_in_place(&self, out: &mut [f32]) {
        for (round, signs) in self.signs.iter().enumerate() {
            for (x, sign) in out.iter_mut().zip(signs) {
                *x = f32::from_bits(x.to_bits() ^ sign);
            }
            let start = if round % 2 == 0 { 0 } else { self.code_dimension - self.power };
            walsh_hadamard(&mut out[start..start + self.power]);
            if self.power < self.code_dimension {
                rotate_pairs(out);
            }
        }
    }
}

/// Bit `i % 64` of word `i / 64` says whether component `i` changes its sign.
fn signs(round: usize, count: usize) -> Vec<u32> {
    let word = |i: usize| splitmix64(SEED.wrapping_add(((round as u64) << 32) + i as u64 / 64));
    let mut signs = vec![0; count];
    for (i, sign) in signs.iter_mut().enumerate() {
        *sign = if word(i) >> (i % 64) & 1 == 1 { SIGN_BIT } else { 0 };
    }
    signs
}

/// The first output of the SplitMix64 generator (Steele, Lea and Flood, 2014) that starts from `state`.
fn splitmix64(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The transform in place, then every component times 1/sqrt(length). The length is a power of two from 8 on, or 0.
#[inline(always)]
fn walsh_hadamard(x: &mut [f32]) {
    let (eights, _) = x.as_chunks_mut::<8>();
    eights.iter_mut().for_each(walsh_hadamard_8);
    let mut half = 8;
    while half < x.len() {
        for pair in x.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (x.len() as f32).sqrt();
    x.iter_mut().for_each(|x| *x *= scale);
}

/// The first three stages, on components that stand together.
#[inline(always)]
fn walsh_hadamard_8(x: &mut [f32; 8]) {
    let [a, b, c, d, e, f, g, h] = *x;
    let [a, b, c, d, e, f, g, h] = [a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h];
    let [a, b, c, d, e, f, g, h] = [a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h];
    *x = [a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h];
}

/// Kac's step: component `i` of the first half and of the second half turn by an eighth of a circle.
#[inline(always)]
fn rotate_pairs(x: &mut [f32]) {
    let (low, high) = x.split_at_mut(x.len() / 2);
    for (a, b) in low.iter_mut().zip(high) {
        (*a, *b) = ((*a + *b) * FRAC_1_SQRT_2, (*a - *b) * FRAC_1_SQRT_2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::testing::Noise;

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    #[test]
    fn lengths_and_angles_stay_in_every_dimension() {
        let mut noise = Noise::new(1);
        for dimension in (0..=300).chain([384, 768, 1000, 1024, 1536, 4096]) {
            let rotation = Rotation::new(dimension);
            let (a, b) = (noise.vector(dimension), noise.vector(dimension));
            let (ra, rb) = (rotation.rotate(&a), rotation.rotate(&b));
            assert_eq!(ra.len(), dimension.next_multiple_of(8));
            let tolerance = 1e-6 * (1.0 + dot(&a, &a) + dot(&b, &b));
            assert!((dot(&a, &b) - dot(&ra, &rb)).abs() < tolerance, "dimension {dimension}");
            assert!((dot(&a, &a) - dot(&ra, &ra)).abs() < tolerance, "dimension {dimension}");
        }
    }

    /// The worst case: all energy in one component, which two rounds pass over. Each of their pairwise steps halves it.
    #[test]
    fn one_large_component_is_spread_out() {
        for dimension in [100, 256, 384, 1000] {
            let rotation = Rotation::new(dimension);
            for at in (0..dimension).step_by(7) {
                let mut x = vec![0.0; dimension];
                x[at] = 1.0;
                let largest = rotation.rotate(&x).iter().fold(0.0_f32, |max, x| max.max(x.abs()));
                assert!(largest < 0.5, "dimension {dimension}, component {at}: {largest}");
            }
        }
    }

    /// The rotation is part of the file format: these bits must never change, on any machine.
    #[test]
    fn the_rotation_has_these_bits_everywhere() {
        let digest = |dimension: usize| {
            let x: Vec<f32> = (0..dimension).map(|i| (i * i % 31) as f32 - 13.0).collect();
            Rotation::new(dimension)
                .rotate(&x)
                .iter()
                .fold(0_u32, |digest, x| digest.rotate_left(5) ^ x.to_bits())
        };
        assert_eq!(
            [1, 8, 100, 384, 1000].map(digest),
            [0xc5a7_ba99, 0x8e0e_1278, 0xbe86_fc23, 0x0312_4047, 0x7f2f_4c29]
        );
        assert_eq!(splitmix64(0), 0xe220_a839_7b1d_cdaf);
    }
}

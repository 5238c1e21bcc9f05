//! Codes of two to eight bits a component, for the few rows that sign codes leave over.
//!
//! A component is an odd number `v = 2u - (2^B - 1)`, and v as a whole is the vector of such numbers that points most
//! nearly the way of the residual r: Gao et al., "Practical and asymptotically optimal quantization of
//! high-dimensional vectors", <https://arxiv.org/abs/2409.09913>. The estimate is that of [`super::encode_signs`] with v
//! for the signs: F0 = |r|^2 / <r,v>, b = <r,c> - F0 <v,c>. Each bit more halves its error.
//!
//! The bytes of a code: the number of the row's cluster (`u32`), A and F (`f32`), then P components of B bits, packed
//! from the lowest bits up, all little-endian. The checksum behind is the file's business.

use super::{
    arch::{self, DotCodes, Level, wide},
    lanes::{dot, largest, sum_pairs},
    rotation::code_dimension,
    signs::SlotFactors,
};

/// The bytes before the components: cluster, A, F.
const HEAD_BYTES: usize = 12;
/// Scales that are tried from the one that cuts nothing off up to the one that cuts off what exceeds the root mean
/// square, then between the neighbours of the best.
const COARSE: u8 = 16;
const FINE: u8 = 8;

/// The number of bytes of a code of `bits` bits for a vector of `dimension`, without checksum.
pub const fn extended_bytes(dimension: usize, bits: u8) -> usize {
    HEAD_BYTES + code_dimension(dimension) / 8 * bits as usize
}

/// A residual in a few bits a component.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExtendedCode {
    /// The components u, packed from the lowest bits up.
    pub codes: Vec<u8>,
    /// F0 = |r|^2 / <r,v>, or 0 for no residual.
    pub factor: f32,
    /// b = <r,c> - F0 <v,c>.
    pub offset: f32,
}

/// The code of `residual`, a rotated vector minus the rotated `centroid`, both of the code dimension, in `bits` bits a
/// component, taken as 2 if fewer and 8 if more. O(P), some twenty passes.
pub fn encode_extended(residual: &[f32], centroid: &[f32], bits: u8) -> ExtendedCode {
    wide(
        #[inline(always)]
        || encode(residual, centroid, bits.clamp(2, 8)),
    )
}

#[inline(always)]
fn encode(residual: &[f32], centroid: &[f32], bits: u8) -> ExtendedCode {
    let norm_sq = dot(residual, residual);
    let scale = best_scale(residual, norm_sq, levels(bits));
    let v: Vec<f32> = residual.iter().map(|&r| magnitude(r, scale, levels(bits)).copysign(r)).collect();
    let product = dot(residual, &v);
    let factor = if product > 0.0 { norm_sq / product } else { 0.0 };
    let offset = dot(residual, centroid) - factor * dot(&v, centroid);
    ExtendedCode { codes: pack(&v, bits), factor, offset }
}

/// The number of magnitudes: 1, 3, ... 2^B - 1.
fn levels(bits: u8) -> f32 {
    f32::from(1_u8 << (bits - 1))
}

/// The scale for which the code points most nearly the way of the residual.
#[inline(always)]
fn best_scale(residual: &[f32], norm_sq: f32, levels: f32) -> f32 {
    let root_mean_sq = (norm_sq / residual.len().max(1) as f32).sqrt();
    if root_mean_sq < f32::MIN_POSITIVE {
        return 0.0;
    }
    let first = levels / largest(residual);
    let step = (levels / root_mean_sq - first) / f32::from(COARSE);
    let coarse = best(residual, levels, (0..=COARSE).map(|i| first + f32::from(i) * step));
    let from = coarse - step;
    best(residual, levels, (1..2 * FINE).map(|i| from + f32::from(i) * (step / f32::from(FINE))))
}

#[inline(always)]
fn best(residual: &[f32], levels: f32, scales: impl Iterator<Item = f32>) -> f32 {
    let (mut best, mut best_fit) = (0.0, f32::NEG_INFINITY);
    for scale in scales {
        let product = sum_pairs(residual, residual, |r, _| r.abs() * magnitude(r, scale, levels));
        let norm_sq = sum_pairs(residual, residual, |r, _| {
            let v = magnitude(r, scale, levels);
            v * v
        });
        // The squared cosine, but for the residual's own length.
        let fit = product / norm_sq * product;
        if fit > best_fit {
            (best, best_fit) = (scale, fit);
        }
    }
    best
}

/// The odd magnitude, at most `2 levels - 1`, for a component of the residual. 2^23 makes an addition round to an
/// integer: a cast would not become vector code.
#[inline(always)]
fn magnitude(r: f32, scale: f32, levels: f32) -> f32 {
    const TO_INTEGER: f32 = 8_388_608.0;
    let scaled = r.abs() * scale;
    let cut = if scaled < levels - 0.5 { scaled } else { levels - 0.5 };
    let below = if cut > 0.5 { cut - 0.5 } else { 0.0 };
    let below = below + TO_INTEGER - TO_INTEGER;
    2.0 * below + 1.0
}

/// The components u = (v + 2^B - 1) / 2, `bits` bits each.
fn pack(v: &[f32], bits: u8) -> Vec<u8> {
    let top = 2.0 * levels(bits) - 1.0;
    let mut out = Vec::with_capacity(v.len() / 8 * usize::from(bits));
    for eight in v.chunks(8) {
        let word = eight.iter().rev().fold(0_u64, |word, v| word << bits | ((v + top) / 2.0) as u64);
        out.extend_from_slice(&word.to_le_bytes()[..usize::from(bits)]);
    }
    out
}

/// Appends the bytes of a code: of a row of `cluster`, with the factors that [`SlotFactors::new`] makes of
/// [`ExtendedCode::factor`] and [`ExtendedCode::offset`].
pub fn pack_extended(cluster: u32, factors: SlotFactors, codes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&cluster.to_le_bytes());
    out.extend_from_slice(&factors.offset.to_le_bytes());
    out.extend_from_slice(&factors.factor.to_le_bytes());
    out.extend_from_slice(codes);
}

/// A rotated query against codes of one number of bits.
#[derive(Debug, Clone)]
pub struct ExtendedQuery {
    bits: u8,
    code_bytes: usize,
    /// The value of one unit of `query`.
    delta: f32,
    query: Vec<i16>,
    /// (2^B - 1) times the sum of `query`.
    excess: i64,
    dot: DotCodes,
}

impl ExtendedQuery {
    /// `rotated`, a query of the code dimension, against codes of `bits` bits, taken as 2 if fewer and 8 if more.
    pub fn new(rotated: &[f32], bits: u8) -> Self {
        Self::with_level(rotated, bits, Level::best())
    }

    pub(super) fn with_level(rotated: &[f32], bits: u8, level: Level) -> Self {
        let bits = bits.clamp(2, 8);
        let (delta, query) = to_halfwords(rotated);
        let excess = ((1 << bits) - 1) * query.iter().map(|&y| i64::from(y)).sum::<i64>();
        let code_bytes = rotated.len() / 8 * usize::from(bits);
        Self { bits, code_bytes, delta, query, excess, dot: arch::dot_codes(level, bits) }
    }

    /// The number of the cluster against whose centroid the code was made; `None` if `code` is too short for one.
    pub fn cluster(code: &[u8]) -> Option<u32> {
        code.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// The estimated distance to the row of `code`, whose cluster has this [`base`](SlotFactors::base). A code that is
    /// too short is infinitely far; what follows it is passed over.
    pub fn distance(&self, code: &[u8], base: f32) -> f32 {
        let Some((head, codes)) = code.split_first_chunk::<HEAD_BYTES>() else { return f32::INFINITY };
        let Some(codes) = codes.get(..self.code_bytes) else { return f32::INFINITY };
        let [_, offset, factor] = *head.as_chunks::<4>().0 else { return f32::INFINITY };
        let sum = 2 * i64::from((self.dot)(&self.query, codes, self.bits)) - self.excess;
        base + f32::from_le_bytes(offset) + self.delta * f32::from_le_bytes(factor) * sum as f32
    }
}

/// `x` as integers of 16 bits, and their unit: as fine as leaves sums of their products with bytes within 32 bits.
fn to_halfwords(x: &[f32]) -> (f32, Vec<i16>) {
    // 255 times the sum of the integers' magnitudes is at most 2^31, with a little room for their rounding.
    let sum = sum_pairs(x, x, |x, _| x.abs());
    let unit = (largest(x) / 32767.0).max(sum / (8_421_504.0 - x.len() as f32));
    if unit < f32::MIN_POSITIVE {
        return (0.0, vec![0; x.len()]);
    }
    const TO_INTEGERS: f32 = 12_582_912.0;
    (unit, x.iter().map(|x| (x / unit + TO_INTEGERS).to_bits() as i16).collect())
}

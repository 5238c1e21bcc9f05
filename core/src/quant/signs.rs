//! The code of one bit a component, and the two numbers that make an unbiased estimate of it.
//!
//! Of a rotated vector x and its centroid c only the signs s of the residual r = x - c are kept, with
//! F0 = |r|^2 / sum |r_i| and b = <r,c> - F0 <s,c>. Then `<c,q> + b + F0 <s,q>` estimates `<x,q>` for any rotated query q, without
//! bias over random rotations, and with an error that falls as 1/sqrt(D): equations 19 and 20 of RaBitQ,
//! <https://arxiv.org/abs/2405.12497>, written for a distance that is affine in the sum over signs.
//!
//! Use this when building; [`super::SignQuery`] reads what it makes.

use super::{
    arch::wide,
    lanes::{dot, sum_pairs},
};
use crate::metric::Metric;

/// The signs of a residual.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignCode {
    /// Bit `i % 8` of byte `i / 8` is set if component `i` is not negative.
    pub signs: Vec<u8>,
    /// F0 = |r|^2 / sum |r_i|, or 0 for no residual.
    pub factor: f32,
    /// b = <r,c> - F0 <s,c>.
    pub offset: f32,
}

/// The code of `residual`, a rotated vector minus the rotated `centroid`, both of the code dimension. O(P).
pub fn encode_signs(residual: &[f32], centroid: &[f32]) -> SignCode {
    wide(
        #[inline(always)]
        || encode(residual, centroid),
    )
}

#[inline(always)]
fn encode(residual: &[f32], centroid: &[f32]) -> SignCode {
    let sum = sum_pairs(residual, residual, |r, _| r.abs());
    let factor = if sum > 0.0 { dot(residual, residual) / sum } else { 0.0 };
    let of_signs = sum_pairs(residual, centroid, |r, c| if r >= 0.0 { c } else { -c });
    let offset = dot(residual, centroid) - factor * of_signs;
    SignCode { signs: sign_bits(residual), factor, offset }
}

#[inline(always)]
fn sign_bits(residual: &[f32]) -> Vec<u8> {
    let byte = |eight: &[f32]| eight.iter().rev().fold(0, |bits, &r| bits << 1 | u8::from(r >= 0.0));
    residual.chunks(8).map(byte).collect()
}

/// What turns a query's sum over a code into a distance: `base + offset + factor * sum`, where the base belongs to the
/// query and the centroid.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SlotFactors {
    /// A: what the row adds, whatever the query.
    pub offset: f32,
    /// F: what one unit of the sum adds.
    pub factor: f32,
}

impl SlotFactors {
    /// The factors of a code with `factor` F0 and `offset` b, of a vector and a centroid with these squared norms.
    pub fn new(metric: Metric, factor: f32, offset: f32, vector_sq: f32, centroid_sq: f32) -> Self {
        match metric {
            Metric::Cosine | Metric::InnerProduct => Self { offset: -offset, factor: -factor },
            Metric::L2 => Self { offset: vector_sq - centroid_sq - 2.0 * offset, factor: -2.0 * factor },
        }
    }

    /// The part of the distance that belongs to the query q and the centroid c: 1 - <c,q>, or |q|^2 - 2<c,q> + |c|^2.
    pub fn base(metric: Metric, centroid_dot: f32, query_sq: f32, centroid_sq: f32) -> f32 {
        match metric {
            Metric::Cosine | Metric::InnerProduct => 1.0 - centroid_dot,
            Metric::L2 => query_sq - 2.0 * centroid_dot + centroid_sq,
        }
    }
}

/// The power of two by which factors are divided before they are stored in half precision: it brings `largest`, the
/// largest magnitude of a file, into 2^13..2^14. 1 if there is none.
pub fn factor_scale(largest: f32) -> f32 {
    if !(largest > 0.0 && largest.is_finite()) {
        return 1.0;
    }
    let exponent = (largest.to_bits() >> 23) as i32 - 127 - 13;
    // Not below the smallest normal float, of which all quotients are exact.
    f32::from_bits((exponent.max(-126) + 127).cast_unsigned() << 23)
}

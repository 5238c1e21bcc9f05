//! WebAssembly's 128-bit vectors: eight accumulators of four lanes.
//!
//! Compiled in when the module is built with `-C target-feature=+simd128`; there is no detection at run time, because
//! an engine without these instructions refuses the whole module. Relaxed SIMD is not used: its results may differ
//! between engines.

use std::arch::wasm32::*;

use super::Kernels;
use crate::metric::scalar::{LANES, TWO_POW_112, WIDENED_BITS, padded};

pub(super) static KERNELS: Kernels = Kernels {
    name: "simd128",
    dot_f32: sum_rows::<false, false>,
    dot_f16: sum_rows::<true, false>,
    l2_f32: sum_rows::<false, true>,
    l2_f16: sum_rows::<true, true>,
    dot_i8: sum_rows_i8::<false>,
    l2_i8: sum_rows_i8::<true>,
};

fn sum_rows<const F16: bool, const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    if row_bytes == 0 {
        return out.fill(0.0);
    }
    for (row, sum) in rows.chunks_exact(row_bytes).zip(out) {
        *sum = if F16 { sum_f16::<L2>(query, row) } else { sum_f32::<L2>(query, row) };
    }
}

fn sum_f16<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes = Lanes::zero();
    let (blocks, tail) = row.as_chunks::<{ 2 * LANES }>();
    let last = padded(tail);
    for (q, x) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
        lanes.add::<L2>(q, Lanes::from_f16(x));
    }
    lanes.fold()
}

fn sum_f32<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes = Lanes::zero();
    let (blocks, tail) = row.as_chunks::<{ 4 * LANES }>();
    let last = padded(tail);
    for (q, x) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
        lanes.add::<L2>(q, Lanes::from_f32(x));
    }
    lanes.fold()
}

fn sum_rows_i8<const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    for (row, sum) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        let Some((scale, bytes)) = row.split_first_chunk::<4>() else { continue };
        let scale = f32x4_splat(f32::from_le_bytes(*scale));
        let mut lanes = Lanes::zero();
        let (blocks, tail) = bytes.as_chunks::<LANES>();
        let last = padded(tail);
        for (q, x) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
            lanes.add::<L2>(q, Lanes::from_i8(x, scale));
        }
        *sum = lanes.fold();
    }
}

/// The 32 lanes in ascending order. Spelled out field by field: built for size, a loop over an array stays a loop,
/// and keeps the lanes in memory.
struct Lanes(v128, v128, v128, v128, v128, v128, v128, v128);

impl Lanes {
    #[inline(always)]
    fn zero() -> Self {
        let zero = f32x4_splat(0.0);
        Self(zero, zero, zero, zero, zero, zero, zero, zero)
    }

    #[inline(always)]
    fn from_f32(block: &[u8; 4 * LANES]) -> Self {
        Self(
            load::<0, _>(block),
            load::<16, _>(block),
            load::<32, _>(block),
            load::<48, _>(block),
            load::<64, _>(block),
            load::<80, _>(block),
            load::<96, _>(block),
            load::<112, _>(block),
        )
    }

    #[inline(always)]
    fn from_f16(block: &[u8; 2 * LANES]) -> Self {
        let (a, b) = (load::<0, _>(block), load::<16, _>(block));
        let (c, d) = (load::<32, _>(block), load::<48, _>(block));
        Self(
            widen(i32x4_extend_low_i16x8(a)),
            widen(i32x4_extend_high_i16x8(a)),
            widen(i32x4_extend_low_i16x8(b)),
            widen(i32x4_extend_high_i16x8(b)),
            widen(i32x4_extend_low_i16x8(c)),
            widen(i32x4_extend_high_i16x8(c)),
            widen(i32x4_extend_low_i16x8(d)),
            widen(i32x4_extend_high_i16x8(d)),
        )
    }

    #[inline(always)]
    fn from_i8(block: &[u8; LANES], scale: v128) -> Self {
        let (low, high) = (load::<0, _>(block), load::<16, _>(block));
        let (a, b) = (i16x8_extend_low_i8x16(low), i16x8_extend_high_i8x16(low));
        let (c, d) = (i16x8_extend_low_i8x16(high), i16x8_extend_high_i8x16(high));
        let scaled = |integers| f32x4_mul(scale, f32x4_convert_i32x4(integers));
        Self(
            scaled(i32x4_extend_low_i16x8(a)),
            scaled(i32x4_extend_high_i16x8(a)),
            scaled(i32x4_extend_low_i16x8(b)),
            scaled(i32x4_extend_high_i16x8(b)),
            scaled(i32x4_extend_low_i16x8(c)),
            scaled(i32x4_extend_high_i16x8(c)),
            scaled(i32x4_extend_low_i16x8(d)),
            scaled(i32x4_extend_high_i16x8(d)),
        )
    }

    #[inline(always)]
    fn add<const L2: bool>(&mut self, query: &[f32; LANES], x: Self) {
        self.0 = f32x4_add(self.0, term::<0, L2>(query, x.0));
        self.1 = f32x4_add(self.1, term::<4, L2>(query, x.1));
        self.2 = f32x4_add(self.2, term::<8, L2>(query, x.2));
        self.3 = f32x4_add(self.3, term::<12, L2>(query, x.3));
        self.4 = f32x4_add(self.4, term::<16, L2>(query, x.4));
        self.5 = f32x4_add(self.5, term::<20, L2>(query, x.5));
        self.6 = f32x4_add(self.6, term::<24, L2>(query, x.6));
        self.7 = f32x4_add(self.7, term::<28, L2>(query, x.7));
    }

    fn fold(self) -> f32 {
        let low = f32x4_add(f32x4_add(self.0, self.2), f32x4_add(self.4, self.6));
        let high = f32x4_add(f32x4_add(self.1, self.3), f32x4_add(self.5, self.7));
        let four = f32x4_add(low, high);
        let two = f32x4_add(four, i32x4_shuffle::<2, 3, 0, 1>(four, four));
        f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
    }
}

/// The four terms of the query's components from `AT` on with `x`.
#[inline(always)]
fn term<const AT: usize, const L2: bool>(query: &[f32; LANES], x: v128) -> v128 {
    const { assert!(AT + 4 <= LANES) };
    // SAFETY: the assertion keeps the 16 bytes inside the array; the load needs no alignment.
    let q = unsafe { v128_load(query.as_ptr().add(AT).cast()) };
    if L2 {
        let difference = f32x4_sub(q, x);
        f32x4_mul(difference, difference)
    } else {
        f32x4_mul(q, x)
    }
}

#[inline(always)]
fn load<const AT: usize, const N: usize>(block: &[u8; N]) -> v128 {
    const { assert!(AT + 16 <= N) };
    // SAFETY: the assertion keeps the 16 bytes inside the array; the load needs no alignment.
    unsafe { v128_load(block.as_ptr().add(AT).cast()) }
}

/// Four finite halves, sign-extended to 32 bits, as floats; see [`crate::metric::scalar::widen`].
#[inline(always)]
fn widen(halves: v128) -> v128 {
    let shifted = v128_and(i32x4_shl(halves, 13), u32x4_splat(WIDENED_BITS));
    f32x4_mul(shifted, f32x4_splat(TWO_POW_112))
}

//! WebAssembly's 128-bit vectors: eight accumulators of four lanes.
//!
//! Compiled in when the module is built with `-C target-feature=+simd128`; there is no detection at run time, because
//! an engine without these instructions refuses the whole module. Relaxed SIMD is not used: its results may differ
//! between engines.

use std::arch::wasm32::*;

use super::Kernels;
use crate::metric::scalar::{LANES, TWO_POW_112, padded};

pub(super) static KERNELS: Kernels = Kernels {
    name: "simd128",
    dot_f32: sum_rows::<false, false>,
    dot_f16: sum_rows::<true, false>,
    l2_f32: sum_rows::<false, true>,
    l2_f16: sum_rows::<true, true>,
};

type Lanes = [v128; 8];

fn sum_rows<const F16: bool, const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    if row_bytes == 0 {
        return out.fill(0.0);
    }
    for (row, sum) in rows.chunks_exact(row_bytes).zip(out) {
        *sum = if F16 { sum_f16::<L2>(query, row) } else { sum_f32::<L2>(query, row) };
    }
}

fn sum_f16<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes: Lanes = [f32x4_splat(0.0); 8];
    let (blocks, tail) = row.as_chunks::<{ 2 * LANES }>();
    let last = padded(tail);
    for (q, x) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
        add_block::<L2>(&mut lanes, q, load_f16(x));
    }
    fold(lanes)
}

fn sum_f32<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes: Lanes = [f32x4_splat(0.0); 8];
    let (blocks, tail) = row.as_chunks::<{ 4 * LANES }>();
    let last = padded(tail);
    for (q, x) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
        add_block::<L2>(&mut lanes, q, load_f32(x));
    }
    fold(lanes)
}

#[inline(always)]
fn add_block<const L2: bool>(lanes: &mut Lanes, query: &[f32; LANES], x: Lanes) {
    for ((lane, q), x) in lanes.iter_mut().zip(query.as_chunks::<4>().0).zip(x) {
        let q = f32x4(q[0], q[1], q[2], q[3]);
        let term = if L2 {
            let difference = f32x4_sub(q, x);
            f32x4_mul(difference, difference)
        } else {
            f32x4_mul(q, x)
        };
        *lane = f32x4_add(*lane, term);
    }
}

#[inline(always)]
fn load(bytes: &[u8; 16]) -> v128 {
    // SAFETY: `bytes` is 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(bytes.as_ptr().cast()) }
}

#[inline(always)]
fn load_f16(block: &[u8; 2 * LANES]) -> Lanes {
    let mut lanes: Lanes = [f32x4_splat(0.0); 8];
    for (pair, bytes) in lanes.as_chunks_mut::<2>().0.iter_mut().zip(block.as_chunks::<16>().0) {
        let halves = load(bytes);
        *pair = [widen(u32x4_extend_low_u16x8(halves)), widen(u32x4_extend_high_u16x8(halves))];
    }
    lanes
}

/// Four halves, each in the low bits of a lane, as floats; see [`crate::metric::scalar::widen`].
#[inline(always)]
fn widen(halves: v128) -> v128 {
    let magnitude = u32x4_shl(v128_and(halves, u32x4_splat(0x7fff)), 13);
    let sign = u32x4_shl(v128_and(halves, u32x4_splat(0x8000)), 16);
    v128_or(f32x4_mul(magnitude, f32x4_splat(TWO_POW_112)), sign)
}

#[inline(always)]
fn load_f32(block: &[u8; 4 * LANES]) -> Lanes {
    let mut lanes: Lanes = [f32x4_splat(0.0); 8];
    for (lane, bytes) in lanes.iter_mut().zip(block.as_chunks::<16>().0) {
        *lane = load(bytes);
    }
    lanes
}

#[inline(always)]
fn fold(l: Lanes) -> f32 {
    let low = f32x4_add(f32x4_add(l[0], l[2]), f32x4_add(l[4], l[6]));
    let high = f32x4_add(f32x4_add(l[1], l[3]), f32x4_add(l[5], l[7]));
    let four = f32x4_add(low, high);
    let two = f32x4_add(four, i32x4_shuffle::<2, 3, 0, 1>(four, four));
    f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
}

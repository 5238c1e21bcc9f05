//! AVX2 and F16C: four accumulators of eight lanes.
//!
//! Chosen at run time on processors that have both. Without fused multiply-add, on purpose: it would round once
//! where the other kernels round twice. One row at a time already runs at the speed of memory; see
//! `examples/bench_metric.rs`.

use std::arch::x86_64::*;

use super::Kernels;
use crate::metric::scalar::{LANES, padded};

static AVX2: Kernels = Kernels {
    name: "avx2",
    dot_f32: enter::<false, false>,
    dot_f16: enter::<true, false>,
    l2_f32: enter::<false, true>,
    l2_f16: enter::<true, true>,
    dot_i8: enter_i8::<false>,
    l2_i8: enter_i8::<true>,
};

/// The kernels, if this processor can run them.
pub(super) fn kernels() -> Option<&'static Kernels> {
    (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c")).then_some(&AVX2)
}

/// Private to [`AVX2`], which [`kernels`] hands out only after detection.
fn enter<const F16: bool, const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    // SAFETY: `AVX2` is only reachable through `kernels`, which has seen both instruction sets.
    unsafe { sum_rows::<F16, L2>(query, rows, row_bytes, out) }
}

/// Private to [`AVX2`], which [`kernels`] hands out only after detection.
fn enter_i8<const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    // SAFETY: `AVX2` is only reachable through `kernels`, which has seen both instruction sets.
    unsafe { sum_rows_i8::<L2>(query, rows, row_bytes, out) }
}

type Lanes = [__m256; 4];

#[target_feature(enable = "avx2,f16c")]
fn sum_rows<const F16: bool, const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    if row_bytes == 0 {
        return out.fill(0.0);
    }
    for (row, sum) in rows.chunks_exact(row_bytes).zip(out) {
        *sum = if F16 { sum_f16::<L2>(query, row) } else { sum_f32::<L2>(query, row) };
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn sum_f16<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes: Lanes = [_mm256_setzero_ps(); 4];
    let (blocks, tail) = row.as_chunks::<{ 2 * LANES }>();
    let (whole, rest) = query.as_chunks::<LANES>().0.split_at(blocks.len());
    for (q, x) in whole.iter().zip(blocks) {
        add_block::<L2>(&mut lanes, q, load_f16(x));
    }
    if let [q] = rest {
        add_block::<L2>(&mut lanes, q, load_f16(&padded(tail)));
    }
    fold(lanes)
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn sum_f32<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes: Lanes = [_mm256_setzero_ps(); 4];
    let (blocks, tail) = row.as_chunks::<{ 4 * LANES }>();
    let (whole, rest) = query.as_chunks::<LANES>().0.split_at(blocks.len());
    for (q, x) in whole.iter().zip(blocks) {
        add_block::<L2>(&mut lanes, q, load_f32(x));
    }
    if let [q] = rest {
        add_block::<L2>(&mut lanes, q, load_f32(&padded(tail)));
    }
    fold(lanes)
}

#[target_feature(enable = "avx2,f16c")]
fn sum_rows_i8<const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    for (row, sum) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        let Some((scale, bytes)) = row.split_first_chunk::<4>() else { continue };
        let scale = _mm256_set1_ps(f32::from_le_bytes(*scale));
        let mut lanes: Lanes = [_mm256_setzero_ps(); 4];
        let (blocks, tail) = bytes.as_chunks::<LANES>();
        let last = padded(tail);
        for (q, x) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
            add_block::<L2>(&mut lanes, q, load_i8(x, scale));
        }
        *sum = fold(lanes);
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn add_block<const L2: bool>(lanes: &mut Lanes, query: &[f32; LANES], x: Lanes) {
    for ((lane, q), x) in lanes.iter_mut().zip(query.as_chunks::<8>().0).zip(x) {
        // SAFETY: `q` is eight floats, 32 readable bytes; the load needs no alignment.
        let q = unsafe { _mm256_loadu_ps(q.as_ptr()) };
        let term = if L2 {
            let difference = _mm256_sub_ps(q, x);
            _mm256_mul_ps(difference, difference)
        } else {
            _mm256_mul_ps(q, x)
        };
        *lane = _mm256_add_ps(*lane, term);
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn load_f16(block: &[u8; 2 * LANES]) -> Lanes {
    let mut lanes: Lanes = [_mm256_setzero_ps(); 4];
    for (lane, bytes) in lanes.iter_mut().zip(block.as_chunks::<16>().0) {
        // SAFETY: `bytes` is 16 readable bytes; the load needs no alignment.
        let halves = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
        *lane = _mm256_cvtph_ps(halves);
    }
    lanes
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn load_i8(block: &[u8; LANES], scale: __m256) -> Lanes {
    let mut lanes: Lanes = [_mm256_setzero_ps(); 4];
    for (lane, bytes) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
        let integers = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(*bytes)));
        *lane = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(integers));
    }
    lanes
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn load_f32(block: &[u8; 4 * LANES]) -> Lanes {
    let mut lanes: Lanes = [_mm256_setzero_ps(); 4];
    for (lane, bytes) in lanes.iter_mut().zip(block.as_chunks::<32>().0) {
        // SAFETY: `bytes` is 32 readable bytes; the load needs no alignment, and every bit pattern is a float.
        *lane = unsafe { _mm256_loadu_ps(bytes.as_ptr().cast()) };
    }
    lanes
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn fold(lanes: Lanes) -> f32 {
    let eight = _mm256_add_ps(_mm256_add_ps(lanes[0], lanes[1]), _mm256_add_ps(lanes[2], lanes[3]));
    let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

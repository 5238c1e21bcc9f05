//! AVX-512 with VNNI, and AVX2: rows are taken several at a time, so that each load of codes serves all of them.

use std::arch::x86_64::*;

use super::{GROUP, Kernel, Quad};

static AVX512: Kernel = Kernel { name: "avx512vnni", sums: enter_avx512 };
static AVX2: Kernel = Kernel { name: "avx2", sums: enter_avx2 };

/// The best kernel that this processor can run.
pub(super) fn kernel() -> Option<&'static Kernel> {
    kernels().first().copied()
}

/// All kernels that this processor can run, the best first.
pub(super) fn kernels() -> Vec<&'static Kernel> {
    let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    let usable = [(wide, &AVX512), (is_x86_feature_detected!("avx2"), &AVX2)];
    usable.into_iter().filter_map(|(usable, kernel)| usable.then_some(kernel)).collect()
}

/// Private to [`AVX512`], which [`kernels`] hands out only after detection.
fn enter_avx512(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    // SAFETY: `AVX512` is only reachable through `kernels`, which has seen both instruction sets.
    unsafe { avx512(quads, rows, width, out, stride) }
}

/// Private to [`AVX2`], which [`kernels`] hands out only after detection.
fn enter_avx2(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    // SAFETY: `AVX2` is only reachable through `kernels`, which has seen the instruction set.
    unsafe { avx2(quads, rows, width, out, stride) }
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn avx512(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    let whole = rows.len() / (8 * width) * 8;
    let (most, rest) = rows.split_at(whole * width);
    for (rows, out) in most.chunks_exact(8 * width).zip(out.chunks_mut(8 * stride)) {
        avx512_rows::<8>(quads, rows, width, out, stride);
    }
    let out = out.get_mut(whole * stride..).unwrap_or_default();
    for (row, out) in rest.chunks_exact(width).zip(out.chunks_mut(stride)) {
        avx512_rows::<1>(quads, row, width, out, stride);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn avx512_rows<const R: usize>(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    let mut sums = [[_mm512_setzero_si512(); 2]; R];
    let rows: [&[[i8; 4]]; R] = std::array::from_fn(|r| four(rows, r, width, quads.len()));
    for (i, codes) in quads.iter().enumerate() {
        // SAFETY: the two halves of a quad are 64 readable bytes each; the loads need no alignment.
        let codes = unsafe {
            let codes: *const __m512i = codes.as_ptr().cast();
            [_mm512_loadu_si512(codes), _mm512_loadu_si512(codes.add(1))]
        };
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let bytes = _mm512_set1_epi32(i32::from_ne_bytes(row[i].map(|byte| byte as u8)));
            sums[0] = _mm512_dpbusd_epi32(sums[0], codes[0], bytes);
            sums[1] = _mm512_dpbusd_epi32(sums[1], codes[1], bytes);
        }
    }
    for (sums, out) in sums.iter().zip(out.chunks_mut(stride)) {
        if let Some(out) = out.first_chunk_mut::<GROUP>() {
            // SAFETY: `out` is 32 integers, two stores of 64 writable bytes; they need no alignment.
            unsafe {
                let out: *mut __m512i = out.as_mut_ptr().cast();
                _mm512_storeu_si512(out, sums[0]);
                _mm512_storeu_si512(out.add(1), sums[1]);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn avx2(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    let whole = rows.len() / (2 * width) * 2;
    let (most, rest) = rows.split_at(whole * width);
    for (rows, out) in most.chunks_exact(2 * width).zip(out.chunks_mut(2 * stride)) {
        avx2_rows::<2>(quads, rows, width, out, stride);
    }
    let out = out.get_mut(whole * stride..).unwrap_or_default();
    for (row, out) in rest.chunks_exact(width).zip(out.chunks_mut(stride)) {
        avx2_rows::<1>(quads, row, width, out, stride);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn avx2_rows<const R: usize>(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    let mut sums = [[_mm256_setzero_si256(); 4]; R];
    let rows: [&[[i8; 4]]; R] = std::array::from_fn(|r| four(rows, r, width, quads.len()));
    let ones = _mm256_set1_epi16(1);
    for (i, codes) in quads.iter().enumerate() {
        let codes = codes.as_chunks::<32>().0;
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let bytes = _mm256_set1_epi32(i32::from_ne_bytes(row[i].map(|byte| byte as u8)));
            for (sum, codes) in sums.iter_mut().zip(codes) {
                // SAFETY: `codes` is 32 readable bytes; the load needs no alignment.
                let codes = unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) };
                // 2 x 127 x 127 is below 2^15, so nothing saturates.
                let pairs = _mm256_maddubs_epi16(codes, bytes);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    for (sums, out) in sums.iter().zip(out.chunks_mut(stride)) {
        for (sum, out) in sums.iter().zip(out.as_chunks_mut::<8>().0) {
            // SAFETY: `out` is eight integers, 32 writable bytes; the store needs no alignment.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), *sum) };
        }
    }
}

/// The first `quads` times four bytes of row `r`. The length is known to the loops over it, which then check nothing.
#[inline(always)]
fn four(rows: &[i8], r: usize, width: usize, quads: usize) -> &[[i8; 4]] {
    &rows[r * width..][..width].as_chunks::<4>().0[..quads]
}

//! AVX-512 with VNNI and GFNI: Ice Lake, Zen 4 and later. Chosen at run time.
//!
//! A shuffle looks up 64 bytes: four groups of 16 slots. How sums are kept is told in [`crate::quant::tables`]. They
//! go into lanes of 16 bits, where an even slot and its odd neighbour share a lane: one accumulator takes both as they
//! are, the other the odd ones alone, and what the first has too much is taken off at the end, modulo 2^16.

use std::arch::x86_64::*;

use crate::quant::{
    cell::{SLOTS, Tail},
    scalar,
    scan::{Candidate, Scan},
    tables::{CHUNK, TABLE_BLOCK, TableBlock, Tables},
};

pub(in super::super) fn is_present() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("gfni")
}

/// Reached only through a [`super::super::Level`].
pub(in super::super) fn scan_cells(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    // SAFETY: a level of this instruction set exists only where `is_present`.
    unsafe {
        if scan.tables.fits {
            scan_present::<true>(scan, cells, stride, out)
        } else {
            scan_present::<false>(scan, cells, stride, out)
        }
    }
}

/// Reached only through a [`super::super::Level`].
pub(in super::super) fn dot_nibbles(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    // SAFETY: a level of this instruction set exists only where `is_present`.
    unsafe { dot_nibbles_present(halves, rows, row_bytes, out) }
}

/// Reached only through a [`super::super::Level`].
pub(in super::super) fn dot_bytes(query: &[i8], row: &[u8]) -> i32 {
    // SAFETY: a level of this instruction set exists only where `is_present`.
    unsafe { dot_bytes_present(query, row) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
fn scan_present<const FITS: bool>(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    for cell in cells.chunks(stride.max(1)) {
        let Some((codes, tail)) = scalar::split(cell, scan.code_bytes) else { return };
        if scan.skips(tail.rows) {
            continue;
        }
        let sums = sums::<FITS>(codes, scan.tables);
        let low_half = u32::from(near(scan, &tail, 0, sums[0]));
        let near = low_half | u32::from(near(scan, &tail, 1, sums[1])) << 16;
        if near != 0 {
            scan.push_all(near, &integers(sums), tail, out);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn integers([low, high]: [__m512i; 2]) -> [i32; SLOTS] {
    let mut integers = [0; SLOTS];
    let (first, second) = integers.split_at_mut(SLOTS / 2);
    // SAFETY: each half is 16 integers, the 64 writable bytes of one register; no alignment is needed.
    unsafe {
        _mm512_storeu_si512(first.as_mut_ptr().cast(), low);
        _mm512_storeu_si512(second.as_mut_ptr().cast(), high);
    }
    integers
}

/// Which of slots 0 to 15, or with `half` 1 of 16 to 31, are within the bound; see [`scalar::estimate`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn near(scan: &Scan<'_>, tail: &Tail<'_>, half: usize, sums: __m512i) -> u16 {
    let offsets = load_halves(&tail.offsets.as_chunks().0[half]);
    let factors = load_halves(&tail.factors.as_chunks().0[half]);
    let offset = _mm512_mul_ps(_mm512_set1_ps(scan.a_scale), offsets);
    let offset = _mm512_add_ps(_mm512_set1_ps(scan.base), offset);
    let slope = _mm512_mul_ps(_mm512_set1_ps(scan.slope), factors);
    let estimate = _mm512_add_ps(offset, _mm512_mul_ps(slope, _mm512_cvtepi32_ps(sums)));
    let margin = _mm512_mul_ps(_mm512_set1_ps(scan.margin), _mm512_abs_ps(factors));
    _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_sub_ps(estimate, margin), _mm512_set1_ps(scan.bound))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_halves(halves: &[u8; 32]) -> __m512 {
    // SAFETY: 32 readable bytes; no alignment is needed.
    _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(halves.as_ptr().cast()) })
}

/// The sums of slots 0 to 15, and of 16 to 31.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
fn sums<const FITS: bool>(codes: &[u8], tables: &Tables) -> [__m512i; 2] {
    if let Some((blocks, bias)) = tables.only_chunk() {
        return widen(chunk_sums::<FITS>(codes, blocks, bias));
    }
    let mut sums = [_mm512_setzero_si512(); 2];
    for (codes, (blocks, bias)) in codes.chunks(CHUNK).zip(tables.chunks()) {
        let [low, high] = widen(chunk_sums::<FITS>(codes, blocks, bias));
        sums = [_mm512_add_epi32(sums[0], low), _mm512_add_epi32(sums[1], high)];
    }
    sums
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn widen(sums: __m512i) -> [__m512i; 2] {
    let high = _mm512_extracti64x4_epi64::<1>(sums);
    [_mm512_cvtepi16_epi32(_mm512_castsi512_si256(sums)), _mm512_cvtepi16_epi32(high)]
}

/// The sums of the 32 slots in ascending order, 16 bits each, of at most [`CHUNK`] bytes of codes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
fn chunk_sums<const FITS: bool>(codes: &[u8], tables: &[TableBlock], bias: i16) -> __m512i {
    let mut sums = Sums::zero();
    let (blocks, rest) = codes.as_chunks::<TABLE_BLOCK>();
    for (codes, table) in blocks.iter().zip(tables) {
        sums.add::<FITS>(codes, table);
    }
    if let Some(table) = tables.get(blocks.len()) {
        sums.add::<FITS>(&scalar::padded(rest), table);
    }
    _mm512_sub_epi16(sums.fold(), _mm512_set1_epi16(bias))
}

/// For the low halves of the code bytes, then for the high ones: the sums of even slots plus 2^8 times those of their
/// odd neighbours, and the sums of odd slots. Each of the four quarters of a register holds every fourth group.
struct Sums {
    low: [__m512i; 2],
    high: [__m512i; 2],
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zero() -> Self {
        let zero = _mm512_setzero_si512();
        Self { low: [zero; 2], high: [zero; 2] }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,gfni")]
    fn add<const FITS: bool>(&mut self, codes: &[u8; TABLE_BLOCK], tables: &TableBlock) {
        let [low_0, high_0] = look_up(codes, tables, 0);
        let [low_1, high_1] = look_up(codes, tables, 1);
        let [low_2, high_2] = look_up(codes, tables, 2);
        let [low_3, high_3] = look_up(codes, tables, 3);
        let low = [_mm512_add_epi8(low_0, low_1), _mm512_add_epi8(low_2, low_3)];
        let high = [_mm512_add_epi8(high_0, high_1), _mm512_add_epi8(high_2, high_3)];
        if FITS {
            accumulate(&mut self.low, _mm512_add_epi8(low[0], low[1]));
            accumulate(&mut self.high, _mm512_add_epi8(high[0], high[1]));
        } else {
            low.into_iter().for_each(|low| accumulate(&mut self.low, low));
            high.into_iter().for_each(|high| accumulate(&mut self.high, high));
        }
    }

    /// Adds the quarters up, and puts slots in order.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn fold(self) -> __m512i {
        let [a, b] = interleave(self.low);
        let [c, d] = interleave(self.high);
        let ab = _mm512_add_epi16(_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
        let cd = _mm512_add_epi16(_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
        _mm512_add_epi16(_mm512_shuffle_i64x2::<0x88>(ab, cd), _mm512_shuffle_i64x2::<0xdd>(ab, cd))
    }
}

/// The table entries of the low and of the high halves of the code bytes in one quarter of a block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn look_up(codes: &[u8; TABLE_BLOCK], tables: &TableBlock, quarter: usize) -> [__m512i; 2] {
    let (codes, table) = (load(codes, quarter), load(&tables.0, quarter));
    let low = _mm512_and_si512(codes, _mm512_set1_epi8(15));
    [_mm512_shuffle_epi8(table, low), _mm512_shuffle_epi8(table, high_half(codes))]
}

/// Every byte shifted right by four, in one instruction where a shift of bytes takes two: as a product of matrices of
/// bits, of which row `i` picks bit `i + 4`.
#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn high_half(bytes: __m512i) -> __m512i {
    _mm512_gf2p8affine_epi64_epi8::<0>(bytes, _mm512_set1_epi64(0x1020_4080_0000_0000))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn accumulate(sums: &mut [__m512i; 2], bytes: __m512i) {
    sums[0] = _mm512_add_epi16(sums[0], bytes);
    sums[1] = _mm512_add_epi16(sums[1], _mm512_srli_epi16::<8>(bytes));
}

/// In each quarter the sums of slots 0 to 7, and of 8 to 15.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave([both, odd]: [__m512i; 2]) -> [__m512i; 2] {
    let even = _mm512_sub_epi16(both, _mm512_slli_epi16::<8>(odd));
    [_mm512_unpacklo_epi16(even, odd), _mm512_unpackhi_epi16(even, odd)]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(block: &[u8; TABLE_BLOCK], quarter: usize) -> __m512i {
    load_line(&block.as_chunks().0[quarter])
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_line(line: &[u8; 64]) -> __m512i {
    // SAFETY: 64 readable bytes; no alignment is needed.
    unsafe { _mm512_loadu_si512(line.as_ptr().cast()) }
}

/// The first 64 bytes of `rest`, with zeros for those it lacks.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_rest(rest: &[u8]) -> __m512i {
    let mask = u64::MAX.checked_shr(64 - rest.len().min(64) as u32).unwrap_or(0);
    // SAFETY: only bytes whose bits are set are read: as many as `rest` has, and no more than 64.
    unsafe { _mm512_maskz_loadu_epi8(mask, rest.as_ptr().cast()) }
}

/// Four rows at a time, so that the query is loaded once for all and their sums are folded together.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_nibbles_present(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    let (even, odd) = halves.split_at(halves.len() / 2);
    let row_bytes = row_bytes.max(1);
    let fours = rows.chunks_exact(4 * row_bytes);
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    let rest = fours.remainder();
    for (four, out) in fours.zip(out_fours) {
        let (ab, cd) = four.split_at(2 * row_bytes);
        let ((a, b), (c, d)) = (ab.split_at(row_bytes), cd.split_at(row_bytes));
        let rows = [a, b, c, d];
        // SAFETY: `out` is the 16 writable bytes of four sums; no alignment is needed.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), fold_rows(dot_rows(even, odd, rows))) };
    }
    for (row, out) in rest.chunks_exact(row_bytes).zip(out_rest) {
        *out = _mm512_reduce_add_epi32(dot_rows(even, odd, [row])[0]);
    }
}

/// The products of `N` rows of one length, each spread over 16 lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_rows<const N: usize>(even: &[i8], odd: &[i8], rows: [&[u8]; N]) -> [__m512i; N] {
    let nibble = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_si512(); N];
    for (i, (even, odd)) in even.as_chunks::<64>().0.iter().zip(odd.as_chunks::<64>().0).enumerate() {
        let (even, odd) = (load_query(even), load_query(odd));
        for (sum, row) in sums.iter_mut().zip(rows) {
            let rest = row.get(64 * i..).unwrap_or_default();
            let codes = match rest.first_chunk() {
                Some(line) => load_line(line),
                None => load_rest(rest),
            };
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_and_si512(codes, nibble), even);
            *sum = _mm512_dpbusd_epi32(*sum, high, odd);
        }
    }
    sums
}

/// The sums of the lanes of four registers.
#[inline]
#[target_feature(enable = "avx512f")]
fn fold_rows([a, b, c, d]: [__m512i; 4]) -> __m128i {
    let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    let all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    let half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64::<1>(all));
    _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_query(bytes: &[i8; 64]) -> __m512i {
    // SAFETY: 64 readable bytes; no alignment is needed.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// VNNI multiplies unsigned by signed bytes: the row is raised by 128, and 128 times the query's sum taken off.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_bytes_present(query: &[i8], row: &[u8]) -> i32 {
    let raise = _mm512_set1_epi8(i8::MIN);
    let (mut dot, mut sum) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut rest = row;
    for query in query.as_chunks::<64>().0 {
        let y = load_query(query);
        dot = _mm512_dpbusd_epi32(dot, _mm512_xor_si512(load_rest(rest), raise), y);
        sum = _mm512_dpbusd_epi32(sum, raise, y);
        rest = rest.get(64..).unwrap_or_default();
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(dot, sum))
}

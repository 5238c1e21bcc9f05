//! AVX2 and F16C: Haswell, Zen and later. Chosen at run time.
//!
//! A shuffle looks up 32 bytes: two groups of 16 slots. How sums are kept is told in `avx512.rs`.

use std::arch::x86_64::*;

use crate::quant::{
    cell::{SLOTS, Tail},
    scalar,
    scan::{Candidate, Scan},
    tables::{CHUNK, TABLE_BLOCK, TableBlock, Tables},
};

pub(in super::super) fn is_present() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c")
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

/// Reached only through a [`super::super::Level`].
pub(in super::super) fn dot_nibble_codes(query: &[i16], codes: &[u8], _: u8) -> i32 {
    // SAFETY: a level of this instruction set exists only where `is_present`.
    unsafe { dot_nibble_codes_present(query, codes) }
}

/// Reached only through a [`super::super::Level`].
pub(in super::super) fn dot_byte_codes(query: &[i16], codes: &[u8], _: u8) -> i32 {
    // SAFETY: a level of this instruction set exists only where `is_present`.
    unsafe { dot_byte_codes_present(query, codes) }
}

/// Reached only through a [`super::super::Level`].
pub(in super::super) fn dot_codes(query: &[i16], codes: &[u8], bits: u8) -> i32 {
    // SAFETY: a level of this instruction set exists only where `is_present`.
    unsafe { dot_codes_present(query, codes, bits) }
}

/// Reached only where [`is_present`].
#[inline(always)]
pub(in super::super) fn wide<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: see above.
    unsafe { wide_present(work) }
}

#[target_feature(enable = "avx2")]
fn wide_present<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[target_feature(enable = "avx2,f16c")]
fn scan_present<const FITS: bool>(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    for cell in cells.chunks(stride.max(1)) {
        let Some((codes, tail)) = scalar::split(cell, scan.code_bytes) else { return };
        if scan.skips(tail.rows) {
            continue;
        }
        let sums = sums::<FITS>(codes, scan.tables);
        let near = (near(scan, &tail, 0, sums[0]) | near(scan, &tail, 1, sums[1]))
            | (near(scan, &tail, 2, sums[2]) | near(scan, &tail, 3, sums[3]));
        if near != 0 {
            scan.push_all(near, &integers(sums), tail, out);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn integers(registers: [__m256i; 4]) -> [i32; SLOTS] {
    let mut integers = [0; SLOTS];
    for (eight, register) in integers.as_chunks_mut::<8>().0.iter_mut().zip(registers) {
        // SAFETY: `eight` is eight integers, the 32 writable bytes of one register; no alignment is needed.
        unsafe { _mm256_storeu_si256(eight.as_mut_ptr().cast(), register) };
    }
    integers
}

/// The slots of one quarter that are within the bound, as bits; see [`scalar::estimate`].
#[inline]
#[target_feature(enable = "avx2,f16c")]
fn near(scan: &Scan<'_>, tail: &Tail<'_>, quarter: usize, sums: __m256i) -> u32 {
    let offsets = load_halves(&tail.offsets.as_chunks().0[quarter]);
    let factors = load_halves(&tail.factors.as_chunks().0[quarter]);
    let offset = _mm256_mul_ps(_mm256_set1_ps(scan.a_scale), offsets);
    let offset = _mm256_add_ps(_mm256_set1_ps(scan.base), offset);
    let slope = _mm256_mul_ps(_mm256_set1_ps(scan.slope), factors);
    let estimate = _mm256_add_ps(offset, _mm256_mul_ps(slope, _mm256_cvtepi32_ps(sums)));
    let magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0), factors);
    let low = _mm256_sub_ps(estimate, _mm256_mul_ps(_mm256_set1_ps(scan.margin), magnitude));
    let within = _mm256_cmp_ps::<_CMP_LE_OQ>(low, _mm256_set1_ps(scan.bound));
    _mm256_movemask_ps(within).cast_unsigned() << (8 * quarter)
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn load_halves(halves: &[u8; 16]) -> __m256 {
    // SAFETY: 16 readable bytes; no alignment is needed.
    _mm256_cvtph_ps(unsafe { _mm_loadu_si128(halves.as_ptr().cast()) })
}

/// The sums of slots 0 to 7, 8 to 15, 16 to 23 and 24 to 31.
#[inline]
#[target_feature(enable = "avx2")]
fn sums<const FITS: bool>(codes: &[u8], tables: &Tables) -> [__m256i; 4] {
    let mut sums = [_mm256_setzero_si256(); 4];
    for (codes, (blocks, bias)) in codes.chunks(CHUNK).zip(tables.chunks()) {
        let [low, high] = chunk_sums::<FITS>(codes, blocks, bias);
        let parts = [
            _mm256_castsi256_si128(low),
            _mm256_extracti128_si256::<1>(low),
            _mm256_castsi256_si128(high),
            _mm256_extracti128_si256::<1>(high),
        ];
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum = _mm256_add_epi32(*sum, _mm256_cvtepi16_epi32(part));
        }
    }
    sums
}

/// The sums of slots 0 to 15 and of 16 to 31, 16 bits each, of at most [`CHUNK`] bytes of codes.
#[inline]
#[target_feature(enable = "avx2")]
fn chunk_sums<const FITS: bool>(codes: &[u8], tables: &[TableBlock], bias: i16) -> [__m256i; 2] {
    let mut sums = Sums::zero();
    let (blocks, rest) = codes.as_chunks::<TABLE_BLOCK>();
    for (codes, table) in blocks.iter().zip(tables) {
        sums.add::<FITS, 0>(codes, table);
        sums.add::<FITS, 1>(codes, table);
    }
    if let Some(table) = tables.get(blocks.len()) {
        let rest = scalar::padded(rest);
        sums.add::<FITS, 0>(&rest, table);
        sums.add::<FITS, 1>(&rest, table);
    }
    let bias = _mm256_set1_epi16(bias);
    [_mm256_sub_epi16(fold(sums.low), bias), _mm256_sub_epi16(fold(sums.high), bias)]
}

/// As in `avx512.rs`, but that each half of a register holds every second group.
struct Sums {
    low: [__m256i; 2],
    high: [__m256i; 2],
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn zero() -> Self {
        let zero = _mm256_setzero_si256();
        Self { low: [zero; 2], high: [zero; 2] }
    }

    /// Adds the groups whose number is `2 * HALF` or one more, modulo four.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add<const FITS: bool, const HALF: usize>(&mut self, codes: &[u8; TABLE_BLOCK], tables: &TableBlock) {
        let [low_0, high_0] = look_up(codes, tables, HALF);
        let [low_1, high_1] = look_up(codes, tables, HALF + 2);
        let [low_2, high_2] = look_up(codes, tables, HALF + 4);
        let [low_3, high_3] = look_up(codes, tables, HALF + 6);
        let low = [_mm256_add_epi8(low_0, low_1), _mm256_add_epi8(low_2, low_3)];
        let high = [_mm256_add_epi8(high_0, high_1), _mm256_add_epi8(high_2, high_3)];
        if FITS {
            accumulate(&mut self.low, _mm256_add_epi8(low[0], low[1]));
            accumulate(&mut self.high, _mm256_add_epi8(high[0], high[1]));
        } else {
            low.into_iter().for_each(|low| accumulate(&mut self.low, low));
            high.into_iter().for_each(|high| accumulate(&mut self.high, high));
        }
    }
}

/// The table entries of the low and of the high halves of the code bytes in one eighth of a block.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up(codes: &[u8; TABLE_BLOCK], tables: &TableBlock, eighth: usize) -> [__m256i; 2] {
    let (codes, table) = (load(&codes.as_chunks().0[eighth]), load(&tables.0.as_chunks().0[eighth]));
    let nibble = _mm256_set1_epi8(15);
    let low = _mm256_and_si256(codes, nibble);
    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
    [_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn accumulate(sums: &mut [__m256i; 2], bytes: __m256i) {
    sums[0] = _mm256_add_epi16(sums[0], bytes);
    sums[1] = _mm256_add_epi16(sums[1], _mm256_srli_epi16::<8>(bytes));
}

/// Adds the halves up, and puts the 16 slots in order.
#[inline]
#[target_feature(enable = "avx2")]
fn fold([both, odd]: [__m256i; 2]) -> __m256i {
    let even = _mm256_sub_epi16(both, _mm256_slli_epi16::<8>(odd));
    let (a, b) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
    _mm256_add_epi16(_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 readable bytes; no alignment is needed.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn dot_nibbles_present(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        *out = dot_nibble_row(halves, row);
    }
}

/// A pair of products of 4 and 8 bits is at most 2 x 15 x 127 = 3810, so that two pairs may be added in 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn dot_nibble_row(halves: &[i8], row: &[u8]) -> i32 {
    let (even, odd) = halves.split_at(halves.len() / 2);
    let nibble = _mm256_set1_epi8(15);
    let mut sums = _mm256_setzero_si256();
    let (blocks, rest) = row.as_chunks::<32>();
    let last = padded(rest);
    let blocks = blocks.iter().chain((!rest.is_empty()).then_some(&last));
    for (codes, (even, odd)) in blocks.zip(even.as_chunks().0.iter().zip(odd.as_chunks().0)) {
        let codes = load(codes);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
        let pairs = _mm256_add_epi16(
            _mm256_maddubs_epi16(_mm256_and_si256(codes, nibble), load_query(even)),
            _mm256_maddubs_epi16(high, load_query(odd)),
        );
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    fold_sums(sums)
}

/// The product of two signed bytes as that of a magnitude and a byte that took over its sign: a pair is at most
/// 2 x 128 x 127, which fits 16 bits. The query is never -128, whose sign could not change.
#[target_feature(enable = "avx2")]
fn dot_bytes_present(query: &[i8], row: &[u8]) -> i32 {
    let mut sums = _mm256_setzero_si256();
    let (blocks, rest) = row.as_chunks::<32>();
    let last = padded(rest);
    let blocks = blocks.iter().chain((!rest.is_empty()).then_some(&last));
    for (bytes, query) in blocks.zip(query.as_chunks().0) {
        let bytes = load(bytes);
        let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(bytes), _mm256_sign_epi8(load_query(query), bytes));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    fold_sums(sums)
}

/// A byte holds two components. As 32 bits it is spread so that each has 16 of them.
#[target_feature(enable = "avx2")]
fn dot_nibble_codes_present(query: &[i16], codes: &[u8]) -> i32 {
    let pair = _mm256_set1_epi32(0x000f_000f);
    let (queries, rest) = query.as_chunks::<16>();
    let mut sums = _mm256_setzero_si256();
    for (query, codes) in queries.iter().zip(codes.as_chunks::<8>().0) {
        let bytes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(*codes)));
        let spread = _mm256_and_si256(_mm256_or_si256(bytes, _mm256_slli_epi32::<12>(bytes)), pair);
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(spread, load_halfwords(query)));
    }
    let done = 8 * queries.len();
    fold_sums(sums) + scalar::dot_codes(rest, codes.get(done..).unwrap_or_default(), 4)
}

#[target_feature(enable = "avx2")]
fn dot_byte_codes_present(query: &[i16], codes: &[u8]) -> i32 {
    let (queries, rest) = query.as_chunks::<16>();
    let mut sums = _mm256_setzero_si256();
    for (query, codes) in queries.iter().zip(codes.as_chunks::<16>().0) {
        // SAFETY: 16 readable bytes; no alignment is needed.
        let codes = _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(codes.as_ptr().cast()) });
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(codes, load_halfwords(query)));
    }
    let done = 16 * queries.len();
    fold_sums(sums) + scalar::dot_codes(rest, codes.get(done..).unwrap_or_default(), 8)
}

/// Eight components are in one word, each shifted down in a lane of its own.
#[target_feature(enable = "avx2")]
fn dot_codes_present(query: &[i16], codes: &[u8], bits: u8) -> i32 {
    let (step, mask) = (i64::from(bits), _mm256_set1_epi64x((1 << bits) - 1));
    let low = _mm256_set_epi64x(3 * step, 2 * step, step, 0);
    let high = _mm256_add_epi64(low, _mm256_set1_epi64x(4 * step));
    let mut sums = _mm256_setzero_si256();
    for (i, query) in query.as_chunks::<8>().0.iter().enumerate() {
        let rest = codes.get(i * usize::from(bits)..).unwrap_or_default();
        let word = rest.first_chunk().copied().unwrap_or_else(|| scalar::padded(rest));
        let word = _mm256_set1_epi64x(i64::from_le_bytes(word));
        // SAFETY: 16 readable bytes; no alignment is needed.
        let query = unsafe { _mm_loadu_si128(query.as_ptr().cast()) };
        let first = _mm256_and_si256(_mm256_srlv_epi64(word, low), mask);
        let second = _mm256_and_si256(_mm256_srlv_epi64(word, high), mask);
        let first = _mm256_madd_epi16(first, _mm256_cvtepi16_epi64(query));
        let second = _mm256_madd_epi16(second, _mm256_cvtepi16_epi64(_mm_unpackhi_epi64(query, query)));
        sums = _mm256_add_epi32(sums, _mm256_add_epi32(first, second));
    }
    fold_sums(sums)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_halfwords(query: &[i16; 16]) -> __m256i {
    // SAFETY: 32 readable bytes; no alignment is needed.
    unsafe { _mm256_loadu_si256(query.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn fold_sums(sums: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_query(bytes: &[i8; 32]) -> __m256i {
    // SAFETY: 32 readable bytes; no alignment is needed.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// `rest`, which is shorter than a block, filled up with zeros.
#[inline]
fn padded(rest: &[u8]) -> [u8; 32] {
    let mut block = [0; 32];
    block[..rest.len()].copy_from_slice(rest);
    block
}

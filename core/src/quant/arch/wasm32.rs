//! WebAssembly's 128-bit vectors: one group of 16 slots is looked up at once.
//!
//! Compiled in when the module is built with `-C target-feature=+simd128`; there is no detection at run time, because
//! an engine without these instructions refuses the whole module. With `+relaxed-simd` tables are looked up by the
//! instruction of that set, with indices for which all engines must agree; its products of bytes are not used, because
//! V8 11.3 got them wrong. How sums are kept is told in [`crate::quant::tables`].
//!
//! Loops over registers are spelled out: built for size, a loop stays a loop, and keeps them in memory.

use std::arch::wasm32::*;

use crate::quant::{
    cell::{SLOTS, Tail},
    scalar,
    scan::{Candidate, Scan},
    tables::{CHUNK, TABLE_BLOCK, TableBlock, Tables},
};

pub(super) fn scan_cells(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    for cell in cells.chunks(stride.max(1)) {
        let Some((codes, tail)) = scalar::split(cell, scan.code_bytes) else { return };
        if scan.skips(tail.rows) {
            continue;
        }
        // Queries that do not fit are so rare that another kernel for them is not worth its bytes.
        let sums = if scan.tables.fits { sums(codes, scan.tables) } else { scalar::sums(codes, scan.tables) };
        let near = near(scan, tail, &sums);
        if near != 0 {
            scan.push_all(near, &sums, tail, out);
        }
    }
}

/// The slots that are within the bound, as bits; see [`scalar::estimate`].
#[inline(always)]
fn near(scan: &Scan<'_>, tail: Tail<'_>, sums: &[i32; SLOTS]) -> u32 {
    let mut near = 0;
    let halves = tail.offsets.as_chunks::<8>().0.iter().zip(tail.factors.as_chunks::<8>().0);
    for (i, (sums, (offsets, factors))) in sums.as_chunks::<4>().0.iter().zip(halves).enumerate() {
        let factors = widen(factors);
        let offset = f32x4_add(f32x4_splat(scan.base), f32x4_mul(f32x4_splat(scan.a_scale), widen(offsets)));
        let slope = f32x4_mul(f32x4_splat(scan.slope), factors);
        // SAFETY: 16 readable bytes; the load needs no alignment.
        let sums = f32x4_convert_i32x4(unsafe { v128_load(sums.as_ptr().cast()) });
        let estimate = f32x4_add(offset, f32x4_mul(slope, sums));
        let low = f32x4_sub(estimate, f32x4_mul(f32x4_splat(scan.margin), f32x4_abs(factors)));
        near |= u32::from(i32x4_bitmask(f32x4_le(low, f32x4_splat(scan.bound)))) << (4 * i);
    }
    near
}

/// Four finite halves as floats; see [`crate::metric::widen_half`].
#[inline(always)]
fn widen(halves: &[u8; 8]) -> v128 {
    // SAFETY: 8 readable bytes; the load needs no alignment.
    let extended = unsafe { i32x4_load_extend_i16x4(halves.as_ptr().cast()) };
    let shifted = v128_and(i32x4_shl(extended, 13), u32x4_splat(crate::metric::WIDENED_BITS));
    f32x4_mul(shifted, f32x4_splat(crate::metric::TWO_POW_112))
}

fn sums(codes: &[u8], tables: &Tables) -> [i32; SLOTS] {
    let mut sums = [0; SLOTS];
    for (codes, (blocks, bias)) in codes.chunks(CHUNK).zip(tables.chunks()) {
        let mut of_chunk = Sums::zero();
        let (whole, rest) = codes.as_chunks::<TABLE_BLOCK>();
        for (codes, table) in whole.iter().zip(blocks) {
            of_chunk.add(codes, table);
        }
        if let Some(table) = blocks.get(whole.len()) {
            of_chunk.add(&scalar::padded(rest), table);
        }
        let (low, high) = sums.split_at_mut(SLOTS / 2);
        of_chunk.0.add_to(low, bias);
        of_chunk.1.add_to(high, bias);
    }
    sums
}

/// The sums of the low halves of the code bytes, and of the high ones.
struct Sums(Half, Half);

/// The sums of even slots plus 2^8 times those of their odd neighbours, and the sums of odd slots.
struct Half {
    both: v128,
    odd: v128,
}

impl Sums {
    #[inline(always)]
    fn zero() -> Self {
        let zero = || Half { both: i16x8_splat(0), odd: i16x8_splat(0) };
        Self(zero(), zero())
    }

    #[inline(always)]
    fn add(&mut self, codes: &[u8; TABLE_BLOCK], tables: &TableBlock) {
        for quarter in 0..4 {
            self.add_quarter(quarter, codes, tables);
        }
    }

    /// The four groups whose numbers are `q` modulo four.
    #[inline(always)]
    fn add_quarter(&mut self, q: usize, codes: &[u8; TABLE_BLOCK], tables: &TableBlock) {
        let (codes, tables) = (codes.as_chunks::<16>().0, tables.0.as_chunks::<16>().0);
        let (low_0, high_0) = look_up(&codes[q], &tables[q]);
        let (low_1, high_1) = look_up(&codes[q + 4], &tables[q + 4]);
        let (low_2, high_2) = look_up(&codes[q + 8], &tables[q + 8]);
        let (low_3, high_3) = look_up(&codes[q + 12], &tables[q + 12]);
        self.0.add(i8x16_add(low_0, low_1), i8x16_add(low_2, low_3));
        self.1.add(i8x16_add(high_0, high_1), i8x16_add(high_2, high_3));
    }
}

impl Half {
    #[inline(always)]
    fn add(&mut self, first: v128, second: v128) {
        let bytes = i8x16_add(first, second);
        self.both = i16x8_add(self.both, bytes);
        self.odd = i16x8_add(self.odd, u16x8_shr(bytes, 8));
    }

    /// Adds the sums of 16 slots less `bias`.
    #[inline(always)]
    fn add_to(self, sums: &mut [i32], bias: i16) {
        let bias = i16x8_splat(bias);
        let even = i16x8_sub(i16x8_sub(self.both, i16x8_shl(self.odd, 8)), bias);
        let odd = i16x8_sub(self.odd, bias);
        let low = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(even, odd);
        let high = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(even, odd);
        if let [a, b, c, d] = sums.as_chunks_mut::<4>().0 {
            add_four(a, i32x4_extend_low_i16x8(low));
            add_four(b, i32x4_extend_high_i16x8(low));
            add_four(c, i32x4_extend_low_i16x8(high));
            add_four(d, i32x4_extend_high_i16x8(high));
        }
    }
}

#[inline(always)]
fn add_four(sums: &mut [i32; 4], more: v128) {
    let at: *mut v128 = sums.as_mut_ptr().cast();
    // SAFETY: four integers are the 16 bytes of one register; no alignment is needed.
    unsafe { v128_store(at, i32x4_add(v128_load(at), more)) }
}

/// The table entries of the low and of the high halves of the code bytes.
#[inline(always)]
fn look_up(codes: &[u8; 16], table: &[u8; 16]) -> (v128, v128) {
    let (codes, table) = (load(codes), load(table));
    (
        swizzle(table, v128_and(codes, u8x16_splat(15))),
        swizzle(table, v128_and(u16x8_shr(codes, 4), u8x16_splat(15))),
    )
}

#[cfg(not(target_feature = "relaxed-simd"))]
use i8x16_swizzle as swizzle;

/// The same for all engines, because no index is larger than 15.
#[cfg(target_feature = "relaxed-simd")]
use i8x16_relaxed_swizzle as swizzle;

pub(super) fn dot_nibbles(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    let (even, odd) = halves.split_at(halves.len() / 2);
    for (row, out) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        let mut sums = i32x4_splat(0);
        let (blocks, rest) = row.as_chunks::<16>();
        let last = scalar::padded(rest);
        let queries = even.as_chunks::<16>().0.iter().zip(odd.as_chunks::<16>().0);
        for (codes, (even, odd)) in blocks.iter().chain([&last]).zip(queries) {
            let codes = load(codes);
            sums = add_products(sums, load_query(even), v128_and(codes, u8x16_splat(15)));
            sums = add_products(sums, load_query(odd), u8x16_shr(codes, 4));
        }
        *out = fold(sums);
    }
}

/// Adds the products of signed bytes and numbers up to 15: two of them, at most 3810, fit 16 bits.
#[inline(always)]
fn add_products(sums: v128, query: v128, codes: v128) -> v128 {
    let low = i16x8_extmul_low_i8x16(query, codes);
    let products = i16x8_add(low, i16x8_extmul_high_i8x16(query, codes));
    i32x4_add(sums, i32x4_extadd_pairwise_i16x8(products))
}

pub(super) fn dot_bytes(query: &[i8], row: &[u8]) -> i32 {
    let mut sums = i32x4_splat(0);
    let (blocks, rest) = row.as_chunks::<16>();
    let last = scalar::padded(rest);
    for (bytes, query) in blocks.iter().chain([&last]).zip(query.as_chunks::<16>().0) {
        let (bytes, query) = (load(bytes), load_query(query));
        let low = i32x4_dot_i16x8(i16x8_extend_low_i8x16(bytes), i16x8_extend_low_i8x16(query));
        let high = i32x4_dot_i16x8(i16x8_extend_high_i8x16(bytes), i16x8_extend_high_i8x16(query));
        sums = i32x4_add(sums, i32x4_add(low, high));
    }
    fold(sums)
}

fn fold(sums: v128) -> i32 {
    let two = i32x4_add(sums, i32x4_shuffle::<2, 3, 0, 1>(sums, sums));
    i32x4_extract_lane::<0>(two).wrapping_add(i32x4_extract_lane::<1>(two))
}

#[inline(always)]
fn load(bytes: &[u8; 16]) -> v128 {
    // SAFETY: 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(bytes.as_ptr().cast()) }
}

#[inline(always)]
fn load_query(bytes: &[i8; 16]) -> v128 {
    // SAFETY: 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(bytes.as_ptr().cast()) }
}

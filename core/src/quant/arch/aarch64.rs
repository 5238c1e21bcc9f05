//! NEON, which every processor of this kind has: one group of 16 slots is looked up at once.
//!
//! How sums are kept is told in [`crate::quant::tables`]. Only what every ARMv8 has is used: instructions for products
//! of bytes are not.

use std::arch::aarch64::*;

use crate::quant::{
    cell::{SLOTS, Tail},
    scalar,
    scan::{Candidate, Scan},
    tables::{CHUNK, TABLE_BLOCK, TableBlock, Tables},
};

pub(super) fn scan_cells(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    // SAFETY: this module is compiled only where all code may use these instructions.
    unsafe { scan_cells_present(scan, cells, stride, out) }
}

pub(super) fn dot_nibbles(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    // SAFETY: this module is compiled only where all code may use these instructions.
    unsafe { dot_nibbles_present(halves, rows, row_bytes, out) }
}

pub(super) fn dot_bytes(query: &[i8], row: &[u8]) -> i32 {
    // SAFETY: this module is compiled only where all code may use these instructions.
    unsafe { dot_bytes_present(query, row) }
}

pub(super) fn dot_byte_codes(query: &[i16], codes: &[u8], _: u8) -> i32 {
    // SAFETY: this module is compiled only where all code may use these instructions.
    unsafe { dot_byte_codes_present(query, codes) }
}

pub(super) fn dot_nibble_codes(query: &[i16], codes: &[u8], _: u8) -> i32 {
    // SAFETY: this module is compiled only where all code may use these instructions.
    unsafe { dot_nibble_codes_present(query, codes) }
}

#[target_feature(enable = "neon")]
fn scan_cells_present(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    for cell in cells.chunks(stride.max(1)) {
        let Some((codes, tail)) = scalar::split(cell, scan.code_bytes) else { return };
        if scan.skips(tail.rows) {
            continue;
        }
        let sums = if scan.tables.fits {
            sums::<true>(codes, scan.tables)
        } else {
            sums::<false>(codes, scan.tables)
        };
        let near = near(scan, tail, &sums);
        if near != 0 {
            scan.push_all(near, &sums, tail, out);
        }
    }
}

/// The slots that are within the bound, as bits; see [`scalar::estimate`].
#[inline]
#[target_feature(enable = "neon")]
fn near(scan: &Scan<'_>, tail: Tail<'_>, sums: &[i32; SLOTS]) -> u32 {
    let mut near = 0;
    let halves = tail.offsets.as_chunks::<8>().0.iter().zip(tail.factors.as_chunks::<8>().0);
    for (i, (sums, (offsets, factors))) in sums.as_chunks::<4>().0.iter().zip(halves).enumerate() {
        let factors = widen(factors);
        let offset = vmulq_f32(vdupq_n_f32(scan.a_scale), widen(offsets));
        let offset = vaddq_f32(vdupq_n_f32(scan.base), offset);
        let slope = vmulq_f32(vdupq_n_f32(scan.slope), factors);
        // SAFETY: 16 readable bytes; no alignment is needed.
        let sums = vcvtq_f32_s32(unsafe { vld1q_s32(sums.as_ptr()) });
        let estimate = vaddq_f32(offset, vmulq_f32(slope, sums));
        let low = vsubq_f32(estimate, vmulq_f32(vdupq_n_f32(scan.margin), vabsq_f32(factors)));
        let within = vcleq_f32(low, vdupq_n_f32(scan.bound));
        let bits = vandq_u32(within, vcombine_u32(vcreate_u32(0x2_0000_0001), vcreate_u32(0x8_0000_0004)));
        near |= vaddvq_u32(bits) << (4 * i);
    }
    near
}

/// Four finite halves as floats; see [`crate::metric::widen_half`].
#[inline]
#[target_feature(enable = "neon")]
fn widen(halves: &[u8; 8]) -> float32x4_t {
    let halves = vcreate_s16(u64::from_le_bytes(*halves));
    let extended = vreinterpretq_u32_s32(vshlq_n_s32::<13>(vmovl_s16(halves)));
    let shifted = vandq_u32(extended, vdupq_n_u32(crate::metric::WIDENED_BITS));
    vmulq_f32(vreinterpretq_f32_u32(shifted), vdupq_n_f32(crate::metric::TWO_POW_112))
}

#[inline]
#[target_feature(enable = "neon")]
fn sums<const FITS: bool>(codes: &[u8], tables: &Tables) -> [i32; SLOTS] {
    let mut sums = [0; SLOTS];
    for (codes, (blocks, bias)) in codes.chunks(CHUNK).zip(tables.chunks()) {
        let mut of_chunk = [vdupq_n_u16(0); 4];
        let (whole, rest) = codes.as_chunks::<TABLE_BLOCK>();
        for (codes, table) in whole.iter().zip(blocks) {
            add_block::<FITS>(&mut of_chunk, codes, table);
        }
        if let Some(table) = blocks.get(whole.len()) {
            add_block::<FITS>(&mut of_chunk, &scalar::padded(rest), table);
        }
        for (eight, of_chunk) in sums.as_chunks_mut::<8>().0.iter_mut().zip(of_chunk) {
            add_to(eight, vreinterpretq_s16_u16(vsubq_u16(of_chunk, vdupq_n_u16(bias.cast_unsigned()))));
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "neon")]
fn add_to(sums: &mut [i32; 8], more: int16x8_t) {
    let (low, high) = sums.split_at_mut(4);
    // SAFETY: each half is four integers, the 16 bytes of one register; no alignment is needed.
    unsafe {
        vst1q_s32(low.as_mut_ptr(), vaddw_s16(vld1q_s32(low.as_ptr()), vget_low_s16(more)));
        vst1q_s32(high.as_mut_ptr(), vaddw_high_s16(vld1q_s32(high.as_ptr()), more));
    }
}

/// Adds 16 groups to the sums of slots 0 to 7, 8 to 15, 16 to 23 and 24 to 31.
#[inline]
#[target_feature(enable = "neon")]
fn add_block<const FITS: bool>(sums: &mut [uint16x8_t; 4], codes: &[u8; TABLE_BLOCK], tables: &TableBlock) {
    let (codes, tables) = (codes.as_chunks::<16>().0, tables.0.as_chunks::<16>().0);
    for q in 0..4 {
        let [low_0, high_0] = look_up(&codes[q], &tables[q]);
        let [low_1, high_1] = look_up(&codes[q + 4], &tables[q + 4]);
        let [low_2, high_2] = look_up(&codes[q + 8], &tables[q + 8]);
        let [low_3, high_3] = look_up(&codes[q + 12], &tables[q + 12]);
        let [low, high] = [[low_0, low_1, low_2, low_3], [high_0, high_1, high_2, high_3]]
            .map(|[a, b, c, d]| [vaddq_u8(a, b), vaddq_u8(c, d)]);
        if FITS {
            add_bytes(sums, vaddq_u8(low[0], low[1]), vaddq_u8(high[0], high[1]));
        } else {
            add_bytes(sums, low[0], high[0]);
            add_bytes(sums, low[1], high[1]);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn add_bytes(sums: &mut [uint16x8_t; 4], low: uint8x16_t, high: uint8x16_t) {
    sums[0] = vaddw_u8(sums[0], vget_low_u8(low));
    sums[1] = vaddw_high_u8(sums[1], low);
    sums[2] = vaddw_u8(sums[2], vget_low_u8(high));
    sums[3] = vaddw_high_u8(sums[3], high);
}

/// The table entries of the low and of the high halves of the code bytes.
#[inline]
#[target_feature(enable = "neon")]
fn look_up(codes: &[u8; 16], table: &[u8; 16]) -> [uint8x16_t; 2] {
    let (codes, table) = (load(codes), load(table));
    let low = vqtbl1q_u8(table, vandq_u8(codes, vdupq_n_u8(15)));
    [low, vqtbl1q_u8(table, vshrq_n_u8::<4>(codes))]
}

/// Two products of 4 and 8 bits, and two more, are at most 7620, which fits 16 bits.
#[target_feature(enable = "neon")]
fn dot_nibbles_present(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    let (even, odd) = halves.split_at(halves.len() / 2);
    for (row, out) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        let mut sums = vdupq_n_s32(0);
        let (blocks, rest) = row.as_chunks::<16>();
        let last = scalar::padded(rest);
        let queries = even.as_chunks::<16>().0.iter().zip(odd.as_chunks::<16>().0);
        for (codes, (even, odd)) in blocks.iter().chain([&last]).zip(queries) {
            let codes = load(codes);
            let low = vreinterpretq_s8_u8(vandq_u8(codes, vdupq_n_u8(15)));
            let high = vreinterpretq_s8_u8(vshrq_n_u8::<4>(codes));
            let (even, odd) = (load_query(even), load_query(odd));
            let pairs = vmull_s8(vget_low_s8(low), vget_low_s8(even));
            let pairs = vmlal_high_s8(pairs, low, even);
            let pairs = vmlal_s8(pairs, vget_low_s8(high), vget_low_s8(odd));
            sums = vpadalq_s16(sums, vmlal_high_s8(pairs, high, odd));
        }
        *out = vaddvq_s32(sums);
    }
}

/// Two products of a byte and of one from -127 to 127 are at most 2 x 128 x 127, which fits 16 bits.
#[target_feature(enable = "neon")]
fn dot_bytes_present(query: &[i8], row: &[u8]) -> i32 {
    let mut sums = vdupq_n_s32(0);
    let (blocks, rest) = row.as_chunks::<16>();
    let last = scalar::padded(rest);
    for (bytes, query) in blocks.iter().chain([&last]).zip(query.as_chunks::<16>().0) {
        let (bytes, query) = (vreinterpretq_s8_u8(load(bytes)), load_query(query));
        let pairs = vmull_s8(vget_low_s8(bytes), vget_low_s8(query));
        sums = vpadalq_s16(sums, vmlal_high_s8(pairs, bytes, query));
    }
    vaddvq_s32(sums)
}

#[target_feature(enable = "neon")]
fn dot_byte_codes_present(query: &[i16], codes: &[u8]) -> i32 {
    let mut sums = vdupq_n_s32(0);
    for (codes, query) in codes.as_chunks::<8>().0.iter().zip(query.as_chunks::<8>().0) {
        let codes = vreinterpretq_s16_u16(vmovl_u8(vcreate_u8(u64::from_le_bytes(*codes))));
        sums = add_products(sums, codes, query);
    }
    vaddvq_s32(sums)
}

/// A byte holds two components: their low and high halves, side by side.
#[target_feature(enable = "neon")]
fn dot_nibble_codes_present(query: &[i16], codes: &[u8]) -> i32 {
    let mut sums = vdupq_n_s32(0);
    for (codes, query) in codes.as_chunks::<4>().0.iter().zip(query.as_chunks::<8>().0) {
        let codes = vcreate_u8(u64::from(u32::from_le_bytes(*codes)));
        let both = vzip1_u8(vand_u8(codes, vdup_n_u8(15)), vshr_n_u8::<4>(codes));
        sums = add_products(sums, vreinterpretq_s16_u16(vmovl_u8(both)), query);
    }
    vaddvq_s32(sums)
}

#[inline]
#[target_feature(enable = "neon")]
fn add_products(sums: int32x4_t, codes: int16x8_t, query: &[i16; 8]) -> int32x4_t {
    // SAFETY: 16 readable bytes; no alignment is needed.
    let query = unsafe { vld1q_s16(query.as_ptr()) };
    let sums = vmlal_s16(sums, vget_low_s16(codes), vget_low_s16(query));
    vmlal_high_s16(sums, codes, query)
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: 16 readable bytes; no alignment is needed.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_query(bytes: &[i8; 16]) -> int8x16_t {
    // SAFETY: 16 readable bytes; no alignment is needed.
    unsafe { vld1q_s8(bytes.as_ptr()) }
}

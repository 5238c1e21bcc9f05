//! The reference kernels, in plain Rust: they define the results that every other kernel must produce.
//!
//! Use these where no kernel of [`super::arch`] fits the processor, and as the oracle of tests.

use super::{
    cell::{GROUP_BYTES, SLOTS, Tail},
    scan::{Candidate, Scan},
    tables::{CHUNK, Tables},
};
use crate::metric::widen_half;

/// Scans cells that stand `stride` bytes apart; see [`super::SignQuery::scan_cells`].
pub(super) fn scan_cells(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>) {
    for cell in cells.chunks(stride.max(1)) {
        let Some((codes, tail)) = split(cell, scan.code_bytes) else { return };
        if scan.skips(tail.rows) {
            continue;
        }
        let sums = sums(codes, scan.tables);
        let near = |j: usize| u32::from(estimate(scan, tail, j, sums[j]).1 <= scan.bound) << j;
        scan.push_all((0..SLOTS).fold(0, |all, j| all | near(j)), &sums, tail, out);
    }
}

/// The codes of a cell and what stands behind them, if it is long enough.
#[inline(always)]
pub(super) fn split(cell: &[u8], code_bytes: usize) -> Option<(&[u8], Tail<'_>)> {
    let (codes, tail) = cell.split_at_checked(code_bytes)?;
    Some((codes, Tail::of(tail)?))
}

/// The sum of each slot's table entries, less the bias.
pub(super) fn sums(codes: &[u8], tables: &Tables) -> [i32; SLOTS] {
    let mut sums = [0; SLOTS];
    for (codes, (blocks, bias)) in codes.chunks(CHUNK).zip(tables.chunks()) {
        let tables = blocks.iter().flat_map(|block| block.0.as_chunks::<GROUP_BYTES>().0);
        for (codes, table) in codes.as_chunks::<GROUP_BYTES>().0.iter().zip(tables) {
            for (j, code) in codes.iter().enumerate() {
                sums[j] += i32::from(table[usize::from(code & 15)]);
                sums[j + GROUP_BYTES] += i32::from(table[usize::from(code >> 4)]);
            }
        }
        sums.iter_mut().for_each(|sum| *sum -= i32::from(bias));
    }
    sums
}

/// `rest`, which is shorter than a block, filled up with zeros.
#[inline]
pub(super) fn padded<const N: usize>(rest: &[u8]) -> [u8; N] {
    let mut block = [0; N];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    block
}

/// The estimate of slot `j`, and the same less its margin. This order of operations holds for all kernels.
#[inline]
pub(super) fn estimate(scan: &Scan<'_>, tail: Tail<'_>, j: usize, sum: i32) -> (f32, f32) {
    let half = |halves: &[u8; 2 * SLOTS]| widen_half(u16::from_le_bytes(halves.as_chunks::<2>().0[j]));
    let factor = half(tail.factors);
    let offset = scan.base + scan.a_scale * half(tail.offsets);
    let estimate = offset + scan.slope * factor * sum as f32;
    (estimate, estimate - scan.margin * factor.abs())
}

/// The contract of [`super::arch::DotNibbles`].
pub(super) fn dot_nibbles(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]) {
    let (even, odd) = halves.split_at(halves.len() / 2);
    for (row, out) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        let terms = row.iter().zip(even.iter().zip(odd));
        *out = terms
            .map(|(u, (&even, &odd))| {
                i32::from(u & 15) * i32::from(even) + i32::from(u >> 4) * i32::from(odd)
            })
            .sum();
    }
}

/// The contract of [`super::arch::DotBytes`].
pub(super) fn dot_bytes(query: &[i8], row: &[u8]) -> i32 {
    query.iter().zip(row).map(|(&y, &b)| i32::from(y) * i32::from(b.cast_signed())).sum()
}

/// The contract of [`super::arch::DotCodes`].
pub(super) fn dot_codes(query: &[i16], codes: &[u8], bits: u8) -> i32 {
    let eights = query.as_chunks::<8>().0.iter().zip(codes.chunks_exact(usize::from(bits)));
    let sum_of_eight = |(query, bytes): (&[i16; 8], &[u8])| {
        let word = u64::from_le_bytes(padded(bytes));
        let u = |i: usize| (word >> (i * usize::from(bits))) as i32 & ((1 << bits) - 1);
        query.iter().enumerate().map(|(i, &y)| u(i) * i32::from(y)).sum::<i32>()
    };
    eights.map(sum_of_eight).fold(0, i32::wrapping_add)
}

//! Kernels for particular processors, and the choice among them.
//!
//! The choice is made once, at the first use. Every kernel gives the results of [`super::scalar`]; a kernel is added
//! here together with a test against it.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod aarch64;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use super::{
    scalar,
    scan::{Candidate, Scan},
};

/// Scans cells that stand a stride apart; see [`super::SignQuery::scan_cells`].
pub(super) type ScanCells = fn(scan: &Scan<'_>, cells: &[u8], stride: usize, out: &mut Vec<Candidate>);

/// Writes for each of the rows, which lie one after another, the sum of its numbers of four bits times the query: of the
/// low ones times the first half of `halves`, of the high ones times the second. Both halves are filled up with zeros
/// to whole registers.
pub(super) type DotNibbles = fn(halves: &[i8], rows: &[u8], row_bytes: usize, out: &mut [i32]);

/// The product of a query from -127 to 127, filled up with zeros to whole registers, and a row of signed bytes, which is
/// no longer.
pub(super) type DotBytes = fn(query: &[i8], row: &[u8]) -> i32;

/// The sum of a query times components of some bits, packed from the lowest bits up: eight to as many bytes as bits.
pub(super) type DotCodes = fn(query: &[i16], codes: &[u8], bits: u8) -> i32;

/// An instruction set that this processor has. Only [`Level::all`] makes one, after looking: kernels rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(test),
    allow(dead_code, reason = "where vectors are a given, the reference serves tests alone")
)]
enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Level {
    /// The fastest one.
    #[inline]
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if x86_64::avx512::is_present() {
            return Self(Set::Avx512);
        } else if x86_64::avx2::is_present() {
            return Self(Set::Avx2);
        }
        // Part of every processor of its kind.
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        return Self(Set::Neon);
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Self(Set::Simd128);
        #[cfg(not(any(
            all(target_arch = "aarch64", target_feature = "neon"),
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        Self(Set::Scalar)
    }

    /// All of them, the reference first.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self(Set::Scalar)];
        #[cfg(target_arch = "x86_64")]
        all.extend(x86_64::avx2::is_present().then_some(Self(Set::Avx2)));
        all.extend((Self::best() != all[all.len() - 1]).then(Self::best));
        all
    }

    const fn name(self) -> &'static str {
        match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Set::Neon => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Set::Simd128 => "simd128",
        }
    }
}

/// The name of the instruction set that codes are scanned with: `avx512`, `avx2`, `neon`, `simd128` or `scalar`.
pub fn kernel_name() -> &'static str {
    Level::best().name()
}

/// Runs `work`, plain Rust, compiled for the widest registers that this processor has: the compiler turns its loops
/// into their instructions, with the same results. Worth it for work of a microsecond.
#[inline(always)]
pub(super) fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if x86_64::avx2::is_present() {
        return x86_64::avx2::wide(work);
    }
    work()
}

/// Asks for `bytes` to be brought to the processor, for who will read them in a while. Does nothing where there is no
/// such instruction.
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    bytes.chunks(64).for_each(x86_64::prefetch);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// The scan of sign codes.
pub(super) fn scan_cells(level: Level) -> ScanCells {
    match level.0 {
        Set::Scalar => scalar::scan_cells,
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => x86_64::avx2::scan_cells,
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => x86_64::avx512::scan_cells,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        Set::Neon => aarch64::scan_cells,
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Set::Simd128 => wasm32::scan_cells,
    }
}

/// The products with rows of four bits a component.
pub(super) fn dot_nibbles(level: Level) -> DotNibbles {
    match level.0 {
        Set::Scalar => scalar::dot_nibbles,
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => x86_64::avx2::dot_nibbles,
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => x86_64::avx512::dot_nibbles,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        Set::Neon => aarch64::dot_nibbles,
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Set::Simd128 => wasm32::dot_nibbles,
    }
}

/// The product with a row of bytes.
pub(super) fn dot_bytes(level: Level) -> DotBytes {
    match level.0 {
        Set::Scalar => scalar::dot_bytes,
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => x86_64::avx2::dot_bytes,
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => x86_64::avx512::dot_bytes,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        Set::Neon => aarch64::dot_bytes,
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Set::Simd128 => wasm32::dot_bytes,
    }
}

/// The product with components of `bits` bits.
pub(super) fn dot_codes(level: Level, bits: u8) -> DotCodes {
    match (level.0, bits) {
        #[cfg(target_arch = "x86_64")]
        (Set::Avx2 | Set::Avx512, 4) => x86_64::avx2::dot_nibble_codes,
        #[cfg(target_arch = "x86_64")]
        (Set::Avx2 | Set::Avx512, 8) => x86_64::avx2::dot_byte_codes,
        #[cfg(target_arch = "x86_64")]
        (Set::Avx2 | Set::Avx512, _) => x86_64::avx2::dot_codes,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        (Set::Neon, 4) => aarch64::dot_nibble_codes,
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        (Set::Neon, 8) => aarch64::dot_byte_codes,
        // In wasm too: codes of several bits are read for a few rows of files without vectors, and two kernels are a
        // kilobyte.
        _ => scalar::dot_codes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::{Frame, Mask, SignQuery, cell_bytes, code_dimension, testing::Noise};

    const DIMENSIONS: [usize; 8] = [384, 768, 1024, 1536, 2048, 2056, 4096, 9000];

    /// A cell of random codes, of factors of any magnitude, with some empty slots.
    fn cell(noise: &mut Noise, dimension: usize, out: &mut Vec<u8>) {
        let codes = cell_bytes(dimension) - 256;
        out.extend(noise.bytes(codes));
        out.extend((0..64).flat_map(|_| noise.half().to_le_bytes()));
        out.extend(
            (0..32_u32)
                .flat_map(|j| if noise.next().is_multiple_of(7) { u32::MAX } else { j * 13 }.to_le_bytes()),
        );
    }

    fn bits(candidates: &[Candidate]) -> Vec<(u32, u32, u32)> {
        candidates.iter().map(|c| (c.low.to_bits(), c.estimate.to_bits(), c.row)).collect()
    }

    /// Every level finds the candidates of the reference, with the same bits, in cells at odd addresses.
    fn same_candidates(noise: &mut Noise, query: &[f32], cells: &[u8], stride: usize, spread: i32) {
        let frame = Frame {
            base: noise.wide(spread),
            a_scale: 2.0_f32.powi(-3),
            f_scale: 2.0_f32.powi(-9),
            margin: noise.unit().abs(),
        };
        let mask: Vec<u64> = (0..6).map(|_| noise.next() & noise.next()).collect();
        let masked = |sparse| Some(Mask { bits: &mask, sparse });
        for mask in [None, masked(false), masked(true)] {
            for bound in [f32::INFINITY, frame.base] {
                let found = Level::all().into_iter().map(|level| {
                    let mut out = Vec::new();
                    let query = SignQuery::with_level(query, level);
                    query.scan_cells(cells, stride, &frame, mask, bound, &mut out);
                    bits(&out)
                });
                let found: Vec<_> = found.collect();
                found.iter().for_each(|bits| assert_eq!(*bits, found[0], "dimension {}", query.len()));
            }
        }
    }

    #[test]
    fn all_levels_find_the_same_candidates_in_every_dimension() {
        let mut noise = Noise::new(3);
        for dimension in (0..=300).chain(DIMENSIONS) {
            for spread in [1, 40] {
                let stride = cell_bytes(dimension) + 8;
                let mut cells = vec![0];
                for _ in 0..3 {
                    cell(&mut noise, dimension, &mut cells);
                    cells.extend([0xff; 8]);
                }
                let query: Vec<f32> = (0..code_dimension(dimension)).map(|_| noise.wide(spread)).collect();
                same_candidates(&mut noise, &query, &cells[1..], stride, spread);
            }
        }
    }

    #[test]
    fn denormal_and_zero_queries_scan_alike() {
        let mut noise = Noise::new(5);
        for scale in [0.0, f32::from_bits(1), f32::from_bits(20), f32::MIN_POSITIVE, 1e37] {
            let mut cells = Vec::new();
            cell(&mut noise, 72, &mut cells);
            let query: Vec<f32> = (0..72).map(|_| noise.unit() * scale).collect();
            same_candidates(&mut noise, &query, &cells, cells.len(), 1);
        }
    }

    /// All components at their largest, all signs set or none: the sums that come nearest to an overflow.
    #[test]
    fn the_largest_sums_do_not_overflow() {
        for dimension in [8, 384, 2048, 4096, 16384] {
            for sign in [1.0, -1.0] {
                let query = vec![sign; dimension];
                for code in [0x00, 0xff] {
                    let mut cell = vec![code; cell_bytes(dimension)];
                    let tail = dimension * 4;
                    // A is 0, F is 1, rows are 0.
                    cell[tail..tail + 64].fill(0);
                    cell[tail + 64..tail + 128].copy_from_slice(&[0x00, 0x3c].repeat(32));
                    cell[tail + 128..].fill(0);
                    let want = if (code == 0) == (sign > 0.0) { -1.0 } else { 1.0 } * dimension as f32;
                    for level in Level::all() {
                        let (mut out, frame) =
                            (Vec::new(), Frame { base: 0.0, a_scale: 1.0, f_scale: 15.0, margin: 0.0 });
                        let query = SignQuery::with_level(&query, level);
                        query.scan_cells(&cell, cell.len(), &frame, None, f32::INFINITY, &mut out);
                        assert_eq!(out.len(), 32);
                        for candidate in out {
                            assert!((candidate.estimate / 15.0 / want - 1.0).abs() < 1e-6, "{level:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn all_levels_give_the_same_products_with_codes() {
        let mut noise = Noise::new(11);
        for dimension in (0..=320).step_by(8).chain(DIMENSIONS) {
            for bits in 2..=8 {
                let limit = 8_000_000 / dimension.max(1) as i32;
                let query: Vec<i16> =
                    (0..dimension).map(|_| (noise.unit() * limit.min(32767) as f32) as i16).collect();
                let codes = noise.bytes(dimension / 8 * usize::from(bits));
                let want = scalar::dot_codes(&query, &codes, bits);
                for level in Level::all() {
                    assert_eq!(
                        dot_codes(level, bits)(&query, &codes, bits),
                        want,
                        "{level:?}, {dimension} x {bits}"
                    );
                }
            }
        }
    }

    #[test]
    fn all_levels_give_the_same_products() {
        let mut noise = Noise::new(7);
        for dimension in (0..=300).chain(DIMENSIONS) {
            let mut query: Vec<i8> = (0..dimension).map(|_| noise.byte().cast_signed().max(-127)).collect();
            if dimension % 5 == 0 {
                query.fill(127);
            }
            query.resize(dimension.next_multiple_of(128), 0);
            let row = if dimension % 5 == 0 { vec![0x80; dimension] } else { noise.bytes(dimension) };
            let row_bytes = dimension / 2;
            let rows =
                if dimension % 5 == 0 { vec![0xff; 7 * row_bytes] } else { noise.bytes(7 * row_bytes) };
            let (mut want, mut got) = ([0; 7], [0; 7]);
            scalar::dot_nibbles(&query, &rows, row_bytes, &mut want);
            for level in Level::all() {
                assert_eq!(dot_bytes(level)(&query, &row), scalar::dot_bytes(&query, &row));
                dot_nibbles(level)(&query, &rows, row_bytes, &mut got);
                assert_eq!(got, want, "{level:?}, dimension {dimension}");
            }
        }
    }
}

//! Kernels for particular processors, and the choice among them.
//!
//! The choice is made once, at the first use. Every kernel gives the bits of [`super::scalar`]; a kernel is added here
//! together with a test against it.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::sync::OnceLock;

use super::scalar;

/// A kernel with the contract of [`scalar::sum_rows`].
pub(super) type SumRows = fn(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]);

/// The kernels of one instruction set, by what they sum and by the encoding of the rows.
#[derive(Debug)]
pub(super) struct Kernels {
    name: &'static str,
    pub(super) dot_f32: SumRows,
    pub(super) dot_f16: SumRows,
    pub(super) l2_f32: SumRows,
    pub(super) l2_f16: SumRows,
    pub(super) dot_i8: SumRows,
    pub(super) l2_i8: SumRows,
}

static SCALAR: Kernels = Kernels {
    name: "scalar",
    dot_f32: scalar::sum_rows::<false, false>,
    dot_f16: scalar::sum_rows::<true, false>,
    l2_f32: scalar::sum_rows::<false, true>,
    l2_f16: scalar::sum_rows::<true, true>,
    dot_i8: scalar::sum_rows_i8::<false>,
    l2_i8: scalar::sum_rows_i8::<true>,
};

/// The name of the instruction set that distances are computed with: `avx2`, `simd128` or `scalar`.
pub fn kernel_name() -> &'static str {
    kernels().name
}

/// The kernels chosen for this processor.
pub(super) fn kernels() -> &'static Kernels {
    static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
    CHOSEN.get_or_init(|| native().unwrap_or(&SCALAR))
}

#[cfg(target_arch = "x86_64")]
fn native() -> Option<&'static Kernels> {
    x86_64::kernels()
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn native() -> Option<&'static Kernels> {
    Some(&wasm32::KERNELS)
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
fn native() -> Option<&'static Kernels> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Encoding;

    struct XorShift(u64);

    impl XorShift {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        /// A finite half float of any magnitude, subnormals and zeros included.
        fn half(&mut self) -> u16 {
            let bits = self.next() as u16;
            if bits & 0x7c00 == 0x7c00 { bits & 0x83ff } else { bits }
        }

        /// A float with an exponent from 2^-`spread` to 2^`spread`.
        fn float(&mut self, spread: i32) -> f32 {
            let exponent = (self.next() % (2 * spread as u64 + 1)) as i32 - spread;
            let unit = (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0;
            unit * 2.0_f32.powi(exponent)
        }
    }

    fn assert_same_bits(kernel: SumRows, oracle: SumRows, query: &[f32], rows: &[u8], row_bytes: usize) {
        let count = rows.len() / row_bytes;
        let (mut got, mut want) = (vec![9.0; count], vec![9.0; count]);
        kernel(query, rows, row_bytes, &mut got);
        oracle(query, rows, row_bytes, &mut want);
        let bits = |sums: &[f32]| sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&got), bits(&want), "rows of {row_bytes} bytes, query of {}", query.len());
    }

    /// Dimensions 1 to 300, 1 to 7 rows, at odd addresses.
    fn sweep(seed: u64, spread: i32) {
        let (mut random, kernels) = (XorShift(seed), kernels());
        for dimension in 1..=300_usize {
            let mut query: Vec<f32> = (0..dimension).map(|_| random.float(spread)).collect();
            query.resize(dimension.next_multiple_of(scalar::LANES), 0.0);
            let count = 1 + dimension % 7;
            let mut halves = vec![0];
            halves.extend((0..count * dimension).flat_map(|_| random.half().to_le_bytes()));
            let mut floats = vec![0];
            floats.extend((0..count * dimension).flat_map(|_| random.float(spread).to_le_bytes()));
            assert_same_bits(kernels.dot_f16, SCALAR.dot_f16, &query, &halves[1..], 2 * dimension);
            assert_same_bits(kernels.l2_f16, SCALAR.l2_f16, &query, &halves[1..], 2 * dimension);
            assert_same_bits(kernels.dot_f32, SCALAR.dot_f32, &query, &floats[1..], 4 * dimension);
            assert_same_bits(kernels.l2_f32, SCALAR.l2_f32, &query, &floats[1..], 4 * dimension);
            let row_bytes = Encoding::I8.row_bytes(dimension);
            let mut bytes = vec![0];
            for _ in 0..count {
                bytes.extend(random.float(spread).to_le_bytes());
                bytes.extend((4..row_bytes).map(|_| random.next() as u8));
            }
            assert_same_bits(kernels.dot_i8, SCALAR.dot_i8, &query, &bytes[1..], row_bytes);
            assert_same_bits(kernels.l2_i8, SCALAR.l2_i8, &query, &bytes[1..], row_bytes);
        }
    }

    #[test]
    fn the_chosen_kernel_gives_the_reference_bits_for_ordinary_numbers() {
        sweep(0x9e37_79b9_7f4a_7c15, 2);
    }

    #[test]
    fn the_chosen_kernel_gives_the_reference_bits_for_huge_and_tiny_numbers() {
        sweep(0xd1b5_4a32_d192_ed03, 56);
    }

    #[test]
    fn the_chosen_kernel_gives_the_reference_bits_for_subnormal_floats() {
        let (mut random, kernels) = (XorShift(77), kernels());
        for dimension in [1_usize, 31, 33, 256] {
            let tiny: Vec<f32> =
                (0..dimension).map(|_| f32::from_bits(random.next() as u32 & 0x807f_ffff)).collect();
            let rows: Vec<u8> = tiny.iter().flat_map(|x| x.to_le_bytes()).collect();
            let mut query: Vec<f32> = tiny.iter().map(|x| x * 2.0_f32.powi(100)).collect();
            query.resize(dimension.next_multiple_of(scalar::LANES), 0.0);
            assert_same_bits(kernels.dot_f32, SCALAR.dot_f32, &query, &rows, 4 * dimension);
            assert_same_bits(kernels.l2_f32, SCALAR.l2_f32, &query, &rows, 4 * dimension);
        }
    }
}

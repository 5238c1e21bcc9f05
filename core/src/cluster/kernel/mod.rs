//! Sums of products of a row's bytes with the codes of a group of centroids: nearly all the work of clustering.
//!
//! The sums are integers, so every kernel gives the same. A code is at most 127, which lets two products be added in
//! 16 bits.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::sync::OnceLock;

/// The centroids that are taken at once.
pub(super) const GROUP: usize = 32;
/// The codes of four components of a group: those of a centroid lie together.
pub(super) type Quad = [u8; 4 * GROUP];

/// For each row of `width` bytes in `rows`, writes the sums of a group's centroids to `out`; the sums of the next row
/// come `stride` later. `width` is a multiple of four, `stride` at least [`GROUP`].
pub(super) fn sums(codes: &[u8], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    let quads = codes.as_chunks::<{ 4 * GROUP }>().0;
    if width > 0 && quads.len() == width / 4 && width.is_multiple_of(4) {
        (chosen().sums)(quads, rows, width, out, stride);
    }
}

type Sums = fn(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize);

struct Kernel {
    name: &'static str,
    sums: Sums,
}

/// The name of the instruction set that clusters are built with: `avx512vnni`, `avx2` or `scalar`.
pub fn kernel_name() -> &'static str {
    chosen().name
}

static SCALAR: Kernel = Kernel { name: "scalar", sums: scalar };

fn chosen() -> &'static Kernel {
    static CHOSEN: OnceLock<&'static Kernel> = OnceLock::new();
    CHOSEN.get_or_init(|| native().unwrap_or(&SCALAR))
}

#[cfg(target_arch = "x86_64")]
fn native() -> Option<&'static Kernel> {
    x86_64::kernel()
}

#[cfg(not(target_arch = "x86_64"))]
fn native() -> Option<&'static Kernel> {
    None
}

/// The reference.
fn scalar(quads: &[Quad], rows: &[i8], width: usize, out: &mut [i32], stride: usize) {
    for (row, out) in rows.chunks_exact(width).zip(out.chunks_mut(stride)) {
        let mut sums = [0; GROUP];
        for (codes, bytes) in quads.iter().zip(row.as_chunks::<4>().0) {
            for (sum, code) in sums.iter_mut().zip(codes.as_chunks::<4>().0) {
                let products = code.iter().zip(bytes).map(|(u, y)| i32::from(i16::from(*u) * i16::from(*y)));
                *sum += products.sum::<i32>();
            }
        }
        out.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::hash;

    fn check(kernel: &Kernel, width: usize, rows: usize, extreme: bool) {
        let pick = |i: u64, seed: u64| if extreme { hash(i ^ seed) % 2 * 127 } else { hash(i ^ seed) % 128 };
        let codes: Vec<u8> = (0..GROUP * width).map(|i| pick(i as u64, 1 << 40) as u8).collect();
        let signs = |i: u64| if hash(i ^ (1 << 42)).is_multiple_of(2) { 1 } else { -1 };
        let bytes: Vec<i8> =
            (0..rows * width).map(|i| pick(i as u64, 1 << 41) as i8 * signs(i as u64)).collect();
        let (mut got, mut want) = (vec![0; rows * 96], vec![0; rows * 96]);
        let quads = codes.as_chunks().0;
        (kernel.sums)(quads, &bytes, width, &mut got, 96);
        scalar(quads, &bytes, width, &mut want, 96);
        assert!(width == 0 || rows == 0 || want.iter().any(|sum| *sum != 0));
        assert_eq!(got, want, "{} of width {width}, {rows} rows", kernel.name);
    }

    #[test]
    fn every_kernel_gives_the_sums_of_the_reference() {
        for kernel in all() {
            for width in (8..=400).step_by(8) {
                check(kernel, width, width / 8 % 19, false);
                check(kernel, width, 9, true);
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn all() -> Vec<&'static Kernel> {
        x86_64::kernels()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn all() -> Vec<&'static Kernel> {
        vec![&SCALAR]
    }
}

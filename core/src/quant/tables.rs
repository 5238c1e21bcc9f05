//! A query as tables: for every group of four components the 16 sums that a code's four bits can ask for.
//!
//! The query's components become integers z from -15 to 15. The table of a group holds `sum |z| + sum +-z`: bytes from
//! 0 to 120, which a vector register looks up for the same group of many slots at once (FastScan, André et al., PVLDB
//! 9, 2015). What the entries have too much is the same for all slots, and is taken off at the end.
//!
//! How kernels add without overflow: two entries are at most 240, and are always added as bytes. In a block of 16
//! groups, those whose numbers are equal modulo four are also added as bytes if they fit, which they do unless a query
//! is made against it ([`Tables::fits`]). Then they are added in 16 bits, modulo 2^16; what comes out of a
//! [`CHUNK`] after the bias is taken off is within 512 x 60 = 30,720, and thus exact.

use super::{arch::wide, cell::GROUP_BYTES, integers::to_integers};
use crate::gather::Gather as _;

/// The largest magnitude of a component of the query as an integer.
const LIMIT: i8 = 15;
/// The bytes of the tables of 16 groups, and of the codes of a cell for them.
pub(super) const TABLE_BLOCK: usize = 256;
/// The bytes of codes whose sums fit 16 bits with a sign.
pub(super) const CHUNK: usize = 512 * GROUP_BYTES;
const COMPONENTS_OF_CHUNK: usize = CHUNK / GROUP_BYTES * 4;
const COMPONENTS_OF_BLOCK: usize = TABLE_BLOCK / GROUP_BYTES * 4;

/// The tables of 16 groups, or zeros where there is no group: so kernels need no tail of their own. Aligned, because a
/// load across two lines of the cache costs two.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct TableBlock(pub(super) [u8; TABLE_BLOCK]);

/// The tables of a query.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    /// True if in every block, of the groups whose numbers are equal modulo four, the entries add up to at most 255.
    pub(super) fits: bool,
    blocks: Vec<TableBlock>,
    /// What the sums of each chunk have too much.
    biases: Vec<i16>,
}

impl Tables {
    /// The tables of `rotated`, and the value of a unit of their sums.
    pub(super) fn new(rotated: &[f32]) -> (f32, Self) {
        wide(
            #[inline(always)]
            || Self::of(rotated),
        )
    }

    #[inline(always)]
    fn of(rotated: &[f32]) -> (f32, Self) {
        let (delta, z) = to_integers(rotated, LIMIT);
        let mut blocks = vec![TableBlock([0; TABLE_BLOCK]); z.len().div_ceil(COMPONENTS_OF_BLOCK)];
        let mut fits = true;
        for (block, z) in blocks.iter_mut().zip(z.chunks(COMPONENTS_OF_BLOCK)) {
            fits &= fill(block, z);
        }
        // At most 512 groups of 60.
        let bias = |z: &[i8]| z.iter().map(|z| i16::from(z.abs())).sum();
        (delta, Self { fits, blocks, biases: z.chunks(COMPONENTS_OF_CHUNK).map(bias).gather() })
    }

    /// The blocks and the bias if there is only one [`CHUNK`], which is the rule.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(super) fn only_chunk(&self) -> Option<(&[TableBlock], i16)> {
        if let [bias] = *self.biases { Some((&self.blocks, bias)) } else { None }
    }

    /// The blocks and the bias for each [`CHUNK`] of codes.
    #[inline]
    pub(super) fn chunks(&self) -> impl Iterator<Item = (&[TableBlock], i16)> {
        self.blocks.chunks(CHUNK / TABLE_BLOCK).zip(self.biases.iter().copied())
    }
}

/// Writes the tables of up to 16 groups. True if of the groups four apart the largest entries add up to at most 255:
/// those of a code that has the signs of all components, so twice the sum of their magnitudes.
#[inline(always)]
fn fill(block: &mut TableBlock, z: &[i8]) -> bool {
    let mut largest = [0_u16; 4];
    let groups = z.as_chunks::<4>().0;
    for (i, (table, z)) in block.0.as_chunks_mut::<GROUP_BYTES>().0.iter_mut().zip(groups).enumerate() {
        *table = table_of(z);
        largest[i % 4] += u16::from(table[0]) + u16::from(table[15]);
    }
    largest.iter().all(|&sum| sum <= 255)
}

/// The bytes whose number, from 0 to 7, has bit 0, 1 or 2 set.
const WITH_BIT: [u64; 3] = [0xff00_ff00_ff00_ff00, 0xffff_0000_ffff_0000, 0xffff_ffff_0000_0000];

/// Eight entries at a time as bytes of a word: `|z| + z` or `|z| - z` is `2 |z|` where the code's bit is the sign of z,
/// else 0. No byte overflows into the next.
#[inline(always)]
fn table_of(z: &[i8; 4]) -> [u8; GROUP_BYTES] {
    let [a, b, c, d] = z.map(|z| 0x0202_0202_0202_0202 * u64::from(z.unsigned_abs()));
    let both = [a, b, c]
        .iter()
        .zip(WITH_BIT)
        .zip(z)
        .fold(0, |sum, ((twice, with), &z)| sum + (twice & if z < 0 { !with } else { with }));
    let (low, high) = if z[3] < 0 { (both + d, both) } else { (both, both + d) };
    let mut table = [0; GROUP_BYTES];
    let (first, second) = table.split_at_mut(GROUP_BYTES / 2);
    first.copy_from_slice(&low.to_le_bytes());
    second.copy_from_slice(&high.to_le_bytes());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_the_sums_of_all_choices_of_signs() {
        for z in [[1, 2, 4, 8], [-3, 0, 5, -15], [15; 4], [-15; 4], [0; 4], [7, -7, 7, -7]] {
            let bias: i32 = z.iter().map(|&z| i32::from(z).abs()).sum();
            for (code, entry) in table_of(&z).into_iter().enumerate() {
                let sign = |j: usize| if code >> j & 1 == 1 { 1 } else { -1 };
                let sum: i32 = z.iter().enumerate().map(|(j, &z)| sign(j) * i32::from(z)).sum();
                assert_eq!(i32::from(entry), bias + sum, "{z:?}, code {code}");
            }
        }
    }

    /// Ordinary queries take the fast way of the kernels, those made of large components alone the safe one.
    #[test]
    fn ordinary_queries_fit_bytes_four_groups_at_a_time() {
        let mut noise = crate::quant::testing::Noise::new(2);
        assert!(Tables::new(&noise.vector(384)).1.fits);
        assert!(!Tables::new(&[1.0; 384]).1.fits);
        assert!(Tables::new(&[1.0; 8]).1.fits);
    }
}

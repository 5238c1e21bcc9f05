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

use super::{cell::GROUP_BYTES, integers::to_integers};

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
        let (delta, z) = to_integers(rotated, LIMIT);
        let blocks: Vec<_> = z.chunks(COMPONENTS_OF_BLOCK).map(block).collect();
        let fits = blocks.iter().all(fits);
        // At most 512 groups of 60.
        let bias = |z: &[i8]| z.iter().map(|z| i16::from(z.abs())).sum();
        (delta, Self { fits, blocks, biases: z.chunks(COMPONENTS_OF_CHUNK).map(bias).collect() })
    }

    /// The blocks and the bias if there is only one [`CHUNK`], which is the rule.
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

/// The tables of up to 16 groups.
#[inline(always)]
fn block(z: &[i8]) -> TableBlock {
    let mut block = TableBlock([0; TABLE_BLOCK]);
    for (table, z) in block.0.as_chunks_mut::<GROUP_BYTES>().0.iter_mut().zip(z.as_chunks::<4>().0) {
        let bytes = z.map(i8::cast_unsigned);
        // With no bit set the sum is minus all components.
        let none = z
            .iter()
            .zip(bytes)
            .fold(0_u8, |sum, (z, byte)| sum.wrapping_add(z.unsigned_abs()).wrapping_sub(byte));
        for (code, entry) in table.iter_mut().enumerate() {
            let plus = |j: usize| if code >> j & 1 == 1 { bytes[j].wrapping_mul(2) } else { 0 };
            *entry =
                none.wrapping_add(plus(0)).wrapping_add(plus(1)).wrapping_add(plus(2)).wrapping_add(plus(3));
        }
    }
    block
}

/// Whether the largest entries of groups four apart add up to at most 255. The entries of a code and of its complement
/// add up to twice the group's bias, which is the largest entry.
fn fits(block: &TableBlock) -> bool {
    let mut sums = [0_u16; 4];
    for four in block.0.as_chunks::<{ 4 * GROUP_BYTES }>().0 {
        for (sum, table) in sums.iter_mut().zip(four.as_chunks::<GROUP_BYTES>().0) {
            *sum += u16::from(table[0]) + u16::from(table[15]);
        }
    }
    sums.iter().all(|sum| *sum <= 255)
}

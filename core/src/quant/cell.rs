//! The bytes of a cell: 32 slots, the unit in which sign codes are stored, read and scanned.
//!
//! For each group of four components 16 bytes: byte `j` holds the four bits of slot `j` in its low half and those of
//! slot `j + 16` in its high half, the lowest component lowest. Then 32 half floats A, 32 half floats F, and 32
//! `u32` row numbers, [`NO_ROW`] for an empty slot. All little-endian; the checksum behind is the file's business.
//!
//! So one load brings the same group of all slots, which is what a table lookup in a register wants: the layout of
//! FastScan (André et al., <https://arxiv.org/abs/1704.07355>).

use half::f16;

use super::{rotation::code_dimension, signs::SlotFactors};

/// The number of slots of a cell.
pub const SLOTS: usize = 32;
/// The row number of an empty slot.
pub(super) const NO_ROW: u32 = u32::MAX;
/// The bytes of a cell behind its codes: the factors and the row numbers.
pub(super) const TAIL_BYTES: usize = 8 * SLOTS;
/// The bytes of one group of four components.
pub(super) const GROUP_BYTES: usize = SLOTS / 2;

/// The number of bytes of a cell of vectors of `dimension`, without checksum.
pub const fn cell_bytes(dimension: usize) -> usize {
    code_bytes(code_dimension(dimension)) + TAIL_BYTES
}

/// The number of bytes of the codes of a cell.
pub(super) const fn code_bytes(code_dimension: usize) -> usize {
    code_dimension / 4 * GROUP_BYTES
}

/// What stands in one slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot<'a> {
    /// The bits of [`super::SignCode::signs`].
    pub signs: &'a [u8],
    /// A and F.
    pub factors: SlotFactors,
    /// The row's number in its file.
    pub row: u32,
}

/// The scales of a file's factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactorScales {
    /// The unit of A.
    pub a_scale: f32,
    /// The unit of F.
    pub f_scale: f32,
}

/// Appends the cell of `slots` to `out`: at most [`SLOTS`] of vectors of `code_dimension`; further ones are ignored.
pub fn pack_cell(slots: &[Slot<'_>], code_dimension: usize, scales: FactorScales, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + code_bytes(code_dimension), 0);
    for (j, slot) in slots.iter().take(SLOTS).enumerate() {
        let (byte, shift) = (j % GROUP_BYTES, j / GROUP_BYTES * 4);
        let pairs = out[start..].as_chunks_mut::<{ 2 * GROUP_BYTES }>().0;
        for (pair, signs) in pairs.iter_mut().zip(slot.signs) {
            pair[byte] |= (signs & 15) << shift;
            pair[byte + GROUP_BYTES] |= (signs >> 4) << shift;
        }
    }
    let slot = |j: usize| slots.get(j);
    let half = |x: f32| f16::from_f32(x).to_le_bytes();
    let offset = |j| half(slot(j).map_or(0.0, |slot| slot.factors.offset / scales.a_scale));
    let factor = |j| half(slot(j).map_or(0.0, |slot| slot.factors.factor / scales.f_scale));
    out.extend((0..SLOTS).flat_map(offset));
    out.extend((0..SLOTS).flat_map(factor));
    out.extend((0..SLOTS).flat_map(|j| slot(j).map_or(NO_ROW, |slot| slot.row).to_le_bytes()));
}

/// The signs, factors and row number of each filled slot of `cell`: what [`pack_cell`] was given, but for the rounding
/// of the factors. For tests and checks. A cell of a wrong length holds nothing.
pub fn unpack_cell(
    cell: &[u8],
    code_dimension: usize,
    scales: FactorScales,
) -> Vec<(Vec<u8>, SlotFactors, u32)> {
    let Some((codes, tail)) = cell.split_at_checked(code_bytes(code_dimension)) else { return Vec::new() };
    let Some(tail) = Tail::of(tail) else { return Vec::new() };
    let slot = |j: usize| {
        let (byte, shift) = (j % GROUP_BYTES, j / GROUP_BYTES * 4);
        let nibble = |byte: u8| byte >> shift & 15;
        let pairs = codes.as_chunks::<{ 2 * GROUP_BYTES }>().0.iter();
        let signs = pairs.map(|pair| nibble(pair[byte]) | nibble(pair[byte + GROUP_BYTES]) << 4).collect();
        let float =
            |halves: &[u8; 2 * SLOTS]| f16::from_le_bytes([halves[2 * j], halves[2 * j + 1]]).to_f32();
        let factors = SlotFactors {
            offset: float(tail.offsets) * scales.a_scale,
            factor: float(tail.factors) * scales.f_scale,
        };
        (signs, factors, row(tail.rows, j))
    };
    (0..SLOTS).map(slot).filter(|(_, _, row)| *row != NO_ROW).collect()
}

/// The bytes of a cell behind its codes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail<'a> {
    pub(super) offsets: &'a [u8; 2 * SLOTS],
    pub(super) factors: &'a [u8; 2 * SLOTS],
    pub(super) rows: &'a [u8; 4 * SLOTS],
}

impl<'a> Tail<'a> {
    /// The parts of `bytes`, which may be longer: a checksum may follow.
    #[inline(always)]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (offsets, rest) = bytes.split_first_chunk()?;
        let (factors, rest) = rest.split_first_chunk()?;
        Some(Self { offsets, factors, rows: rest.first_chunk()? })
    }
}

/// The row number of slot `j`, which is below [`SLOTS`].
#[inline(always)]
pub(super) fn row(rows: &[u8; 4 * SLOTS], j: usize) -> u32 {
    u32::from_le_bytes(rows.as_chunks::<4>().0[j])
}

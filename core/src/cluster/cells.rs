//! Putting the sections together: which slot a code goes to, and the bytes of cells and of the centroids' block.

use half::f16;

use super::{
    CELL_SLOTS, Clusters, CodeBits, Parallel,
    centroids::Centroids,
    codes::{Codes, Slot},
    jobs::map,
    members::{self, Groups},
    rows::Source,
};

/// The slots of all clusters.
pub(super) struct Places<'a> {
    first: &'a [u32],
    second: &'a [u32],
    /// The rows of each cluster, those for which it is the second among them.
    pub(super) slots: Groups,
}

impl<'a> Places<'a> {
    pub(super) fn new(first: &'a [u32], second: &'a [u32], count: usize) -> Self {
        Self { first, second, slots: Groups::new(&[first, second], count) }
    }

    /// The first and the second cluster of a row.
    pub(super) fn clusters(&self, row: usize) -> [Option<u32>; 2] {
        [self.first.get(row).copied(), self.second.get(row).copied()]
    }

    pub(super) fn soft(&self) -> bool {
        !self.second.is_empty()
    }
}

pub(super) fn assemble(
    source: &Source<'_>,
    centroids: &Centroids,
    places: &Places<'_>,
    codes: &Codes,
    spreads: &[f32],
    parallel: &dyn Parallel,
) -> Clusters {
    let slots = || codes.slots.iter().flatten().flatten();
    let (a_scale, f_scale) = (scale_of(slots().map(|slot| slot.a)), scale_of(slots().map(|slot| slot.f)));
    let writer = Writer { width: centroids.width, places, codes, a_scale, f_scale };
    let cells = map(parallel, centroids.count(), &|cluster| writer.cells(cluster)).concat();
    Clusters {
        count: centroids.count() as u32,
        soft: places.soft(),
        bits: CodeBits::default(),
        a_scale,
        f_scale,
        centroids: centroids_block(centroids, spreads, &places.slots),
        members: members::block(&places.slots, source.shape.collections),
        cells,
        extended: Vec::new(),
        cell_bytes: writer.cell_bytes(),
        extended_bytes: 0,
    }
}

/// The power of two that brings the largest magnitude into 2^13..2^14, below the largest half float. 1 for nothing.
fn scale_of(values: impl Iterator<Item = f32>) -> f32 {
    let largest = values.fold(0.0, |largest: f32, x| if x.abs() > largest { x.abs() } else { largest });
    let exponent = (largest.to_bits() >> 23) as i32 - 127 - 13;
    if largest == 0.0 { 1.0 } else { f32::from_bits(((exponent.max(-126) + 127) as u32) << 23) }
}

struct Writer<'a> {
    width: usize,
    places: &'a Places<'a>,
    codes: &'a Codes,
    a_scale: f32,
    f_scale: f32,
}

impl Writer<'_> {
    fn cell_bytes(&self) -> usize {
        self.width * 4 + CELL_SLOTS * 8
    }

    fn cells(&self, cluster: usize) -> Vec<u8> {
        let rows = self.places.slots.of(cluster);
        let mut cells = vec![0; rows.len().div_ceil(CELL_SLOTS) * self.cell_bytes()];
        for (rows, cell) in rows.chunks(CELL_SLOTS).zip(cells.chunks_exact_mut(self.cell_bytes())) {
            let (signs, tail) = cell.split_at_mut(self.width * 4);
            let (factors, numbers) = tail.split_at_mut(CELL_SLOTS * 4);
            numbers.fill(0xff);
            for (place, row) in rows.iter().enumerate() {
                let Some(slot) = self.slot(cluster, *row as usize) else { continue };
                put_signs(&slot.signs, place, signs);
                let (a, f) = factors.split_at_mut(CELL_SLOTS * 2);
                put(a, place, f16::from_f32(slot.a / self.a_scale).to_le_bytes());
                put(f, place, f16::from_f32(slot.f / self.f_scale).to_le_bytes());
                put(numbers, place, row.to_le_bytes());
            }
        }
        cells
    }

    fn slot(&self, cluster: usize, row: usize) -> Option<&Slot> {
        let [first, second] = self.codes.slots.get(row)?;
        let is_first = self.places.first.get(row).is_some_and(|first| *first as usize == cluster);
        if is_first { first.as_ref() } else { second.as_ref() }
    }
}

fn put<const N: usize>(list: &mut [u8], place: usize, bytes: [u8; N]) {
    list.as_chunks_mut::<N>().0.get_mut(place).into_iter().for_each(|to| *to = bytes);
}

/// Spreads the signs of a slot: four components a byte, beside those of the slot that shares the byte.
fn put_signs(signs: &[u8], place: usize, cell: &mut [u8]) {
    let (byte, shift) = (place % 16, if place < 16 { 0 } else { 4 });
    for (sign, groups) in signs.iter().zip(cell.as_chunks_mut::<32>().0) {
        groups[byte] |= (sign & 15) << shift;
        groups[16 + byte] |= (sign >> 4) << shift;
    }
}

/// Nibbles, scales, squared lengths, spreads and first cells.
fn centroids_block(centroids: &Centroids, spreads: &[f32], slots: &Groups) -> Vec<u8> {
    let count = centroids.count();
    let mut block = Vec::with_capacity(count * (centroids.width / 2 + 16) + 4);
    block.extend(centroids.codes.as_chunks::<2>().0.iter().map(|[low, high]| low | high << 4));
    block.extend((0..count).flat_map(|c| centroids.scale(c).to_le_bytes()));
    block.extend((0..count).flat_map(|c| centroids.norm_sq(c).to_le_bytes()));
    block.extend(spreads.iter().flat_map(|spread| spread.to_le_bytes()));
    let mut first_cell = 0_u32;
    for c in 0..count {
        block.extend(first_cell.to_le_bytes());
        first_cell += slots.of(c).len().div_ceil(CELL_SLOTS) as u32;
    }
    block.extend(first_cell.to_le_bytes());
    block
}

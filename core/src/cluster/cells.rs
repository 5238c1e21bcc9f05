//! Putting the sections together: which slot a code goes to, and the bytes of cells and of the centroids' block.

use super::{
    Clusters, Parallel,
    centroids::Centroids,
    codes::{Codes, Slot},
    groups::Groups,
    jobs::map,
};
use crate::quant::{self, FactorScales, SLOTS, cell_bytes, extended_bytes, factor_scale, pack_cell};

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

/// The sections.
pub(super) fn assemble(
    centroids: &Centroids,
    places: &Places<'_>,
    codes: Codes,
    spreads: &[f32],
    parallel: &dyn Parallel,
) -> Clusters {
    let bits = codes.bits;
    let factors = || codes.slots.iter().flatten().flatten().map(|slot| slot.factors);
    let scales = FactorScales {
        a_scale: factor_scale(largest(factors().map(|factors| factors.offset))),
        f_scale: factor_scale(largest(factors().map(|factors| factors.factor))),
    };
    let cells = map(parallel, centroids.count(), &|cluster| {
        cells_of(cluster, places, &codes, centroids.width, scales)
    });
    Clusters {
        count: centroids.count() as u32,
        soft: places.soft(),
        bits,
        a_scale: scales.a_scale,
        f_scale: scales.f_scale,
        centroids: centroids_block(centroids, spreads, &places.slots),
        cells: cells.concat(),
        extended: codes.extended,
        cell_bytes: cell_bytes(centroids.width),
        extended_bytes: if bits.get() > 1 { extended_bytes(centroids.width, bits.get()) } else { 0 },
    }
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |largest: f32, x| if x.abs() > largest { x.abs() } else { largest })
}

/// The cells of a cluster.
fn cells_of(
    cluster: usize,
    places: &Places<'_>,
    codes: &Codes,
    width: usize,
    scales: FactorScales,
) -> Vec<u8> {
    let rows = places.slots.of(cluster);
    let mut cells = Vec::with_capacity(rows.len().div_ceil(SLOTS) * cell_bytes(width));
    for rows in rows.chunks(SLOTS) {
        let slot = |row: &u32| {
            let slot = code_of(cluster, places, codes, *row as usize)?;
            Some(quant::Slot { signs: &slot.signs, factors: slot.factors, row: *row })
        };
        let slots: Vec<quant::Slot<'_>> = rows.iter().filter_map(slot).collect();
        pack_cell(&slots, width, scales, &mut cells);
    }
    cells
}

/// The code of a row of the cluster.
fn code_of<'c>(cluster: usize, places: &Places<'_>, codes: &'c Codes, row: usize) -> Option<&'c Slot> {
    let [first, second] = codes.slots.get(row)?;
    let is_first = places.first.get(row).is_some_and(|first| *first as usize == cluster);
    if is_first { first.as_ref() } else { second.as_ref() }
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
        first_cell += slots.of(c).len().div_ceil(SLOTS) as u32;
    }
    block.extend(first_cell.to_le_bytes());
    block
}

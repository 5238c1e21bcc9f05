//! The clusters of a file: centres, and cells of 32 slots that hold the sign codes of rows.
//!
//! Whoever builds clusters hands their bytes to [`Draft::write`](super::Draft::write) as [`ClusterSections`]; whoever
//! searches reads them through [`Clusters`]. What the numbers mean is the business of `quant` and `search`.

use std::{ops::Range, sync::Arc};

use super::{
    description::ClusterInfo,
    head::{Head, Section},
    layout::{SectionKind, malformed},
    table::ClusterTable,
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
    quant::Rotation,
};

/// The slots of a cell.
pub const CELL_SLOTS: usize = 32;
/// The row of a slot that holds none.
pub const EMPTY_SLOT: u32 = u32::MAX;
/// What a cell holds beside the codes: for each slot two factors as f16, and its row.
const CELL_FACTOR_BYTES: usize = CELL_SLOTS * 8;

/// The components of a code: those of a vector, filled up with zeros to a multiple of eight.
pub const fn code_dimension(dimension: usize) -> usize {
    dimension.saturating_add(7) & !7
}

/// The length of a cell without its checksum.
pub const fn cell_bytes(dimension: usize) -> usize {
    code_dimension(dimension).saturating_mul(4).saturating_add(CELL_FACTOR_BYTES)
}

/// The length of an extended code without its checksum: cluster, two factors, components of `bits` bits.
pub const fn extended_bytes(dimension: usize, bits: u8) -> usize {
    (code_dimension(dimension) / 8).saturating_mul(bits as usize).saturating_add(12)
}

/// The length of the centroids of `count` clusters: components of four bits, scale, square, spread, first cell; and the
/// end of the last cell.
fn centroid_bytes(dimension: usize, count: usize) -> Option<usize> {
    count.checked_mul((code_dimension(dimension) / 2).checked_add(16)?)?.checked_add(4)
}

/// Clusters as they are written, checksums left out. docs/format.md describes the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSections {
    /// What the description says of them.
    pub info: ClusterInfo,
    /// The centroids.
    pub centroids: Vec<u8>,
    /// The cells, cluster by cluster.
    pub codes: Vec<u8>,
    /// The extended codes, row by row; empty when there are none.
    pub extended: Vec<u8>,
}

/// What follows from [`ClusterSections`] that go together.
#[derive(Debug)]
pub(super) struct Sizes {
    pub(super) cell_bytes: usize,
    pub(super) extended_bytes: usize,
    /// How many slots hold a row.
    pub(super) slots: u64,
    pub(super) first_cells: Vec<u32>,
}

impl ClusterSections {
    /// The clusters are those of so many vectors of this dimension.
    pub(super) fn check(&self, dimension: usize, rows: usize) -> Result<Sizes, SnapshotError> {
        let wrong = |reason: &str| SnapshotError::CannotWrite { reason: format!("the clusters: {reason}") };
        let (cell_bytes, count) = (cell_bytes(dimension), self.info.count as usize);
        if centroid_bytes(dimension, count) != Some(self.centroids.len())
            || !self.codes.len().is_multiple_of(cell_bytes)
        {
            return Err(wrong("centroids or codes are not of the size that dimension and count ask for"));
        }
        let first_cells = read_u32s(self.centroids.get(self.centroids.len() - 4 * (count + 1)..));
        check_first_cells(&first_cells, self.codes.len() / cell_bytes).map_err(wrong)?;
        let cell = |number: u32| self.codes.chunks(cell_bytes).nth(number as usize);
        let slots = check_slots(&first_cells, &cell, (rows, self.info.soft)).map_err(|e| wrong(&e))?;
        let extended_bytes = extended_bytes(dimension, self.info.extended_bits);
        let extended = if self.info.extended_bits == 0 { 0 } else { rows * extended_bytes };
        if self.extended.len() != extended || !matches!(self.info.extended_bits, 0 | 2..=8) {
            return Err(wrong("the extended codes are not of the size that their bits ask for"));
        }
        Ok(Sizes { cell_bytes, extended_bytes, slots, first_cells })
    }

    /// The rows of a cluster's slots, in their order.
    pub(super) fn rows<'s>(&'s self, sizes: &Sizes, cells: Range<u32>) -> impl Iterator<Item = u32> + 's {
        let width = sizes.cell_bytes;
        let cells = self.codes.get(cells.start as usize * width..cells.end as usize * width);
        cells.unwrap_or_default().chunks(width).flat_map(slot_rows).filter(|row| *row != EMPTY_SLOT)
    }
}

/// The rows of a cell's slots; [`EMPTY_SLOT`] for those that hold none.
pub fn slot_rows(cell: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let rows = cell.last_chunk::<{ CELL_SLOTS * 4 }>().map(|rows| rows.as_slice()).unwrap_or_default();
    rows.as_chunks::<4>().0.iter().map(|row| u32::from_le_bytes(*row))
}

/// Whether all halves between a cell's signs and its rows are finite.
fn factors_are_finite(cell: &[u8]) -> bool {
    let tail = cell.last_chunk::<CELL_FACTOR_BYTES>().map(|tail| tail.as_slice()).unwrap_or_default();
    let (halves, _) = tail.as_chunks::<2>();
    halves.iter().take(2 * CELL_SLOTS).all(|half| u16::from_le_bytes(*half) & 0x7c00 != 0x7c00)
}

fn read_u32s(bytes: Option<&[u8]>) -> Vec<u32> {
    bytes.unwrap_or_default().as_chunks::<4>().0.iter().map(|x| u32::from_le_bytes(*x)).collect()
}

fn check_first_cells(first_cells: &[u32], cells: usize) -> Result<(), &'static str> {
    let whole = first_cells.first() == Some(&0) && first_cells.last().map(|end| *end as usize) == Some(cells);
    if whole && first_cells.is_sorted() {
        Ok(())
    } else {
        Err("the first cells do not rise to the number of cells")
    }
}

/// Every row stands in a slot, or in one or two of two clusters if they are soft; rows rise within a cluster, which has
/// no empty slot before its last row; factors are finite. Gives the number of slots that hold a row.
pub(super) fn check_slots<'c>(
    first_cells: &[u32],
    cell: &dyn Fn(u32) -> Option<&'c [u8]>,
    (rows, soft): (usize, bool),
) -> Result<u64, String> {
    let (mut seen, most) = (vec![0_u8; rows], if soft { 2 } else { 1 });
    let mut slots = 0;
    for (cluster, cells) in first_cells.windows(2).enumerate() {
        let (mut last, mut ended) = (None, false);
        for number in cells[0]..cells[1] {
            let cell = cell(number).ok_or_else(|| format!("there is no cell {number}"))?;
            if !factors_are_finite(cell) {
                return Err(format!("a factor of cell {number} is not finite"));
            }
            for row in slot_rows(cell) {
                ended |= row == EMPTY_SLOT;
                if row == EMPTY_SLOT {
                    continue;
                }
                let count = seen.get_mut(row as usize).filter(|count| **count < most && !ended);
                match count.filter(|_| last < Some(row)) {
                    Some(count) => *count += 1,
                    None => return Err(format!("row {row} cannot stand where it does in cluster {cluster}")),
                }
                last = Some(row);
                slots += 1;
            }
        }
    }
    match seen.iter().position(|count| *count == 0) {
        None => Ok(slots),
        Some(row) => Err(format!("row {row} stands in no cluster")),
    }
}

/// The opened clusters of a file: a copy of what every search needs, and the way to the cells.
#[derive(Debug)]
pub struct Clusters {
    head: Arc<Head>,
    info: ClusterInfo,
    table: ClusterTable,
    rotation: Rotation,
    codes: Section,
    extended: Option<Section>,
}

impl Clusters {
    /// Opens clusters from the bytes of the centroids' section, which may be a copy.
    pub(super) fn open(
        head: &Arc<Head>,
        info: ClusterInfo,
        dimension: usize,
        centroids: &[u8],
    ) -> Result<Self, SnapshotError> {
        let section = head.require(SectionKind::Centroids)?;
        let content = head.check(&section, 0, centroids)?;
        let wrong = |reason: &str| malformed("centroids", section.range.start, reason);
        let table = ClusterTable::read(content, &info, head.header().rows, dimension);
        let table = table.ok_or_else(|| wrong("they are not what dimension and count ask for"))?;
        let codes = head.require(SectionKind::Codes)?;
        check_first_cells(&table.first_cells, codes.blocks as usize).map_err(wrong)?;
        let (head, extended) = (head.clone(), head.section(SectionKind::Extended));
        Ok(Self { head, info, table, rotation: Rotation::new(dimension), codes, extended })
    }

    /// What the description says of them.
    pub fn info(&self) -> ClusterInfo {
        self.info
    }

    /// All that a search holds in memory.
    pub fn table(&self) -> &ClusterTable {
        &self.table
    }

    /// How queries are rotated before they are compared with codes.
    pub fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    /// The length of a cell in the file, checksum included: where the next one begins.
    pub fn cell_stride(&self) -> usize {
        self.head.stride(&self.codes)
    }

    /// Where cells lie in the file.
    pub fn cell_range(&self, cells: Range<u32>) -> Option<ByteRange> {
        let first = self.head.block_range(&self.codes, cells.start)?;
        let last = self.head.block_range(&self.codes, cells.end.checked_sub(1)?)?;
        Some(ByteRange { start: first.start, end: last.end })
    }

    /// The bytes of cells that follow each other, one every [`cell_stride`](Self::cell_stride), each behind its content
    /// with its checksum, which was verified; `None` if not resident. The rows of slots are not checked:
    /// [`row`](Self::row) does that.
    pub fn cells<'s>(
        &self,
        source: &'s dyn ByteSource,
        cells: Range<u32>,
    ) -> Result<Option<&'s [u8]>, SnapshotError> {
        self.head.blocks(source, &self.codes, cells)
    }

    /// The row in a slot of a cell as the file counts rows, `None` in an empty one.
    ///
    /// # Errors
    /// When the file has not so many rows.
    pub fn row(&self, slot: u32) -> Result<Option<u32>, SnapshotError> {
        match slot {
            EMPTY_SLOT => Ok(None),
            row if u64::from(row) < self.head.header().rows => Ok(Some(row)),
            row => Err(malformed("codes", self.codes.range.start, format!("there is no row {row}"))),
        }
    }

    /// Where the extended code of a row of the file lies; `None` if there are no such codes.
    pub fn extended_range(&self, row: u32) -> Option<ByteRange> {
        self.head.block_range(self.extended.as_ref()?, row)
    }

    /// The extended code of a row of the file: cluster, factors, components; `None` if not resident, or if there are no
    /// such codes.
    pub fn extended<'s>(
        &self,
        source: &'s dyn ByteSource,
        row: u32,
    ) -> Result<Option<&'s [u8]>, SnapshotError> {
        match &self.extended {
            Some(section) => self.head.block(source, section, row),
            None => Ok(None),
        }
    }
}

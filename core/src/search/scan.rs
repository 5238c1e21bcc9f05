//! The exact scan: every row that passes the filter is compared. Right for collections of up to some ten thousand
//! rows and for very selective filters; its cost is the bytes of the vectors.

use super::{Measure, Top};
use crate::{
    bytes::ByteSource,
    error::{CatalogError, Result},
    snapshot::{Collection, layout::malformed},
};

/// Which rows a scan looks at, and how many it keeps.
pub struct Reach<'a> {
    /// A bit per row: it passes the filter. All rows without.
    pub mask: Option<&'a [u64]>,
    /// How many of the nearest rows are kept.
    pub k: usize,
    /// Only rows that are further than this, or as far and not before this row.
    pub after: Option<(f32, u64)>,
    /// Asked before each block; the scan ends with an error after a yes.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Rows that lie next to each other are taken from the file at once, this many.
const ROWS_AT_ONCE: u64 = 256;

/// Compares the rows within `reach` with the measure's query: distances and rows, nearest first, equal ones by row. The
/// vectors must be resident.
///
/// # Errors
/// Damage, blocks that are not resident, [`CatalogError::Stopped`]; [`CatalogError::NoVectors`] where there are none.
pub fn scan(
    collection: &Collection,
    source: &dyn ByteSource,
    measure: &Measure,
    reach: &Reach<'_>,
) -> Result<Vec<(f32, u64)>> {
    let (vectors, head) = (collection.expect_vectors()?, collection.head());
    let (stride, width) = (head.stride(vectors), collection.row_bytes());
    let mut top = Top::after(reach.k, reach.after);
    for first in (0..collection.rows()).step_by(ROWS_AT_ONCE as usize) {
        if (reach.stop)() {
            return Err(CatalogError::Stopped.into());
        }
        let end = collection.rows().min(first + ROWS_AT_ONCE);
        let wanted = reach.mask.map_or(end - first, |mask| count_bits(mask, first, end));
        let missing = || malformed("vectors", vectors.range.start, "the block is not resident");
        match reach.mask {
            Some(mask) if wanted * 4 < end - first => {
                for row in (first..end).filter(|row| bit(mask, *row)) {
                    let vector = head.block(source, vectors, row as u32)?.ok_or_else(missing)?;
                    top.push(measure.distance(vector), row);
                }
            }
            mask => {
                let blocks = head.blocks(source, vectors, first as u32..end as u32)?.ok_or_else(missing)?;
                for (row, block) in (first..end).zip(blocks.chunks_exact(stride)) {
                    if mask.is_none_or(|mask| bit(mask, row)) {
                        top.push(measure.distance(block.get(..width).unwrap_or_default()), row);
                    }
                }
            }
        }
    }
    Ok(top.into_sorted())
}

fn bit(mask: &[u64], row: u64) -> bool {
    mask.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

fn count_bits(mask: &[u64], first: u64, end: u64) -> u64 {
    (first..end).filter(|row| bit(mask, *row)).count() as u64
}

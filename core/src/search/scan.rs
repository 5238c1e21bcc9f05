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

/// Compares the rows within `reach` with the measure's query: distances and rows, nearest first, equal ones by row. The
/// vectors must be resident.
///
/// # Errors
/// Damage, blocks that are not resident, [`CatalogError::Stopped`].
pub fn scan(
    collection: &Collection,
    source: &dyn ByteSource,
    measure: &Measure,
    reach: &Reach<'_>,
) -> Result<Vec<(f32, u64)>> {
    let (vectors, width) = (collection.vectors()?, collection.row_bytes());
    let (mut top, mut distances) = (Top::after(reach.k, reach.after), Vec::new());
    for block in 0..vectors.blocks {
        if (reach.stop)() {
            return Err(CatalogError::Stopped.into());
        }
        let first_row = u64::from(block) * u64::from(vectors.rows_per_block);
        let rows = collection.rows_in(vectors, block);
        let wanted = reach.mask.map_or(rows, |mask| count_bits(mask, first_row, rows));
        if wanted == 0 {
            continue;
        }
        let Some(bytes) = collection.head().block(source, vectors, block)? else {
            return Err(malformed("vectors", vectors.offset, "the block is not resident").into());
        };
        match reach.mask {
            Some(mask) if wanted * 4 < rows => {
                for row in (0..rows).filter(|row| bit(mask, first_row + *row as u64)) {
                    let vector = bytes.get(row * width..(row + 1) * width).unwrap_or_default();
                    top.push(measure.distance(vector), first_row + row as u64);
                }
            }
            mask => {
                distances.clear();
                measure.distances(bytes, width, &mut distances);
                let numbered = (first_row..).zip(&distances);
                numbered
                    .filter(|(row, _)| mask.is_none_or(|mask| bit(mask, *row)))
                    .for_each(|(row, distance)| top.push(*distance, row));
            }
        }
    }
    Ok(top.into_sorted())
}

fn bit(mask: &[u64], row: u64) -> bool {
    mask.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

fn count_bits(mask: &[u64], first_row: u64, rows: usize) -> usize {
    (first_row..first_row + rows as u64).filter(|row| bit(mask, *row)).count()
}

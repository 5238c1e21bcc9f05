//! The exact scan: every row that passes the filter is compared. Right for collections of up to some ten thousand
//! rows and for very selective filters; its cost is the bytes of the vectors.

use super::Top;
use crate::{
    bytes::ByteSource,
    error::Result,
    metric::Scorer,
    snapshot::{Collection, layout::malformed},
};

/// What a search of one collection found, and what it read.
#[derive(Debug, Default)]
pub struct Found {
    /// Distances and rows, nearest first.
    pub rows: Vec<(f32, u64)>,
    /// How many vectors were compared.
    pub compared: u64,
}

/// Compares all rows of `collection` whose bit in `mask` is set (all rows without a mask) with the scorer's query
/// and returns the `k` nearest. The vectors must be resident.
pub fn scan(
    collection: &Collection,
    source: &dyn ByteSource,
    scorer: &Scorer,
    mask: Option<&[u64]>,
    k: usize,
) -> Result<Found> {
    let vectors = collection.vectors()?;
    let (mut top, mut compared, mut distances) = (Top::new(k), 0, Vec::new());
    for block in 0..vectors.blocks {
        let first_row = u64::from(block) * u64::from(vectors.rows_per_block);
        let rows = collection.rows_in(vectors, block);
        let wanted = mask.map_or(rows, |mask| count_bits(mask, first_row, rows));
        if wanted == 0 {
            continue;
        }
        let Some(bytes) = collection.head().block(source, vectors, block)? else {
            return Err(malformed("vectors", vectors.offset, "the block is not resident").into());
        };
        compared += wanted as u64;
        match mask {
            Some(mask) if wanted * 4 < rows => {
                for row in (0..rows).filter(|row| bit(mask, first_row + *row as u64)) {
                    let width = collection.row_bytes();
                    let vector = bytes.get(row * width..(row + 1) * width).unwrap_or_default();
                    top.push(scorer.distance(vector), first_row + row as u64);
                }
            }
            _ => {
                distances.clear();
                scorer.distances(bytes, &mut distances);
                let numbered = (first_row..).zip(&distances);
                numbered
                    .filter(|(row, _)| mask.is_none_or(|mask| bit(mask, *row)))
                    .for_each(|(row, distance)| top.push(*distance, row));
            }
        }
    }
    Ok(Found { rows: top.into_sorted(), compared })
}

fn bit(mask: &[u64], row: u64) -> bool {
    mask.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

fn count_bits(mask: &[u64], first_row: u64, rows: usize) -> usize {
    (first_row..first_row + rows as u64).filter(|row| bit(mask, *row)).count()
}

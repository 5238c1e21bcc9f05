//! A query as bytes, against rows of integers of four or eight bits: the centroids of a file, and rows of bytes.
//!
//! All products are summed exactly, so every machine gets the same integers; see [`ByteQuery`].

use super::{
    arch::{self, Level},
    integers::to_integers,
};

/// The largest magnitude of a component as an integer.
const LARGEST: i8 = 127;
/// Components are filled up with zeros to a multiple of this, so that kernels read whole registers of them.
pub(super) const BLOCK: usize = 128;

/// A rotated query with components from -127 to 127.
#[derive(Debug, Clone)]
pub struct ByteQuery {
    /// The value of one unit.
    pub delta: f32,
    dimension: usize,
    sum: i32,
    /// Component `i` in place `i`, filled up with zeros.
    bytes: Vec<i8>,
    /// The even components, then the odd ones, each filled up with zeros to half of `bytes`.
    halves: Vec<i8>,
    level: Level,
}

impl ByteQuery {
    /// `query` in units of its largest magnitude / 127.
    pub fn new(query: &[f32]) -> Self {
        Self::with_level(query, Level::best())
    }

    pub(super) fn with_level(query: &[f32], level: Level) -> Self {
        let (delta, mut bytes) = arch::wide(
            #[inline(always)]
            || to_integers(query, LARGEST),
        );
        bytes.resize(query.len().next_multiple_of(BLOCK), 0);
        let mut halves = vec![0; bytes.len()];
        let (even, odd) = halves.split_at_mut(bytes.len() / 2);
        for ((pair, even), odd) in bytes.as_chunks().0.iter().zip(even).zip(odd) {
            [*even, *odd] = *pair;
        }
        let sum = bytes.iter().map(|&y| i32::from(y)).sum();
        Self { delta, dimension: query.len(), sum, bytes, halves, level }
    }

    /// Writes `2 sum(u y) - 15 sum(y)` for each element of `out`: the query's product with the row of
    /// `2u - 15`, where the u are numbers of four bits, two to a byte, the even component low. Rows lie one after
    /// another, half a byte a component; rows that are missing leave `out` as it was. The dimension is even.
    pub fn dot_nibbles(&self, rows: &[u8], out: &mut [i32]) {
        let row_bytes = self.dimension / 2;
        let count = rows.len().checked_div(row_bytes).unwrap_or(0).min(out.len());
        let out = &mut out[..count];
        arch::dot_nibbles(self.level)(&self.halves, &rows[..count * row_bytes], row_bytes, out);
        out.iter_mut().for_each(|dot| *dot = 2 * *dot - 15 * self.sum);
    }

    /// The product with `row`, one signed byte a component; of a row of another length with as many as both have.
    pub fn dot_bytes(&self, row: &[u8]) -> i32 {
        arch::dot_bytes(self.level)(&self.bytes, &row[..row.len().min(self.dimension)])
    }

    /// Writes the product with each of the rows that begin every `stride` bytes of `rows`, as
    /// [`dot_bytes`](Self::dot_bytes) gives it. Rows that are missing leave `out` as it was.
    pub fn dot_rows(&self, rows: &[u8], stride: usize, out: &mut [i32]) {
        for (row, out) in rows.chunks(stride.max(1)).zip(out) {
            *out = self.dot_bytes(row);
        }
    }
}

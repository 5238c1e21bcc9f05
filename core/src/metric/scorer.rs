//! One query against many stored rows.
//!
//! Use a [`Scorer`] for exact distances, by scan or for a few candidates. It knows neither ids nor files, and keeps no
//! best-so-far.

use super::{
    Encoding, Metric,
    arch::{SumRows, kernels},
    scalar::LANES,
    vector::normalize,
};

/// A query made ready for comparison with stored rows of one metric and encoding.
#[derive(Debug, Clone)]
pub struct Scorer {
    metric: Metric,
    row_bytes: usize,
    /// Filled up with zeros to whole blocks of lanes.
    query: Vec<f32>,
    sum_rows: SumRows,
}

impl Scorer {
    /// A scorer of `query`, which has passed [`super::check_vector`]. Under cosine the query is scaled to unit length
    /// here. O(dimension).
    pub fn new(metric: Metric, encoding: Encoding, query: &[f32]) -> Self {
        let row_bytes = query.len() * encoding.bytes_per_component();
        let mut query = query.to_vec();
        if metric == Metric::Cosine {
            normalize(&mut query);
        }
        query.resize(query.len().next_multiple_of(LANES), 0.0);
        let kernels = kernels();
        let sum_rows = match (encoding, metric) {
            (Encoding::F32, Metric::L2) => kernels.l2_f32,
            (Encoding::F16, Metric::L2) => kernels.l2_f16,
            (Encoding::F32, _) => kernels.dot_f32,
            (Encoding::F16, _) => kernels.dot_f16,
        };
        Self { metric, row_bytes, query, sum_rows }
    }

    /// The number of bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// The distance to one row: 1 - cos, 1 - dot, or the squared Euclidean distance. A row that is not
    /// [`row_bytes`](Self::row_bytes) long is infinitely far.
    pub fn distance(&self, row: &[u8]) -> f32 {
        let mut sum = [f32::INFINITY];
        if row.len() == self.row_bytes {
            (self.sum_rows)(&self.query, row, self.row_bytes, &mut sum);
            self.finish(&mut sum);
        }
        sum[0]
    }

    /// Appends one distance for each row of `rows`, in order; a partial row at the end is ignored. With dimension 0
    /// nothing is appended. The distances are the same bits as from [`distance`](Self::distance), at less cost.
    pub fn distances(&self, rows: &[u8], out: &mut Vec<f32>) {
        let start = out.len();
        let count = rows.len().checked_div(self.row_bytes).unwrap_or(0);
        out.resize(start + count, 0.0);
        let sums = &mut out[start..];
        (self.sum_rows)(&self.query, rows, self.row_bytes, sums);
        self.finish(sums);
    }

    fn finish(&self, sums: &mut [f32]) {
        if self.metric != Metric::L2 {
            sums.iter_mut().for_each(|sum| *sum = 1.0 - *sum);
        }
    }
}

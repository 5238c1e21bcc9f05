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
        let row_bytes = encoding.row_bytes(query.len());
        let mut query = query.to_vec();
        if metric == Metric::Cosine {
            normalize(&mut query);
        }
        query.resize(query.len().next_multiple_of(LANES), 0.0);
        let kernels = kernels();
        let sum_rows = match (encoding, metric) {
            (Encoding::F32 | Encoding::None, Metric::L2) => kernels.l2_f32,
            (Encoding::F16, Metric::L2) => kernels.l2_f16,
            (Encoding::I8, Metric::L2) => kernels.l2_i8,
            (Encoding::F32 | Encoding::None, _) => kernels.dot_f32,
            (Encoding::F16, _) => kernels.dot_f16,
            (Encoding::I8, _) => kernels.dot_i8,
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
        if row.len() == self.row_bytes && self.row_bytes > 0 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{decode_row, encode_row};

    fn rows(metric: Metric, encoding: Encoding, vectors: &[&[f32]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for vector in vectors {
            encode_row(vector, metric, encoding, &mut bytes).unwrap();
        }
        bytes
    }

    fn distances(metric: Metric, encoding: Encoding, query: &[f32], vectors: &[&[f32]]) -> Vec<f32> {
        let mut out = Vec::new();
        Scorer::new(metric, encoding, query).distances(&rows(metric, encoding, vectors), &mut out);
        out
    }

    #[test]
    fn each_metric_keeps_its_convention_in_both_encodings() {
        for encoding in [Encoding::F32, Encoding::F16, Encoding::I8] {
            let by =
                |metric| distances(metric, encoding, &[2.0, 0.0], &[&[4.0, 0.0], &[0.0, -3.0], &[-1.0, 0.0]]);
            assert_eq!(by(Metric::Cosine), [0.0, 1.0, 2.0]);
            assert_eq!(by(Metric::InnerProduct), [-7.0, 1.0, 3.0]);
            assert_eq!(by(Metric::L2), [4.0, 13.0, 9.0]);
        }
    }

    #[test]
    fn one_row_scores_as_it_does_among_many() {
        let vectors: Vec<Vec<f32>> = (1..50_u8)
            .map(|i| (0..77_u8).map(|j| f32::from(i) * 0.3 - f32::from(j) * 0.07).collect())
            .collect();
        let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        let bytes = rows(Metric::Cosine, Encoding::F16, &vectors);
        let scorer = Scorer::new(Metric::Cosine, Encoding::F16, vectors[7]);
        let mut many = Vec::new();
        scorer.distances(&bytes, &mut many);
        let alone: Vec<f32> = bytes.chunks(scorer.row_bytes()).map(|row| scorer.distance(row)).collect();
        assert_eq!(many, alone);
        assert!(many[7].abs() < 1e-3);
    }

    #[test]
    fn rows_of_the_wrong_length_do_no_harm() {
        let scorer = Scorer::new(Metric::L2, Encoding::F16, &[1.0, 2.0, 3.0]);
        let row = rows(Metric::L2, Encoding::F16, &[&[1.0, 2.0, 5.0]]);
        for wrong in [&row[..5], &row[..0], &[0; 7]] {
            assert_eq!(scorer.distance(wrong), f32::INFINITY);
        }
        let mut out = vec![9.0];
        scorer.distances(&[row.as_slice(), &row[..5]].concat(), &mut out);
        assert_eq!(out, [9.0, 4.0]);
        let mut none = Vec::new();
        Scorer::new(Metric::L2, Encoding::F32, &[]).distances(&row, &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn rows_of_bytes_score_as_their_numbers_do() {
        let vectors: Vec<Vec<f32>> =
            (1..40_u16).map(|i| (0..37).map(|j| f32::from(i * j % 51) - 17.5).collect()).collect();
        for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
            let scorer = Scorer::new(metric, Encoding::I8, &vectors[3]);
            let exact = Scorer::new(metric, Encoding::F32, &vectors[3]);
            let row_bytes = Encoding::I8.row_bytes(37);
            assert_eq!((row_bytes, scorer.row_bytes()), (44, 44));
            let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
            let bytes = rows(metric, Encoding::I8, &vectors);
            let mut many = Vec::new();
            scorer.distances(&bytes, &mut many);
            for (row, distance) in bytes.chunks(44).zip(many) {
                let decoded: Vec<u8> =
                    decode_row(row, Encoding::I8, 37).iter().flat_map(|x| x.to_le_bytes()).collect();
                assert_eq!(distance.to_bits(), exact.distance(&decoded).to_bits());
            }
        }
    }

    /// Digests of the bits of 40 scores, computed once by the reference kernels. They must never change, on any
    /// machine: native code and browser promise the same order.
    #[test]
    fn scores_have_these_bits_everywhere() {
        let vector = |seed: u32| -> Vec<f32> {
            let noise = |i: u32| (seed.wrapping_add(i).wrapping_mul(2_654_435_761) >> 8) as f32;
            (0..101).map(|i| noise(i) / 8_388_608.0 - 1.0).collect()
        };
        let query = vector(1);
        let rows: Vec<Vec<f32>> = (1..=40).map(|i| vector(i * 1000)).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let digest = |metric, encoding| {
            let distances = distances(metric, encoding, &query, &rows);
            distances.iter().fold(0_u32, |digest, distance| digest.rotate_left(5) ^ distance.to_bits())
        };
        let got = [Encoding::F32, Encoding::F16].map(|encoding| {
            [Metric::Cosine, Metric::InnerProduct, Metric::L2].map(|metric| digest(metric, encoding))
        });
        let (f32, f16) = ([0x4fba_e489, 0x2216_5d23, 0x608a_d2c1], [0x3d57_540b, 0x0169_b864, 0x1d1b_3dbf]);
        assert_eq!(got, [f32, f16]);
    }
}

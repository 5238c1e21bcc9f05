//! Distances from one query to stored rows, in the metric the rows were stored for or in another.

use crate::{
    gather::Gather as _,
    metric::{Encoding, Metric, Scorer, decode_row, normalize},
};

/// A query made ready for the rows of one collection.
#[derive(Debug)]
pub struct Measure {
    scorer: Scorer,
    dimension: usize,
    /// How the rows are stored, if each has to be scaled to unit length before it is compared.
    unit: Option<Encoding>,
}

impl Measure {
    /// Ranks rows stored under `stored` by `metric`; `None` if that cannot be computed: rows stored under cosine have
    /// lost their lengths, which the other metrics need. `query` has passed
    /// [`check_vector`](crate::metric::check_vector) for `metric`.
    pub fn new(metric: Metric, stored: Metric, encoding: Encoding, query: &[f32]) -> Option<Self> {
        let dimension = query.len();
        let unit = match (metric, stored) {
            _ if metric == stored => None,
            (_, Metric::Cosine) => return None,
            (Metric::Cosine, _) => Some(encoding),
            _ => None,
        };
        let compared = if unit.is_some() { Encoding::F32 } else { encoding };
        Some(Self { scorer: Scorer::new(metric, compared, query), dimension, unit })
    }

    /// The distance to one stored row. A stored vector of zeros has no direction: under cosine its distance is 1.
    pub fn distance(&self, row: &[u8]) -> f32 {
        match self.unit {
            None => self.scorer.distance(row),
            Some(encoding) => self.scorer.distance(&unit_row(row, encoding, self.dimension)),
        }
    }
}

/// The row at unit length, as floats.
fn unit_row(row: &[u8], encoding: Encoding, dimension: usize) -> Vec<u8> {
    let mut vector = decode_row(row, encoding, dimension);
    normalize(&mut vector);
    vector.iter().flat_map(|x| x.to_le_bytes()).gather()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::encode_row;

    const METRICS: [Metric; 3] = [Metric::Cosine, Metric::InnerProduct, Metric::L2];

    #[test]
    fn another_metric_gives_what_it_would_have_given_stored_so() {
        let (query, vector) = ([1.0, 2.0, -0.5], [3.0, -1.0, 0.25]);
        for (metric, stored) in METRICS.iter().flat_map(|metric| METRICS.map(|stored| (*metric, stored))) {
            let row = |metric| {
                let mut row = Vec::new();
                encode_row(&vector, metric, Encoding::F32, &mut row).unwrap();
                row
            };
            let measure = Measure::new(metric, stored, Encoding::F32, &query);
            let possible = stored != Metric::Cosine || metric == Metric::Cosine;
            assert_eq!(measure.is_some(), possible, "{metric:?} over {stored:?}");
            if let Some(measure) = measure {
                let expected = Scorer::new(metric, Encoding::F32, &query).distance(&row(metric));
                assert_eq!(measure.distance(&row(stored)), expected, "{metric:?} over {stored:?}");
            }
        }
    }

    #[test]
    fn a_row_of_zeros_is_at_distance_one_under_cosine() {
        let measure = Measure::new(Metric::Cosine, Metric::L2, Encoding::F16, &[1.0, 1.0]).unwrap();
        assert_eq!(measure.distance(&[0; 4]), 1.0);
    }
}

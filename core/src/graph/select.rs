//! Which of the rows near a row become its neighbours.

use crate::{
    cluster::Built,
    metric::{Encoding, Metric, decode_row},
    search::Measure,
};

/// A row at a distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    pub(super) distance: f32,
    pub(super) row: u32,
}

impl Near {
    /// Nearest first, equal ones by row.
    pub(super) fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row))
    }
}

/// What rows are compared by while a graph is built.
pub(super) struct Space<'a> {
    pub(super) file: &'a Built<'a>,
    pub(super) metric: Metric,
    pub(super) dimension: usize,
}

impl<'a> Space<'a> {
    /// That of the rows of `file`.
    pub(super) fn of(file: &'a Built<'a>) -> Self {
        Self { file, metric: file.metric(), dimension: file.dimension() }
    }

    /// The vector of a row.
    pub(super) fn vector(&self, row: u32) -> Vec<f32> {
        decode_row(self.file.vector_of(row as usize), Encoding::I8, self.dimension)
    }

    /// Distances to a row.
    fn measure(&self, row: u32) -> Option<Measure> {
        Measure::new(self.metric, self.metric, Encoding::I8, &self.vector(row))
    }

    /// Of `near`, which ascends, those that no nearer neighbour is closer to than the row itself: at most `degree`. What
    /// places are left go to the nearest of the others.
    pub(super) fn select(&self, near: &[Near], degree: usize) -> Vec<Near> {
        let (mut kept, mut passed): (Vec<Near>, Vec<Near>) = (Vec::with_capacity(degree), Vec::new());
        for one in near {
            if kept.len() == degree {
                break;
            }
            let hidden = match self.measure(one.row) {
                Some(measure) => kept
                    .iter()
                    .any(|other| measure.distance(self.file.vector_of(other.row as usize)) < one.distance),
                None => true,
            };
            if hidden { passed.push(*one) } else { kept.push(*one) }
        }
        let left = degree - kept.len();
        kept.extend(passed.into_iter().take(left));
        kept.sort_by(Near::order);
        kept
    }
}

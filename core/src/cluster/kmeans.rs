//! k-means over a sample of the rows: Lloyd's iterations from rows that lie spread over the file.
//!
//! Groups that came out empty take over half of the rows of the largest; see [`super::split`].

use super::{
    Parallel,
    centroids::{Centroids, TRAINING},
    groups::Groups,
    jobs::{map, part},
    panel::{Panel, least},
    rows::Rows,
    sample::spread_out,
    split::rebalance,
};

/// Rows of the sample for each cluster.
const SAMPLED: usize = 256;
/// Lloyd's iterations.
const ITERATIONS: usize = 16;
/// Rows that one job compares.
const PART: usize = 1024;

/// The means of `count` groups of rows, in units of the rows' unit.
pub(super) fn train(rows: &Rows, count: usize, parallel: &dyn Parallel) -> Vec<f32> {
    let sample = rows.pick(&spread_out(rows.count(), count.saturating_mul(SAMPLED), 0));
    let mut means = Vec::with_capacity(count * rows.width);
    for row in spread_out(sample.count(), count, 1) {
        let mut mean = vec![0.0; rows.width];
        sample.add(row as usize, 1.0, &mut mean);
        means.extend(mean);
    }
    means.resize(count * rows.width, 0.0);
    for iteration in 1..=ITERATIONS {
        let centroids = Centroids::of(&means, rows.width, TRAINING, parallel);
        let groups = Groups::new(&[&nearest(&sample, &centroids, parallel)], count);
        update(&sample, &groups, &mut means, parallel);
        if iteration < ITERATIONS {
            rebalance(&sample, &groups, &mut means);
        }
    }
    means
}

/// The nearest centroid of each row.
pub(super) fn nearest(rows: &Rows, centroids: &Centroids, parallel: &dyn Parallel) -> Vec<u32> {
    let panel = Panel::new(centroids);
    let of_part = |job: usize| {
        let numbers: Vec<u32> = part(job, PART, rows.count()).map(|row| row as u32).collect();
        let mut found = Vec::with_capacity(numbers.len());
        panel.score(rows, &numbers, &mut |_, scores| found.push(least(scores)));
        found
    };
    map(parallel, rows.count().div_ceil(PART), &of_part).concat()
}

/// Replaces the means of groups that have rows. Each is added up by one job in the order of its rows.
fn update(rows: &Rows, groups: &Groups, means: &mut [f32], parallel: &dyn Parallel) {
    let sums = map(parallel, groups.count(), &|group| mean(rows, groups.of(group)));
    for (mean, sum) in means.chunks_exact_mut(rows.width).zip(sums) {
        sum.into_iter().for_each(|sum| mean.copy_from_slice(&sum));
    }
}

/// The mean of these rows, if there is one.
pub(super) fn mean(rows: &Rows, numbers: &[u32]) -> Option<Vec<f32>> {
    let mut mean = vec![0.0; rows.width];
    numbers.iter().for_each(|row| rows.add(*row as usize, 1.0, &mut mean));
    let count = numbers.len() as f32;
    mean.iter_mut().for_each(|sum| *sum /= count);
    (count > 0.0).then_some(mean)
}

//! The last assignment: of all rows, to centroids as a file holds them.

use super::{
    Parallel,
    centroids::{Centroids, STORED},
    groups::Groups,
    kmeans::nearest,
    rows::Rows,
};

/// The centroids in four bits and the cluster of each row. Clusters that no row is nearest to are left out.
pub(super) fn settle(rows: &Rows, means: &[f32], parallel: &dyn Parallel) -> (Centroids, Vec<u32>) {
    let centroids = Centroids::of(means, rows.width, STORED, parallel);
    let mut first = nearest(rows, &centroids, parallel);
    let groups = Groups::new(&[&first], centroids.count());
    let mut kept: Vec<usize> = (0..centroids.count()).filter(|c| !groups.of(*c).is_empty()).collect();
    if kept.is_empty() {
        kept.push(0);
    }
    for (number, c) in kept.iter().enumerate() {
        for row in groups.of(*c) {
            first.get_mut(*row as usize).into_iter().for_each(|to| *to = number as u32);
        }
    }
    (centroids.pick(&kept), first)
}

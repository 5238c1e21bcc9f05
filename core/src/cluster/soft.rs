//! A second cluster for each row, chosen so that a question which misses the first is likely to find it there.
//!
//! As in SOAR (Sun et al., "SOAR: Improved Indexing for Approximate Nearest Neighbor Search", arXiv 2404.00774): of two
//! second clusters that are equally near, the one is better whose residual is not parallel to the first residual. A
//! question that lies badly for the first cluster lies along the first residual, and then a second residual across
//! it does not suffer. The loss of cluster c is |r2|^2 + lambda (<r1, r2> / |r1|)^2.

use super::{
    Parallel,
    centroids::Centroids,
    groups::Groups,
    jobs::map,
    panel::{Panel, least},
    rows::Rows,
};

/// How much residuals that are parallel count. Over 117,791 sentence vectors 1 to 2.5 find the same, and more of it
/// in fewer slots, because the second clusters are less often the crowded ones; 0 loses 0.010 of the recall.
const LAMBDA: f32 = 1.5;

/// The second cluster of each row; nothing if there is only one.
pub(super) fn second(rows: &Rows, centroids: &Centroids, first: &[u32], parallel: &dyn Parallel) -> Vec<u32> {
    if centroids.count() < 2 {
        return Vec::new();
    }
    let panel = Panel::new(centroids);
    let groups = Groups::new(&[first], centroids.count());
    let chosen = map(parallel, groups.count(), &|cluster| {
        of_cluster(rows, &panel, centroids, cluster, groups.of(cluster))
    });
    let mut second = vec![0; rows.count()];
    for (cluster, chosen) in chosen.into_iter().enumerate() {
        for (row, chosen) in groups.of(cluster).iter().zip(chosen) {
            second.get_mut(*row as usize).into_iter().for_each(|to| *to = chosen);
        }
    }
    second
}

/// The second clusters of rows whose first is `cluster`.
fn of_cluster(
    rows: &Rows,
    panel: &Panel,
    centroids: &Centroids,
    cluster: usize,
    members: &[u32],
) -> Vec<u32> {
    let products = products(panel, centroids, cluster);
    let mut losses = vec![0.0; centroids.count()];
    let mut chosen = Vec::with_capacity(members.len());
    panel.score(rows, members, &mut |row, scores| {
        let norm_sq = norm_sq(rows, row as usize);
        let nearest = scores.get(cluster).copied().unwrap_or_default();
        let residual_sq = norm_sq + 2.0 * nearest;
        let parallel = if residual_sq > 0.0 { LAMBDA / residual_sq } else { 0.0 };
        // <r1, r2> = |x|^2 - <x, c1> - <x, c2> + <c1, c2>, and a score is |c|^2 / 2 - <x, c>.
        let common = norm_sq + nearest - panel.halves.get(cluster).copied().unwrap_or_default();
        let terms = scores.iter().zip(&products).zip(&panel.halves);
        for (loss, ((score, product), half)) in losses.iter_mut().zip(terms) {
            let both = common + (score - half) + product;
            *loss = 2.0 * score + parallel * both * both;
        }
        losses.get_mut(cluster).into_iter().for_each(|own| *own = f32::INFINITY);
        chosen.push(least(&losses));
    });
    chosen
}

/// The products of centroid `cluster` with all centroids.
fn products(panel: &Panel, centroids: &Centroids, cluster: usize) -> Vec<f32> {
    let scores = panel.score_centroid(centroids, cluster);
    scores.iter().zip(&panel.halves).map(|(score, half)| half - score).collect()
}

fn norm_sq(rows: &Rows, row: usize) -> f32 {
    let squares = rows.row(row).iter().map(|byte| i32::from(*byte) * i32::from(*byte));
    rows.scale(row) * rows.scale(row) * squares.sum::<i32>() as f32
}

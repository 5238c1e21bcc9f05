//! How far the rows of each cluster reach in the directions that questions come from.
//!
//! The spread of cluster c is the root of the mean of <r, u>^2, over the residuals r of its slots and over directions
//! u = (y - c) / |y - c| to rows y of the clusters nearest to c. A question q stands where rows are dense, so that
//! (q - c) / |q - c| is much like one of these, and <r, q - c> / |q - c| has about the spread as its deviation. Any
//! direction at all would not do: rows vary much more in some directions than in others, and questions lie there.

use super::{
    Parallel,
    cells::Places,
    centroids::Centroids,
    jobs::map,
    panel::{Panel, least},
    rows::Rows,
    sample::spread_out,
};

/// The nearest clusters from which directions come.
const NEIGHBOURS: usize = 12;
/// Directions that each gives.
const DIRECTIONS: usize = 2;
/// Slots of each cluster that are looked at.
const SLOTS: usize = 64;

/// The spread of each cluster. 0 where there is nothing to measure: one cluster, or rows that are all at the centre.
pub(super) fn spreads(
    rows: &Rows,
    centroids: &Centroids,
    places: &Places<'_>,
    parallel: &dyn Parallel,
) -> Vec<f32> {
    let panel = Panel::new(centroids);
    map(parallel, centroids.count(), &|cluster| rows.unit * spread(rows, &panel, centroids, places, cluster))
}

fn spread(rows: &Rows, panel: &Panel, centroids: &Centroids, places: &Places<'_>, cluster: usize) -> f32 {
    let mut centre = Vec::new();
    centroids.decode(cluster, &mut centre);
    let slots = some(places.slots.of(cluster), SLOTS, cluster);
    let (mut sum, mut count) = (0.0, 0.0);
    for neighbour in neighbours(panel, centroids, cluster) {
        for y in some(places.slots.of(neighbour), DIRECTIONS, cluster) {
            let mut way: Vec<f32> = centre.iter().map(|x| -x).collect();
            rows.add(y as usize, 1.0, &mut way);
            let length_sq: f32 = way.iter().map(|x| x * x).sum();
            if length_sq == 0.0 {
                continue;
            }
            let of_centre: f32 = way.iter().zip(&centre).map(|(way, x)| way * x).sum();
            for row in slots.iter().filter(|row| **row != y) {
                let along = rows.product(*row as usize, &way) - of_centre;
                sum += along * along / length_sq;
                count += 1.0;
            }
        }
    }
    if count > 0.0 { (sum / count).sqrt() } else { 0.0 }
}

/// Some of `rows`, spread over them.
fn some(rows: &[u32], wanted: usize, salt: usize) -> Vec<u32> {
    let places = spread_out(rows.len(), wanted, salt as u64);
    places.iter().filter_map(|place| rows.get(*place as usize).copied()).collect()
}

/// The clusters whose centroids are nearest to that of `cluster`.
fn neighbours(panel: &Panel, centroids: &Centroids, cluster: usize) -> Vec<usize> {
    let mut distances = panel.score_centroid(centroids, cluster);
    distances.get_mut(cluster).into_iter().for_each(|own| *own = f32::INFINITY);
    let wanted = NEIGHBOURS.min(distances.len().saturating_sub(1));
    let mut nearest = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let next = least(&distances) as usize;
        distances.get_mut(next).into_iter().for_each(|taken| *taken = f32::INFINITY);
        nearest.push(next);
    }
    nearest
}

//! Maximal marginal relevance: rows that are near to the query and far from each other (Carbonell and Goldstein, SIGIR
//! 1998), over distances instead of similarities.

use crate::gather::Gather as _;

/// Chooses up to `k` candidates greedily: first the nearest, then always the one with the greatest
/// `(1 - lambda) * (distance to the nearest chosen) - lambda * (distance to the query)`. Returns their numbers and
/// scores in the order they were chosen; the first one's score is `-lambda * (distance to the query)`.
///
/// `distances` are those to the query, nearest first; of equal scores the first candidate wins, so the order of equally
/// near candidates decides ties. `between` is asked for the distance of two candidates, no pair twice: O(k * n) times.
/// Distances are finite.
pub fn mmr(
    distances: &[f32],
    lambda: f64,
    k: usize,
    between: &mut dyn FnMut(usize, usize) -> f32,
) -> Vec<(usize, f64)> {
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    // The candidates that are left, in their order: number, cost of being far from the query, distance to the nearest
    // chosen.
    let mut left: Vec<(usize, f64, f64)> =
        distances.iter().enumerate().map(|(i, d)| (i, lambda * f64::from(*d), f64::INFINITY)).gather();
    let mut place = 0;
    while chosen.len() < k && place < left.len() {
        let (picked, cost, nearest) = left.remove(place);
        let gain = if chosen.is_empty() { 0.0 } else { (1.0 - lambda) * nearest };
        chosen.push((picked, gain - cost));
        if chosen.len() == k {
            break;
        }
        let mut best = f64::NEG_INFINITY;
        place = 0;
        for (i, (candidate, cost, nearest)) in left.iter_mut().enumerate() {
            *nearest = nearest.min(f64::from(between(picked, *candidate)));
            let score = (1.0 - lambda) * *nearest - *cost;
            if score > best {
                (best, place) = (score, i);
            }
        }
    }
    chosen
}

//! Reciprocal rank fusion: several rankings become one by ranks alone, whatever their distances mean (Cormack, Clarke
//! and Büttcher, SIGIR 2009).

use crate::{gather::Gather as _, order::sort_indices};

/// Fuses `lists` of row keys, each best first and without repeats. Every key gets the sum of `1 / (k + rank)` over the
/// lists it is in, ranks counted from 1, and comes once, greatest score first; equal scores by the smallest rank, then by
/// the key.
///
/// A score does not depend on the order of the lists: its terms are added from the smallest rank on, so keys with the
/// same ranks have the same score to the last bit.
pub fn rrf(lists: &[Vec<u64>], k: f64) -> Vec<(u64, f64)> {
    let ranked: Vec<(u64, u64)> = lists.iter().flat_map(|list| list.iter().copied().zip(1..)).gather();
    let at = |i: u32| ranked.get(i as usize).copied().unwrap_or_default();
    // Score, best rank, key.
    let mut fused: Vec<(f64, u64, u64)> = Vec::new();
    for (key, rank) in sort_indices(ranked.len(), &mut |a, b| at(a).cmp(&at(b))).into_iter().map(at) {
        let term = 1.0 / (k + rank as f64);
        match fused.last_mut().filter(|last| last.2 == key) {
            Some(last) => last.0 += term,
            None => fused.push((term, rank, key)),
        }
    }
    let at = |i: u32| fused.get(i as usize).copied().unwrap_or_default();
    let order = sort_indices(fused.len(), &mut |a, b| {
        let (a, b) = (at(a), at(b));
        b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)))
    });
    order.into_iter().map(at).map(|(score, _, key)| (key, score)).gather()
}

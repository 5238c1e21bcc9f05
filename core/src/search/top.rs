//! The k nearest rows seen so far.

use crate::gather::Gather as _;
use std::collections::BinaryHeap;

/// Keeps the `k` nearest rows. Equal distances are ordered by row, so the result does not depend on the order of
/// pushing. O(log k) a row that enters, one comparison for a row that does not.
#[derive(Debug)]
pub struct Top {
    k: usize,
    bound: f32,
    floor: Entry,
    heap: BinaryHeap<Entry>,
}

#[derive(Debug, PartialEq, Clone, Copy)]
struct Entry {
    distance: f32,
    row: u64,
}

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.distance.total_cmp(&other.distance).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Top {
    /// An empty list of at most `k` rows.
    pub fn new(k: usize) -> Self {
        Self::after(k, None)
    }

    /// The same of the rows that are further than `floor`, or as far and not before its row.
    pub fn after(k: usize, floor: Option<(f32, u64)>) -> Self {
        let bound = if k == 0 { f32::NEG_INFINITY } else { f32::INFINITY };
        let (distance, row) = floor.unwrap_or((f32::NEG_INFINITY, 0));
        Self { k, bound, floor: Entry { distance, row }, heap: BinaryHeap::new() }
    }

    /// Offers a row.
    #[inline]
    pub fn push(&mut self, distance: f32, row: u64) {
        // A NaN, which only a forged file can bring, counts as infinitely far: its sign depends on the processor.
        let distance = if distance.is_nan() { f32::INFINITY } else { distance };
        if distance <= self.bound {
            self.enter(Entry { distance, row });
        }
    }

    fn enter(&mut self, entry: Entry) {
        if entry < self.floor {
            return;
        }
        if self.heap.len() < self.k {
            self.heap.push(entry);
        } else if let Some(mut worst) = self.heap.peek_mut().filter(|worst| entry < **worst) {
            *worst = entry;
        }
        if self.heap.len() == self.k {
            self.bound = self.heap.peek().map_or(self.bound, |worst| worst.distance);
        }
    }

    /// The distance of the k-th row; infinite while there are fewer.
    pub fn bound(&self) -> f32 {
        self.bound
    }

    /// The rows with their distances, nearest first.
    pub fn into_sorted(self) -> Vec<(f32, u64)> {
        self.heap.into_sorted_vec().into_iter().map(|entry| (entry.distance, entry.row)).gather()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_stay_and_ties_go_by_row() {
        let mut top = Top::new(3);
        for (distance, row) in [(2.0, 9), (1.0, 7), (1.0, 3), (5.0, 1), (2.0, 2), (f32::NAN, 0)] {
            top.push(distance, row);
        }
        assert_eq!(top.into_sorted(), [(1.0, 3), (1.0, 7), (2.0, 2)]);
    }

    /// Which NaN a kernel gives depends on the processor: x86's has its sign set, which total order puts first.
    #[test]
    fn a_nan_of_either_sign_is_infinitely_far() {
        let mut top = Top::new(2);
        for (distance, row) in [(-f32::NAN, 0), (f32::NAN, 1), (7.0, 2)] {
            top.push(distance, row);
        }
        assert_eq!(top.into_sorted(), [(7.0, 2), (f32::INFINITY, 0)]);
    }

    #[test]
    fn rows_before_the_floor_stay_out() {
        let mut top = Top::after(2, Some((1.0, 5)));
        for (distance, row) in [(0.5, 9), (1.0, 4), (1.0, 5), (1.0, 7), (2.0, 1)] {
            top.push(distance, row);
        }
        assert_eq!(top.into_sorted(), [(1.0, 5), (1.0, 7)]);
    }

    #[test]
    fn none_are_kept_when_none_are_asked() {
        let mut top = Top::new(0);
        top.push(1.0, 1);
        assert!(top.into_sorted().is_empty());
    }
}

//! The rows that may be among the nearest, as far as their codes tell.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::quant::Candidate;

/// How many rows there is space for at first.
const ROWS: usize = 512;

/// Collects estimated rows and keeps the bound that a row has to reach: the k-th least of the upper bounds.
///
/// The bound is that of all rows that were offered, whatever their order: a row that sets it reaches every bound before it.
#[derive(Debug)]
pub struct Candidates {
    /// The greatest of the `depth` least upper bounds on top, as sortable bits.
    uppers: BinaryHeap<u32>,
    depth: usize,
    bound: f32,
    rows: Vec<Entry>,
}

/// A row of one of the files that are searched.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The place of its file among those that are searched.
    pub part: u32,
    /// The row in the file.
    pub row: u32,
    /// The least distance that its code allows.
    pub low: f32,
    /// The distance that its code says.
    pub estimate: f32,
}

impl Candidates {
    /// For the `k` nearest rows; `twice`: rows may be offered twice, by two clusters.
    pub fn new(k: usize, twice: bool) -> Self {
        let depth = if twice { k.saturating_add(k.div_ceil(2)) } else { k };
        Self { uppers: BinaryHeap::new(), depth, bound: f32::INFINITY, rows: Vec::with_capacity(ROWS) }
    }

    /// What the least distance of a row must not exceed.
    pub fn bound(&self) -> f32 {
        self.bound
    }

    /// Takes what a scan found in a file and leaves the list empty.
    pub fn take(&mut self, part: u32, found: &mut Vec<Candidate>) {
        for Candidate { low, estimate, row } in found.drain(..) {
            // The second only in forged cells.
            if low > self.bound || !low.is_finite() {
                continue;
            }
            self.rows.push(Entry { part, row, low, estimate });
            let upper = sortable(estimate + (estimate - low));
            if self.uppers.len() < self.depth {
                self.uppers.push(upper);
            } else if let Some(mut greatest) = self.uppers.peek_mut()
                && upper < *greatest
            {
                *greatest = upper;
            }
            if self.uppers.len() == self.depth {
                self.bound = self.uppers.peek().map_or(self.bound, |greatest| unsortable(*greatest));
            }
        }
    }

    /// How many rows reach the bound at least, rows that came twice counted twice.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row was offered.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that reach the bound, each once, least distances first, at most `most`.
    pub fn into_rows(self, most: usize) -> Ranked {
        let Self { rows, bound, .. } = self;
        let keyed = (0..).zip(&rows).filter(|(_, entry)| entry.low <= bound);
        let mut keys = Vec::with_capacity(rows.len());
        keyed.for_each(|(place, entry)| keys.push(Reverse(u64::from(sortable(entry.low)) << 32 | place)));
        let left = keys.len().min(most);
        Ranked { rows, heap: BinaryHeap::from(keys), seen: Seen::new(left), left }
    }
}

/// Rows in the order of the least distances that their codes allow. Ordered as far as they are asked for.
#[derive(Debug, Clone)]
pub struct Ranked {
    rows: Vec<Entry>,
    heap: BinaryHeap<Reverse<u64>>,
    seen: Seen,
    left: usize,
}

impl Iterator for Ranked {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while self.left > 0 {
            let Reverse(key) = self.heap.pop()?;
            let entry = *self.rows.get(key as u32 as usize)?;
            if self.seen.is_new(entry.part, entry.row) {
                self.left -= 1;
                return Some(entry);
            }
        }
        None
    }
}

/// Which rows were met: open addressing over at least twice as many places.
#[derive(Debug, Clone)]
struct Seen {
    places: Vec<u64>,
}

impl Seen {
    fn new(rows: usize) -> Self {
        Self { places: vec![u64::MAX; (rows.saturating_mul(2).max(16)).next_power_of_two()] }
    }

    fn is_new(&mut self, part: u32, row: u32) -> bool {
        let key = u64::from(part) << 32 | u64::from(row);
        let mask = self.places.len() - 1;
        let mut place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while let Some(slot) = self.places.get_mut(place) {
            if *slot == key {
                return false;
            }
            if *slot == u64::MAX {
                *slot = key;
                return true;
            }
            place = (place + 1) & mask;
        }
        true
    }
}

/// The bits of a float in an order that integers share; NaN of either sign comes last or first, and is never produced by
/// checked files.
pub(super) fn sortable(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn unsortable(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(estimate: f32, width: f32, row: u32) -> Candidate {
        Candidate { low: estimate - width, estimate, row }
    }

    #[test]
    fn the_bound_is_that_of_all_rows_in_any_order() {
        let all: Vec<Candidate> = (0..200u32)
            .map(|i| candidate(((i * 7919) % 200) as f32 / 100.0 - 0.5, 0.05 + (i % 3) as f32 * 0.02, i))
            .collect();
        let mut expected: Vec<f32> = all.iter().map(|c| c.estimate + (c.estimate - c.low)).collect();
        expected.sort_by(f32::total_cmp);
        let mut answers = Vec::new();
        for backwards in [false, true] {
            let mut candidates = Candidates::new(5, false);
            let mut order = all.clone();
            if backwards {
                order.reverse();
            }
            order.into_iter().for_each(|one| candidates.take(3, &mut vec![one]));
            assert_eq!(candidates.bound(), expected[4]);
            let rows: Vec<Entry> = candidates.into_rows(usize::MAX).collect();
            assert!(rows.is_sorted_by(|a, b| a.low <= b.low));
            answers.push(
                rows.iter().map(|entry| (entry.part, entry.row)).collect::<std::collections::BTreeSet<_>>(),
            );
        }
        assert_eq!(answers[0], answers[1]);
        let within = all.iter().filter(|c| c.low <= expected[4]).count();
        assert_eq!(answers[0].len(), within);
    }

    #[test]
    fn a_row_of_two_clusters_comes_once() {
        let mut candidates = Candidates::new(4, true);
        candidates.take(0, &mut vec![candidate(1.0, 0.5, 7), candidate(0.5, 0.1, 8), candidate(0.9, 0.1, 7)]);
        candidates.take(1, &mut vec![candidate(0.2, 0.1, 7)]);
        let rows: Vec<_> = candidates.into_rows(9).map(|entry| (entry.part, entry.row)).collect();
        assert_eq!(rows, [(1, 7), (0, 8), (0, 7)]);
    }

    #[test]
    fn sortable_bits_keep_the_order() {
        let floats = [f32::NEG_INFINITY, -2.5, -1e-40, -0.0, 0.0, 1e-40, 3.0, f32::INFINITY];
        assert!(floats.windows(2).all(|pair| sortable(pair[0]) < sortable(pair[1])));
        assert!(floats.iter().all(|x| unsortable(sortable(*x)).to_bits() == x.to_bits()));
    }
}

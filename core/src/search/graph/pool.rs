//! The nearest rows that a walk has seen, and which of them it has not gone on from.

use crate::gather::Gather as _;

/// At most `width` rows, nearest first, equal ones by row: so a walk does not depend on the order of neighbours.
#[derive(Debug)]
pub(super) struct Pool {
    width: usize,
    rows: Vec<Entry>,
    /// All rows before this place were left.
    open_from: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    open: bool,
}

impl Pool {
    pub(super) fn new(width: usize) -> Self {
        Self { width, rows: Vec::with_capacity(width.saturating_add(1).min(4096)), open_from: 0 }
    }

    /// Takes a row in if it is among the nearest.
    pub(super) fn offer(&mut self, distance: f32, row: u32) {
        let key = u64::from(sortable(distance)) << 32 | u64::from(row);
        if self.rows.len() >= self.width {
            match self.rows.last() {
                Some(last) if key < last.key => drop(self.rows.pop()),
                _ => return,
            }
        }
        let place = self.rows.partition_point(|entry| entry.key < key);
        self.rows.insert(place, Entry { key, open: true });
        self.open_from = self.open_from.min(place);
    }

    /// The nearest row that was not left yet, which is left now.
    pub(super) fn leave(&mut self) -> Option<u32> {
        let place = self.open_place()?;
        let entry = self.rows.get_mut(place)?;
        entry.open = false;
        self.open_from = place + 1;
        Some(entry.key as u32)
    }

    /// The row that will be left next, if no nearer one is offered.
    pub(super) fn next(&self) -> Option<u32> {
        self.rows.get(self.open_place()?).map(|entry| entry.key as u32)
    }

    fn open_place(&self) -> Option<usize> {
        let rest = self.rows.get(self.open_from..)?;
        rest.iter().position(|entry| entry.open).map(|place| self.open_from + place)
    }

    /// Distances and rows, nearest first.
    pub(super) fn into_rows(self) -> Vec<(f32, u32)> {
        self.rows.into_iter().map(|entry| (unsortable((entry.key >> 32) as u32), entry.key as u32)).gather()
    }
}

/// The bits of a float in an order that integers share.
fn sortable(x: f32) -> u32 {
    let bits = x.to_bits();
    bits ^ ((bits.cast_signed() >> 31).cast_unsigned() | 0x8000_0000)
}

fn unsortable(bits: u32) -> f32 {
    f32::from_bits(bits ^ if bits >> 31 == 1 { 0x8000_0000 } else { u32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_kept_and_left_in_their_order() {
        let mut pool = Pool::new(3);
        for (distance, row) in [(2.0, 9), (-1.0, 7), (0.5, 3)] {
            pool.offer(distance, row);
        }
        assert_eq!((pool.leave(), pool.leave()), (Some(7), Some(3)));
        for (distance, row) in [(2.0, 4), (2.0, 11), (f32::INFINITY, 1), (-1.0, 2)] {
            pool.offer(distance, row);
        }
        assert_eq!(pool.next(), Some(2));
        assert_eq!((pool.leave(), pool.leave()), (Some(2), None));
        assert_eq!(pool.into_rows(), [(-1.0, 2), (-1.0, 7), (0.5, 3)]);
    }

    #[test]
    fn a_pool_of_no_width_keeps_nothing() {
        let mut pool = Pool::new(0);
        pool.offer(1.0, 1);
        assert_eq!(pool.leave(), None);
    }
}

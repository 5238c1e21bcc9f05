//! Which rows a walk has met.

/// Stands for no row.
const EMPTY: u32 = u32::MAX;

/// A set of rows: open addressing, at most half full. Takes memory for the rows it holds, whatever the file has.
#[derive(Debug)]
pub(super) struct Visited {
    places: Vec<u32>,
    rows: usize,
}

impl Visited {
    /// For about so many rows; more make it grow.
    pub(super) fn new(rows: usize) -> Self {
        Self { places: vec![EMPTY; (2 * rows.max(16)).next_power_of_two()], rows: 0 }
    }

    /// Adds a row; says whether it is new. No row has the number 2^32 - 1.
    pub(super) fn insert(&mut self, row: u32) -> bool {
        if 2 * self.rows >= self.places.len() {
            let old = std::mem::take(&mut self.places);
            *self = Self::new(old.len());
            for row in old.into_iter().filter(|row| *row != EMPTY) {
                self.place(row);
            }
        }
        self.place(row)
    }

    fn place(&mut self, row: u32) -> bool {
        let mask = self.places.len() - 1;
        let mut place = (row.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask;
        while let Some(held) = self.places.get_mut(place) {
            if *held == row {
                return false;
            }
            if *held == EMPTY {
                *held = row;
                self.rows += 1;
                return true;
            }
            place = (place + 1) & mask;
        }
        false
    }

    /// How many rows it holds.
    pub(super) fn len(&self) -> usize {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_new_once_however_many_there_are() {
        let mut visited = Visited::new(3);
        for row in (0..5000).map(|i: u32| i.wrapping_mul(0x0100_0193) >> 1) {
            assert!(visited.insert(row));
            assert!(!visited.insert(row));
        }
        assert_eq!(visited.len(), 5000);
        assert!(visited.places.len() < 32 * 1024);
    }
}

//! How far a search goes: from the recall that is asked to the bound that is trusted.

use crate::snapshot::between;

/// What a search may spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How many standard errors of the estimate its bound is wide, counted in |q - c| times the slot's factor.
    pub bound: f32,
    /// The most rows whose vectors are looked at.
    pub looks: usize,
    /// The fewest, as far as there are candidates.
    pub least: usize,
}

/// Recalls and the bounds that keep them: the error of a sign code is the same whatever the data (0.6 of |q - c| times the
/// slot's factor is one standard deviation), so these hold for all files.
const BOUNDS: [(f32, f32); 7] =
    [(0.5, 0.3), (0.8, 0.5), (0.9, 0.7), (0.95, 0.95), (0.98, 1.2), (0.99, 1.4), (1.0, 2.5)];
/// A search of k rows looks at no more vectors than this many times k, and this many more.
const LOOKS: (usize, usize) = (64, 512);

impl Settings {
    /// The settings of a search for the `k` nearest rows.
    pub fn new(k: usize, recall: f32) -> Self {
        let looks = k.saturating_mul(LOOKS.0).saturating_add(LOOKS.1);
        Self { bound: between(&BOUNDS, recall), looks, least: 0 }
    }

    /// The same with at least so many rows looked at.
    pub fn at_least(self, least: usize) -> Self {
        Self { looks: self.looks.max(least), least, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_recall_never_trusts_a_narrower_bound() {
        let bounds: Vec<f32> = (0..=100).map(|i| Settings::new(10, i as f32 / 100.0).bound).collect();
        assert!(bounds.is_sorted(), "{bounds:?}");
        assert_eq!((bounds[95], bounds[100]), (0.95, 2.5));
    }
}

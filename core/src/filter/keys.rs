//! Sets of keys: what an IN list becomes when its values are not one range.

use super::reach::Reach;

/// A set of integers, times or dictionary codes with at least two gaps-and-runs in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeySet {
    /// One bit per key from `base` on.
    Bits {
        /// The smallest key.
        base: i64,
        /// The bits, lowest first.
        words: Vec<u64>,
    },
    /// Sorted, without repeats.
    Sorted(Vec<i64>),
}

/// Bits are used up to this many of them a key: beyond, the sorted list is smaller and caches better.
const MAX_BITS_PER_KEY: u64 = 512;

impl KeySet {
    /// The set of `keys`, which are sorted and without repeats. `Err` if they are one range, which is faster.
    pub fn new(keys: Vec<i64>) -> Result<Self, Reach<i64>> {
        let (Some(&first), Some(&last)) = (keys.first(), keys.last()) else {
            return Err(Reach::Nothing);
        };
        let (width, count) = (last.abs_diff(first), keys.len() as u64);
        if width == count - 1 {
            return Err(Reach::Within(first, last));
        }
        if width / MAX_BITS_PER_KEY > count {
            return Ok(Self::Sorted(keys));
        }
        let mut words = vec![0_u64; (width / 64 + 1) as usize];
        for key in keys {
            let bit = key.abs_diff(first);
            if let Some(word) = words.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
        Ok(Self::Bits { base: first, words })
    }

    /// Whether `key` is in the set.
    #[inline]
    pub fn contains(&self, key: i64) -> bool {
        match self {
            Self::Bits { base, words } => {
                // A key below the base wraps to a number far past the last word.
                let bit = key.wrapping_sub(*base) as u64;
                words.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1)
            }
            Self::Sorted(keys) => keys.binary_search(&key).is_ok(),
        }
    }
}

/// A set of floats: sorted, without repeats, all finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FloatSet(pub Vec<f64>);

impl FloatSet {
    /// Whether `value` is in the set.
    #[inline]
    pub fn contains(&self, value: f64) -> bool {
        let at = self.0.partition_point(|member| *member < value);
        self.0.get(at) == Some(&value)
    }
}

//! The one sort and the one small map of the pure core. Each instance of the standard library's is one or two kilobytes
//! of the compressed wasm module; what is sorted at run time are answers and lists of a statement.
//!
//! Native code, and code that no wasm module carries, uses the standard library's.

use std::{borrow::Borrow, cmp::Ordering};

/// A map for few keys, such as columns: a sorted list. Looking up is O(log n); entering is O(n), but O(1) where keys
/// come in ascending order. Iterating goes by key.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<K, V>(Vec<(K, V)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Map<K, V> {
    /// A map of nothing.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// A map of these. Of equal keys the last one stays. O(n log n), O(n) where the keys ascend.
    pub fn from_entries(mut entries: Vec<(K, V)>) -> Self {
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            // Sorting is stable and dropping repeats keeps the first.
            entries.reverse();
            sort_by(&mut entries, |(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(repeat, _), (kept, _)| repeat == kept);
        }
        Self(entries)
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.0.binary_search_by(|(known, _)| known.borrow().cmp(key)).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// The value of a key, which is entered with `value` if it is new.
    pub fn get_or_insert(&mut self, key: K, value: V) -> &mut V {
        let place = match self.0.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (key, value));
                place
            }
        };
        &mut self.0[place].1
    }

    /// The keys with their values.
    pub fn iter(&self) -> std::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    /// The keys with their values.
    pub fn into_entries(self) -> Vec<(K, V)> {
        self.0
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::from_entries(entries.into_iter().collect())
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'m, K, V> IntoIterator for &'m Map<K, V> {
    type Item = &'m (K, V);
    type IntoIter = std::slice::Iter<'m, (K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Sorts; equal items keep their order. O(n log n) comparisons, O(n) moves.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let sorted =
        sort_indices(items.len(), &mut |a, b| match (items.get(a as usize), items.get(b as usize)) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        });
    arrange(sorted, &mut |a, b| items.swap(a, b));
}

/// Brings items into the order of their places, by swapping.
fn arrange(sorted: Vec<u32>, swap: &mut dyn FnMut(usize, usize)) {
    let mut goals = vec![0; sorted.len()];
    for (goal, place) in sorted.into_iter().enumerate() {
        if let Some(slot) = goals.get_mut(place as usize) {
            *slot = goal;
        }
    }
    for place in 0..goals.len() {
        // Every swap brings one item to where it stays.
        while let Some(goal) = goals.get(place).copied().filter(|goal| *goal != place) {
            swap(place, goal);
            goals.swap(place, goal);
        }
    }
}

/// Sorts and drops repeats.
pub fn sort_unique<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
    items.dedup();
}

/// For each of the numbers `0..len`, whether no smaller one is equal to it.
pub fn firsts(len: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<bool> {
    let sorted = sort_indices(len, compare);
    let mut firsts = vec![true; len];
    for pair in sorted.windows(2) {
        if let &[before, this] = pair
            && let Some(first) = firsts.get_mut(this as usize)
        {
            *first = compare(before, this).is_ne();
        }
    }
    firsts
}

/// The numbers `0..len` in order. Stable: equal items keep the order of their numbers. O(n log n) comparisons, O(n)
/// where the items are in order already. A comparison that contradicts itself gives some order, and never a panic.
///
/// At most [`u32::MAX`] items; more are left out.
pub fn sort_indices(len: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut items: Vec<u32> = numbers(len).collect();
    sort(&mut items, compare);
    items
}

/// The `k` first of the numbers `0..len` in order: what [`sort_indices`] gives, cut off after `k`. O(n log k), and one
/// comparison for each item that is not among the `k` first of those before it.
pub fn select_indices(len: usize, k: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    // Up to as many newcomers as are kept are sorted at once, so each item pays for a sort of its own size.
    let most = k.saturating_add(k.max(16));
    let mut kept: Vec<u32> = Vec::new();
    let mut last = None;
    for item in numbers(len) {
        if last.is_some_and(|last| compare(item, last) != Ordering::Less) {
            continue;
        }
        kept.push(item);
        if kept.len() >= most {
            sort(&mut kept, compare);
            kept.truncate(k);
            last = kept.last().copied();
        }
    }
    sort(&mut kept, compare);
    kept.truncate(k);
    kept
}

fn numbers(len: usize) -> std::ops::Range<u32> {
    0..u32::try_from(len).unwrap_or(u32::MAX)
}

/// A merge sort from the bottom up.
fn sort(items: &mut Vec<u32>, compare: &mut dyn FnMut(u32, u32) -> Ordering) {
    let mut merged = Vec::with_capacity(items.len());
    let mut width = 1;
    while width < items.len() {
        merged.clear();
        for pair in items.chunks(width * 2) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, &mut merged, compare);
        }
        std::mem::swap(items, &mut merged);
        width *= 2;
    }
}

fn merge(
    mut left: &[u32],
    mut right: &[u32],
    merged: &mut Vec<u32>,
    compare: &mut dyn FnMut(u32, u32) -> Ordering,
) {
    let in_order = left.last().zip(right.first()).is_none_or(|(a, b)| compare(*a, *b).is_le());
    while let (false, [a, left_rest @ ..], [b, right_rest @ ..]) = (in_order, left, right) {
        if compare(*a, *b).is_le() {
            merged.push(*a);
            left = left_rest;
        } else {
            merged.push(*b);
            right = right_rest;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::Random;

    #[test]
    fn a_map_goes_by_key() {
        let mut map = Map::new();
        for (key, value) in [("b", 1), ("d", 2), ("a", 3), ("b", 4), ("c", 5)] {
            *map.get_or_insert(key, 0) += value;
        }
        assert_eq!((map.len(), map.get("b"), map.get("e")), (4, Some(&5), None));
        assert_eq!(map.into_entries(), [("a", 3), ("b", 5), ("c", 5), ("d", 2)]);
    }

    #[test]
    fn of_equal_keys_the_last_entry_stays() {
        for keys in ["", "a", "abc", "cab", "aa", "abab", "bbaac", "zyxzyxz"] {
            let entries: Vec<(char, usize)> = keys.chars().zip(0..).collect();
            let expected: std::collections::BTreeMap<char, usize> = entries.iter().copied().collect();
            let map: Map<char, usize> = entries.into_iter().collect();
            assert!(map.into_iter().eq(expected), "{keys}");
        }
    }

    #[test]
    fn the_first_of_equal_items_is_told_from_the_others() {
        for words in ["", "a", "b a b c a b", "x x x", "c b a"] {
            let words: Vec<&str> = words.split(' ').collect();
            let first = |place: usize| words.iter().position(|word| *word == words[place]) == Some(place);
            let expected: Vec<bool> = (0..words.len()).map(first).collect();
            let told = firsts(words.len(), &mut |a, b| words[a as usize].cmp(words[b as usize]));
            assert_eq!(told, expected, "{words:?}");
        }
    }

    #[test]
    fn everything_is_sorted_as_by_the_standard_library() {
        let mut noise = 5_u64;
        for count in (0..70).chain([1000, 1023, 1024, 1025]) {
            for range in [1, 3, 1 << 40] {
                let mut items: Vec<(u64, usize)> = (0..count)
                    .map(|place| {
                        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        ((noise >> 20) % range, place)
                    })
                    .collect();
                let mut expected = items.clone();
                expected.sort_by_key(|item| item.0);
                sort_by(&mut items, |a, b| a.0.cmp(&b.0));
                assert_eq!(items, expected);
            }
        }
        let mut reversed: Vec<u32> = (0..1000).rev().chain(0..1000).collect();
        sort_unique(&mut reversed);
        assert_eq!(reversed, (0..1000).collect::<Vec<_>>());
    }

    /// Lengths around the powers of two where the merge sort changes its course, and the sizes of the selection's buffer.
    const LENGTHS: [usize; 16] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 100, 257, 1000];

    #[test]
    fn sorting_is_stable_and_selecting_is_its_beginning() {
        let mut random = Random(3);
        for len in LENGTHS {
            for distinct in [1, 2, 10, 1_000_000] {
                let keys: Vec<usize> = (0..len).map(|_| random.below(distinct)).collect();
                let mut compare = |a: u32, b: u32| keys[a as usize].cmp(&keys[b as usize]);
                let mut expected: Vec<u32> = (0..len as u32).collect();
                expected.sort_by(|a, b| compare(*a, *b));
                assert_eq!(sort_indices(len, &mut compare), expected);
                for k in [0, 1, 2, 15, 16, 17, len / 2, len, len + 1, usize::MAX] {
                    assert_eq!(select_indices(len, k, &mut compare), expected[..k.min(len)], "{k} of {len}");
                }
            }
        }
    }

    #[test]
    fn selecting_from_descending_items_keeps_the_last() {
        let mut compare = |a: u32, b: u32| b.cmp(&a);
        assert_eq!(sort_indices(5, &mut compare), [4, 3, 2, 1, 0]);
        assert_eq!(select_indices(100_000, 3, &mut compare), [99_999, 99_998, 99_997]);
    }

    #[test]
    fn sorting_costs_no_more_than_it_should() {
        let count = |len: usize, order: &dyn Fn(u32) -> u64, k: Option<usize>| {
            let mut calls = 0;
            let mut compare = |a, b| {
                calls += 1;
                order(a).cmp(&order(b))
            };
            match k {
                None => drop(sort_indices(len, &mut compare)),
                Some(k) => drop(select_indices(len, k, &mut compare)),
            }
            calls
        };
        let shuffled = |i: u32| Random(u64::from(i)).next();
        assert!(count(1 << 16, &|i| u64::from(i), None) < 1 << 16);
        assert!(count(1 << 16, &shuffled, None) < (1 << 16) * 17);
        assert!(count(1 << 16, &shuffled, Some(10)) < (1 << 16) + 5000);
        assert!(count(1 << 16, &|i| u64::from(u32::MAX - i), Some(10)) < (1 << 16) * 10);
    }

    #[test]
    fn a_comparison_that_contradicts_itself_gives_every_item_once() {
        let mut random = Random(4);
        let mut orders = (0..).map(|_| [Ordering::Less, Ordering::Equal, Ordering::Greater][random.below(3)]);
        let mut sorted = sort_indices(500, &mut |_, _| orders.next().expect("without end"));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..500).collect::<Vec<u32>>());
    }
}

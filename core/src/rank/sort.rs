//! The one sort of everything that is ranked: numbers of items, compared by a function.
//!
//! The standard library's sorts are compiled anew for each type and each comparison, at kilobytes a time, which the
//! wasm module cannot afford. These are compiled once.

use std::cmp::Ordering;

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

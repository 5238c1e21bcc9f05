//! Which clusters a query reads.
//!
//! Their number is the geometric mean of two others: how many a question of middling difficulty needs for the recall that
//! is asked (measured when the file was made), and how many centroids are about as near to this query as the nearest one.
//! Questions that fall into one corner of the data read few, questions between its regions many; on real questions that
//! saves a quarter of the rows at equal recall. Only centroids decide, so a reader of ranges knows all clusters at once.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{Query, candidates::sortable, file::Part};
use crate::{
    gather::Gather as _,
    metric::Metric,
    snapshot::{ClusterTable, log2},
};

/// Centroids count as about as near as the nearest one within this many spreads of the distances in its cluster.
const NEAR: f32 = 1.5;
/// How many times the clusters of a whole file's search for as many rows some collections of it take, measured on 45
/// collections of definitions.
const APART: f32 = 3.0;
/// How much more a search of several files reads each time their number doubles: what counts as near is less where the
/// nearest centroid of many is nearer.
const SEVERAL: f32 = 0.25;

/// A cluster that is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// The place of its file among those that are searched.
    pub part: u32,
    /// The cluster.
    pub cluster: u32,
    /// The distance from the query to its centroid, as estimates count it.
    pub base: f32,
    /// The Euclidean distance to its centroid: errors of estimates grow with it.
    pub reach: f32,
}

/// The clusters of `parts` to read for the `k` nearest rows, nearest centroid first. O(clusters x dimension).
pub fn choose(query: &Query, parts: &[Part<'_>], k: usize, recall: f32) -> Vec<Chosen> {
    let known = measure(query, parts);
    let Some(nearest) = known.iter().min_by_key(|cluster| sortable(cluster.base)) else { return Vec::new() };
    let gap = near(query, parts, nearest);
    let close = known.iter().filter(|cluster| cluster.base <= nearest.base + gap).count();
    let wanted = wanted(parts, k, recall);
    let count = |clusters: f32| (clusters * close as f32).sqrt().max(1.0);
    let least = (count(wanted.least).max(wanted.apart) as usize).min(known.len());
    let goal = (count(wanted.clusters) * wanted.slots_per_cluster, least);
    // Ordering those that are near is enough unless they hold too few rows.
    let near = known.iter().filter(|cluster| cluster.base <= nearest.base + 2.0 * gap).copied().gather();
    match take_nearest(query, parts, near, goal) {
        (chosen, true) => chosen,
        (_, false) => take_nearest(query, parts, known, goal).0,
    }
}

/// All clusters that may hold a relevant row, nearest centroid first: for rows that only codes tell apart.
pub fn everything(query: &Query, parts: &[Part<'_>]) -> Vec<Chosen> {
    take_nearest(query, parts, measure(query, parts), (f32::INFINITY, usize::MAX)).0
}

/// A cluster whose centroid was compared.
#[derive(Debug, Clone, Copy)]
struct Measured {
    base: f32,
    part: u32,
    cluster: u32,
}

/// All clusters that may hold a relevant row.
fn measure(query: &Query, parts: &[Part<'_>]) -> Vec<Measured> {
    let mut known = Vec::with_capacity(parts.iter().map(|part| part.file.table().count()).sum());
    let mut dots = Vec::new();
    for (number, part) in (0..).zip(parts) {
        let table = part.file.table();
        dots.clear();
        dots.resize(table.count(), 0);
        query.centroids.dot_nibbles(&table.nibbles, &mut dots);
        let from = known.len();
        let numbers = table.scales.iter().zip(&table.norms).zip(&dots);
        known.extend((0..).zip(numbers).map(|(cluster, ((scale, norm), dot))| {
            let dot = scale * query.centroids.delta * *dot as f32;
            Measured { base: query.base(dot, *norm), part: number, cluster }
        }));
        if part.narrow {
            let mut place = 0;
            known.retain(|cluster| {
                place += 1;
                place <= from || part.slots(cluster.cluster) > 0
            });
        }
    }
    known
}

/// How much further than the nearest centroid others may be to count as about as near.
fn near(query: &Query, parts: &[Part<'_>], nearest: &Measured) -> f32 {
    let part = parts.get(nearest.part as usize);
    let spread = part.and_then(|part| part.file.table().spreads.get(nearest.cluster as usize));
    let spread = spread.copied().unwrap_or_default() * query.reach(parts, nearest);
    NEAR * if query.metric == Metric::L2 { 2.0 * spread } else { spread }
}

/// What a question of middling difficulty reads.
struct Wanted {
    clusters: f32,
    /// How many it would read if all rows were relevant. Where relevant rows lie close together, a few clusters hold as many
    /// of them as are expected in all, but not the nearest ones.
    least: f32,
    /// How many it reads at least where only some collections of a file are asked, whatever centroids are near: their rows
    /// lie elsewhere than the file's, so that questions are often far from all of them.
    apart: f32,
    /// Relevant slots of an average cluster.
    slots_per_cluster: f32,
}

/// Of rows of which a share is relevant, the k nearest relevant ones lie among the k / share nearest. Each file holds its
/// part of them.
fn wanted(parts: &[Part<'_>], k: usize, recall: f32) -> Wanted {
    let relevant: f32 = parts.iter().map(|part| part.relevant as f32).sum();
    let (mut clusters, mut least, mut apart) = (0.0_f32, 0.0_f32, 0.0_f32);
    let (mut slots, mut count) = (0.0_f32, 0.0_f32);
    for part in parts {
        let table = part.file.table();
        let rows = (table.rows as f32).max(1.0);
        let depth = k as f32 * rows / relevant.max(1.0);
        let all = table.count() as f32;
        clusters += table.calibration.clusters(depth, recall).min(all);
        least += table.calibration.clusters(k as f32, recall).min(all);
        apart += if part.narrow { APART * table.calibration.clusters(depth, recall) } else { 0.0 };
        slots += table.slots() as f32 * part.relevant as f32 / rows;
        count += all;
    }
    let several = 1.0 + SEVERAL * log2(parts.len() as f32);
    let (clusters, least) = (clusters * several, least * several);
    Wanted { clusters, least, apart, slots_per_cluster: slots / count.max(1.0) }
}

/// The nearest clusters until they hold so many relevant slots and are so many; and whether they do and are.
fn take_nearest(
    query: &Query,
    parts: &[Part<'_>],
    known: Vec<Measured>,
    (slots, least): (f32, usize),
) -> (Vec<Chosen>, bool) {
    let mut keys = Vec::with_capacity(known.len());
    for (place, cluster) in (0..).zip(&known) {
        keys.push(Reverse(u64::from(sortable(cluster.base)) << 32 | place));
    }
    let mut heap = BinaryHeap::from(keys);
    let (mut taken, mut chosen) = (0.0, Vec::new());
    while taken < slots || chosen.len() < least {
        let Some(Reverse(key)) = heap.pop() else { return (chosen, false) };
        let Some(found) = known.get(key as u32 as usize) else { continue };
        let Measured { base, part, cluster } = *found;
        chosen.push(Chosen { part, cluster, base, reach: query.reach(parts, found) });
        taken += parts.get(part as usize).map_or(0.0, |part| part.relevant_slots(cluster));
    }
    (chosen, true)
}

impl Query {
    /// What estimates of a row start from whose code is that of a difference to this cluster's centroid; infinite for a
    /// cluster that is not there.
    pub(super) fn base_of(&self, table: &ClusterTable, cluster: u32) -> f32 {
        let (place, width) = (cluster as usize, table.code_dimension / 2);
        let nibbles = place.checked_mul(width).and_then(|start| table.nibbles.get(start..start + width));
        let numbers = table.scales.get(place).zip(table.norms.get(place));
        let (Some(nibbles), Some((scale, norm))) = (nibbles, numbers) else { return f32::INFINITY };
        let mut dot = [0];
        self.centroids.dot_nibbles(nibbles, &mut dot);
        self.base(scale * self.centroids.delta * dot[0] as f32, *norm)
    }

    /// What estimates of a cluster start from, by the product of query and centroid and the centroid's squared length.
    fn base(&self, dot: f32, centroid: f32) -> f32 {
        if self.metric == Metric::L2 { (self.norm - 2.0 * dot + centroid).max(0.0) } else { 1.0 - dot }
    }

    /// The Euclidean distance to a centroid.
    fn reach(&self, parts: &[Part<'_>], of: &Measured) -> f32 {
        if self.metric == Metric::L2 {
            return of.base.sqrt();
        }
        let norms = parts.get(of.part as usize).map(|part| part.file.table().norms.as_slice());
        let centroid = norms.and_then(|norms| norms.get(of.cluster as usize)).copied().unwrap_or_default();
        (self.norm - 2.0 * (1.0 - of.base) + centroid).max(0.0).sqrt()
    }
}

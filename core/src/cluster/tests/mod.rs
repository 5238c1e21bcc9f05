//! Tests of whole builds, read back by the reference search.

mod recall;
#[path = "../reference.rs"]
mod reference;

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
};

use reference::Sections;

use super::{sample::hash, *};
use crate::{
    error::{Error, InputError},
    metric::normalize,
};

struct Rows {
    dimension: usize,
    metric: Metric,
    rows: Vec<Vec<f32>>,
}

impl Vectors for Rows {
    fn read(&self, row: usize, into: &mut [f32]) {
        into.copy_from_slice(&self.rows[row]);
    }
}

impl Rows {
    fn new(metric: Metric, rows: Vec<Vec<f32>>) -> Self {
        Self { dimension: rows.first().map_or(1, Vec::len), metric, rows }
    }

    /// Rows around `centres` centres, of unit length.
    fn clustered(count: usize, dimension: usize, centres: usize, salt: u64) -> Self {
        let noise = |at: usize, salt: u64| -> Vec<f32> {
            let one = |i: usize| {
                let draw = |n: u64| hash(((at * dimension + i) as u64 * 4 + n) ^ (salt << 40)) >> 40;
                (0..4).map(|n| draw(n) as f32 / (1 << 23) as f32 - 1.0).sum()
            };
            (0..dimension).map(one).collect()
        };
        let centres: Vec<Vec<f32>> = (0..centres).map(|at| noise(at, salt)).collect();
        let row = |at: usize| {
            let centre = &centres[(hash(at as u64 ^ (salt << 32)) % centres.len() as u64) as usize];
            let mut row: Vec<f32> =
                centre.iter().zip(noise(at, salt + 100)).map(|(c, x)| c + 0.7 * x).collect();
            normalize(&mut row);
            row
        };
        Self::new(Metric::Cosine, (0..count).map(row).collect())
    }

    /// Rows around many centres that lie around few centres, in a space in which some directions matter more.
    fn uneven(count: usize, dimension: usize) -> Self {
        let mut draws = 0;
        let mut draw = || {
            draws += 1;
            (hash(draws) >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut around = |centre: &[f32], reach: f32| -> Vec<f32> {
            let one = |(i, x): (usize, &f32)| {
                let noise: f32 = (0..4).map(|_| draw()).sum();
                x + reach / (1.0 + i as f32 / 8.0) * noise
            };
            centre.iter().enumerate().map(one).collect()
        };
        let wide: Vec<Vec<f32>> = (0..20).map(|_| around(&vec![0.0; dimension], 1.0)).collect();
        let narrow: Vec<Vec<f32>> = (0..600).map(|i| around(&wide[i % 20], 0.8)).collect();
        let row = |at: u64| {
            let mut row = around(&narrow[(hash(at) % 600) as usize], 1.5);
            normalize(&mut row);
            row
        };
        Self::new(Metric::Cosine, (0..count as u64).map(row).collect())
    }

    /// Takes the last hundred rows out, to be asked for.
    fn questions(&mut self) -> Vec<Vec<f32>> {
        self.rows.split_off(self.rows.len() - 100)
    }

    fn build(&self, options: Options, parallel: &dyn Parallel) -> Result<Clusters> {
        let shape = Shape { dimension: self.dimension, metric: self.metric, rows: self.rows.len() };
        build(self, shape, options, parallel)
    }

    fn hard(&self, clusters: u32) -> Clusters {
        self.build(Options { soft: false, ..wanted(clusters) }, &OneThread).unwrap()
    }

    fn soft(&self, clusters: u32) -> Clusters {
        self.build(wanted(clusters), &OneThread).unwrap()
    }
}

fn wanted(clusters: u32) -> Options {
    Options { clusters: NonZeroU32::new(clusters), ..Options::default() }
}

fn sections(clusters: &Clusters) -> Sections<'_> {
    Sections::read(&clusters.centroids, &clusters.cells, clusters.cell_bytes)
}

/// So many threads that take jobs from the last to the first.
struct Threads(usize);

impl Parallel for Threads {
    fn run(&self, jobs: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    while let Some(job) = jobs.checked_sub(1 + next.fetch_add(1, Ordering::Relaxed)) {
                        work(job);
                    }
                });
            }
        });
    }
}

/// Every number of the sections is finite, and every row stands where it should.
fn check(clusters: &Clusters, rows: usize) {
    let sections = sections(clusters);
    let mut places = vec![Vec::new(); rows];
    for cluster in 0..clusters.count as usize {
        let slots = sections.rows(cluster);
        assert!(slots.is_sorted_by(|a, b| a < b), "cluster {cluster} has {slots:?}");
        assert!(rows == 0 || !slots.is_empty());
        slots.iter().for_each(|row| places[*row as usize].push(cluster));
        assert!(sections.centroid(cluster).iter().all(|x| x.is_finite()));
        assert!(sections.spread(cluster).is_finite() && sections.spread(cluster) >= 0.0);
    }
    let wanted = if clusters.soft { 2 } else { 1 };
    places.iter().for_each(|places| assert_eq!(places.len(), wanted));
    assert_eq!(clusters.cells.len() % clusters.cell_bytes, 0);
    for cell in clusters.cells.chunks(clusters.cell_bytes) {
        let factors = cell[clusters.cell_bytes - 256..][..128].as_chunks::<2>().0;
        assert!(factors.iter().all(|x| half::f16::from_le_bytes(*x).is_finite()));
    }
    assert!(clusters.a_scale.is_normal() && clusters.f_scale.is_normal());
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let rows = Rows::clustered(5000, 40, 60, 1);
    for options in [Options::default(), Options { soft: false, ..Options::default() }] {
        let one = rows.build(options, &OneThread).unwrap();
        assert_eq!(one.count, 105);
        for threads in [1, 2, 7] {
            assert_eq!(rows.build(options, &Threads(threads)).unwrap(), one, "{threads} threads");
        }
    }
}

/// The caller sorts rows by their ids; nothing but that order and the vectors may matter.
#[test]
fn rows_that_come_shuffled_and_are_sorted_give_the_same_bytes() {
    let rows = Rows::clustered(1500, 24, 20, 2);
    let mut shuffled: Vec<(usize, Vec<f32>)> = rows.rows.iter().cloned().enumerate().collect();
    shuffled.sort_by_key(|(id, _)| hash(*id as u64));
    assert_ne!(shuffled[0].0, 0);
    shuffled.sort_by_key(|(id, _)| *id);
    let again = Rows::new(Metric::Cosine, shuffled.into_iter().map(|(_, row)| row).collect());
    assert_eq!(again.soft(40), rows.soft(40));
}

#[test]
fn every_row_has_one_first_and_with_soft_one_other_cluster() {
    let rows = Rows::clustered(3000, 32, 40, 3);
    let (hard, soft) = (rows.hard(50), rows.soft(50));
    assert!(soft.soft && !hard.soft);
    check(&hard, 3000);
    check(&soft, 3000);
    // The slots of the hard clusters are among those of the soft ones.
    for cluster in 0..50 {
        let all = sections(&soft).rows(cluster);
        assert!(sections(&hard).rows(cluster).iter().all(|row| all.contains(row)));
    }
}

#[test]
fn rows_stand_in_the_cluster_of_the_nearest_stored_centroid() {
    let rows = Rows::clustered(2000, 48, 30, 4);
    let clusters = rows.hard(40);
    let sections = sections(&clusters);
    let rotation = Rotation::new(48);
    let centroids: Vec<Vec<f32>> = (0..40).map(|cluster| sections.centroid(cluster)).collect();
    let mut elsewhere = 0;
    for cluster in 0..40 {
        for row in sections.rows(cluster) {
            let x = rotation.rotate(&rows.rows[row as usize]);
            let apart = |c: &Vec<f32>| c.iter().zip(&x).map(|(c, x)| (c - x) * (c - x)).sum::<f32>();
            let nearest = centroids.iter().map(apart).fold(f32::INFINITY, f32::min);
            // Distances are taken over rows of eight bits.
            assert!(apart(&centroids[cluster]) < nearest + 0.01);
            elsewhere += usize::from(apart(&centroids[cluster]) > nearest);
        }
    }
    assert!(elsewhere < 20, "{elsewhere} of 2000 rows have another nearest centroid");
}

#[test]
fn clusters_are_not_far_above_the_mean() {
    // Half of the rows around one of thirty centres.
    let mut rows = Rows::clustered(4000, 32, 30, 5);
    let crowd = Rows::clustered(4000, 32, 1, 6);
    rows.rows.extend(crowd.rows);
    let clusters = rows.hard(90);
    let (_, most) = sections(&clusters).sizes();
    assert!(clusters.count > 80, "{} clusters", clusters.count);
    assert!(most < 3 * 8000 / 90, "{most} rows in a cluster");
}

#[test]
fn few_rows_make_one_cluster_and_none_make_an_empty_one() {
    for count in [0, 1, 2, 31, 127] {
        let rows = Rows { dimension: 16, ..Rows::clustered(count, 16, 3, 7) };
        let clusters = rows.build(Options::default(), &OneThread).unwrap();
        check(&clusters, count);
        assert_eq!((clusters.count, clusters.soft), (1, false));
        assert_eq!(clusters.cells.len() / clusters.cell_bytes, count.div_ceil(32));
    }
    assert_eq!([128, 10_000, 117_791].map(default_clusters), [16, 150, 514]);
}

#[test]
fn more_clusters_than_rows_are_no_more_than_rows() {
    for count in [1, 2, 3, 40] {
        let rows = Rows::clustered(count, 8, 40, 8);
        let clusters = rows.soft(1000);
        check(&clusters, count);
        assert!(clusters.count as usize <= count && (clusters.count > 1) == (count > 1));
    }
}

#[test]
fn equal_rows_share_one_cluster() {
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
        let mut row = vec![3.0, -1.0, 0.5];
        if metric == Metric::Cosine {
            normalize(&mut row);
        }
        let rows = Rows::new(metric, vec![row; 500]);
        let clusters = rows.soft(20);
        check(&clusters, 500);
        assert_eq!(clusters.count, 1);
    }
}

#[test]
fn zeros_under_l2_are_ordinary_rows() {
    check(&Rows::new(Metric::L2, vec![vec![0.0; 12]; 300]).soft(10), 300);
    let mut rows = Rows::clustered(300, 12, 5, 9);
    rows.metric = Metric::L2;
    rows.rows.iter_mut().step_by(3).for_each(|row| row.fill(0.0));
    let clusters = rows.soft(10);
    check(&clusters, 300);
    assert!(clusters.count > 1);
}

#[test]
fn every_dimension_works() {
    for dimension in [1, 2, 3, 7, 8, 9, 31, 100, 385] {
        for metric in [Metric::Cosine, Metric::L2] {
            let rows = Rows { metric, ..Rows::clustered(400, dimension, 10, 10) };
            let clusters = rows.soft(12);
            check(&clusters, 400);
            assert!(dimension == 1 || clusters.count > 8, "{dimension}: {}", clusters.count);
        }
    }
}

#[test]
fn magnitudes_from_the_smallest_to_the_largest_work_or_are_refused() {
    for (magnitude, works) in [
        (1e-45, true),
        (1e-38, true),
        (1e-30, true),
        (1e-20, true),
        (1e10, true),
        (1e17, true),
        (1e19, false),
        (1e30, false),
        (3e38, false),
    ] {
        for metric in [Metric::L2, Metric::InnerProduct] {
            let mut rows = Rows { metric, ..Rows::clustered(400, 20, 10, 11) };
            rows.rows.iter_mut().flatten().for_each(|x| *x *= magnitude);
            match rows.build(wanted(12), &OneThread) {
                Ok(clusters) if works => check(&clusters, 400),
                Err(Error::Input(InputError::OutOfRange { record, .. })) if !works => {
                    assert_eq!(record, "row 0");
                }
                other => panic!("{magnitude}: {other:?}"),
            }
        }
    }
}

/// The rows are clustered alike whatever their unit.
#[test]
fn a_power_of_two_changes_nothing_but_scales() {
    let mut rows = Rows { metric: Metric::L2, ..Rows::clustered(800, 20, 10, 12) };
    let one = rows.soft(20);
    rows.rows.iter_mut().flatten().for_each(|x| *x *= 1024.0);
    let other = rows.soft(20);
    assert_eq!(one.cells, other.cells);
    assert_eq!((one.a_scale * 1024.0 * 1024.0, one.f_scale * 1024.0), (other.a_scale, other.f_scale));
    assert_eq!(sections(&one).spread(3) * 1024.0, sections(&other).spread(3));
}

#[test]
fn rows_that_cannot_be_compared_are_refused_by_their_number() {
    let bad = |metric, at: usize, value: f32| {
        let mut rows = Rows { metric, ..Rows::clustered(3000, 4, 10, 13) };
        rows.rows[at].fill(value);
        rows.rows[at + 1].fill(f32::NAN);
        rows.build(Options::default(), &Threads(3)).unwrap_err().to_string()
    };
    assert!(bad(Metric::L2, 2100, f32::INFINITY).starts_with("row 2100: "));
    assert!(bad(Metric::Cosine, 7, 0.0).starts_with("row 7: "));
    assert!(bad(Metric::Cosine, 7, 1.0).starts_with("row 8: "));
}

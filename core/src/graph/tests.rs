//! Graphs of whole drafts: the same on any number of threads, sound, and as near to the truth as their calibration says.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{DEGREE, of_draft};
use crate::{
    cluster::{self, OneThread, Parallel},
    metric::{Encoding, Metric},
    schema::{Record, Schema},
    snapshot::{ClusterSections, Draft, GraphSections, verify},
};

const DIMENSION: usize = 20;

/// So many threads that take jobs from the last to the first.
struct Backwards(usize);

impl Parallel for Backwards {
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

fn draft(metric: Metric, rows: u64) -> Draft {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut unit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let centres: Vec<Vec<f32>> = (0..30).map(|_| (0..DIMENSION).map(|_| unit()).collect()).collect();
    let record = |number: u64| {
        let vector = centres[number as usize % 30].iter().map(|x| x + 0.5 * unit()).collect();
        Record { id: format!("r{number:05}"), document: None, metadata: BTreeMap::new(), vector }
    };
    let records = (0..rows).map(record).collect();
    let schema = Schema {
        collection: "c".into(),
        dimension: DIMENSION as u32,
        metric,
        embedder: None,
        fields: Vec::new(),
    };
    Draft::new(vec![(schema, records)], Encoding::I8).unwrap()
}

fn built(draft: &Draft, parallel: &dyn Parallel) -> (ClusterSections, GraphSections) {
    let clusters = cluster::of_draft(draft, cluster::Options::default(), &OneThread).unwrap();
    let graph = of_draft(draft, &clusters, parallel).unwrap();
    (clusters, graph)
}

#[test]
fn the_same_rows_give_the_same_graph_on_any_number_of_threads() {
    let draft = draft(Metric::Cosine, 2100);
    let (clusters, alone) = built(&draft, &OneThread);
    for threads in [2, 7] {
        assert_eq!(of_draft(&draft, &clusters, &Backwards(threads)).unwrap(), alone);
    }
}

#[test]
fn every_row_has_near_neighbours_and_is_one() {
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
        let draft = draft(metric, 1500);
        let (clusters, graph) = built(&draft, &OneThread);
        assert_eq!(graph.links.len(), 1500 * DEGREE);
        let mut entered = vec![false; 1500];
        for (row, links) in graph.links.chunks(DEGREE).enumerate() {
            assert!(links[0] != u32::MAX, "{metric:?}: row {row} leads nowhere");
            links.iter().filter(|link| **link != u32::MAX).for_each(|link| entered[*link as usize] = true);
            // Rows of one centre are every thirtieth; under an inner product long rows are near to all.
            let own = links.iter().filter(|link| **link as usize % 30 == row % 30).count();
            assert!(metric == Metric::InnerProduct || own >= 4, "{metric:?}: {own} of row {row}");
        }
        let lost = entered.iter().filter(|entered| !**entered).count();
        assert!(lost <= if metric == Metric::InnerProduct { 150 } else { 0 }, "{metric:?}: {lost}");
        verify(&draft.write_with(Some(&clusters), Some(&graph)).unwrap()).unwrap();
    }
}

#[test]
fn more_recall_and_more_rows_take_wider_walks() {
    let (_, graph) = built(&draft(Metric::L2, 3000), &OneThread);
    assert!(graph.cost.entry.clusters.iter().flatten().all(|recall| (0.0..0.99).contains(recall)));
    for grid in [graph.cost.width, graph.cost.walk, graph.cost.clusters] {
        for depth in 0..3 {
            assert!(grid.clusters[depth].iter().all(|number| *number >= 10.0), "{grid:?}");
        }
        assert!(grid.clusters[0][2] < grid.clusters[2][2], "{grid:?}");
    }
}

#[test]
fn tiny_and_equal_rows_have_a_graph_too() {
    for rows in [2, 3, 40] {
        let (clusters, graph) = built(&draft(Metric::L2, rows), &OneThread);
        let degree = graph.links.iter().filter(|link| **link != u32::MAX).count();
        assert!(degree as u64 >= rows, "{degree} links of {rows} rows");
        verify(&draft(Metric::L2, rows).write_with(Some(&clusters), Some(&graph)).unwrap()).unwrap();
    }
    let records = (0..500).map(|number| Record {
        id: format!("r{number:05}"),
        document: None,
        metadata: BTreeMap::new(),
        vector: vec![1.0; DIMENSION],
    });
    let schema = Schema {
        collection: "c".into(),
        dimension: DIMENSION as u32,
        metric: Metric::Cosine,
        embedder: None,
        fields: Vec::new(),
    };
    let equal = Draft::new(vec![(schema, records.collect())], Encoding::F32).unwrap();
    let (clusters, graph) = built(&equal, &OneThread);
    verify(&equal.write_with(Some(&clusters), Some(&graph)).unwrap()).unwrap();
}

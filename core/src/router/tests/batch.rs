//! Several queries in one statement: a row set each, or fused by RRF.

use std::collections::BTreeMap;

use super::world::{World, check_waves, names, plain_names};
use crate::{router::RowSet, schema::Value};

const A: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const B: [f32; 4] = [0.0, 1.0, 1.0, 0.0];
const BATCH: &str = "USING EMBEDDING BATCH (VECTOR [1, 0, 0, 0], VECTOR [0, 1, 1, 0])";

#[test]
fn every_item_has_its_own_rows_limit_and_offset() {
    let world = World::new();
    let result = world.ask(&format!("SELECT id, item FROM * {BATCH} LIMIT 9 OFFSET 3"));
    let (a, b) = (world.nearest(&A, None, &|_| true), world.nearest(&B, None, &|_| true));
    let expected = [plain_names(&a[3..12]), plain_names(&b[3..12])].concat();
    assert_eq!(names(&result.rows), expected);
    assert_eq!(result.sets, [RowSet { item: 0, first: 0, rows: 9 }, RowSet { item: 1, first: 9, rows: 9 }]);
    assert_eq!(result.rows[9].cells[1], Value::Int(1));
    assert_eq!((result.rows[9].item, result.rows[0].item), (Some(1), Some(0)));
}

#[test]
fn order_and_groups_are_of_each_item() {
    let world = World::new();
    let ordered = world.ask(&format!("SELECT id FROM * {BATCH} TOPK 20 ORDER BY metadata.size DESC LIMIT 5"));
    let mut expected = Vec::new();
    for query in [A, B] {
        let mut plain = world.nearest(&query, None, &|_| true);
        plain.truncate(20);
        plain.sort_by(|a, b| a.by_value(b, "size", true, false).then_with(|| a.by_distance(b)));
        expected.extend(plain_names(&plain[..5]));
    }
    assert_eq!(names(&ordered.rows), expected);
    let counted = world.ask(&format!("SELECT item, COUNT(*) AS n FROM * {BATCH} TOPK 20"));
    let cells: Vec<_> = counted.rows.iter().map(|row| row.cells.clone()).collect();
    assert_eq!(cells, [[Value::Int(0), Value::Int(20)], [Value::Int(1), Value::Int(20)]]);
}

/// LIMIT 0 was answered before anything else, and so without sets.
#[test]
fn no_rows_are_still_a_set_for_each_item() {
    let world = World::new();
    for sql in ["LIMIT 0", "WHERE metadata.size > 100"] {
        let result = world.ask(&format!("SELECT id FROM * {BATCH} {sql}"));
        let sets = [0, 1].map(|item| RowSet { item, first: 0, rows: 0 });
        assert_eq!((result.rows.len(), result.sets), (0, sets.to_vec()), "{sql}");
    }
    assert!(world.ask(&format!("SELECT id FROM * {BATCH} FUSE BY RRF LIMIT 0")).sets.is_empty());
}

#[test]
fn a_batch_of_one_still_has_a_set() {
    let world = World::new();
    let result = world.ask("SELECT id FROM * USING EMBEDDING BATCH (VECTOR [1, 0, 0, 0]) TOPK 2");
    assert_eq!(result.sets, [RowSet { item: 0, first: 0, rows: 2 }]);
}

#[test]
fn fusing_adds_reciprocal_ranks() {
    let world = World::new();
    let mut scores: BTreeMap<(&str, &str), (f64, f32)> = BTreeMap::new();
    let rankings = [world.nearest(&A, None, &|_| true), world.nearest(&B, None, &|_| true)];
    for ranking in &rankings {
        for (rank, row) in (1..).zip(&ranking[..25]) {
            let entry = scores.entry((row.id(), row.collection)).or_insert((0.0, f32::INFINITY));
            *entry = (entry.0 + 1.0 / (7.0 + f64::from(rank)), entry.1.min(row.distance));
        }
    }
    let mut expected: Vec<_> =
        scores.into_iter().map(|(key, (score, distance))| (score, distance, key)).collect();
    expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let result = world.ask(&format!("SELECT id, score, distance FROM * {BATCH} TOPK 25 FUSE BY RRF(7)"));
    assert_eq!(result.rows.len(), 25);
    for (row, (score, distance, (id, collection))) in result.rows.iter().zip(&expected) {
        assert_eq!((row.id.as_deref(), row.collection.as_deref()), (Some(*id), Some(*collection)));
        assert!((row.score.unwrap() - score).abs() < 1e-12);
        assert_eq!(row.distance, Some(*distance));
        assert_eq!(row.cells[1], Value::Float(row.score.unwrap()));
    }
    assert!(result.sets.is_empty());
    // LIMIT cuts the same ranking.
    let page = world.ask(&format!("SELECT id FROM * {BATCH} TOPK 25 FUSE BY RRF(7) LIMIT 4 OFFSET 2"));
    assert_eq!(names(&page.rows), names(&result.rows)[2..6]);
}

#[test]
fn batches_take_at_most_three_waves() {
    let world = World::new();
    check_waves(&world, &format!("SELECT * FROM * {BATCH} TOPK 3"));
    check_waves(&world, &format!("SELECT * FROM * {BATCH} TOPK 3 FUSE BY RRF"));
}

//! However few rows pass the filter and wherever they are: always the right ones, and as many as there are.

use super::world::{World, names, plain_names};
use crate::{metric::Metric, schema::Value};

#[test]
fn no_selectivity_starves_an_answer() {
    let world = World::with(&[
        ("huge", 1800, Metric::L2, 4),
        ("large", 700, Metric::L2, 4),
        ("medium", 90, Metric::L2, 4),
        ("small", 8, Metric::L2, 4),
        ("tiny", 1, Metric::L2, 4),
    ]);
    let all = world.rows(&|_| true).len();
    // `deep.rank` numbers the rows of each collection, so this keeps from all rows down to one in ten thousand.
    let mut seen = Vec::new();
    for low in [0, 1, 7, 60, 300, 690, 1500, 1750, 1780, 1797, 1799, 1800] {
        let rank = |record: &crate::schema::Record| match record.metadata["deep.rank"] {
            Value::Int(rank) => rank,
            _ => 0,
        };
        let plain = world.nearest(&[0.0, 0.25, 0.0, 0.0], None, &|record| rank(record) >= low);
        for k in [1, 10, 100] {
            let sql = format!(
                "SELECT id FROM * USING EMBEDDING (VECTOR [0, 0.25, 0, 0]) \
                 WHERE metadata.deep.rank >= {low} TOPK {k}"
            );
            let result = world.ask(&sql);
            assert_eq!(names(&result.rows), plain_names(&plain[..k.min(plain.len())]), "{sql}");
        }
        seen.push(plain.len());
    }
    assert_eq!((seen[0], seen[11]), (all, 0));
    assert!(seen.contains(&1) && seen.iter().any(|rows| (2..10).contains(rows)), "{seen:?}");
}

/// The rows that pass lie in the smallest collection, the nearest ones in the largest.
#[test]
fn a_small_collection_is_not_starved_by_large_ones() {
    let world = World::new();
    let den = &world.records[3][0];
    let sql = format!(
        "SELECT id FROM * USING EMBEDDING (VECTOR [9, 9, 9, 9]) WHERE id = '{}' OR id = 'r1' TOPK 5",
        den.id
    );
    let plain = world.nearest(&[9.0; 4], None, &|record| record.id == den.id);
    assert_eq!(names(&world.ask(&sql).rows), plain_names(&plain));
}

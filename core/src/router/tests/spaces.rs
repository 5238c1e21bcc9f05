//! Collections that differ in what their distances mean, and SIMILARITY, which makes some of them agree.

use super::world::{World, check_waves, names, plain_names};
use crate::{
    Error,
    metric::Metric::{Cosine, InnerProduct, L2},
    router::Options,
};

const QUERY: [f32; 4] = [1.0, 0.5, 0.0, -1.0];
const SEARCH: &str = "SELECT id, distance, score FROM * USING EMBEDDING (VECTOR [1, 0.5, 0, -1])";

#[test]
fn another_metric_ranks_by_recomputed_distances() {
    for stored in [L2, InnerProduct, Cosine] {
        let world = World::with(&[("a", 200, stored, 4), ("b", 50, stored, 4)]);
        for (metric, name) in [(L2, "L2"), (InnerProduct, "IP"), (Cosine, "COSINE")] {
            let sql = format!("{SEARCH} SIMILARITY {name} TOPK 30");
            let result = world.try_ask(&sql, Options::default());
            if stored == Cosine && metric != Cosine {
                // Lengths are lost when vectors are stored under cosine.
                let refused = matches!(&result, Err(Error::Catalog(error)) if error.code() == 2012);
                assert!(refused, "{name} over {stored:?}: {result:?}");
                continue;
            }
            let result = result.unwrap();
            let plain = world.nearest(&QUERY, Some(metric), &|_| true);
            assert_eq!(names(&result.rows), plain_names(&plain[..30]), "{name} over {stored:?}");
            for (row, plain) in result.rows.iter().zip(&plain) {
                assert_eq!(row.distance, Some(plain.distance), "{name} over {stored:?}");
            }
        }
    }
}

#[test]
fn collections_of_different_metrics_are_fused_by_rank_and_said_to_be() {
    let world = World::with(&[("a", 90, L2, 4), ("b", 40, Cosine, 4), ("c", 40, L2, 4)]);
    let result = world.ask(&format!("{SEARCH} TOPK 20"));
    assert_eq!(result.notes.len(), 1, "{:?}", result.notes);
    assert!(result.notes[0].contains("metric"), "{:?}", result.notes);
    let all = world.nearest(&QUERY, None, &|_| true);
    let mut expected: Vec<(f64, f32, &str, &str)> = Vec::new();
    for cosine in [false, true] {
        let own = all.iter().filter(|row| (row.collection == "b") == cosine);
        expected.extend((1..).zip(own).map(|(rank, row)| {
            (1.0 / (60.0 + f64::from(rank)), row.distance, row.record.id.as_str(), row.collection)
        }));
    }
    expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)).then((a.2, a.3).cmp(&(b.2, b.3))));
    let rows: Vec<_> = expected.iter().take(20).map(|row| (row.3, row.2)).collect();
    assert_eq!(names(&result.rows), rows);
    assert_eq!(result.rows[0].score, Some(1.0 / 61.0));
    // One metric for all needs no fusing.
    let one = world.ask(&format!("{SEARCH} SIMILARITY COSINE TOPK 20"));
    assert!(one.notes.is_empty());
    let plain = world.nearest(&QUERY, Some(Cosine), &|_| true);
    assert_eq!(names(&one.rows), plain_names(&plain[..20]));
    check_waves(&world, &format!("{SEARCH} TOPK 20"));
}

#[test]
fn what_compares_distances_needs_one_space() {
    let world = World::with(&[("a", 20, L2, 4), ("b", 20, Cosine, 4)]);
    for clause in ["WITH SCORE THRESHOLD 3", "RERANK BY MMR"] {
        let result = world.try_ask(&format!("{SEARCH} {clause}"), Options::default());
        assert!(
            matches!(&result, Err(Error::Catalog(error)) if error.code() == 2008 && error.to_string().contains(clause.split(" 3").next().unwrap())),
            "{clause}: {result:?}"
        );
    }
}

#[test]
fn a_vector_that_does_not_fit_names_the_collection() {
    let world = World::with(&[("a", 20, L2, 4), ("b", 20, L2, 5)]);
    let error = world.try_ask(SEARCH, Options::default()).unwrap_err();
    assert_eq!(error.code(), 3001);
    assert!(error.to_string().contains("\"b\""), "{error}");
    let options = Options { strict: false, ..Options::default() };
    let result = world.try_ask(SEARCH, options).unwrap();
    assert!(result.rows.iter().all(|row| row.collection.as_deref() == Some("a")));
    assert!(result.notes.is_empty(), "one space is left");
}

#[test]
fn the_threshold_is_the_last_distance_that_stays() {
    let world = World::with(&[("a", 300, L2, 4), ("b", 50, L2, 4)]);
    let plain = world.nearest(&QUERY, None, &|_| true);
    let near: Vec<_> = plain.iter().copied().filter(|row| row.distance <= plain[30].distance).collect();
    let result = world.ask(&format!("{SEARCH} TOPK 400 WITH SCORE THRESHOLD {}", plain[30].distance));
    assert_eq!(names(&result.rows), plain_names(&near));
}

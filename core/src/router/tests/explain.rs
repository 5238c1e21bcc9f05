//! EXPLAIN says what would be done and reads nothing; EXPLAIN ANALYZE says what was done.

use super::world::World;
use crate::{
    metric::Metric,
    router::{Options, Outcome},
};

fn clock() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static TICKS: AtomicU64 = AtomicU64::new(0);
    TICKS.fetch_add(1, Ordering::Relaxed)
}

#[test]
fn facts_of_every_collection_say_path_reason_and_estimate() {
    let world = World::new();
    for (sql, expected) in [
        ("SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0])", "barn: scan (its file has no clusters"),
        (
            "SELECT id FROM * WHERE metadata.size > 1",
            "barn: filter (there is no query vector), 900 rows, about ",
        ),
        ("SELECT COUNT(*) FROM *", "barn: statistics (COUNT(*) without WHERE needs no row), 900 rows"),
        ("SELECT id FROM * WHERE metadata.size > 100", "barn: skipped, 900 rows: "),
        ("SELECT id FROM * WHERE metadata.size = 0.5 AND metadata.size < 3", "barn: "),
    ] {
        let (result, bytes) = world.ask_by_ranges(&format!("EXPLAIN {sql}"));
        let explanation = result.explanation.unwrap();
        assert!(explanation.text.contains(expected), "{sql}\n{}", explanation.text);
        assert_eq!((result.rows.len(), bytes), (0, 0), "{sql} reads");
        let facts = &explanation.json.to_json()["collections"];
        assert_eq!(facts.as_array().map(Vec::len), Some(4), "{facts}");
        assert_eq!(facts[1]["rows"], 900);
    }
}

#[test]
fn the_estimate_of_a_search_is_near_to_what_it_reads() {
    let world = World::new();
    let sql = "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) WHERE metadata.size > 0";
    let json = world.ask(&format!("EXPLAIN {sql}")).explanation.unwrap().json.to_json();
    let Outcome::Asked { bytes, .. } = world.ask(sql).collections[1].outcome else { panic!("barn is asked") };
    let estimated = json["collections"][1]["estimated_bytes"].as_u64().unwrap();
    // Half floats are assumed, the test's are whole ones; and the payload of winners is not in it.
    assert!(estimated * 4 > bytes && estimated < bytes, "{estimated} for {bytes}");
}

#[test]
fn analyze_executes_and_says_what_each_stage_did() {
    let world = World::new();
    let sql = "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) WHERE metadata.size > 0 LIMIT 4";
    let options = Options { clock: Some(clock), ..Options::default() };
    let result = world.try_ask(&format!("EXPLAIN ANALYZE {sql}"), options).unwrap();
    assert_eq!(result.rows, world.ask(sql).rows);
    let explanation = result.explanation.unwrap();
    let stages = explanation.json.to_json()["executed"]["stages"].as_array().unwrap().clone();
    let names: Vec<_> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(names, ["route", "embed", "filter", "search", "merge", "payload", "answer"]);
    let passed = world.rows(
        &|record| matches!(record.metadata.get("size"), Some(crate::schema::Value::Int(size)) if *size > 0),
    );
    // The one row of "den" has no size, so it is not asked.
    assert_eq!((&stages[2]["rows_in"], &stages[2]["rows_out"]), (&1037.into(), &passed.len().into()));
    assert_eq!(stages[6]["rows_out"], 4);
    assert!(stages[3]["bytes"].as_u64().unwrap() > 900 * 16, "{stages:?}");
    assert!(stages[3]["micros"].as_u64().is_some_and(|micros| micros > 0), "{stages:?}");
    for stage in names {
        assert!(explanation.text.contains(&format!("    {stage}: ")), "{}", explanation.text);
    }
    assert!(explanation.text.contains("really: "), "{}", explanation.text);
    let Outcome::Asked { micros, .. } = result.collections[1].outcome else { panic!("barn is asked") };
    assert!(micros.is_some_and(|micros| micros > 0));
    // Without a clock there are no times.
    let result = world.ask(&format!("EXPLAIN ANALYZE {sql}"));
    assert!(!result.explanation.unwrap().text.contains(" us"));
    assert!(matches!(result.collections[1].outcome, Outcome::Asked { micros: None, .. }));
}

/// A release may come from anywhere, and what it calls its collections is printed on terminals.
#[test]
fn names_of_collections_cannot_move_the_cursor() {
    let world = World::with(&[("c\u{1b}[2J\n", 3, Metric::L2, 4)]);
    let text = world.ask("EXPLAIN SELECT id FROM *").explanation.unwrap().text;
    assert!(text.contains(r#"    "c\x1b[2J\n": filter"#), "{text}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

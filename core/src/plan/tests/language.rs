//! The clauses beyond the first ones: defaults, refusals with their places, remarks, EXPLAIN.

use super::*;
use crate::query::{Duplicates, Params};

const SEARCH: &str = "SELECT id FROM t USING EMBEDDING (VECTOR [1])";
const BATCH: &str = "SELECT id FROM t USING EMBEDDING BATCH (VECTOR [1], VECTOR [2])";

#[test]
fn every_clause_reaches_the_plan() {
    let plan = plan(
        "EXPLAIN ANALYZE SELECT id, distance - 1 AS d FROM docs_*, x EXCEPT docs_old USING EMBEDDING (TEXT 'a') \
         SIMILARITY L2 TOPK 20 RERANK BY MMR (0.3) WITH SCORE THRESHOLD 2 ON DUPLICATE ID KEEP NEAREST \
         RECALL 0.9 CANDIDATES 100 ORDER BY d DESC NULLS FIRST, metadata.a + 1 LIMIT 5 OFFSET 2",
    );
    assert_eq!(plan.explain, Some(crate::query::Explain::Analyze));
    assert_eq!(plan.source.to_string(), "docs_*, x EXCEPT docs_old");
    assert_eq!(plan.similarity, Some(crate::metric::Metric::L2));
    assert_eq!(plan.rerank, Some(Mmr { lambda: 0.3, candidates: 80 }));
    assert_eq!(plan.order[0].value.to_string(), "distance - 1", "the alias is resolved");
    assert!(plan.order[0].descending && plan.order[0].nulls_first && !plan.order[1].nulls_first);
    assert_eq!((plan.threshold, plan.recall, plan.candidates), (Some(2.0), Some(0.9), Some(100)));
    assert_eq!(plan.duplicates, Duplicates::KeepNearest);
    assert_eq!((plan.topk, plan.rows_wanted()), (20, Some(20)), "ORDER BY chooses among all of TOPK");
}

#[test]
fn groups_are_made_by_group_by_or_by_an_aggregate() {
    let grouped = plan(
        "SELECT metadata.a, COUNT(*) AS n, 2 * metadata.a FROM t GROUP BY metadata.a, metadata.a ORDER BY n",
    );
    let group = grouped.group.as_ref().unwrap();
    assert_eq!((group.keys.len(), group.top), (1, None));
    assert_eq!(grouped.order[0].value.to_string(), "COUNT(*)");
    assert_eq!(grouped.rows_wanted(), None);
    let one = plan("SELECT AVG(metadata.a) + 1 FROM t LIMIT 1").group.unwrap();
    assert_eq!((one.keys.len(), one.top), (0, None));
    let top = plan("SELECT *, COUNT(*) FROM t GROUP BY collection TOP 2 ORDER BY document, COUNT(*)");
    assert_eq!(top.group.unwrap().top, Some(2));
    assert_eq!(plan(&format!("{BATCH} GROUP BY id ORDER BY item")).group.unwrap().keys, [Field::Id]);
}

#[test]
fn batches_are_batches_even_of_one() {
    let one = plan("SELECT * FROM t USING EMBEDDING BATCH (VECTOR [1])");
    assert!(one.batch);
    assert_eq!(names(&one), ["collection", "item", "id", "distance", "document", "metadata"]);
    let fused = plan(&format!("{} FUSE BY RRF", BATCH.replace("id", "*")));
    assert_eq!(fused.fuse, Some(DEFAULT_RRF_K));
    assert_eq!(names(&fused), ["collection", "id", "distance", "document", "metadata"]);
    assert_eq!(plan(&format!("{BATCH} FUSE BY RRF (1.5)")).fuse, Some(1.5));
}

#[test]
fn mmr_chooses_from_enough_candidates() {
    for (clauses, candidates) in [
        ("RERANK BY MMR", 50),
        ("TOPK 20 RERANK BY MMR", 80),
        ("TOPK 9999 RERANK BY MMR ()", 10_000),
        ("TOPK 30 RERANK BY MMR (0.1, 5)", 30),
        ("LIMIT 60 RERANK BY MMR (candidates = 100)", 100),
    ] {
        assert_eq!(plan(&format!("{SEARCH} {clauses}")).rerank.unwrap().candidates, candidates, "{clauses}");
    }
    assert_eq!(plan(&format!("{SEARCH} RERANK BY MMR")).rerank.unwrap().lambda, DEFAULT_MMR_LAMBDA);
}

#[test]
fn refusals_say_where_and_what_to_write() {
    for (rest, name, text) in [
        ("ORDER BY distance", "order_distance_needs_embedding", "distance"),
        ("ORDER BY -distance", "order_distance_needs_embedding", "distance"),
        ("GROUP BY distance", "order_distance_needs_embedding", "distance"),
        ("ORDER BY score", "score_needs_ranking", "score"),
        ("ORDER BY item", "item_needs_batch", "item"),
        ("ORDER BY COUNT(*)", "aggregate_not_allowed", "COUNT(*)"),
        ("ORDER BY metadata", "no_order", "metadata"),
        ("ORDER BY embedding", "no_order", "embedding"),
        ("GROUP BY metadata", "no_order", "metadata"),
        ("ORDER BY id + 1", "not_a_number", "id"),
        ("ORDER BY metadata.a * document", "not_a_number", "document"),
        ("ORDER BY nam", "unknown_order_key", "nam"),
        ("GROUP BY metadata.a", "not_grouped", "id"),
        ("GROUP BY id ORDER BY metadata.a", "not_grouped", "metadata.a"),
        ("GROUP BY id TOP 0", "top_not_positive", "0"),
        ("RERANK BY MMR", "rerank_not_possible", "RERANK BY MMR"),
        ("FUSE BY RRF", "fuse_needs_batch", "FUSE BY RRF"),
        ("WITH SCORE THRESHOLD 0.5", "threshold_needs_embedding", "0.5"),
        ("RECALL 0", "recall_out_of_range", "0.0"),
        ("RECALL 1.5", "recall_out_of_range", "1.5"),
        ("CANDIDATES 0", "candidates_out_of_range", "0"),
        ("WHERE metadata.a LIKE 5", "pattern_not_text", "5"),
        ("WHERE document CONTAINS 42", "pattern_not_text", "42"),
        ("WHERE metadata.a NOT ILIKE 'x\\\\'", "bad_pattern", "'x\\\\'"),
        ("WHERE id BETWEEN 'a' AND 5", "id_value_type", "5"),
        ("AFTER 'abc' OFFSET 1", "cursor_not_possible", "abc"),
        ("AFTER 'abc' GROUP BY id", "cursor_not_possible", "abc"),
        ("AFTER 'abc'", "bad_cursor", "abc"),
    ] {
        let sql = format!("SELECT id FROM t {rest}");
        let error = refused(&sql);
        assert_eq!((error.name(), error.text()), (name, text), "{sql}");
        assert!(
            !error.hint().is_empty() && error.span().start >= 16 || error.name() == "not_grouped",
            "{error}"
        );
    }
}

#[test]
fn searches_are_refused_too() {
    for (sql, name) in [
        (format!("{SEARCH} RERANK BY MMR (1.01)"), "lambda_out_of_range"),
        (format!("{SEARCH} RERANK BY MMR (-0.1)"), "lambda_out_of_range"),
        (format!("{SEARCH} RERANK BY MMR (1, 0)"), "candidates_out_of_range"),
        (format!("{SEARCH} RERANK BY MMR (1, 10001)"), "candidates_out_of_range"),
        (format!("{SEARCH} RERANK BY MMR TOPK 10001"), "candidates_out_of_range"),
        (format!("{BATCH} RERANK BY MMR FUSE BY RRF"), "rerank_not_possible"),
        (format!("{BATCH} FUSE BY RRF (0)"), "rrf_k_not_positive"),
        (format!("{SEARCH} FUSE BY RRF"), "fuse_needs_batch"),
        (format!("{SEARCH} ORDER BY score"), "score_needs_ranking"),
        (format!("{BATCH} FUSE BY RRF ORDER BY item"), "item_needs_batch"),
        (format!("{BATCH} AFTER 'abc'"), "cursor_not_possible"),
        (format!("{SEARCH} RERANK BY MMR AFTER 'abc'"), "cursor_not_possible"),
        (String::from("SELECT *, COUNT(*) FROM t"), "not_grouped"),
        (String::from("SELECT * FROM t GROUP BY id"), "not_grouped"),
        (String::from("SELECT MAX(distance) FROM t"), "order_distance_needs_embedding"),
        (String::from("SELECT COUNT(embedding) FROM t"), "no_order"),
        (String::from("SELECT SUM(collection) FROM t"), "not_a_number"),
        (String::from("SELECT 1 + MIN(id) FROM t"), "not_a_number"),
    ] {
        let error = refused(&sql);
        assert_eq!(error.name(), name, "{sql}");
        assert!(!error.hint().is_empty() && !error.text().is_empty());
    }
    for allowed in
        ["RERANK BY MMR ORDER BY score", "RERANK BY MMR (0, 10000)", "RECALL 1", "ORDER BY 1 - distance"]
    {
        plan(&format!("{SEARCH} {allowed}"));
    }
}

#[test]
fn one_name_cannot_stand_for_a_long_value_again_and_again() {
    let long = format!("SELECT metadata.a{} AS x FROM t ORDER BY ", " + 1".repeat(200));
    assert_eq!(plan(&format!("{long} x, x, x")).order.len(), 3);
    let error = refused(&format!("{long} x + x"));
    assert_eq!((error.name(), error.text()), ("nesting_too_deep", "x + x"));
}

#[test]
fn a_cursor_fits_its_statement_only() {
    let sql = "SELECT id FROM t ORDER BY metadata.a";
    let cursor = Cursor {
        keys: vec![crate::schema::Value::Int(5)],
        id: String::from("x"),
        collection: String::from("t"),
    };
    let text = cursor.encode(plan(sql).fingerprint());
    let next = |sql: &str| {
        Plan::parse_with(
            &format!("{sql} AFTER :cursor"),
            &Params::none().set("cursor", crate::schema::Value::Text(text.clone())),
        )
    };
    assert_eq!(next(sql).unwrap().after, Some(cursor.clone()));
    assert_eq!(next(&format!("{sql} LIMIT 7")).unwrap().after, Some(cursor));
    let other = next("SELECT id FROM t ORDER BY metadata.b").unwrap_err();
    assert_eq!(other.name(), "bad_cursor");
    assert!(other.message().contains("another"), "{other}");
}

#[test]
fn what_is_probably_not_meant_is_remarked_on() {
    for (sql, note) in [
        ("SELECT id FROM t AS x", "AS x has no effect"),
        ("SELECT id FROM t WHERE metadata.a LIKE 'x'", "1:24: metadata.a: LIKE without % or _"),
        ("SELECT id FROM t WHERE metadata.a LIKE 'x\\\\%'", "LIKE without % or _"),
        ("SELECT id FROM t WHERE document REGEX '\\bx'", "a backspace; write \\\\b"),
        ("SELECT id FROM t WHERE NOT metadata.a CONTAINS NULL", "contain NULL"),
        ("SELECT id FROM t WHERE document NOT LIKE NULL", "a pattern that is NULL"),
        ("SELECT id FROM t WHERE metadata.a BETWEEN NULL AND 5", "a bound that is NULL"),
        ("SELECT id FROM t WHERE metadata.a NOT BETWEEN 5 AND 1", "everything but NULL"),
        ("SELECT id FROM t SIMILARITY L2", "SIMILARITY has no effect"),
        ("SELECT id, distance FROM t", "distance is always NULL"),
        ("SELECT score FROM t", "score is always NULL"),
        ("SELECT id FROM t ORDER BY 2", "ORDER BY 2 orders nothing"),
        ("SELECT id FROM t USING EMBEDDING (VECTOR [1]) ORDER BY metadata.a", "orders the 10 nearest rows"),
        ("SELECT id FROM t USING EMBEDDING (VECTOR [1]) TOPK 3 LIMIT 6", "TOPK is raised to 6"),
        ("SELECT id FROM t USING EMBEDDING (VECTOR [1]) TOPK 3 OFFSET 3", "OFFSET skips all of the 3"),
        ("SELECT id FROM t USING EMBEDDING (VECTOR [1]) TOPK 9 RERANK BY MMR (0, 5)", "9 candidates"),
    ] {
        let notes = plan(sql).notes;
        assert!(notes.len() == 1 && notes[0].contains(note), "{sql}: {notes:?}");
    }
    for quiet in [
        "SELECT id FROM t WHERE metadata.a LIKE 'x%' AND metadata.b ILIKE 'x' ORDER BY metadata.a + 1",
        "SELECT id, distance FROM t USING EMBEDDING (VECTOR [1]) SIMILARITY L2 TOPK 5 LIMIT 5 ORDER BY distance",
        "SELECT COUNT(*) FROM t USING EMBEDDING (VECTOR [1]) ORDER BY COUNT(*)",
    ] {
        assert_eq!(plan(quiet).notes, Vec::<String>::new(), "{quiet}");
    }
}

#[test]
fn explain_says_every_clause_in_a_line_of_its_own() {
    let text = |sql: &str| plan(sql).explain_text();
    assert_eq!(
        text(
            "SELECT id, distance * 2 AS twice, metadata.\"a b\" FROM t USING EMBEDDING BATCH (TEXT 'a' MODEL 'm', VECTOR [1, 2]) \
             FUSE BY RRF SIMILARITY IP WITH SCORE THRESHOLD 1 ON DUPLICATE ID KEEP NEAREST RECALL 0.9 CANDIDATES 7 \
             ORDER BY twice DESC NULLS FIRST, id"
        ),
        "nearest to each of 2 items, topk 10\n  items: 'a' by 'm', a vector of 2 numbers\n  from: t\n  \
         columns: id, distance * 2 AS twice, metadata.\"a b\"\n  similarity: ip\n  threshold: 1.0\n  \
         duplicates: keep nearest\n  fuse: rrf 60.0\n  order: distance * 2 DESC NULLS FIRST, id\n  recall: 0.9\n  \
         candidates: 7\n  note: ORDER BY orders the 10 nearest rows (TOPK), not all that match\n"
    );
    assert_eq!(
        text("SELECT metadata.a, COUNT(*) FROM t GROUP BY metadata.a, collection ORDER BY COUNT(*) DESC"),
        "filter\n  from: t\n  columns: metadata.a, COUNT(*)\n  group: by metadata.a, collection\n  order: COUNT(*) DESC\n"
    );
    assert!(text("SELECT COUNT(*) FROM t").contains("  group: by nothing, all rows are one\n"));
    let mmr = plan(&format!("{SEARCH} RERANK BY MMR (0.25, 99) GROUP BY id TOP 3")).explain_json();
    assert_eq!((&mmr["rerank"]["mmr"], &mmr["rerank"]["candidates"]), (&0.25.into(), &99.into()));
    assert_eq!((&mmr["group"]["by"][0], &mmr["group"]["top"]), (&"id".into(), &3.into()));
    assert_eq!(plan(BATCH).explain_json()["embedding"]["items"][1]["dimensions"], 1);
}

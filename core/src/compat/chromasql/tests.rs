//! The dialect against what the reference was seen to do, and against texts that nobody meant.

use std::time::Instant;

use serde_json::{Value as Json, json};

use super::*;

const CASES: &str = include_str!("../../../../tests/conformance/language_plan.jsonl");

fn cases() -> Vec<Json> {
    CASES.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn planned(sql: &str) -> Json {
    plan(sql).unwrap_or_else(|error| panic!("{}", error.snippet(sql))).to_json()
}

fn refused(sql: &str) -> &'static str {
    let error = plan(sql).expect_err(sql);
    assert_inside(sql, &error);
    error.kind().name()
}

/// The plan of `SELECT id FROM t WHERE condition`.
fn planned_where(condition: &str) -> Json {
    planned(&format!("SELECT id FROM t WHERE {condition}"))
}

fn refused_where(condition: &str) -> &'static str {
    refused(&format!("SELECT id FROM t WHERE {condition}"))
}

fn assert_inside(sql: &str, error: &CompatError) {
    let span = error.span();
    assert!(span.text(sql).is_some(), "{sql}: {error} has no text at {span:?}");
    let before = &sql[..span.start as usize];
    assert_eq!(span.line as usize, 1 + before.matches('\n').count(), "{sql}");
    let line = before.rsplit('\n').next().unwrap_or_default();
    assert_eq!(span.column as usize, 1 + line.chars().count(), "{sql}");
    assert!(!error.snippet(sql).is_empty() && !error.message().is_empty() && !error.hint().is_empty());
}

/// What was written and is not in the plan dictionary, in the form that the cases have it.
fn extra(plan: &ReferencePlan) -> Json {
    let statement = &plan.statement;
    let (mut one, mut vectors, mut texts) = (Json::Null, Vec::new(), Vec::new());
    match &statement.embedding {
        Some(Embedding::One(Source::Vector { components, .. })) => one = json!(components),
        Some(Embedding::Batch(sources)) => {
            for source in sources {
                match source {
                    Source::Vector { components, .. } => vectors.push(json!(components)),
                    Source::Text { text, model } => {
                        texts.push(json!([text.text, model.as_ref().map(|model| &model.text)]))
                    }
                }
            }
        }
        _ => {}
    }
    let list = |items: Vec<Json>| if items.is_empty() { Json::Null } else { Json::from(items) };
    json!({
        "alias": statement.alias.as_ref().map(|alias| &alias.text),
        "select_all": statement.projection == Projection::All,
        "query_vector": one,
        "query_vector_batch": list(vectors),
        "embedding_texts": list(texts),
        "topk_written": statement.topk.as_ref().and_then(|topk| topk.value.to_i64()),
    })
}

#[test]
fn every_case_is_planned_or_refused_as_the_reference_does() {
    let cases = cases();
    assert_eq!(cases.len(), 144);
    for case in cases {
        let sql = case["sql"].as_str().expect("a statement");
        match plan(sql) {
            Ok(plan) => {
                assert_eq!(case["expect"], "ok", "{sql}");
                // As text, so that the order of the keys and the kinds of the numbers count too.
                assert_eq!(plan.to_json().to_string(), case["plan"].to_string(), "{sql}");
                assert_eq!(plan.to_exact_json().to_string(), case["plan"].to_string(), "{sql}");
                assert_eq!(extra(&plan), case["extra"], "{sql}");
            }
            Err(error) => {
                let stage = format!("{}_error", error.kind().stage().name());
                assert_eq!(case["expect"], stage, "{sql}: {error}");
                assert_eq!(case["error"], error.kind().name(), "{sql}: {error}");
                assert_inside(sql, &error);
            }
        }
    }
}

#[test]
fn words_have_no_boundaries() {
    for sql in [
        "SELECTid,documentFROM t",
        "EXPLAINSELECT*FROM t ORDERBY id",
        "SELECT id FROM t WHERE metadata.a=1AND(id='x')ORDERBY idASCLIMIT 5OFFSET 2WITHSCORETHRESHOLD.5;",
        "SELECT id FROM t WHERE metadata.a NOTIN(1)WHERE_DOCUMENTdocumentNOTCONTAINS'x'SIMILARITYl2",
        "SELECT id FROM t USINGEMBEDDINGBATCH(TEXT'a'MODEL'b',VECTOR[1,.5])TOPK+3RERANKBYMMR(a=1)",
        "SELECT id\r\n\tFROM\x0c from\nAS select",
    ] {
        planned(sql);
    }
    assert_eq!(planned("SELECT metadata . a . b ASx FROM t")["projection"][0]["alias"], "x");
    for sql in [
        "SELECT id FROM t WHERE metadata.aIN (1)",
        "SELECT metadata.a AScore FROM t",
        "SELECT id FROM t\u{b}",
        "SELECT\u{a0}id FROM t",
        "SELECT id FROM é",
        "SELECT id FROM t WHERE metadata.a = - 1",
    ] {
        assert_eq!(refused(sql), "syntax", "{sql}");
    }
}

#[test]
fn checks_come_in_the_order_of_the_reference() {
    let vector = "USING EMBEDDING (VECTOR [1])";
    for (rest, code) in [
        ("WHERE id != 'a' TOPK 0 LIMIT -1", "topk_needs_embedding"),
        (&format!("{vector} WHERE id != 'a' TOPK 0 LIMIT -1 OFFSET -1"), "limit_negative"),
        (&format!("{vector} WHERE id != 'a' TOPK 0 OFFSET -1"), "offset_negative"),
        (&format!("{vector} WHERE id != 'a' TOPK 0"), "topk_not_positive"),
        (
            "WHERE id != 'a' AND document REGEX 'x' WHERE_DOCUMENT LIKE 'x' ORDER BY distance",
            "regex_in_where",
        ),
        ("WHERE id != 'a' AND document = 'x' WHERE_DOCUMENT LIKE 'x' ORDER BY distance", "id_operator"),
        ("WHERE document = 'x' AND id != 'a'", "document_predicate_kind"),
        ("WHERE_DOCUMENT LIKE 'x' ORDER BY distance", "like_pattern"),
        ("ORDER BY id, distance", "order_distance_needs_embedding"),
    ] {
        assert_eq!(refused(&format!("SELECT id FROM t {rest}")), code, "{rest}");
    }
    planned(&format!("SELECT id FROM t {vector} LIMIT -0 OFFSET +0"));
}

#[test]
fn tests_of_each_kind_are_refused_under_their_name() {
    for (condition, code) in [
        ("metadata.a NOT CONTAINS 'x'", "contains_on_metadata"),
        ("metadata.a NOT LIKE 'x'", "like_on_metadata"),
        ("document IN ('x')", "document_predicate_kind"),
        ("document BETWEEN 'x' AND 'y'", "document_predicate_kind"),
        ("document LIKE '%a%b%'", "like_pattern"),
        ("document LIKE 'a%%b'", "like_pattern"),
        ("id = NULL", "id_value_type"),
        ("id IN ('a', 1)", "id_in_type"),
        ("id NOT IN (1)", "id_not_in"),
        ("id BETWEEN 'a' AND 'b'", "id_predicate_kind"),
        ("id CONTAINS 'a'", "id_predicate_kind"),
        ("id = 'a' AND (metadata.a = 1 OR document CONTAINS 'x')", "mixed_roots_not_and"),
        ("(id = 'a' AND metadata.a = 1) OR id = 'b'", "mixed_roots_not_and"),
    ] {
        assert_eq!(refused_where(condition), code, "{condition}");
    }
    assert_eq!(planned_where("document LIKE '%%'")["where_document"], json!({"$contains": ""}));
}

#[test]
fn conditions_flatten_as_in_the_reference() {
    let filter = |condition: &str| planned_where(condition)["where"].clone();
    let [a, low, high] = ["$eq", "$gte", "$lte"].map(|op| json!({"a": {(op): 1}}));
    assert_eq!(
        filter("metadata.a = 1 OR (metadata.a BETWEEN 1 AND 1 AND metadata.a = 1)"),
        json!({"$or": [a, {"$and": [low, high, a]}]})
    );
    assert_eq!(
        filter("metadata.a = 1 AND id = 'x' AND (id = 'y' OR id = 'x') AND (metadata.a BETWEEN 1 AND 1)"),
        json!({"$and": [a, low, high]})
    );
    let both =
        planned("SELECT id FROM t WHERE document CONTAINS 'a' WHERE_DOCUMENT CONTAINS 'b' OR CONTAINS 'c'");
    let [x, y, z] = ["a", "b", "c"].map(|text| json!({"$contains": text}));
    assert_eq!(both["where_document"], json!({"$and": [x, {"$or": [y, z]}]}));
}

#[test]
fn contradicting_ids_are_remembered_though_the_dictionary_hides_them() {
    let plan = plan("SELECT id FROM t WHERE id = 'a' AND id = 'b'").expect("a plan");
    assert_eq!((plan.ids.clone(), &plan.to_json()["ids"]), (Some(Vec::new()), &Json::Null));
    let union = planned_where("(id = 'a' AND id = 'b') OR id = 'c'");
    assert_eq!(union["ids"], json!(["c"]));
}

#[test]
fn numbers_have_no_bounds_and_infinity_is_written_as_json() {
    let sql = "SELECT id FROM t USING EMBEDDING (VECTOR [1]) WHERE metadata.a IN (1e400, -1e400, 36893488147419103232) \
               LIMIT 99999999999999999999 OFFSET 1";
    let plan = plan(sql).expect("a plan");
    let text = plan.to_exact_json().to_string();
    assert!(text.contains(r#""$in":[1e999,-1e999,36893488147419103232]"#), "{text}");
    assert!(text.contains(r#""n_results":100000000000000000000,"#), "{text}");
    assert_eq!(plan.to_json()["where"]["a"]["$in"], json!([null, null, 36893488147419103232.0]));
    let shapes = planned_where("metadata.a IN (1.e5, .5, 4., +2E-3, -007, -.5e+1)");
    assert_eq!(shapes["where"]["a"]["$in"], json!([1e5, 0.5, 4.0, 2e-3, -7, -5.0]));
    planned_where(&format!("metadata.a = {}", "9".repeat(MAX_INTEGER_DIGITS)));
    assert_eq!(refused_where(&format!("metadata.a = {}", "0".repeat(MAX_INTEGER_DIGITS + 1))), "syntax");
}

#[test]
fn a_parameter_called_strategy_replaces_the_strategy() {
    let plan = planned("SELECT id FROM t RERANK BY MMR (b = 1, strategy = 2, b = 3)");
    assert_eq!(plan["rerank"].to_string(), r#"{"strategy":2.0,"b":3.0}"#);
}

#[test]
fn errors_point_at_the_place_and_say_what_to_write() {
    for (sql, place, hint) in [
        ("SELECT id FROM t\nTOPK 3 WHERE id = 'a'", "WHERE", "one order"),
        ("SELECT id FROM t -- x", "--", "no comments"),
        ("SELECT id FROM t WHERE metadata.a <> 1", ">", "!="),
        ("SELECT id FROM t WHERE metadata.é = 'a", "é", "write a metadata key"),
        ("SELECT id FROM t WHERE metadata.a = 'é\\x4'", "\\x", "hexadecimal"),
        ("SELECT id FROM t WHERE metadata.a = 'a", "'", "close"),
        ("SELECT id FROM t WHERE NOT id = 'a'", "NOT", "NOT stands only"),
        ("SELECT id FROM", "", "collection name"),
        ("SELECT id FROM t WHERE metadata.a = 1 OR id = 'a'", "id = 'a'", "AND"),
        ("SELECT id FROM t LIMIT -5", "-5", "0 or more"),
    ] {
        let error = plan(sql).expect_err(sql);
        assert_inside(sql, &error);
        assert_eq!(error.span().text(sql), Some(place), "{sql}: {error}");
        assert!(error.hint().contains(hint), "{sql}: {error}");
    }
    let keys: Vec<String> =
        plan("").expect_err("nothing").to_json().as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["stage", "code", "message", "line", "column", "hint"]);
}

#[test]
fn nesting_ends_with_an_error_and_not_with_the_stack() {
    let nested = |depth: usize| {
        let (open, close) = ("(metadata.a=1 OR(metadata.b=1 AND".repeat(depth / 2), "))".repeat(depth / 2));
        format!("SELECT id FROM t WHERE {open}(metadata.c=1){close}")
    };
    assert_eq!(refused(&nested(MAX_NESTING)), "nesting_too_deep");
    plan(&nested(MAX_NESTING - 2)).expect("deep, but not too deep").to_exact_json().to_string();
    assert_eq!(refused(&nested(100_000)), "nesting_too_deep");
    assert_eq!(refused_where(&format!("metadata{} = 1", ".a".repeat(MAX_NESTING + 1))), "nesting_too_deep");
    planned_where(&format!("metadata{} = 1", ".a".repeat(MAX_NESTING)));
}

#[test]
fn long_lists_take_linear_time() {
    let ids: Vec<String> = (0..100_000).map(|i| format!("'id-{i}'")).collect();
    let list = ids.join(",");
    let sql = format!("SELECT id FROM t WHERE id IN ({list}) AND (id IN ({list}) OR id IN ({list}))");
    let start = Instant::now();
    let plan = plan(&sql).expect("a plan");
    assert_eq!(plan.ids.map(|ids| ids.len()), Some(100_000));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

/// A small generator with a fixed seed (xorshift64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// `sql` with a few of its characters dropped, doubled or replaced by pieces of the language and of other scripts.
fn mutant(random: &mut Random, sql: &str) -> String {
    const PIECES: [&str; 30] = [
        "'",
        "\"",
        "\\",
        "\\x4",
        "\\ud83d",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        ";",
        "=",
        "<",
        "!",
        "-",
        "+",
        "7",
        "1e400",
        " ",
        "\n",
        "\0",
        "é",
        "😀",
        " AND ",
        " OR ",
        " NOT ",
        "ORDER BY ",
        "metadata.a",
        "NULL",
    ];
    let mut chars: Vec<String> = sql.chars().map(String::from).collect();
    for _ in 0..1 + random.below(3) {
        let at = random.below(chars.len().max(1));
        match (random.below(4), chars.get(at).cloned()) {
            (0, Some(_)) => drop(chars.remove(at)),
            (1, Some(c)) => chars.insert(at, c),
            (2, _) => chars.truncate(at),
            _ => chars.insert(at.min(chars.len()), PIECES[random.below(PIECES.len())].into()),
        }
    }
    chars.concat()
}

#[test]
fn mutated_statements_never_panic_and_errors_lie_inside() {
    let (mut random, mut valid) = (Random(11), 0);
    let statements: Vec<String> = cases()
        .iter()
        .filter(|case| case["expect"] == "ok")
        .map(|case| String::from(case["sql"].as_str().unwrap_or_default()))
        .collect();
    for _ in 0..60_000 {
        let chosen = random.below(statements.len());
        let sql = mutant(&mut random, &statements[chosen]);
        match plan(&sql) {
            Err(error) => assert_inside(&sql, &error),
            Ok(plan) => {
                valid += 1;
                let text = plan.to_exact_json().to_string();
                if !text.contains("1e999") {
                    serde_json::from_str::<Json>(&text).expect(&text);
                }
            }
        }
    }
    assert!(valid > 5000, "only {valid} mutants were valid");
}

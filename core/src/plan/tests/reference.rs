//! Statements of the reference dialect: what ChromaSQL accepts means the same here, with the exceptions named below.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    metric::Metric,
    query::{Column, CompareOp, Expr, Literal, MatchOp},
    schema::Value,
};

const CASES: &str = include_str!("../../../../tests/conformance/language_plan.jsonl");

/// What ChromaSQL accepts and the native language does not, with the error and the reason.
const REFUSED: [(&str, &str, &str); 6] = [
    ("pub-proj-10", "duplicate_column", "one of two equal columns would silently be lost"),
    ("pub-emb-06", "empty_text", "planned there, and refused when it runs"),
    ("pub-doc-09", "pattern_not_text", "planned there, and refused when it runs"),
    ("pub-thr-02", "threshold_needs_embedding", "without distances it has no effect there"),
    ("pub-rerank-04", "mmr_option", "unknown and repeated parameters are ignored there"),
    ("pub-lex-05", "bad_number", "words need boundaries"),
];

fn cases() -> impl Iterator<Item = Json> {
    CASES.lines().map(|line| serde_json::from_str(line).expect("a case"))
}

#[test]
fn accepted_statements_mean_the_same() {
    let (mut same, mut refused) = (0, 0);
    for case in cases().filter(|case| case["expect"] == "ok") {
        let (id, sql) = (case["id"].as_str().unwrap(), case["sql"].as_str().unwrap());
        match (Plan::parse(sql), REFUSED.iter().find(|(known, ..)| *known == id)) {
            (Ok(plan), None) => {
                same += 1;
                compare(&plan, &case["plan"], id);
            }
            (Err(error), Some((_, name, _))) => {
                refused += 1;
                assert_eq!(error.name(), *name, "{id}");
            }
            (Ok(_), Some(_)) => panic!("{id} is accepted now"),
            (Err(error), None) => panic!("{id}: {}", error.snippet(sql)),
        }
    }
    assert_eq!((same, refused), (70, REFUSED.len()));
}

/// Compares what both plans know. `*`, the default metric and the order of a batch differ on purpose.
fn compare(plan: &Plan, expected: &Json, id: &str) {
    assert_eq!(plan.source.to_string(), expected["collection"].as_str().unwrap(), "{id}");
    assert_eq!(plan.explain.is_some(), expected["explain"], "{id}");
    assert_eq!(if plan.is_search() { "vector" } else { "filter" }, expected["mode"], "{id}");
    assert_eq!(json!(plan.topk), expected["n_results"], "{id}");
    assert_eq!(json!(plan.limit), expected["limit"], "{id}");
    assert_eq!(plan.offset, expected["offset"].as_u64().unwrap_or(0), "{id}");
    assert_eq!(json!(plan.threshold), expected["score_threshold"], "{id}");
    assert_eq!(order(plan), expected["order_by"], "{id}");
    let metric = match plan.similarity {
        None | Some(Metric::Cosine) => "COSINE",
        Some(Metric::L2) => "L2",
        Some(Metric::InnerProduct) => "IP",
    };
    assert_eq!(metric, expected["similarity"], "{id}");
    if let Some(mmr) = plan.rerank {
        let given = &expected["rerank"];
        assert_eq!(given["lambda"].as_f64().unwrap_or(mmr.lambda), mmr.lambda, "{id}");
        assert_eq!(
            given["candidates"].as_f64().unwrap_or(mmr.candidates as f64),
            mmr.candidates as f64,
            "{id}"
        );
    }
    compare_columns(plan, expected, id);
    compare_probes(plan, &expected["embedding"], id);
    compare_filter(plan.filter.as_ref(), expected, id);
}

fn order(plan: &Plan) -> Json {
    let key = |key: &OrderKey| json!({ "field": key.value.to_string(), "direction": if key.descending { "DESC" } else { "ASC" } });
    match plan.order.is_empty() && plan.is_search() {
        true => json!([{ "field": "distance", "direction": "ASC" }]),
        false => plan.order.iter().map(key).collect(),
    }
}

fn compare_columns(plan: &Plan, expected: &Json, id: &str) {
    let columns = plan.columns.iter().map(|column| match column.name == column.value.to_string() {
        true => json!({ "field": column.name }),
        false => json!({ "field": column.value.to_string(), "alias": column.name }),
    });
    let columns: Json = columns.filter(|column| *column != json!({ "field": "collection" })).collect();
    let star = json!(["id", "distance", "document", "metadata"].map(|field| json!({ "field": field })));
    if expected["projection"] == star {
        return; // `*`: without distance where there is none
    }
    assert_eq!(columns, expected["projection"], "{id}");
}

fn compare_probes(plan: &Plan, expected: &Json, id: &str) {
    let probe = |probe: &Probe| match probe {
        Probe::Text { text, model } => json!({ "type": "text", "text": text, "model": model }),
        Probe::Vector(components) => json!({ "type": "vector", "dimensions": components.len() }),
    };
    let set = |items: Vec<Json>| items.iter().map(Json::to_string).collect::<BTreeSet<_>>();
    let expected = match (expected["items"].as_array(), expected.is_null()) {
        (Some(items), _) => items.clone(),
        (None, true) => Vec::new(),
        (None, false) => vec![expected.clone()],
    };
    assert_eq!(set(plan.probes.iter().map(probe).collect()), set(expected), "{id}");
}

// Conditions, in the form that Chroma takes.

fn compare_filter(filter: Option<&Expr>, expected: &Json, id: &str) {
    let parts = match filter {
        None => Vec::new(),
        Some(Expr::And(parts)) => parts.iter().collect(),
        Some(one) => vec![one],
    };
    let of = |kind: fn(&Column) -> bool| {
        parts.iter().copied().filter(|part| part.columns().iter().any(kind)).collect::<Vec<_>>()
    };
    let joined = |parts: Vec<&Expr>| match parts.len() {
        0 => Json::Null,
        _ => group("$and", parts.into_iter().map(|part| chroma(part, false)).collect()),
    };
    assert_eq!(joined(of(|column| matches!(column, Column::Metadata(_)))), expected["where"], "{id}");
    assert_eq!(joined(of(|column| *column == Column::Document)), expected["where_document"], "{id}");
    let ids =
        of(|column| *column == Column::Id).into_iter().map(ids).reduce(|a, b| &a & &b).unwrap_or_default();
    let expected =
        expected["ids"].as_array().into_iter().flatten().map(|id| String::from(id.as_str().unwrap()));
    assert_eq!(ids, expected.collect(), "{id}");
}

/// The only group of one part is that part, and groups in groups of the same kind are one.
fn group(operator: &str, parts: Vec<Json>) -> Json {
    let flat: Vec<Json> = parts
        .into_iter()
        .flat_map(|part| match part.get(operator) {
            Some(Json::Array(inner)) => inner.clone(),
            _ => vec![part],
        })
        .collect();
    if flat.len() == 1 { flat[0].clone() } else { json!({ operator: flat }) }
}

fn chroma(expr: &Expr, negated: bool) -> Json {
    let test = |column: &Column, operator: &str, value: Json| {
        let Column::Metadata(path) = column else { return json!({ operator: value }) };
        path.rsplit('.').fold(json!({ operator: value }), |inner, key| json!({ key: inner }))
    };
    let not = |not: bool, yes: &'static str, no: &'static str| if not != negated { no } else { yes };
    let all = |parts: &[Expr]| parts.iter().map(|part| chroma(part, negated)).collect();
    match expr {
        Expr::Compare { field, op, value } => {
            let operator = match op {
                CompareOp::Eq => "$eq",
                CompareOp::Ne => "$ne",
                CompareOp::Lt => "$lt",
                CompareOp::Le => "$lte",
                CompareOp::Gt => "$gt",
                CompareOp::Ge => "$gte",
            };
            test(&field.column, operator, json(value))
        }
        Expr::In { field, values, negated } => {
            test(&field.column, not(*negated, "$in", "$nin"), values.iter().map(json).collect())
        }
        Expr::Between { field, low, high, .. } => json!({ "$and": [
            test(&field.column, "$gte", json(low)),
            test(&field.column, "$lte", json(high)),
        ] }),
        Expr::Match { field, op: MatchOp::Like, pattern, negated } => {
            let text = json(pattern).as_str().unwrap().trim_matches('%').to_owned();
            test(&field.column, not(*negated, "$contains", "$not_contains"), text.into())
        }
        Expr::Match { field, pattern, negated, .. } => {
            test(&field.column, not(*negated, "$regex", "$not_regex"), json(pattern))
        }
        Expr::Contains { field, values, negated, .. } => {
            test(&field.column, not(*negated, "$contains", "$not_contains"), json(&values[0]))
        }
        Expr::Not(inner) => chroma(inner, !negated),
        Expr::And(parts) => group("$and", all(parts)),
        Expr::Or(parts) => group("$or", all(parts)),
        Expr::IsNull { .. } => panic!("the reference has no IS NULL"),
    }
}

fn json(literal: &Literal) -> Json {
    match &literal.value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(value) => json!(value),
        other => panic!("{other:?} cannot be written"),
    }
}

/// The ids that pass a condition on ids alone.
fn ids(expr: &Expr) -> BTreeSet<String> {
    let text = |literal: &Literal| String::from(json(literal).as_str().unwrap());
    match expr {
        Expr::Compare { value, .. } => BTreeSet::from([text(value)]),
        Expr::In { values, .. } => values.iter().map(text).collect(),
        Expr::Or(parts) => parts.iter().map(ids).reduce(|a, b| &a | &b).unwrap(),
        Expr::And(parts) => parts.iter().map(ids).reduce(|a, b| &a & &b).unwrap(),
        other => panic!("{other}"),
    }
}

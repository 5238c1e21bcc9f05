//! Plans: defaults, refusals, and what EXPLAIN says.

use super::*;
use crate::query::{Field, Scalar};
use crate::{
    error::{QueryError, QueryErrorKind},
    query::tests::mutants,
};

mod language;
mod reference;

fn plan(sql: &str) -> Plan {
    Plan::parse(sql).unwrap_or_else(|error| panic!("{}", error.snippet(sql)))
}

fn refused(sql: &str) -> QueryError {
    let error = Plan::parse(sql).expect_err(sql);
    assert!(error.span().text(sql).is_some(), "{error}");
    error
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.columns.iter().map(|column| column.name.as_str()).collect()
}

#[test]
fn star_stands_for_what_people_read() {
    assert_eq!(names(&plan("SELECT * FROM t")), ["collection", "id", "document", "metadata"]);
    let vector = plan("SELECT *, embedding, metadata.a.b FROM t USING EMBEDDING (TEXT 'x')");
    assert_eq!(
        names(&vector),
        ["collection", "id", "distance", "document", "metadata", "embedding", "metadata.a.b"]
    );
}

#[test]
fn columns_take_their_alias() {
    let plan = plan("SELECT id AS \"the id\", metadata.a AS a, metadata FROM t");
    assert_eq!(names(&plan), ["the id", "a", "metadata"]);
    assert_eq!(plan.columns[1].value.to_string(), "metadata.a");
    assert_eq!(plan.columns[2].value, Scalar::Field(Field::Metadata(None)));
}

#[test]
fn sources_are_named_once() {
    assert_eq!(
        plan("SELECT id FROM *").source,
        Source { include: vec![NamePattern::Prefix(String::new())], except: Vec::new() }
    );
    let named = plan("SELECT id FROM b, a.x, \"b\", a").source;
    assert_eq!(
        named,
        Source {
            include: ["b", "a.x", "a"].map(|name| NamePattern::Name(name.into())).to_vec(),
            except: Vec::new(),
        }
    );
}

#[test]
fn topk_limit_and_offset_follow_the_reference() {
    let using = "SELECT id FROM t USING EMBEDDING (VECTOR [1])";
    for (clauses, topk, wanted) in [
        ("", 10, Some(10)),
        ("TOPK 3", 3, Some(3)),
        ("TOPK 3 LIMIT 6", 6, Some(6)),
        ("TOPK 6 OFFSET 4", 6, Some(6)),
        ("TOPK 30 LIMIT 5 OFFSET 2", 30, Some(7)),
        ("LIMIT 20 OFFSET 5", 25, Some(25)),
        ("LIMIT 0", 10, Some(0)),
        ("LIMIT 9223372036854775807 OFFSET 9223372036854775807", u64::MAX - 1, Some(u64::MAX - 1)),
    ] {
        let plan = plan(&format!("{using} {clauses}"));
        assert_eq!((plan.topk, plan.rows_wanted()), (topk, wanted), "{clauses}");
    }
    let filter = plan("SELECT id FROM t");
    assert_eq!((filter.topk, filter.rows_wanted()), (0, None));
    assert_eq!(plan("SELECT id FROM t LIMIT 5 OFFSET 2").rows_wanted(), Some(7));
}

#[test]
fn refusals_have_the_names_of_the_reference() {
    let vector = "SELECT id FROM t USING EMBEDDING (VECTOR [1])";
    for (sql, name) in [
        ("SELECT id FROM t TOPK 3", "topk_needs_embedding"),
        (&format!("{vector} TOPK 0"), "topk_not_positive"),
        (&format!("{vector} TOPK -1"), "topk_not_positive"),
        (&format!("{vector} LIMIT -1"), "limit_negative"),
        ("SELECT id FROM t OFFSET -1", "offset_negative"),
        ("SELECT id FROM t WHERE document = 5", "document_predicate_kind"),
        ("SELECT id FROM t WHERE document IN ('x', TRUE)", "document_predicate_kind"),
        ("SELECT id FROM t WHERE id = 7", "id_value_type"),
        ("SELECT id FROM t WHERE NOT (id IN ('a', 7))", "id_in_type"),
        ("SELECT id, id FROM t", "duplicate_column"),
        ("SELECT *, document FROM t", "duplicate_column"),
        ("SELECT id FROM t USING EMBEDDING (TEXT ' ')", "empty_text"),
    ] {
        let error = refused(sql);
        assert_eq!(error.name(), name, "{sql}");
        assert!(!error.hint().is_empty() && (1100..1200).contains(&error.code()));
    }
    // The order of checks is the reference's too.
    assert_eq!(refused("SELECT id FROM t TOPK 0 LIMIT -1").kind(), QueryErrorKind::TopkNeedsEmbedding);
    assert_eq!(refused(&format!("{vector} TOPK 0 LIMIT -1")).kind(), QueryErrorKind::LimitNegative);
}

#[test]
fn unknown_columns_are_found_in_where_and_select() {
    let fields = ["author.name", "year"];
    let unknown = |sql: &str| match plan(sql).unknown_column(&fields) {
        Some(CatalogError::UnknownColumn { name, near }) => Some((name, near.join(","))),
        _ => None,
    };
    let found = |name: &str, near: &str| Some((String::from(name), String::from(near)));
    assert_eq!(
        unknown("SELECT metadata, metadata.author, metadata.year FROM t WHERE metadata.year > 1"),
        None
    );
    assert_eq!(unknown("SELECT metadata.yaer FROM t"), found("yaer", "year"));
    assert_eq!(unknown("SELECT metadata.auth FROM t"), found("auth", "author.name"));
    assert_eq!(unknown("SELECT id FROM t WHERE metadata.author IS NULL"), found("author", "author.name"));
}

#[test]
fn probably_unmeant_conditions_are_remarked_on() {
    let notes = plan(
        "SELECT id FROM t WHERE metadata.a = NULL OR metadata.b NOT IN (1, NULL)\n OR metadata.c BETWEEN 5 AND 2.5",
    )
    .notes;
    assert_eq!(notes.len(), 3);
    assert!(notes[0].starts_with("1:24: metadata.a: a comparison with NULL"), "{}", notes[0]);
    assert!(notes[2].starts_with("2:5: metadata.c: the bounds"), "{}", notes[2]);
    let many = format!("SELECT id FROM t WHERE {}", vec!["metadata.a = NULL"; 100].join(" OR "));
    assert_eq!(plan(&many).notes.len(), 8);
}

#[test]
fn explain_shows_the_plan() {
    let plan =
        plan("EXPLAIN SELECT id, distance FROM * USING EMBEDDING (TEXT 'a bird') WHERE metadata.a=1 LIMIT 3");
    assert_eq!(plan.explain, Some(crate::query::Explain::Plan));
    assert_eq!(
        plan.explain_text(),
        "nearest to 'a bird', topk 10, limit 3\n  \
           from: *\n  \
           columns: id, distance\n  \
           where: metadata.a = 1\n"
    );
    let json = plan.explain_json();
    assert_eq!(json["mode"], "vector");
    assert_eq!(json["from"][0], "*");
    assert_eq!(json["embedding"]["text"], "a bird");
    assert_eq!(json["where"], "metadata.a = 1");
}

#[test]
fn mutated_statements_plan_or_fail_inside_the_text() {
    for sql in mutants(11, 40_000) {
        match Plan::parse(&sql) {
            Ok(plan) => assert!(!plan.explain_text().is_empty()),
            Err(error) => assert!(error.span().text(&sql).is_some(), "{sql}: {error}"),
        }
    }
}

//! The planners: the native one and its EXPLAIN, and the one that plans as ChromaSQL does.

use portolan::{compat::chromasql, plan::Plan, query};
use serde_json::Value as Json;

use crate::errors::{check_error, check_message, check_printable, check_span};

/// The most characters of a line that EXPLAIN prints for people.
const MAX_LINE: usize = 8_000;

/// Checks both planners. Bytes that are no UTF-8 are replaced.
pub fn plan(bytes: &[u8]) {
    let sql = String::from_utf8_lossy(bytes);
    native(&sql);
    compat(&sql);
}

fn native(sql: &str) {
    let planned = Plan::parse(sql);
    assert_eq!(planned, Plan::parse(sql), "the same text is planned in two ways");
    match &planned {
        Ok(plan) => check_plan(plan, sql.len()),
        Err(error) => check_error(sql, error),
    }
    match query::parse(sql) {
        Ok(statement) => assert_eq!(planned, Plan::from_statement(statement)),
        Err(error) => assert_eq!(planned, Err(error), "planning changes what parsing says"),
    }
}

fn check_plan(plan: &Plan, length: usize) {
    let text = plan.explain_text();
    check_printable(&text);
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(longest <= MAX_LINE, "EXPLAIN prints a line of {longest} characters");
    check_json(&plan.explain_json(), length);
    if let Some(wanted) = plan.rows_wanted() {
        assert!(
            plan.limit.is_none_or(|limit| limit == 0 || wanted >= limit),
            "LIMIT wants more than {wanted}"
        );
    }
    if let Some(error) = plan.unknown_column(&["a", "author.name", "year"]) {
        check_printable(&error.to_string());
    }
}

/// JSON that is no larger than the statement explains, and that reads back as it was written.
fn check_json(json: &Json, length: usize) {
    let text = json.to_string();
    assert!(text.len() <= 16_384 + 32 * length, "{} bytes of JSON for {length} of statement", text.len());
    assert!(!text.contains(|c| c < ' '), "a raw control character in {text:?}");
    let again: Result<Json, _> = serde_json::from_str(&text);
    assert!(again.is_ok_and(|again| again == *json), "another document comes back from {text}");
}

fn compat(sql: &str) {
    let planned = chromasql::plan(sql);
    assert_eq!(planned, chromasql::plan(sql), "the same text is planned in two ways");
    match planned {
        Ok(plan) => {
            let exact = plan.to_exact_json().to_string();
            assert!(!exact.contains(|c| c < ' '), "a raw control character in {exact:?}");
            // Infinity and integers of any size are printed exactly, which is more than serde_json reads.
            assert!(exact.starts_with('{') && exact.ends_with('}'), "{exact} is no object");
            assert!(plan.to_json().is_object(), "{exact} is no object");
        }
        Err(error) => {
            check_span(sql, error.span());
            check_message(&error.to_string());
            check_printable(&error.snippet(sql));
            check_json(&error.to_json(), sql.len());
        }
    }
}

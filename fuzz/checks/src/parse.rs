//! The parser: errors with true places, one answer per text, conditions that print as they parse.

use portolan::{error::QueryErrorKind, query};

use crate::errors::{check_error, check_printable};

/// Checks the parser of the native dialect. Bytes that are no UTF-8 are replaced, so that none are wasted.
pub fn parse(bytes: &[u8]) {
    let sql = String::from_utf8_lossy(bytes);
    let parsed = query::parse(&sql);
    assert_eq!(parsed, query::parse(&sql), "the same text parses in two ways");
    match parsed {
        Err(error) => {
            assert!(error.code() < 1200, "{} is found before there is a collection", error.name());
            check_error(&sql, &error);
        }
        Ok(statement) => {
            if let Some(filter) = statement.filter {
                check_printed(&filter.to_string());
            }
        }
    }
}

/// What a condition prints as is a condition, and prints as itself.
fn check_printed(printed: &str) {
    check_printable(printed);
    assert!(!printed.contains('\n'), "a condition prints as one line: {printed:?}");
    if let Some(again) = parse_condition(printed) {
        assert_eq!(again.to_string(), printed, "what is printed reads as something else");
    }
}

/// The statement whose WHERE is `condition`.
pub fn statement(condition: &str) -> String {
    format!("SELECT id FROM * WHERE {condition}")
}

/// The condition that `text` means. `None` if it is beyond the limits: printing adds parentheses for readers and
/// escapes, which may carry a statement that is just within them over.
pub fn parse_condition(text: &str) -> Option<query::Expr> {
    let sql = statement(text);
    match query::parse(&sql) {
        Ok(statement) => {
            assert!(statement.filter.is_some(), "the condition is lost: {sql}");
            statement.filter
        }
        Err(error) => {
            let limits = [QueryErrorKind::NestingTooDeep, QueryErrorKind::StatementTooLong];
            assert!(limits.contains(&error.kind()), "{error}: {sql}");
            None
        }
    }
}

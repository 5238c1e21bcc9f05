//! What every error about a statement owes its reader, and what every text for a terminal owes the terminal.

use portolan::error::{QueryError, Span};

/// The most bytes of a message with its hint.
const MAX_MESSAGE: usize = 8_000;

/// The error points into `sql` and can be shown.
pub fn check_error(sql: &str, error: &QueryError) {
    check_span(sql, error.span());
    assert_eq!((error.line(), error.column()), (error.span().line, error.span().column));
    assert!(!error.message().is_empty(), "{} has no message", error.name());
    check_message(&error.to_string());
    check_printable(&error.snippet(sql));
}

/// The span lies on characters of `sql`, and its line and column are those of its first byte.
pub fn check_span(sql: &str, span: Span) {
    assert!(span.text(sql).is_some(), "{span:?} is no part of a statement of {} bytes", sql.len());
    let before = sql.get(..span.start as usize).unwrap_or_default();
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    assert_eq!(
        (span.line as usize, span.column as usize),
        (line, column),
        "the place of byte {}",
        span.start
    );
}

/// One line that somebody would read.
pub fn check_message(message: &str) {
    check_printable(message);
    assert!(!message.contains('\n'), "more than one line: {message:?}");
    assert!(message.len() <= MAX_MESSAGE, "a message of {} bytes", message.len());
}

/// No control character but the end of a line: a statement may come from anywhere, and what is printed of it must
/// not move the cursor, change colours or forge a line.
pub fn check_printable(text: &str) {
    let control = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(control.is_none(), "{control:?} in {text:?}");
}

//! Errors about the statement: where it is wrong, what was expected, how to repair it.
//!
//! Every error is one [`QueryErrorKind`] at one [`Span`]. Kinds 10xx are found while parsing, 11xx while planning,
//! 12xx while a filter is bound to a collection's columns. Errors that concern names are in `catalog`.

use crate::gather::Gather as _;
use std::fmt;

use super::QueryErrorKind;

/// A place in a statement: a byte range, and the line and column where it begins.
///
/// The position rides along because errors found long after parsing, when a filter meets a collection, must still
/// say where, and the text is gone by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The line of the first byte, from 1.
    pub line: u32,
    /// The column of the first byte, from 1, counted in characters.
    pub column: u32,
}

impl Span {
    /// The span from the beginning of `self` to the end of `last`.
    pub fn to(self, last: Span) -> Span {
        Span { end: last.end.max(self.end), ..self }
    }

    /// The text that this span covers, if `sql` is the statement it came from.
    pub fn text(self, sql: &str) -> Option<&str> {
        sql.get(self.start as usize..self.end as usize)
    }
}

/// The most characters of a message, or of a hint.
const MAX_SENTENCE: usize = 500;
/// The most characters of the offending text.
const MAX_TEXT: usize = 60;

/// The statement is wrong at a known place.
///
/// One pointer wide: parsers return it from every function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError(Box<Detail>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    kind: QueryErrorKind,
    span: Span,
    message: String,
    text: String,
    expected: String,
    hint: String,
}

impl QueryError {
    /// An error of `kind` at `span`. `message` is one clause without a full stop.
    pub fn new(kind: QueryErrorKind, span: Span, message: impl Into<String>) -> Self {
        let message = shown(message);
        let (text, expected, hint) = Default::default();
        Self(Box::new(Detail { kind, span, message, text, expected, hint }))
    }

    /// Adds the offending text. Long texts are cut to 60 characters.
    pub fn with_text(mut self, text: &str) -> Self {
        self.0.text = clip_to(text, MAX_TEXT);
        self
    }

    /// Adds what would have been right there.
    pub fn with_expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = shown(expected);
        self
    }

    /// Adds what to write instead.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = shown(hint);
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> QueryErrorKind {
        self.0.kind
    }

    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        self.0.kind.code()
    }

    /// The fixed name of this error, in snake case.
    pub fn name(&self) -> &'static str {
        self.0.kind.name()
    }

    /// Where: always inside the statement, or at its end.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.0.span.line
    }

    /// The column, from 1, counted in characters.
    pub fn column(&self) -> u32 {
        self.0.span.column
    }

    /// What is wrong, without place and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The offending text, cut to 60 characters, control characters and all; empty at the end of the statement.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What would have been right there; empty when many things would.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What to write instead; may be empty.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// The error as a few lines for a terminal: message, the line of `sql` with a caret under the place, hint.
    pub fn snippet(&self, sql: &str) -> String {
        let headline = format!("error {} ({}): {}", self.code(), self.name(), self.sentence());
        snippet(sql, self.0.span, &headline, self.hint())
    }

    fn sentence(&self) -> String {
        match self.expected() {
            "" => self.0.message.clone(),
            expected => format!("{}, expected {expected}", self.0.message),
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line(), self.column(), self.sentence())?;
        match self.hint() {
            "" => Ok(()),
            hint => write!(f, "; {hint}"),
        }
    }
}

impl std::error::Error for QueryError {}

/// A headline, the line of `sql` where `span` begins with a caret under it, and the hint if there is one.
pub(crate) fn snippet(sql: &str, span: Span, headline: &str, hint: &str) -> String {
    let (line, caret_column) = shown_line(sql, span);
    let width = span.text(sql).map_or(1, |text| text.chars().take_while(|c| *c != '\n').count());
    let width = width.clamp(1, line.chars().count().saturating_sub(caret_column).max(1));
    let gutter = " ".repeat(span.line.to_string().len());
    let mut out = format!(
        "{headline}\n{gutter} |\n{} | {line}\n{gutter} | {}{}\n",
        span.line,
        " ".repeat(caret_column),
        "^".repeat(width),
    );
    if !hint.is_empty() {
        out.push_str(&format!("{gutter} = hint: {hint}\n"));
    }
    out
}

/// What of a sentence can be shown: messages quote statements, which come from anywhere, and hold megabytes of names
/// and characters that move a terminal's cursor.
pub(crate) fn shown(sentence: impl Into<String>) -> String {
    let sentence = sentence.into();
    if sentence.len() <= MAX_SENTENCE && !sentence.contains(char::is_control) {
        return sentence;
    }
    clip_to(&sentence, MAX_SENTENCE).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).gather()
}

/// The first `characters` of a text, with dots when there were more.
pub(crate) fn clip_to(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => String::from(text),
    }
}

/// The line of `span`, at most 100 characters of it, and the position of the span in what is shown.
fn shown_line(sql: &str, span: Span) -> (String, usize) {
    let line = sql.split('\n').nth(span.line.saturating_sub(1) as usize).unwrap_or_default();
    let column = span.column.saturating_sub(1) as usize;
    let skip = column.saturating_sub(60);
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    (line.chars().skip(skip).take(100).map(visible).gather(), column - skip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippet_points_at_the_place() {
        let sql = "SELECT *\nFROM é WHERE x";
        let span = Span { start: 14, end: 16, line: 2, column: 6 };
        let error = QueryError::new(QueryErrorKind::UnexpectedCharacter, span, "unexpected character é")
            .with_text("é")
            .with_hint("quote the name");
        assert_eq!(error.to_string(), "2:6: unexpected character é; quote the name");
        let lines: Vec<String> = error.snippet(sql).lines().map(String::from).collect();
        assert_eq!(lines[2], "2 | FROM é WHERE x");
        assert_eq!(lines[3], "  |      ^");
    }

    #[test]
    fn snippet_survives_a_foreign_statement() {
        let span = Span { start: 900, end: 1000, line: 30, column: 70 };
        let error = QueryError::new(QueryErrorKind::UnexpectedEnd, span, "the statement ends");
        assert!(error.snippet("short").contains("unexpected_end"));
        assert!(error.snippet("").contains('^'));
    }

    #[test]
    fn what_a_statement_holds_cannot_move_the_cursor() {
        let span = Span { start: 0, end: 1, line: 1, column: 1 };
        let error = QueryError::new(QueryErrorKind::UnexpectedToken, span, "unexpected `\x1b[2J`")
            .with_text("\x1b[2J")
            .with_hint(format!("not {}\n", "\u{9b}".repeat(100_000)));
        assert_eq!(error.message(), "unexpected `\u{fffd}[2J`");
        assert_eq!(error.text(), "\x1b[2J", "the text itself is kept for programs");
        assert!(error.hint().chars().count() < 510 && !error.to_string().contains(char::is_control));
    }

    #[test]
    fn long_lines_and_texts_are_cut() {
        let sql = format!("SELECT {}", "x".repeat(10_000));
        let span = Span { start: 5000, end: 5010, line: 1, column: 5001 };
        let error = QueryError::new(QueryErrorKind::UnexpectedToken, span, "m").with_text(&sql);
        assert!(error.text().chars().count() < 70);
        assert!(error.snippet(&sql).lines().all(|line| line.chars().count() < 120));
    }
}

//! Errors about the statement: where it is wrong, what was expected, how to repair it.
//!
//! Every error is one [`QueryErrorKind`] at one [`Span`]. Kinds 10xx are found while parsing, 11xx while planning,
//! 12xx while a filter is bound to a collection's columns. Errors that concern names are in `catalog`.

use std::fmt;

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

/// What is wrong with a statement. The discriminant is the fixed number of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum QueryErrorKind {
    /// A token that the grammar does not allow there. Remedy: see what was expected.
    UnexpectedToken = 1001,
    /// The statement ends too early. Remedy: complete it.
    UnexpectedEnd = 1002,
    /// A character that begins no token. Remedy: quote names that hold it.
    UnexpectedCharacter = 1003,
    /// A string or quoted name without its closing quote on the same line.
    UnterminatedString = 1004,
    /// An escape that denotes no character.
    BadStringEscape = 1005,
    /// A number that is not written as one, or runs into a word.
    BadNumber = 1006,
    /// A number that does not fit its type.
    NumberOutOfRange = 1007,
    /// `VECTOR []`.
    EmptyVector = 1008,
    /// `/*` without `*/`.
    UnterminatedComment = 1009,
    /// A clause that stands twice.
    DuplicateClause = 1010,
    /// A part of SQL that this language does not have.
    NotSupported = 1011,
    /// A field that no record has. Remedy: metadata fields are written `metadata.name`.
    UnknownField = 1012,
    /// The statement is longer than 1 MiB.
    StatementTooLong = 1013,
    /// More than 256 parentheses inside each other.
    NestingTooDeep = 1014,
    /// More than 100,000 items in one list.
    ListTooLong = 1015,
    /// A quoted name with nothing in it.
    EmptyName = 1016,
    /// TOPK without USING EMBEDDING.
    TopkNeedsEmbedding = 1101,
    /// TOPK of zero or less.
    TopkNotPositive = 1102,
    /// LIMIT below zero.
    LimitNegative = 1103,
    /// OFFSET below zero.
    OffsetNegative = 1104,
    /// Two output columns of the same name. Remedy: `AS`.
    DuplicateColumn = 1105,
    /// `document` compared with something that is no text.
    DocumentPredicateKind = 1106,
    /// A field that WHERE cannot test.
    FieldNotFilterable = 1107,
    /// `TEXT ''`.
    EmptyText = 1108,
    /// `id` compared with something that is no text.
    IdValueType = 1109,
    /// `id` in a list that holds something that is no text.
    IdInType = 1110,
    /// ORDER BY, GROUP BY or an aggregate of `distance` without USING EMBEDDING.
    OrderDistanceNeedsEmbedding = 1111,
    /// ORDER BY, GROUP BY or an aggregate of `score` where neither MMR nor RRF gives one.
    ScoreNeedsRanking = 1112,
    /// ORDER BY, GROUP BY or an aggregate of `item` without BATCH, or where FUSE BY joins its items.
    ItemNeedsBatch = 1113,
    /// A value beside GROUP BY or an aggregate that is not one for the whole group.
    NotGrouped = 1114,
    /// An aggregate in WHERE or GROUP BY, or in the ORDER BY of rows.
    AggregateNotAllowed = 1115,
    /// `embedding` or the whole of `metadata` where values are compared: ORDER BY, GROUP BY, aggregates.
    NoOrder = 1116,
    /// Arithmetic, SUM or AVG with a field that is never a number.
    NotANumber = 1117,
    /// FUSE BY RRF without BATCH.
    FuseNeedsBatch = 1118,
    /// RERANK BY MMR without USING EMBEDDING, or together with FUSE BY.
    RerankNotPossible = 1119,
    /// WITH SCORE THRESHOLD without USING EMBEDDING.
    ThresholdNeedsEmbedding = 1120,
    /// RECALL that is not above 0 and at most 1.
    RecallOutOfRange = 1121,
    /// CANDIDATES below 1; candidates of MMR below 1 or above 10,000.
    CandidatesOutOfRange = 1122,
    /// MMR's lambda outside of 0 to 1.
    LambdaOutOfRange = 1123,
    /// The constant of RRF is zero or less.
    RrfKNotPositive = 1124,
    /// A parameter of MMR that it does not have, or one given twice.
    MmrOption = 1125,
    /// TOP of zero or less, after GROUP BY.
    TopNotPositive = 1126,
    /// ORDER BY a name that is neither a field nor an output column.
    UnknownOrderKey = 1127,
    /// LIKE, ILIKE, REGEX or STARTS WITH something that is no text.
    PatternNotText = 1128,
    /// A pattern that cannot be read, or is too large.
    BadPattern = 1129,
    /// A `?` or `:name` for which no value was given.
    MissingParameter = 1130,
    /// A value for a `?` or `:name` that the statement does not have.
    UnusedParameter = 1131,
    /// The value of a parameter has a type that cannot stand there.
    ParameterType = 1132,
    /// AFTER together with BATCH, MMR, GROUP BY, an aggregate or OFFSET.
    CursorNotPossible = 1133,
    /// AFTER a text that is no cursor of this statement.
    BadCursor = 1134,
    /// A literal of another type than the column it is compared with.
    TypeMismatch = 1201,
    /// A comparison of a column of lists. Remedy: CONTAINS.
    ListNotFilterable = 1202,
    /// A text compared with a time column that is no ISO 8601 date or time.
    BadTime = 1203,
    /// `<`, `>` or BETWEEN on a boolean column.
    BoolHasNoOrder = 1204,
    /// A column of JSON in WHERE.
    JsonNotFilterable = 1205,
}

impl QueryErrorKind {
    /// All kinds, by number.
    pub const ALL: [QueryErrorKind; 55] = [
        Self::UnexpectedToken,
        Self::UnexpectedEnd,
        Self::UnexpectedCharacter,
        Self::UnterminatedString,
        Self::BadStringEscape,
        Self::BadNumber,
        Self::NumberOutOfRange,
        Self::EmptyVector,
        Self::UnterminatedComment,
        Self::DuplicateClause,
        Self::NotSupported,
        Self::UnknownField,
        Self::StatementTooLong,
        Self::NestingTooDeep,
        Self::ListTooLong,
        Self::EmptyName,
        Self::TopkNeedsEmbedding,
        Self::TopkNotPositive,
        Self::LimitNegative,
        Self::OffsetNegative,
        Self::DuplicateColumn,
        Self::DocumentPredicateKind,
        Self::FieldNotFilterable,
        Self::EmptyText,
        Self::IdValueType,
        Self::IdInType,
        Self::OrderDistanceNeedsEmbedding,
        Self::ScoreNeedsRanking,
        Self::ItemNeedsBatch,
        Self::NotGrouped,
        Self::AggregateNotAllowed,
        Self::NoOrder,
        Self::NotANumber,
        Self::FuseNeedsBatch,
        Self::RerankNotPossible,
        Self::ThresholdNeedsEmbedding,
        Self::RecallOutOfRange,
        Self::CandidatesOutOfRange,
        Self::LambdaOutOfRange,
        Self::RrfKNotPositive,
        Self::MmrOption,
        Self::TopNotPositive,
        Self::UnknownOrderKey,
        Self::PatternNotText,
        Self::BadPattern,
        Self::MissingParameter,
        Self::UnusedParameter,
        Self::ParameterType,
        Self::CursorNotPossible,
        Self::BadCursor,
        Self::TypeMismatch,
        Self::ListNotFilterable,
        Self::BadTime,
        Self::BoolHasNoOrder,
        Self::JsonNotFilterable,
    ];

    /// The fixed number.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The fixed name, in snake case. Where the reference dialect refuses the same thing, the name is the same.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnexpectedToken => "unexpected_token",
            Self::UnexpectedEnd => "unexpected_end",
            Self::UnexpectedCharacter => "unexpected_character",
            Self::UnterminatedString => "unterminated_string",
            Self::BadStringEscape => "bad_string_escape",
            Self::BadNumber => "bad_number",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::EmptyVector => "empty_vector",
            Self::UnterminatedComment => "unterminated_comment",
            Self::DuplicateClause => "duplicate_clause",
            Self::NotSupported => "not_supported",
            Self::UnknownField => "unknown_field",
            Self::StatementTooLong => "statement_too_long",
            Self::NestingTooDeep => "nesting_too_deep",
            Self::ListTooLong => "list_too_long",
            Self::EmptyName => "empty_name",
            Self::TopkNeedsEmbedding => "topk_needs_embedding",
            Self::TopkNotPositive => "topk_not_positive",
            Self::LimitNegative => "limit_negative",
            Self::OffsetNegative => "offset_negative",
            Self::DuplicateColumn => "duplicate_column",
            Self::DocumentPredicateKind => "document_predicate_kind",
            Self::FieldNotFilterable => "field_not_filterable",
            Self::EmptyText => "empty_text",
            Self::IdValueType => "id_value_type",
            Self::IdInType => "id_in_type",
            Self::OrderDistanceNeedsEmbedding => "order_distance_needs_embedding",
            Self::ScoreNeedsRanking => "score_needs_ranking",
            Self::ItemNeedsBatch => "item_needs_batch",
            Self::NotGrouped => "not_grouped",
            Self::AggregateNotAllowed => "aggregate_not_allowed",
            Self::NoOrder => "no_order",
            Self::NotANumber => "not_a_number",
            Self::FuseNeedsBatch => "fuse_needs_batch",
            Self::RerankNotPossible => "rerank_not_possible",
            Self::ThresholdNeedsEmbedding => "threshold_needs_embedding",
            Self::RecallOutOfRange => "recall_out_of_range",
            Self::CandidatesOutOfRange => "candidates_out_of_range",
            Self::LambdaOutOfRange => "lambda_out_of_range",
            Self::RrfKNotPositive => "rrf_k_not_positive",
            Self::MmrOption => "mmr_option",
            Self::TopNotPositive => "top_not_positive",
            Self::UnknownOrderKey => "unknown_order_key",
            Self::PatternNotText => "pattern_not_text",
            Self::BadPattern => "bad_pattern",
            Self::MissingParameter => "missing_parameter",
            Self::UnusedParameter => "unused_parameter",
            Self::ParameterType => "parameter_type",
            Self::CursorNotPossible => "cursor_not_possible",
            Self::BadCursor => "bad_cursor",
            Self::TypeMismatch => "type_mismatch",
            Self::ListNotFilterable => "list_not_filterable",
            Self::BadTime => "bad_time",
            Self::BoolHasNoOrder => "bool_has_no_order",
            Self::JsonNotFilterable => "json_not_filterable",
        }
    }

    /// Whether the error was found while parsing. The others are found while planning or binding.
    pub fn is_parse(self) -> bool {
        self.code() < 1100
    }
}

/// The most characters of a message, or of a hint.
const MAX_SENTENCE: usize = 500;

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
        self.0.text = clip(text);
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

/// The first 60 characters, with dots when there were more.
fn clip(text: &str) -> String {
    clip_to(text, 60)
}

/// What of a sentence can be shown: messages quote statements, which come from anywhere, and hold megabytes of names
/// and characters that move a terminal's cursor.
pub(crate) fn shown(sentence: impl Into<String>) -> String {
    let sentence = sentence.into();
    if sentence.len() <= MAX_SENTENCE && !sentence.contains(char::is_control) {
        return sentence;
    }
    clip_to(&sentence, MAX_SENTENCE).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn clip_to(text: &str, characters: usize) -> String {
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
    (line.chars().skip(skip).take(100).map(visible).collect(), column - skip)
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
    fn every_kind_has_its_number_and_name_in_the_documentation() {
        let page = include_str!("../../../docs/query.md");
        for kind in QueryErrorKind::ALL {
            let row = format!("| {} | `{}` |", kind.code(), kind.name());
            assert!(page.contains(&row), "docs/query.md lacks the row {row}");
        }
        let mut codes: Vec<u32> = QueryErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.dedup();
        assert!(codes.is_sorted() && codes.len() == QueryErrorKind::ALL.len());
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

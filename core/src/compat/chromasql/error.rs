//! What is wrong with a statement of this dialect: a fixed name, the stage that found it, a place and a remedy.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::error::{Span, shown, snippet};

/// Which part of the reference refuses the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The text is no statement.
    Parse,
    /// The statement asks for what the reference does not plan.
    Plan,
}

impl Stage {
    /// `parse` or `plan`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Plan => "plan",
        }
    }
}

/// What is wrong. The first five are found while parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CompatErrorKind {
    /// The grammar does not allow what stands there.
    Syntax,
    /// `VECTOR []`.
    EmptyVector,
    /// A string that cannot be decoded.
    BadStringEscape,
    /// More than [`MAX_NESTING`](super::MAX_NESTING) parentheses or path keys inside each other.
    NestingTooDeep,
    /// More than [`MAX_STATEMENT_BYTES`](super::MAX_STATEMENT_BYTES).
    StatementTooLong,
    /// TOPK without USING EMBEDDING.
    TopkNeedsEmbedding,
    /// TOPK of zero or less.
    TopkNotPositive,
    /// LIMIT below zero.
    LimitNegative,
    /// OFFSET below zero.
    OffsetNegative,
    /// ORDER BY distance without USING EMBEDDING.
    OrderDistanceNeedsEmbedding,
    /// OR between metadata, document and id.
    MixedRootsNotAnd,
    /// REGEX in WHERE.
    RegexInWhere,
    /// CONTAINS on metadata.
    ContainsOnMetadata,
    /// LIKE on metadata.
    LikeOnMetadata,
    /// `document` compared in WHERE.
    DocumentPredicateKind,
    /// A LIKE pattern that is not `%text%`.
    LikePattern,
    /// `id` with an operator other than `=`.
    IdOperator,
    /// `id` compared with something that is no string.
    IdValueType,
    /// `id` in a list with something that is no string.
    IdInType,
    /// `id NOT IN`.
    IdNotIn,
    /// `id` with BETWEEN, LIKE or CONTAINS.
    IdPredicateKind,
}

impl CompatErrorKind {
    /// The fixed name, in snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::EmptyVector => "empty_vector",
            Self::BadStringEscape => "bad_string_escape",
            Self::NestingTooDeep => "nesting_too_deep",
            Self::StatementTooLong => "statement_too_long",
            Self::TopkNeedsEmbedding => "topk_needs_embedding",
            Self::TopkNotPositive => "topk_not_positive",
            Self::LimitNegative => "limit_negative",
            Self::OffsetNegative => "offset_negative",
            Self::OrderDistanceNeedsEmbedding => "order_distance_needs_embedding",
            Self::MixedRootsNotAnd => "mixed_roots_not_and",
            Self::RegexInWhere => "regex_in_where",
            Self::ContainsOnMetadata => "contains_on_metadata",
            Self::LikeOnMetadata => "like_on_metadata",
            Self::DocumentPredicateKind => "document_predicate_kind",
            Self::LikePattern => "like_pattern",
            Self::IdOperator => "id_operator",
            Self::IdValueType => "id_value_type",
            Self::IdInType => "id_in_type",
            Self::IdNotIn => "id_not_in",
            Self::IdPredicateKind => "id_predicate_kind",
        }
    }

    /// Which part of the reference refuses it.
    pub fn stage(self) -> Stage {
        if self <= Self::StatementTooLong { Stage::Parse } else { Stage::Plan }
    }
}

/// The statement is wrong at a known place.
///
/// One pointer wide: parsers return it from every function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompatError(Box<Detail>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    kind: CompatErrorKind,
    span: Span,
    message: String,
    hint: String,
}

impl CompatError {
    /// An error of `kind` at `span`: what is wrong, and what to write instead.
    pub(super) fn new(
        kind: CompatErrorKind,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self(Box::new(Detail { kind, span, message: shown(message), hint: shown(hint) }))
    }

    /// What is wrong.
    pub fn kind(&self) -> CompatErrorKind {
        self.0.kind
    }

    /// Where: always inside the statement, or at its end.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// What is wrong, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to write instead.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// `{stage, code, message, line, column, hint}`.
    pub fn to_json(&self) -> Json {
        json!({
            "stage": self.kind().stage().name(),
            "code": self.kind().name(),
            "message": self.message(),
            "line": self.span().line,
            "column": self.span().column,
            "hint": self.hint(),
        })
    }

    /// The error as a few lines for a terminal: message, the line of `sql` with a caret under the place, hint.
    pub fn snippet(&self, sql: &str) -> String {
        let headline =
            format!("{} error ({}): {}", self.kind().stage().name(), self.kind().name(), self.0.message);
        snippet(sql, self.span(), &headline, self.hint())
    }
}

impl fmt::Display for CompatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.span().line, self.span().column, self.message(), self.hint())
    }
}

impl std::error::Error for CompatError {}

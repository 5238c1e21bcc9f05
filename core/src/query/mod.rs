//! The query language: text to syntax tree.
//!
//! [`parse`] turns one statement into a [`Statement`] whose every part knows where it stood; [`parse_with`] does so with
//! values for its bind parameters. Nothing here knows an index, a collection or a column type: `plan` validates,
//! `filter` binds and evaluates. The grammar is in `docs/query.md`.

mod ast;
mod clauses;
mod display;
mod from;
mod keywords;
mod lexer;
mod literal;
mod params;
mod parser;
mod places;
mod predicate;
mod scalar;
mod strings;

#[cfg(test)]
pub(crate) mod tests;

pub use crate::error::Span;
pub use ast::{
    Aggregate, AggregateFunction, Arithmetic, CollectionPattern, Column, CompareOp, Count, Duplicates,
    Embedding, Explain, Expr, Field, FieldRef, FromClause, FuseClause, GroupClause, Item, Literal, MatchOp,
    MmrClause, Name, Number, OrderItem, Scalar, SelectItem, Similarity, Statement, TextQuery, VectorQuery,
};
pub(crate) use keywords::quote_alias;
pub use keywords::{is_plain_name, quote_name, quote_text};
pub use params::{Param, Params};
pub use parser::{parse, parse_with};
pub(crate) use places::Places;
pub(crate) use strings::escape;

/// The longest statement, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 1 << 20;
/// The most parentheses inside each other in a WHERE, and the most operators of one value in SELECT or ORDER BY.
pub const MAX_NESTING: usize = 256;
/// The most items of one list: IN values, vector components, names after FROM, output columns.
pub const MAX_LIST_ITEMS: usize = 100_000;
/// The most keys of ORDER BY, and of GROUP BY.
pub const MAX_KEYS: usize = 100;
/// The most items of one BATCH.
pub const MAX_BATCH_ITEMS: usize = 10_000;
/// The most bytes that parameters may put into one statement, all their places together.
pub const MAX_BOUND_BYTES: usize = 64 << 20;

//! ChromaSQL 1.8: text to the plan that the reference makes of it.
//!
//! [`parse`] reads a statement, [`plan`] also checks and derives what the reference does, in its order, so that of two
//! mistakes the same one is reported. [`ReferencePlan::to_json`] is the reference's plan dictionary; [`execute`]
//! answers it. What is exact and what is not is said in `docs/query.md`, "ChromaSQL compatibility".
//!
//! There are no word boundaries in this dialect: `SELECTid,documentFROM t LIMIT 5OFFSET 2` is a statement.

mod ast;
mod discriminator;
mod error;
mod execute;
mod filter;
mod include;
mod integer;
mod json;
mod parser;
mod plan;
mod predicate;
mod scanner;
mod strings;

#[cfg(test)]
mod tests;

pub use ast::{
    Count, Direction, Embedding, Field, FieldRef, Item, Junction, Literal, OrderKey, Predicate, Projection,
    Rerank, Similarity, Source, Statement, Test, TestKind, Value,
};
pub use discriminator::extract_metadata_values;
pub use error::{CompatError, CompatErrorKind, Stage};
pub use execute::{Answer, Backend, ExecutionError, ExecutionStage, Request, TextTable, execute};
pub use integer::Integer;
pub use json::ExactJson;
pub use parser::parse;
pub use plan::{ReferencePlan, plan};

/// The longest statement, in bytes. The reference has no limit.
pub const MAX_STATEMENT_BYTES: usize = 1 << 24;
/// The most parentheses inside each other, and the most keys of one metadata path. The reference gives up on
/// parentheses near 160, with an error that is not its own.
pub const MAX_NESTING: usize = 256;
/// The most digits of an integer, leading zeros included: the limit of the reference's language runtime.
pub const MAX_INTEGER_DIGITS: usize = 4300;

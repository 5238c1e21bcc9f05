//! The syntax tree: what was written, with the place of everything that a later error may want to point at.

use crate::{error::Span, order::sort_unique, schema::Value};

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whether EXPLAIN stands before it.
    pub explain: bool,
    /// What is selected, in order.
    pub items: Vec<SelectItem>,
    /// Where from.
    pub from: FromClause,
    /// USING EMBEDDING: what the vectors are compared with.
    pub embedding: Option<Embedding>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// TOPK.
    pub topk: Option<Count>,
    /// LIMIT.
    pub limit: Option<Count>,
    /// OFFSET.
    pub offset: Option<Count>,
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name, without quotes and with escapes resolved.
    pub text: String,
    /// Where it stood.
    pub span: Span,
}

/// One item after SELECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectItem {
    /// What it is.
    pub item: Item,
    /// The name after AS.
    pub alias: Option<Name>,
    /// Where it stood, with the alias.
    pub span: Span,
}

/// What can be selected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// `*`
    All,
    /// `id`
    Id,
    /// `document`
    Document,
    /// `distance`
    Distance,
    /// `collection`: where the row came from.
    Collection,
    /// `embedding`: the stored vector.
    Embedding,
    /// `metadata`: the whole object; or `metadata.a.b`: one value, by its dotted path without `metadata.`.
    Metadata(Option<String>),
}

/// The collections of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FromClause {
    /// `FROM *`
    All,
    /// `FROM a, b`, as written.
    Named(Vec<Name>),
}

/// USING EMBEDDING.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Embedding {
    /// `TEXT '...' [MODEL '...']`
    Text(TextQuery),
    /// `VECTOR [...]`
    Vector(VectorQuery),
}

/// A text to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextQuery {
    /// The text.
    pub text: Name,
    /// The embedder's name, if the statement insists on one.
    pub model: Option<Name>,
}

/// A ready vector.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorQuery {
    /// Its components: at least one, all finite.
    pub components: Vec<f32>,
    /// Where it stood.
    pub span: Span,
}

/// The number after TOPK, LIMIT or OFFSET. May be negative: the planner refuses that with a better message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub value: i64,
    /// Where it stood.
    pub span: Span,
}

/// What WHERE can test. Also the identity of a filter column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Column {
    /// `id`
    Id,
    /// `document`
    Document,
    /// `metadata.a.b`, by its dotted path without `metadata.`.
    Metadata(String),
}

/// A column with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRef {
    /// Which column.
    pub column: Column,
    /// Where it stood.
    pub span: Span,
}

/// A constant: [`Value::Null`], [`Value::Bool`], [`Value::Int`], [`Value::Float`] (finite) or [`Value::Text`].
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The constant.
    pub value: Value,
    /// Where it stood.
    pub span: Span,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=` or `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A condition. Trees are at most a few times [`MAX_NESTING`](super::MAX_NESTING) deep, so plain recursion over
/// them, dropping included, is safe.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Expr {
    /// `field op literal`
    Compare {
        /// The left side.
        field: FieldRef,
        /// The operator.
        op: CompareOp,
        /// The right side.
        value: Literal,
    },
    /// `field [NOT] IN (a, b)`
    In {
        /// The left side.
        field: FieldRef,
        /// At least one value.
        values: Vec<Literal>,
        /// Whether NOT stood before IN.
        negated: bool,
    },
    /// `field [NOT] BETWEEN low AND high`
    Between {
        /// The left side.
        field: FieldRef,
        /// The lower bound, included.
        low: Literal,
        /// The upper bound, included.
        high: Literal,
        /// Whether NOT stood before BETWEEN.
        negated: bool,
    },
    /// `field IS [NOT] NULL`
    IsNull {
        /// The left side.
        field: FieldRef,
        /// Whether NOT stood before NULL.
        negated: bool,
    },
    /// `NOT a`
    Not(Box<Expr>),
    /// `a AND b AND c`, two or more.
    And(Vec<Expr>),
    /// `a OR b OR c`, two or more.
    Or(Vec<Expr>),
}

impl Expr {
    /// The columns that the condition tests, sorted, each once.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        self.collect_columns(&mut columns);
        sort_unique(&mut columns);
        columns
    }

    fn collect_columns(&self, columns: &mut Vec<Column>) {
        match self {
            Self::Compare { field, .. }
            | Self::In { field, .. }
            | Self::Between { field, .. }
            | Self::IsNull { field, .. } => columns.push(field.column.clone()),
            Self::Not(inner) => inner.collect_columns(columns),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_columns(columns)),
        }
    }
}

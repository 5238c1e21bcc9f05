//! The syntax tree: what was written, with the place of everything that a later error may want to point at.

use crate::{error::Span, metric::Metric, order::sort_unique, schema::Value};

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whether EXPLAIN, or EXPLAIN ANALYZE, stands before it.
    pub explain: Option<Explain>,
    /// What is selected, in order.
    pub items: Vec<SelectItem>,
    /// Where from.
    pub from: FromClause,
    /// USING EMBEDDING: what the vectors are compared with. One item, or several with BATCH; empty without the clause.
    pub embedding: Vec<Embedding>,
    /// Whether BATCH stands before the items; with it even a single one is an item of its own.
    pub batch: bool,
    /// WHERE and WHERE_DOCUMENT, joined by AND.
    pub filter: Option<Expr>,
    /// SIMILARITY.
    pub similarity: Option<Similarity>,
    /// TOPK.
    pub topk: Option<Count>,
    /// GROUP BY.
    pub group: Option<GroupClause>,
    /// ORDER BY; empty without the clause.
    pub order: Vec<OrderItem>,
    /// RERANK BY MMR.
    pub rerank: Option<MmrClause>,
    /// FUSE BY RRF: the constant k if it is written.
    pub fuse: Option<FuseClause>,
    /// WITH SCORE THRESHOLD.
    pub threshold: Option<Number>,
    /// ON DUPLICATE ID KEEP.
    pub duplicates: Option<Duplicates>,
    /// RECALL.
    pub recall: Option<Number>,
    /// CANDIDATES.
    pub candidates: Option<Count>,
    /// LIMIT.
    pub limit: Option<Count>,
    /// OFFSET.
    pub offset: Option<Count>,
    /// AFTER: the cursor that an earlier answer gave.
    pub after: Option<Name>,
}

/// What EXPLAIN asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// `EXPLAIN`: the plan; nothing is executed.
    Plan,
    /// `EXPLAIN ANALYZE`: the plan, and what executing it cost.
    Analyze,
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
#[derive(Debug, Clone, PartialEq)]
pub struct SelectItem {
    /// What it is.
    pub item: Item,
    /// The name after AS.
    pub alias: Option<Name>,
    /// Where it stood, with the alias.
    pub span: Span,
}

/// What can be selected.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `*`
    All,
    /// A value computed from a row or a group.
    Scalar(Scalar),
}

/// A part of a row that can be selected, ordered by and calculated with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `id`
    Id,
    /// `document`
    Document,
    /// `distance`: to the query, smaller is nearer.
    Distance,
    /// `score`: what RRF or MMR ranked the row by, larger is better; null without either.
    Score,
    /// `item`: which item of a BATCH the row answers, from 0; null without BATCH or when fused.
    Item,
    /// `collection`: where the row came from.
    Collection,
    /// `embedding`: the stored vector.
    Embedding,
    /// `metadata`: the whole object; or `metadata.a.b`: one value, by its dotted path without `metadata.`.
    Metadata(Option<String>),
}

/// A value computed from a row, or from the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A part of the row.
    Field(Field),
    /// A number: [`Value::Int`] or [`Value::Float`].
    Number(Value),
    /// `COUNT(*)`, `MIN(metadata.x)` ... over the rows of a group.
    Aggregate(Aggregate),
    /// `-a`
    Negate(Box<Scalar>),
    /// `a + b` ...
    Binary(Box<Scalar>, Arithmetic, Box<Scalar>),
    /// The name of an output column, in ORDER BY only. Plans hold none: the planner puts the column in its place.
    Alias(Name),
}

impl Scalar {
    /// Adds the parts of rows that the value is made of; with repeats.
    pub fn collect_fields<'s>(&'s self, fields: &mut Vec<&'s Field>) {
        match self {
            Self::Field(field) => fields.push(field),
            Self::Aggregate(aggregate) => fields.extend(&aggregate.of),
            Self::Negate(inner) => inner.collect_fields(fields),
            Self::Binary(left, _, right) => {
                left.collect_fields(fields);
                right.collect_fields(fields);
            }
            Self::Number(_) | Self::Alias(_) => {}
        }
    }
}

/// An operator between numbers. Calculated in 64-bit floating point; null if a side is null or no number, or where the
/// result is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// A function over the rows of a group. Nulls do not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aggregate {
    /// Which one.
    pub function: AggregateFunction,
    /// Of what; `None` for `COUNT(*)`, which counts rows.
    pub of: Option<Field>,
}

/// The functions over groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AggregateFunction {
    /// How many values are not null.
    Count,
    /// The smallest value, in the order of ORDER BY.
    Min,
    /// The largest value.
    Max,
    /// The sum of numbers.
    Sum,
    /// The mean of numbers.
    Avg,
}

/// The collections of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromClause {
    /// What is asked, as written; `*` is the pattern with an empty prefix.
    pub include: Vec<CollectionPattern>,
    /// What is left out: the names after EXCEPT.
    pub except: Vec<CollectionPattern>,
    /// The name after AS, which has no effect: fields belong to the row, not to a collection.
    pub alias: Option<Name>,
}

/// One name, or all that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionPattern {
    /// The name; or what comes before `*`.
    pub name: Name,
    /// Whether `*` follows: then all collections whose names begin with `name`.
    pub prefix: bool,
}

/// One item of USING EMBEDDING.
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

/// The whole number after TOPK, LIMIT, OFFSET, CANDIDATES. May be negative: the planner refuses that with a better
/// message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub value: i64,
    /// Where it stood.
    pub span: Span,
}

/// A finite number after THRESHOLD, RECALL or inside MMR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// The number.
    pub value: f64,
    /// Where it stood.
    pub span: Span,
}

/// SIMILARITY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Similarity {
    /// COSINE, L2 or IP.
    pub metric: Metric,
    /// Where it stood.
    pub span: Span,
}

/// One key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// The key.
    pub key: Scalar,
    /// Whether DESC follows.
    pub descending: bool,
    /// Whether nulls come first. Not written: they come last, under DESC too.
    pub nulls_first: bool,
    /// Where it stood.
    pub span: Span,
}

/// `GROUP BY field, ... [TOP n]`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupClause {
    /// Rows with equal values of all these are one group; null is a value of its own here.
    pub keys: Vec<Field>,
    /// How many of each group's best rows to return instead of one row a group.
    pub top: Option<Count>,
    /// Where the clause stood.
    pub span: Span,
}

/// `RERANK BY MMR (lambda, candidates)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MmrClause {
    /// From 0, diversity alone, to 1, nearness alone.
    pub lambda: Option<Number>,
    /// How many of the nearest rows to choose from.
    pub candidates: Option<Count>,
    /// Where the clause stood.
    pub span: Span,
}

/// `FUSE BY RRF [(k)]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FuseClause {
    /// The constant of reciprocal rank fusion.
    pub k: Option<Number>,
    /// Where the clause stood.
    pub span: Span,
}

/// What becomes of rows of several collections that share an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// `ON DUPLICATE ID KEEP ALL`
    #[default]
    KeepAll,
    /// `ON DUPLICATE ID KEEP NEAREST`: only the one that comes first in the answer's order.
    KeepNearest,
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

/// How a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// The whole text, `%` for any characters, `_` for one, a backslash before either for itself.
    Like,
    /// As LIKE, letter case aside.
    ILike,
    /// A regular expression somewhere in the text.
    Regex,
    /// The beginning of the text.
    StartsWith,
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
    /// `field [NOT] LIKE 'pattern'`, ILIKE, REGEX, STARTS WITH
    Match {
        /// The left side: text.
        field: FieldRef,
        /// How the pattern is read.
        op: MatchOp,
        /// The pattern: text or null.
        pattern: Literal,
        /// Whether NOT stood before the operator.
        negated: bool,
    },
    /// `field [NOT] CONTAINS [ANY | ALL] (a, b)`: values in a list, or parts of a text.
    Contains {
        /// The left side: a list or text.
        field: FieldRef,
        /// At least one value; exactly one without ANY and ALL.
        values: Vec<Literal>,
        /// Whether all of the values must be there; one is enough otherwise.
        all: bool,
        /// Whether NOT stood before CONTAINS.
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
            | Self::Match { field, .. }
            | Self::Contains { field, .. }
            | Self::IsNull { field, .. } => columns.push(field.column.clone()),
            Self::Not(inner) => inner.collect_columns(columns),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_columns(columns)),
        }
    }
}

//! The syntax tree: what was written, with its places.

use super::Integer;
use crate::{
    error::Span,
    query::{CompareOp, Name},
};

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Whether EXPLAIN stands before it.
    pub explain: bool,
    /// What is selected.
    pub projection: Projection,
    /// The name after FROM.
    pub collection: Name,
    /// The name after FROM ... AS. It names nothing: fields cannot be qualified.
    pub alias: Option<Name>,
    /// USING EMBEDDING.
    pub embedding: Option<Embedding>,
    /// WHERE.
    pub filter: Option<Predicate>,
    /// WHERE_DOCUMENT; all its fields are [`Field::Document`].
    pub document_filter: Option<Predicate>,
    /// SIMILARITY, if it is written.
    pub similarity: Option<Similarity>,
    /// TOPK.
    pub topk: Option<Count>,
    /// ORDER BY as written; empty without it.
    pub order: Vec<OrderKey>,
    /// RERANK BY MMR.
    pub rerank: Option<Rerank>,
    /// LIMIT.
    pub limit: Option<Count>,
    /// OFFSET.
    pub offset: Option<Count>,
    /// WITH SCORE THRESHOLD; may be infinite.
    pub threshold: Option<f64>,
}

/// What is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// `*`
    All,
    /// Columns, in order; the same one may stand twice.
    Items(Vec<Item>),
}

/// A selected column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub field: Field,
    /// The name after AS.
    pub alias: Option<String>,
}

/// A part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `id`
    Id,
    /// `document`
    Document,
    /// `embedding`
    Embedding,
    /// `distance`
    Distance,
    /// `metadata` (no keys), or `metadata.a.b`.
    Metadata(Vec<String>),
}

impl Field {
    /// The field as it is written, which is also the default name of its column.
    pub fn dotted(&self) -> String {
        String::from(match self {
            Self::Id => "id",
            Self::Document => "document",
            Self::Embedding => "embedding",
            Self::Distance => "distance",
            Self::Metadata(path) if path.is_empty() => "metadata",
            Self::Metadata(path) => return format!("metadata.{}", path.join(".")),
        })
    }
}

/// A field with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRef {
    /// Which field.
    pub field: Field,
    /// Where it stood.
    pub span: Span,
}

/// USING EMBEDDING.
#[derive(Debug, Clone, PartialEq)]
pub enum Embedding {
    /// One source.
    One(Source),
    /// BATCH: several, in the order written.
    Batch(Vec<Source>),
}

/// Something that vectors are compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `TEXT '...' [MODEL '...']`; the text may be empty.
    Text {
        /// The text.
        text: Name,
        /// The embedder's name.
        model: Option<Name>,
    },
    /// `VECTOR [...]`
    Vector {
        /// At least one component; components may be infinite.
        components: Vec<f64>,
        /// Where it stood.
        span: Span,
    },
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The constant.
    pub value: Value,
    /// Where it stood.
    pub span: Span,
}

/// The value of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `NULL`
    Null,
    /// `TRUE`, `FALSE`
    Bool(bool),
    /// A number with neither point nor exponent.
    Integer(Integer),
    /// Any other number; infinite if it is too large.
    Float(f64),
    /// A string.
    Text(String),
}

/// A condition. At most a few times [`MAX_NESTING`](super::MAX_NESTING) deep, so recursion over it is safe.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// One test of one field.
    Test(Test),
    /// Two or more parts under one AND or OR, none of which is itself a group of the same kind.
    Group {
        /// AND or OR.
        junction: Junction,
        /// The parts, in the order written.
        parts: Vec<Predicate>,
    },
}

/// How the parts of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junction {
    /// `AND`
    And,
    /// `OR`
    Or,
}

/// One test of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What is tested: [`Field::Id`], [`Field::Document`] or a metadata path with at least one key.
    pub field: FieldRef,
    /// How.
    pub kind: TestKind,
    /// Where the whole test stood.
    pub span: Span,
}

/// How a field is tested.
#[derive(Debug, Clone, PartialEq)]
pub enum TestKind {
    /// `= 1`
    Compare {
        /// The operator.
        op: CompareOp,
        /// The right side.
        value: Literal,
    },
    /// `[NOT] IN (1, 2)`
    In {
        /// At least one value.
        values: Vec<Literal>,
        /// Whether NOT stood before it.
        negated: bool,
    },
    /// `BETWEEN 1 AND 2`
    Between {
        /// The lower bound.
        low: Literal,
        /// The upper bound.
        high: Literal,
    },
    /// `[NOT] LIKE '%x%'`
    Like {
        /// The pattern.
        pattern: Name,
        /// Whether NOT stood before it.
        negated: bool,
    },
    /// `[NOT] REGEX 'x'`
    Regex {
        /// The expression.
        pattern: Name,
        /// Whether NOT stood before it.
        negated: bool,
    },
    /// `[NOT] CONTAINS 'x'`
    Contains {
        /// What is looked for; of any type.
        value: Literal,
        /// Whether NOT stood before it.
        negated: bool,
    },
}

impl Predicate {
    /// One predicate from one or more; groups of the same kind dissolve into the new one.
    pub(super) fn join(junction: Junction, mut parts: Vec<Predicate>) -> Option<Predicate> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Group { junction: inner, parts } if inner == junction => flat.extend(parts),
                part => flat.push(part),
            }
        }
        Some(Self::Group { junction, parts: flat })
    }

    /// Calls `visit` for every test, in the order written, until it fails.
    pub(super) fn each_test<E>(&self, visit: &mut impl FnMut(&Test) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Test(test) => visit(test),
            Self::Group { parts, .. } => parts.iter().try_for_each(|part| part.each_test(visit)),
        }
    }

    /// The parts of a group of that kind; anything else is its own only part.
    pub fn parts(&self, junction: Junction) -> &[Predicate] {
        match self {
            Self::Group { junction: own, parts } if *own == junction => parts,
            _ => std::slice::from_ref(self),
        }
    }
}

/// The metric after SIMILARITY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Similarity {
    /// `COSINE`
    #[default]
    Cosine,
    /// `L2`
    L2,
    /// `IP`
    Ip,
}

impl Similarity {
    /// The keyword, in upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "COSINE",
            Self::L2 => "L2",
            Self::Ip => "IP",
        }
    }
}

/// The number after TOPK, LIMIT or OFFSET, of any sign and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub value: Integer,
    /// Where it stood.
    pub span: Span,
}

/// One key of ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// [`Field::Distance`], [`Field::Id`] or a metadata path with at least one key.
    pub field: FieldRef,
    /// Which way.
    pub direction: Direction,
}

/// The way of a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `ASC`, the default.
    Ascending,
    /// `DESC`
    Descending,
}

impl Direction {
    /// The keyword, in upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }
}

/// RERANK BY MMR.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rerank {
    /// The parameters as written: any names and values, repeats included. The last of a name counts.
    pub params: Vec<(Name, f64)>,
}

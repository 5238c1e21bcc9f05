//! From the syntax tree to a plan: defaults, and the checks that need no collection.

use std::collections::BTreeSet;

use super::{DEFAULT_TOPK, NamePattern, OutputColumn, Plan, Probe, Source, notes::notes};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    query::{
        self, CollectionPattern, Column, Count, Embedding, Expr, Field, FieldRef, FromClause, Item, Literal,
        Scalar, SelectItem, Statement,
    },
    schema::Value,
};

impl Plan {
    /// Parses and checks one statement.
    ///
    /// # Errors
    /// Any kind 10xx or 11xx, with its place.
    pub fn parse(sql: &str) -> Result<Plan, QueryError> {
        Plan::from_statement(query::parse(sql)?)
    }

    /// Checks a parsed statement.
    ///
    /// # Errors
    /// Kinds 11xx. What depends on a collection is checked when a filter is bound to it.
    pub fn from_statement(statement: Statement) -> Result<Plan, QueryError> {
        if let (Some(topk), []) = (&statement.topk, statement.embedding.as_slice()) {
            return Err(at(QueryErrorKind::TopkNeedsEmbedding, topk, "TOPK needs a query to be near to")
                .with_hint("add USING EMBEDDING (TEXT '...'), or write LIMIT"));
        }
        let limit = match &statement.limit {
            Some(count) => Some(not_negative(count, QueryErrorKind::LimitNegative, "LIMIT")?),
            None => None,
        };
        let offset = match &statement.offset {
            Some(count) => not_negative(count, QueryErrorKind::OffsetNegative, "OFFSET")?,
            None => 0,
        };
        let topk = topk(&statement, limit, offset)?;
        let columns = columns(&statement.items, !statement.embedding.is_empty())?;
        if let Some(filter) = &statement.filter {
            check_filter(filter)?;
        }
        let probes = statement.embedding.into_iter().map(probe).collect::<Result<_, _>>()?;
        let source = source(statement.from);
        let notes = statement.filter.as_ref().map(notes).unwrap_or_default();
        Ok(Plan {
            explain: statement.explain,
            source,
            columns,
            probes,
            filter: statement.filter,
            similarity: None,
            topk,
            group: None,
            order: Vec::new(),
            rerank: None,
            fuse: None,
            threshold: None,
            duplicates: Default::default(),
            recall: None,
            candidates: None,
            limit,
            offset,
            after: None,
            notes,
        })
    }
}

fn at(kind: QueryErrorKind, count: &Count, message: impl Into<String>) -> QueryError {
    QueryError::new(kind, count.span, message).with_text(&count.value.to_string())
}

fn not_negative(count: &Count, kind: QueryErrorKind, clause: &str) -> Result<u64, QueryError> {
    u64::try_from(count.value)
        .map_err(|_| at(kind, count, format!("{clause} is negative")).with_hint("write 0 or more"))
}

/// TOPK or its default, raised so that LIMIT and OFFSET find their rows. OFFSET alone raises nothing.
fn topk(statement: &Statement, limit: Option<u64>, offset: u64) -> Result<u64, QueryError> {
    if statement.embedding.is_empty() {
        return Ok(0);
    }
    let asked = match &statement.topk {
        None => DEFAULT_TOPK,
        Some(count) => match u64::try_from(count.value) {
            Ok(topk @ 1..) => topk,
            _ => {
                return Err(at(QueryErrorKind::TopkNotPositive, count, "TOPK is not positive")
                    .with_hint("write 1 or more"));
            }
        },
    };
    Ok(limit.map_or(asked, |limit| asked.max(limit.saturating_add(offset))))
}

fn columns(items: &[SelectItem], vector_mode: bool) -> Result<Vec<OutputColumn>, QueryError> {
    let mut columns = Vec::with_capacity(items.len());
    let mut seen = BTreeSet::new();
    for item in items {
        for column in output(item, vector_mode) {
            if !seen.insert(column.name.clone()) {
                return Err(duplicate(&column.name, item.span));
            }
            columns.push(column);
        }
    }
    Ok(columns)
}

fn duplicate(name: &str, span: Span) -> QueryError {
    let message = format!("two output columns are called {name}");
    QueryError::new(QueryErrorKind::DuplicateColumn, span, message)
        .with_text(name)
        .with_hint("rename one with AS, or leave it out")
}

fn output(item: &SelectItem, vector_mode: bool) -> Vec<OutputColumn> {
    let Item::Scalar(value) = &item.item else { return star(vector_mode) };
    let name = item.alias.as_ref().map_or_else(|| value.to_string(), |alias| alias.text.clone());
    vec![OutputColumn { name, value: value.clone() }]
}

/// What `*` stands for. `distance` only where there is one; vectors never, they are large and rarely meant.
fn star(vector_mode: bool) -> Vec<OutputColumn> {
    [Field::Collection, Field::Id, Field::Distance, Field::Document, Field::Metadata(None)]
        .into_iter()
        .filter(|field| vector_mode || *field != Field::Distance)
        .map(|field| OutputColumn { name: field.to_string(), value: Scalar::Field(field) })
        .collect()
}

fn source(from: FromClause) -> Source {
    Source { include: patterns(from.include), except: patterns(from.except) }
}

/// Each pattern once.
fn patterns(written: Vec<CollectionPattern>) -> Vec<NamePattern> {
    let mut seen = BTreeSet::new();
    let pattern = |CollectionPattern { name, prefix }: CollectionPattern| match prefix {
        true => NamePattern::Prefix(name.text),
        false => NamePattern::Name(name.text),
    };
    written.into_iter().map(pattern).filter(|pattern| seen.insert(pattern.clone())).collect()
}

fn probe(embedding: Embedding) -> Result<Probe, QueryError> {
    match embedding {
        Embedding::Vector(vector) => Ok(Probe::Vector(vector.components)),
        Embedding::Text(query) if query.text.text.trim().is_empty() => Err(QueryError::new(
            QueryErrorKind::EmptyText,
            query.text.span,
            "the text to search for is empty",
        )
        .with_text("''")
        .with_hint("leave out USING EMBEDDING to filter without ranking")),
        Embedding::Text(query) => {
            Ok(Probe::Text { text: query.text.text, model: query.model.map(|model| model.text) })
        }
    }
}

/// Refuses tests that no collection can answer.
fn check_filter(expr: &Expr) -> Result<(), QueryError> {
    use QueryErrorKind::{IdInType, IdValueType};
    match expr {
        Expr::Compare { field, value, .. } => check_field(field, IdValueType, [value]),
        Expr::In { field, values, .. } => check_field(field, IdInType, values),
        Expr::Between { field, low, high, .. } => check_field(field, IdValueType, [low, high]),
        Expr::Match { .. } | Expr::Contains { .. } => Ok(()),
        Expr::IsNull { field, .. } => check_field(field, IdValueType, []),
        Expr::Not(inner) => check_filter(inner),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(check_filter),
    }
}

/// Checks one test: documents cannot be compared, and ids are texts in every collection.
fn check_field<'a>(
    field: &FieldRef,
    id_kind: QueryErrorKind,
    values: impl IntoIterator<Item = &'a Literal>,
) -> Result<(), QueryError> {
    match field.column {
        Column::Metadata(_) => Ok(()),
        Column::Document => Err(document_error(field)),
        Column::Id => {
            let mut values = values.into_iter();
            match values.find(|value| !matches!(value.value, Value::Text(_) | Value::Null)) {
                Some(wrong) => Err(id_error(id_kind, wrong)),
                None => Ok(()),
            }
        }
    }
}

fn id_error(kind: QueryErrorKind, literal: &Literal) -> QueryError {
    QueryError::new(kind, literal.span, format!("ids are texts, they cannot be compared with {literal}"))
        .with_text(&literal.to_string())
        .with_expected("a text")
        .with_hint(format!("write '{literal}'"))
}

fn document_error(field: &FieldRef) -> QueryError {
    let message = "document cannot be compared, only searched";
    QueryError::new(QueryErrorKind::DocumentPredicateKind, field.span, message)
        .with_text("document")
        .with_hint("search it with USING EMBEDDING (TEXT '...'), or test id or metadata.key")
}

//! From the syntax tree to a plan: defaults, and the checks that need no collection.

use std::collections::BTreeSet;

use super::{ColumnKind, DEFAULT_TOPK, OutputColumn, Plan, Probe, Source, notes::notes};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    query::{self, Column, Count, Embedding, Expr, Field, From, Item, SelectItem, Statement},
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
        if let (Some(topk), None) = (&statement.topk, &statement.embedding) {
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
        let columns = columns(&statement.items, statement.embedding.is_some())?;
        if let Some(filter) = &statement.filter {
            check_filter(filter)?;
        }
        let probe = statement.embedding.map(probe).transpose()?;
        let source = source(statement.from);
        let notes = statement.filter.as_ref().map(notes).unwrap_or_default();
        let (explain, filter) = (statement.explain, statement.filter);
        Ok(Plan { explain, source, columns, probe, filter, topk, limit, offset, notes })
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
    if statement.embedding.is_none() {
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
    let kind = match &item.item {
        Item::All => return star(vector_mode),
        Item::Id => ColumnKind::Id,
        Item::Document => ColumnKind::Document,
        Item::Distance => ColumnKind::Distance,
        Item::Collection => ColumnKind::Collection,
        Item::Embedding => ColumnKind::Embedding,
        Item::Metadata(path) => ColumnKind::Metadata(path.clone()),
    };
    let name = item.alias.as_ref().map_or_else(|| kind.field(), |alias| alias.text.clone());
    vec![OutputColumn { name, kind }]
}

/// What `*` stands for. `distance` only where there is one; vectors never, they are large and rarely meant.
fn star(vector_mode: bool) -> Vec<OutputColumn> {
    [
        ColumnKind::Collection,
        ColumnKind::Id,
        ColumnKind::Distance,
        ColumnKind::Document,
        ColumnKind::Metadata(None),
    ]
    .into_iter()
    .filter(|kind| vector_mode || *kind != ColumnKind::Distance)
    .map(|kind| OutputColumn { name: kind.field(), kind })
    .collect()
}

fn source(from: From) -> Source {
    let From::Named(names) = from else { return Source::All };
    let mut seen = BTreeSet::new();
    Source::Named(names.into_iter().map(|name| name.text).filter(|name| seen.insert(name.clone())).collect())
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
    match expr {
        Expr::Compare { field, .. }
        | Expr::In { field, .. }
        | Expr::Between { field, .. }
        | Expr::IsNull { field, .. } => check_field(field),
        Expr::Not(inner) => check_filter(inner),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(check_filter),
    }
}

fn check_field(field: &Field) -> Result<(), QueryError> {
    if field.column != Column::Document {
        return Ok(());
    }
    let message = "document cannot be compared, only searched";
    Err(QueryError::new(QueryErrorKind::DocumentPredicateKind, field.span, message)
        .with_text("document")
        .with_hint("search it with USING EMBEDDING (TEXT '...'), or test id or metadata.key"))
}

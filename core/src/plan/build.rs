//! From the syntax tree to a plan: defaults, and the checks that need no collection.
//!
//! What values may stand where is in `check`, the clauses that rank in `rank`, remarks in `notes`.

use super::{
    Cursor, CursorFault, DEFAULT_TOPK, Group, NamePattern, OrderKey, OutputColumn, Plan, Probe, Source,
    check::{self, Columns, Mode},
    notes::notes,
    rank,
};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    gather::Gather as _,
    order::{firsts, sort_indices},
    query::{
        self, CollectionPattern, Count, Embedding, Field, Item, Name, OrderItem, Params, Scalar, SelectItem,
        Statement, TextQuery,
    },
};

impl Plan {
    /// Parses and checks one statement without parameters.
    ///
    /// # Errors
    /// Any kind 10xx or 11xx, with its place.
    pub fn parse(sql: &str) -> Result<Plan, QueryError> {
        Plan::parse_with(sql, &Params::default())
    }

    /// Parses and checks one statement, with `params` in the places of its `?` and `:name`.
    ///
    /// # Errors
    /// Any kind 10xx or 11xx, with its place.
    pub fn parse_with(sql: &str, params: &Params) -> Result<Plan, QueryError> {
        Plan::from_statement(query::parse_with(sql, params)?)
    }

    /// Checks a parsed statement.
    ///
    /// # Errors
    /// Kinds 11xx. What depends on a collection is checked when a filter is bound to it.
    pub fn from_statement(mut statement: Statement) -> Result<Plan, QueryError> {
        if let (Some(topk), []) = (&statement.topk, statement.embedding.as_slice()) {
            return Err(at(QueryErrorKind::TopkNeedsEmbedding, topk, "TOPK needs a query to be near to")
                .with_hint("add USING EMBEDDING (TEXT '...'), or write LIMIT"));
        }
        let limit = not_negative(&statement.limit, QueryErrorKind::LimitNegative, "LIMIT")?;
        let offset = not_negative(&statement.offset, QueryErrorKind::OffsetNegative, "OFFSET")?.unwrap_or(0);
        let topk = topk(&statement, limit, offset)?;
        let mode = Mode::of(&statement);
        let columns = columns(&statement.items, mode)?;
        check::output(&statement.items)?;
        statement.filter.as_ref().map_or(Ok(()), check::filter)?;
        let group = group(&statement)?;
        let order = order(&statement, &columns)?;
        check::available(&statement, mode, &order)?;
        check::grouping(&statement, mode, group.as_ref(), &order)?;
        let (rerank, fuse) = (rank::mmr(&statement, topk)?, rank::rrf(&statement)?);
        rank::check(&statement)?;
        let mut plan = Plan {
            explain: statement.explain,
            source: source(&statement),
            columns: columns.list,
            probes: std::mem::take(&mut statement.embedding)
                .into_iter()
                .map(probe)
                .gather::<Result<_, _>>()?,
            batch: statement.batch,
            filter: statement.filter.take(),
            similarity: statement.similarity.map(|similarity| similarity.metric),
            topk,
            group,
            order,
            rerank,
            fuse,
            threshold: statement.threshold.map(|number| number.value),
            duplicates: statement.duplicates.unwrap_or_default(),
            recall: statement.recall.map(|number| number.value),
            candidates: statement.candidates.and_then(|count| u64::try_from(count.value).ok()),
            limit,
            offset,
            after: None,
            notes: Vec::new(),
        };
        plan.notes = notes(&plan, &statement);
        plan.after = statement.after.map(|text| cursor(&plan, &text)).transpose()?;
        Ok(plan)
    }
}

// Numbers of rows.

pub(super) fn at(kind: QueryErrorKind, count: &Count, message: impl Into<String>) -> QueryError {
    QueryError::new(kind, count.span, message).with_text(&count.value.to_string())
}

fn not_negative(
    count: &Option<Count>,
    kind: QueryErrorKind,
    clause: &str,
) -> Result<Option<u64>, QueryError> {
    let Some(count) = count else { return Ok(None) };
    match u64::try_from(count.value) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(at(kind, count, format!("{clause} is negative")).with_hint("write 0 or more")),
    }
}

/// A count that must be above zero, or an error of `kind`.
pub(super) fn positive(count: &Count, kind: QueryErrorKind, clause: &str) -> Result<u64, QueryError> {
    match u64::try_from(count.value) {
        Ok(value @ 1..) => Ok(value),
        _ => Err(at(kind, count, format!("{clause} is not positive")).with_hint("write 1 or more")),
    }
}

/// TOPK or its default, raised so that LIMIT and OFFSET find their rows. OFFSET alone raises nothing.
fn topk(statement: &Statement, limit: Option<u64>, offset: u64) -> Result<u64, QueryError> {
    if statement.embedding.is_empty() {
        return Ok(0);
    }
    let asked = match &statement.topk {
        None => DEFAULT_TOPK,
        Some(count) => positive(count, QueryErrorKind::TopkNotPositive, "TOPK")?,
    };
    Ok(limit.map_or(asked, |limit| asked.max(limit.saturating_add(offset))))
}

// Output.

fn columns(items: &[SelectItem], mode: Mode) -> Result<Columns, QueryError> {
    let (mut list, mut spans) = (Vec::new(), Vec::new());
    for item in items {
        list.extend(output(item, mode));
        spans.resize(list.len(), item.span);
    }
    let mut by_name = |a: u32, b: u32| list[a as usize].name.cmp(&list[b as usize].name);
    let firsts = firsts(list.len(), &mut by_name);
    let by_name = sort_indices(list.len(), &mut by_name);
    let mut places = firsts.iter().zip(&list).zip(spans);
    match places.find(|((first, _), _)| !**first) {
        Some(((_, column), span)) => Err(duplicate(&column.name, span)),
        None => Ok(Columns { list, by_name }),
    }
}

fn duplicate(name: &str, span: Span) -> QueryError {
    let message = format!("two output columns are called {name}");
    QueryError::new(QueryErrorKind::DuplicateColumn, span, message)
        .with_text(name)
        .with_hint("rename one with AS, or leave it out")
}

fn output(item: &SelectItem, mode: Mode) -> Vec<OutputColumn> {
    let Item::Scalar(value) = &item.item else { return star(mode) };
    let name = item.alias.as_ref().map_or_else(|| default_name(value), |alias| alias.text.clone());
    vec![OutputColumn { name, value: value.clone() }]
}

/// The name of a column without an alias.
pub(super) fn default_name(value: &Scalar) -> String {
    match value {
        // Without the quotes that a statement needs: programs look the column up by this name.
        Scalar::Field(Field::Metadata(Some(path))) => format!("metadata.{path}"),
        value => value.to_string(),
    }
}

/// What `*` stands for. `item` and `distance` only where there is one; vectors never, they are large and rarely meant.
fn star(mode: Mode) -> Vec<OutputColumn> {
    [Field::Collection, Field::Item, Field::Id, Field::Distance, Field::Document, Field::Metadata(None)]
        .into_iter()
        .filter(|field| match field {
            Field::Item => mode.items,
            Field::Distance => mode.search,
            _ => true,
        })
        .map(|field| OutputColumn { name: field.to_string(), value: Scalar::Field(field) })
        .gather()
}

// Sources and probes.

fn source(statement: &Statement) -> Source {
    let from = &statement.from;
    Source { include: patterns(&from.include), except: patterns(&from.except) }
}

/// Each pattern once.
fn patterns(written: &[CollectionPattern]) -> Vec<NamePattern> {
    let pattern = |pattern: &CollectionPattern| match pattern.prefix {
        true => NamePattern::Prefix(pattern.name.text.clone()),
        false => NamePattern::Name(pattern.name.text.clone()),
    };
    each_once(&written.iter().map(pattern).gather::<Vec<_>>())
}

/// The first of equal items, in the order of first mention.
fn each_once<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let firsts = firsts(items.len(), &mut |a, b| items[a as usize].cmp(&items[b as usize]));
    items.iter().zip(firsts).filter(|(_, first)| *first).map(|(item, _)| item.clone()).gather()
}

fn probe(embedding: Embedding) -> Result<Probe, QueryError> {
    match embedding {
        Embedding::Vector(vector) => Ok(Probe::Vector(vector.components)),
        Embedding::Text(TextQuery { text, .. }) if text.text.trim().is_empty() => {
            Err(QueryError::new(QueryErrorKind::EmptyText, text.span, "the text to search for is empty")
                .with_text("''")
                .with_hint("leave out USING EMBEDDING to filter without ranking"))
        }
        Embedding::Text(query) => {
            Ok(Probe::Text { text: query.text.text, model: query.model.map(|model| model.text) })
        }
    }
}

// Order, groups, pages.

/// GROUP BY; without it one group of all rows if SELECT has an aggregate.
fn group(statement: &Statement) -> Result<Option<Group>, QueryError> {
    if let Some(clause) = &statement.group {
        let top = match &clause.top {
            Some(count) => Some(positive(count, QueryErrorKind::TopNotPositive, "TOP")?),
            None => None,
        };
        let keys = each_once(&clause.keys);
        return Ok(Some(Group { keys, top }));
    }
    let aggregates = statement.items.iter().any(|item| match &item.item {
        Item::Scalar(value) => check::has_aggregate(value),
        Item::All => false,
    });
    Ok(aggregates.then(|| Group { keys: Vec::new(), top: None }))
}

fn order(statement: &Statement, columns: &Columns) -> Result<Vec<OrderKey>, QueryError> {
    let key = |item: &OrderItem| {
        let value = check::resolved(item, columns)?;
        Ok(OrderKey { value, descending: item.descending, nulls_first: item.nulls_first })
    };
    statement.order.iter().map(key).gather()
}

fn cursor(plan: &Plan, text: &Name) -> Result<Cursor, QueryError> {
    let hindrance = [
        (plan.batch, "BATCH"),
        (plan.fuse.is_some(), "FUSE BY"),
        (plan.rerank.is_some(), "RERANK BY"),
        (plan.group.is_some(), "GROUP BY or an aggregate"),
        (plan.offset > 0, "OFFSET"),
    ];
    if let Some((_, clause)) = hindrance.iter().find(|(stands, _)| *stands) {
        let message = format!("AFTER cannot go on in a statement with {clause}");
        return Err(QueryError::new(QueryErrorKind::CursorNotPossible, text.span, message)
            .with_text(&text.text)
            .with_hint(format!("leave out AFTER, or {clause}")));
    }
    Cursor::decode(&text.text, plan.fingerprint()).map_err(|fault| {
        let message = match fault {
            CursorFault::Damaged => "this is no cursor, or not all of one",
            CursorFault::OtherStatement => {
                "this is the cursor of a statement with another source, filter or order"
            }
        };
        QueryError::new(QueryErrorKind::BadCursor, text.span, message).with_text(&text.text).with_hint(
            "repeat the statement that gave the cursor, with only AFTER, LIMIT or the columns changed",
        )
    })
}

//! Which values may stand where: types that are known without a collection, availability, and groups.

use super::{Group, OrderKey, OutputColumn};
use crate::{
    error::{QueryError, QueryErrorKind, Span, near_names},
    query::{
        Aggregate, AggregateFunction, Column, Expr, Field, FieldRef, Item, Literal, MAX_NESTING, MatchOp,
        Name, OrderItem, Scalar, SelectItem, Statement,
    },
    schema::Value,
};

type Checked = Result<(), QueryError>;

/// What the rows of a statement have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    /// A distance.
    pub search: bool,
    /// A score.
    pub scored: bool,
    /// A number of the item that they answer.
    pub items: bool,
}

impl Mode {
    pub(super) fn of(statement: &Statement) -> Mode {
        Mode {
            search: !statement.embedding.is_empty(),
            scored: statement.rerank.is_some() || statement.fuse.is_some(),
            items: statement.batch && statement.fuse.is_none(),
        }
    }
}

// Types.

/// Checks what SELECT calculates.
pub(super) fn output(items: &[SelectItem]) -> Checked {
    items.iter().try_for_each(|item| match &item.item {
        Item::Scalar(value) => calculated(value, item.span),
        Item::All => Ok(()),
    })
}

/// Refuses arithmetic with what is never a number, and aggregates of what has no order.
fn calculated(value: &Scalar, span: Span) -> Checked {
    match value {
        Scalar::Aggregate(aggregate) => aggregated(aggregate, span),
        Scalar::Negate(inner) => number(inner, span),
        Scalar::Binary(left, _, right) => {
            number(left, span)?;
            number(right, span)
        }
        Scalar::Field(_) | Scalar::Number(_) | Scalar::Alias(_) => Ok(()),
    }
}

fn number(value: &Scalar, span: Span) -> Checked {
    match value {
        Scalar::Field(field) => numeric(field, span),
        Scalar::Aggregate(aggregate) => {
            aggregated(aggregate, span)?;
            match (aggregate.function, &aggregate.of) {
                (AggregateFunction::Min | AggregateFunction::Max, Some(field)) => numeric(field, span),
                _ => Ok(()),
            }
        }
        other => calculated(other, span),
    }
}

fn aggregated(aggregate: &Aggregate, span: Span) -> Checked {
    let Some(field) = &aggregate.of else { return Ok(()) };
    comparable(field, span)?;
    match aggregate.function {
        AggregateFunction::Sum | AggregateFunction::Avg => numeric(field, span),
        _ => Ok(()),
    }
}

fn numeric(field: &Field, span: Span) -> Checked {
    match field {
        Field::Distance | Field::Score | Field::Item | Field::Metadata(Some(_)) => Ok(()),
        other => Err(QueryError::new(
            QueryErrorKind::NotANumber,
            span,
            format!("{other} is never a number, nothing can be calculated with it"),
        )
        .with_text(&other.to_string())
        .with_expected("distance, score, item or metadata.key")
        .with_hint("take the field out of the calculation")),
    }
}

/// Refuses fields whose values cannot be compared.
fn comparable(field: &Field, span: Span) -> Checked {
    let hint = match field {
        Field::Embedding => "order by distance to a vector: USING EMBEDDING (VECTOR [...])",
        Field::Metadata(None) => "name one value of it: metadata.key",
        _ => return Ok(()),
    };
    Err(QueryError::new(QueryErrorKind::NoOrder, span, format!("{field} has no order"))
        .with_text(&field.to_string())
        .with_hint(hint))
}

// Names of output columns.

/// The output columns, and where each stands by its name.
pub(super) struct Columns {
    pub list: Vec<OutputColumn>,
    /// The places in `list`, in the order of their names.
    pub by_name: Vec<u32>,
}

impl Columns {
    fn value(&self, name: &Name) -> Result<&Scalar, QueryError> {
        let column = |place: &u32| self.list.get(*place as usize);
        let order = |place: &u32| column(place).map(|column| column.name.as_str()).cmp(&Some(&name.text));
        let found = self.by_name.binary_search_by(order).ok().and_then(|at| self.by_name.get(at));
        match found.and_then(column) {
            Some(column) => Ok(&column.value),
            None => Err(self.unknown_key(&name.text, name.span)),
        }
    }

    fn unknown_key(&self, name: &str, span: Span) -> QueryError {
        let fields = ["id", "document", "distance", "score", "item", "collection"];
        let known = self.list.iter().map(|column| column.name.as_str()).chain(fields);
        let hint = match near_names(name, known).first() {
            Some(near) => format!("did you mean {near}, or metadata.{name}?"),
            None => format!("metadata fields are written metadata.{name}"),
        };
        let message = format!("{name} is neither a field nor an output column");
        QueryError::new(QueryErrorKind::UnknownOrderKey, span, message).with_text(name).with_hint(hint)
    }
}

/// A key of ORDER BY with columns in the places of their names.
pub(super) fn resolved(item: &OrderItem, columns: &Columns) -> Result<Scalar, QueryError> {
    let mut operators = 0;
    let value = replaced(&item.key, columns, &mut operators)?;
    if operators > MAX_NESTING {
        let message = format!("a key of ORDER BY has more than {MAX_NESTING} operators in all");
        return Err(QueryError::new(QueryErrorKind::NestingTooDeep, item.span, message)
            .with_text(&item.key.to_string())
            .with_hint("order by fewer columns"));
    }
    if let Scalar::Field(field) = &value {
        comparable(field, item.span)?;
    }
    calculated(&value, item.span)?;
    Ok(value)
}

/// Counts operators, and copies no more when there are too many: a short name may stand for a long value.
fn replaced(value: &Scalar, columns: &Columns, operators: &mut usize) -> Result<Scalar, QueryError> {
    if matches!(value, Scalar::Negate(_) | Scalar::Binary(..)) {
        *operators += 1;
        if *operators > MAX_NESTING {
            return Ok(Scalar::Number(Value::Null));
        }
    }
    match value {
        Scalar::Negate(inner) => Ok(Scalar::Negate(Box::new(replaced(inner, columns, operators)?))),
        Scalar::Binary(left, operator, right) => {
            let left = replaced(left, columns, operators)?;
            let right = replaced(right, columns, operators)?;
            Ok(Scalar::Binary(Box::new(left), *operator, Box::new(right)))
        }
        Scalar::Alias(name) => replaced(columns.value(name)?, columns, operators),
        other => Ok(other.clone()),
    }
}

// Availability.

/// Refuses to order, group or aggregate by what the rows of this statement do not have.
pub(super) fn available(statement: &Statement, mode: Mode, order: &[OrderKey]) -> Checked {
    for item in &statement.items {
        if let Item::Scalar(value) = &item.item {
            each_aggregate(value, &mut |aggregate| {
                aggregate.of.iter().try_for_each(|field| available_field(field, mode, item.span))
            })?;
        }
    }
    for (key, item) in order.iter().zip(&statement.order) {
        let mut fields = Vec::new();
        key.value.collect_fields(&mut fields);
        fields.into_iter().try_for_each(|field| available_field(field, mode, item.span))?;
    }
    let Some(group) = &statement.group else { return Ok(()) };
    group.keys.iter().try_for_each(|key| {
        comparable(key, group.span)?;
        available_field(key, mode, group.span)
    })
}

fn available_field(field: &Field, mode: Mode, span: Span) -> Checked {
    use QueryErrorKind::{ItemNeedsBatch, OrderDistanceNeedsEmbedding, ScoreNeedsRanking};
    let (kind, message, hint) = match field {
        Field::Distance if !mode.search => (
            OrderDistanceNeedsEmbedding,
            "there is no distance without USING EMBEDDING",
            "add USING EMBEDDING (TEXT '...'), or take another field",
        ),
        Field::Score if !mode.scored => {
            (ScoreNeedsRanking, "there is no score without RERANK BY MMR or FUSE BY RRF", "take distance")
        }
        Field::Item if !mode.items => {
            (ItemNeedsBatch, "rows belong to an item only with BATCH and without FUSE BY", "leave item out")
        }
        _ => return Ok(()),
    };
    Err(QueryError::new(kind, span, message).with_text(&field.to_string()).with_hint(hint))
}

// Groups.

pub(super) fn has_aggregate(value: &Scalar) -> bool {
    each_aggregate(value, &mut |_| Err(())).is_err()
}

fn each_aggregate<E>(value: &Scalar, visit: &mut dyn FnMut(&Aggregate) -> Result<(), E>) -> Result<(), E> {
    match value {
        Scalar::Aggregate(aggregate) => visit(aggregate),
        Scalar::Negate(inner) => each_aggregate(inner, visit),
        Scalar::Binary(left, _, right) => {
            each_aggregate(left, visit)?;
            each_aggregate(right, visit)
        }
        Scalar::Field(_) | Scalar::Number(_) | Scalar::Alias(_) => Ok(()),
    }
}

/// With groups of one row each, every value must be one for the whole group; without groups there are no aggregates.
pub(super) fn grouping(
    statement: &Statement,
    mode: Mode,
    group: Option<&Group>,
    order: &[OrderKey],
) -> Checked {
    let keys = order.iter().zip(&statement.order).map(|(key, item)| (&key.value, item.span));
    match group {
        None => match keys.into_iter().find(|(value, _)| has_aggregate(value)) {
            None => Ok(()),
            Some((value, span)) => {
                let message = "rows cannot be ordered by an aggregate, only groups";
                Err(QueryError::new(QueryErrorKind::AggregateNotAllowed, span, message)
                    .with_text(&value.to_string())
                    .with_hint("add GROUP BY, or select the aggregate"))
            }
        },
        Some(Group { top: Some(_), .. }) => Ok(()),
        Some(group) => {
            for item in &statement.items {
                match &item.item {
                    Item::All => return Err(not_grouped("*", item.span, group)),
                    Item::Scalar(value) => grouped(value, item.span, group, mode)?,
                }
            }
            keys.into_iter().try_for_each(|(value, span)| grouped(value, span, group, mode))
        }
    }
}

fn grouped(value: &Scalar, span: Span, group: &Group, mode: Mode) -> Checked {
    match value {
        // The groups of a BATCH are made for each item.
        Scalar::Field(Field::Item) if mode.items => Ok(()),
        Scalar::Field(field) if !group.keys.contains(field) => {
            Err(not_grouped(&field.to_string(), span, group))
        }
        Scalar::Negate(inner) => grouped(inner, span, group, mode),
        Scalar::Binary(left, _, right) => {
            grouped(left, span, group, mode)?;
            grouped(right, span, group, mode)
        }
        _ => Ok(()),
    }
}

fn not_grouped(what: &str, span: Span, group: &Group) -> QueryError {
    let hint = match group.keys.is_empty() {
        true => format!("leave {what} out, or take an aggregate of it; one group holds all rows"),
        false => format!("add TOP 1 to GROUP BY for whole rows, or write MIN({what})"),
    };
    let message = format!("the rows of a group need not agree in {what}");
    QueryError::new(QueryErrorKind::NotGrouped, span, message).with_text(what).with_hint(hint)
}

// WHERE.

/// Refuses tests that no collection can answer.
pub(super) fn filter(expr: &Expr) -> Checked {
    use QueryErrorKind::{IdInType, IdValueType};
    match expr {
        Expr::Compare { field, value, .. } => texts(field, IdValueType, std::slice::from_ref(value)),
        Expr::In { field, values, .. } => texts(field, IdInType, values),
        Expr::Between { field, low, high, .. } => {
            texts(field, IdValueType, std::slice::from_ref(low))?;
            texts(field, IdValueType, std::slice::from_ref(high))
        }
        Expr::Match { op, pattern, .. } => self::pattern(*op, pattern),
        Expr::Contains { field, values, .. } => texts(field, QueryErrorKind::PatternNotText, values),
        Expr::IsNull { .. } => Ok(()),
        Expr::Not(inner) => filter(inner),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(filter),
    }
}

/// Ids and documents are texts in every collection.
fn texts(field: &FieldRef, kind: QueryErrorKind, values: &[Literal]) -> Checked {
    let kind = match (&field.column, kind) {
        (Column::Metadata(_), _) => return Ok(()),
        (Column::Document, QueryErrorKind::IdValueType | QueryErrorKind::IdInType) => {
            QueryErrorKind::DocumentPredicateKind
        }
        (_, kind) => kind,
    };
    values.iter().try_for_each(|value| text(&field.column.to_string(), kind, value))
}

fn text(what: &str, kind: QueryErrorKind, literal: &Literal) -> Checked {
    if matches!(literal.value, Value::Text(_) | Value::Null) {
        return Ok(());
    }
    Err(QueryError::new(
        kind,
        literal.span,
        format!("{what} is a text, it cannot be compared with {literal}"),
    )
    .with_text(&literal.to_string())
    .with_expected("a text")
    .with_hint(format!("write '{literal}'")))
}

fn pattern(op: MatchOp, literal: &Literal) -> Checked {
    text("a pattern", QueryErrorKind::PatternNotText, literal)?;
    match (&literal.value, op) {
        (Value::Text(text), MatchOp::Like | MatchOp::ILike) if ends_in_escape(text) => {
            let message = "the pattern ends in a backslash that escapes nothing";
            Err(QueryError::new(QueryErrorKind::BadPattern, literal.span, message)
                .with_text(&literal.to_string())
                .with_hint("a backslash is itself written as two, which in quotes are four: '\\\\\\\\'"))
        }
        _ => Ok(()),
    }
}

fn ends_in_escape(pattern: &str) -> bool {
    pattern.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

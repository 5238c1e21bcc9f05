//! Which literals fit which columns, and what to say when they do not.

use super::{
    bind::BindSchema,
    logic::{Leaf, Node, Test, ValueSet},
};
use crate::{
    error::{QueryError, QueryErrorKind},
    pattern::PatternError,
    query::{Column, CompareOp, FieldRef, Literal},
    schema::{FieldType, Value},
    time::parse_time,
};

/// Refuses the first test that does not fit its column.
pub(super) fn check(node: &Node<'_>, schema: &dyn BindSchema) -> Result<(), QueryError> {
    match node {
        Node::Leaf(leaf) => column_kind(leaf, schema).map(drop),
        Node::And(parts) | Node::Or(parts) => parts.iter().try_for_each(|part| check(part, schema)),
    }
}

/// The type of a test's column, which the test fits; `None` if the collection has no such column.
pub(super) fn column_kind(leaf: &Leaf<'_>, schema: &dyn BindSchema) -> Result<Option<FieldType>, QueryError> {
    let kind = match &leaf.field.column {
        Column::Metadata(path) => schema.field_type(path),
        _ => Some(FieldType::Text),
    };
    if let Test::Match { literal, pattern: Some(Err(error)), .. } = &leaf.test {
        return Err(bad_pattern(literal, error));
    }
    if let Some(kind) = &kind {
        check_test(leaf.field, kind, &leaf.test)?;
    }
    Ok(kind)
}

fn check_test(field: &FieldRef, kind: &FieldType, test: &Test<'_>) -> Result<(), QueryError> {
    match (kind, test) {
        (FieldType::Json, _) => Err(json_error(field)),
        (FieldType::List(item), _) if **item == FieldType::Json => Err(json_error(field)),
        (FieldType::List(item), _) if matches!(**item, FieldType::List(_)) => Err(nested_list(field)),
        (_, Test::IsNull { .. }) => Ok(()),
        (FieldType::List(item), Test::Contains { values, set, .. }) => check_set(field, item, values, set),
        (FieldType::List(_), _) => Err(list_error(field)),
        (FieldType::Text, Test::Contains { values, set, .. }) => check_set(field, kind, values, set),
        (FieldType::Text, Test::Match { literal, .. }) => {
            check_literals(field, kind, std::slice::from_ref(literal))
        }
        (_, Test::Match { op, .. }) => Err(not_searched(field, kind, op.symbol())),
        (_, Test::Contains { .. }) => Err(not_searched(field, kind, "CONTAINS")),
        (_, Test::In { values, set, .. }) => check_set(field, kind, values, set),
        (_, Test::Compare(op, literal)) => {
            check_literals(field, kind, std::slice::from_ref(literal))?;
            let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne) && literal.value != Value::Null;
            if *kind == FieldType::Bool && ordered { Err(bool_order(field)) } else { Ok(()) }
        }
    }
}

/// As [`check_literals`], which is asked only where one does not fit: thousands of literals meet each collection.
fn check_set(
    field: &FieldRef,
    kind: &FieldType,
    literals: &[Literal],
    set: &ValueSet<'_>,
) -> Result<(), QueryError> {
    let fit = match kind {
        FieldType::Bool => set.only(&Value::Bool(false)),
        FieldType::Int | FieldType::Float => set.only(&Value::Int(0)),
        FieldType::Text => set.only(&Value::Text(String::new())),
        FieldType::Time => set.only(&Value::Time(0)) && set.all_times().is_some(),
        FieldType::List(_) | FieldType::Json => false,
    };
    if fit { Ok(()) } else { check_literals(field, kind, literals) }
}

/// Refuses the first literal that cannot be compared with values of type `kind`. NULL fits everything, and then matches
/// nothing.
fn check_literals(field: &FieldRef, kind: &FieldType, literals: &[Literal]) -> Result<(), QueryError> {
    for literal in literals {
        let fits = match &literal.value {
            Value::Null => true,
            Value::Bool(_) => *kind == FieldType::Bool,
            Value::Int(_) | Value::Float(_) => matches!(kind, FieldType::Int | FieldType::Float),
            Value::Text(text) if *kind == FieldType::Time => {
                parse_time(text).map(drop).ok_or_else(|| bad_time(field, literal))?;
                true
            }
            Value::Text(_) => *kind == FieldType::Text,
            Value::Time(_) => *kind == FieldType::Time,
            Value::List(_) | Value::Object(_) => false,
        };
        if !fits {
            return Err(mismatch(field, kind, literal));
        }
    }
    Ok(())
}

fn bad_time(field: &FieldRef, literal: &Literal) -> QueryError {
    let message = format!("{} holds times, and this text is no date or time", field.column);
    QueryError::new(QueryErrorKind::BadTime, literal.span, message)
        .with_text(&literal.to_string())
        .with_hint("write ISO 8601: '2024-05-01', or '2024-05-01T12:30:00Z'")
}

fn bad_pattern(literal: &Literal, error: &PatternError) -> QueryError {
    QueryError::new(QueryErrorKind::BadPattern, literal.span, error.message.clone())
        .with_text(&literal.to_string())
        .with_hint(error.hint)
}

/// A test of texts on a column of something else.
fn not_searched(field: &FieldRef, kind: &FieldType, operator: &str) -> QueryError {
    let message = format!("{} holds {}, which {operator} does not search", field.column, plural(kind));
    QueryError::new(QueryErrorKind::TypeMismatch, field.span, message)
        .with_text(&field.column.to_string())
        .with_expected(if operator == "CONTAINS" {
            "a column of texts or lists"
        } else {
            "a column of texts"
        })
        .with_hint("use =, IN or BETWEEN")
}

/// The literal is of another type than the column.
fn mismatch(field: &FieldRef, kind: &FieldType, literal: &Literal) -> QueryError {
    let message = format!(
        "{} holds {}, which cannot be compared with {}",
        field.column,
        plural(kind),
        literal_type(literal)
    );
    let hint = match (kind, &literal.value) {
        (FieldType::Text, Value::Int(_) | Value::Float(_)) => format!("write it as text: '{literal}'"),
        (FieldType::Text, _) => String::from("texts take single quotes"),
        (FieldType::Int | FieldType::Float, Value::Text(_)) => {
            String::from("write the number without quotes")
        }
        (FieldType::Bool, _) => String::from("write TRUE or FALSE"),
        (FieldType::Time, _) => String::from("write an ISO 8601 text: '2024-05-01T12:30:00Z'"),
        _ => String::from("compare it with a number"),
    };
    QueryError::new(QueryErrorKind::TypeMismatch, literal.span, message)
        .with_text(&literal.to_string())
        .with_expected(singular(kind))
        .with_hint(hint)
}

/// A range over booleans.
fn bool_order(field: &FieldRef) -> QueryError {
    let message = format!("{} holds booleans, which have no order", field.column);
    QueryError::new(QueryErrorKind::BoolHasNoOrder, field.span, message)
        .with_text(&field.column.to_string())
        .with_hint("use =, != or IN")
}

/// A test of a list column that is made for single values.
fn list_error(field: &FieldRef) -> QueryError {
    let message = format!("{} holds lists, which are tested with CONTAINS only", field.column);
    QueryError::new(QueryErrorKind::ListNotFilterable, field.span, message)
        .with_text(&field.column.to_string())
        .with_hint("use CONTAINS, CONTAINS ANY or CONTAINS ALL")
}

/// A test of a field that is stored to be shown, without a column.
fn nested_list(field: &FieldRef) -> QueryError {
    let message = format!("{} holds lists of lists, which cannot be filtered", field.column);
    QueryError::new(QueryErrorKind::ListNotFilterable, field.span, message)
        .with_text(&field.column.to_string())
        .with_hint("test another column")
}

/// A test of a column of JSON.
fn json_error(field: &FieldRef) -> QueryError {
    let message = format!("{} holds values of several types, which cannot be filtered", field.column);
    QueryError::new(QueryErrorKind::JsonNotFilterable, field.span, message)
        .with_text(&field.column.to_string())
        .with_hint("test another column, or write one type into this field")
}

fn plural(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Bool => "booleans",
        FieldType::Int => "integers",
        FieldType::Float => "numbers",
        FieldType::Text => "texts",
        FieldType::Time => "times",
        FieldType::List(_) => "lists",
        FieldType::Json => "values of several types",
    }
}

fn singular(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Bool => "TRUE or FALSE",
        FieldType::Int | FieldType::Float => "a number",
        FieldType::Text => "a text",
        FieldType::Time => "an ISO 8601 text",
        FieldType::List(_) | FieldType::Json => "another column",
    }
}

fn literal_type(literal: &Literal) -> &'static str {
    match literal.value {
        Value::Null => "NULL",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::Time(_) => "a time",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

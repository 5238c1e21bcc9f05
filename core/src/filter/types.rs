//! Which literals fit which columns, and what to say when they do not.

use super::time::parse_time;
use crate::{
    error::{QueryError, QueryErrorKind},
    query::{FieldRef, Literal},
    schema::{FieldType, Value},
};

/// Whether a literal can be compared with a column of type `kind`. NULL fits everything, and then matches nothing.
pub(super) fn fits(kind: &FieldType, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => *kind == FieldType::Bool,
        Value::Int(_) | Value::Float(_) => matches!(kind, FieldType::Int | FieldType::Float),
        Value::Text(_) => matches!(kind, FieldType::Text | FieldType::Time),
        Value::Time(_) => *kind == FieldType::Time,
        Value::List(_) | Value::Object(_) => false,
    }
}

/// The microseconds of a literal that is compared with a time column.
pub(super) fn time(field: &FieldRef, value: &Value, literal: &Literal) -> Result<i64, QueryError> {
    let micros = match value {
        Value::Time(micros) => Some(*micros),
        Value::Text(text) => parse_time(text),
        _ => return Err(mismatch(field, &FieldType::Time, literal)),
    };
    micros.ok_or_else(|| {
        let message = format!("{} holds times, and this text is no date or time", field.column);
        QueryError::new(QueryErrorKind::BadTime, literal.span, message)
            .with_text(&literal.to_string())
            .with_hint("write ISO 8601: '2024-05-01', or '2024-05-01T12:30:00Z'")
    })
}

/// The literal is of another type than the column.
pub(super) fn mismatch(field: &FieldRef, kind: &FieldType, literal: &Literal) -> QueryError {
    let message = format!(
        "{} holds {}, it cannot be compared with {}",
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
pub(super) fn bool_order(field: &FieldRef) -> QueryError {
    let message = format!("{} holds booleans, which have no order", field.column);
    QueryError::new(QueryErrorKind::BoolHasNoOrder, field.span, message)
        .with_text(&field.column.to_string())
        .with_hint("use =, != or IN")
}

/// A test of a list column.
pub(super) fn list_error(field: &FieldRef) -> QueryError {
    let message = format!("{} holds lists, which cannot be filtered yet in this version", field.column);
    QueryError::new(QueryErrorKind::ListNotFilterable, field.span, message)
        .with_text(&field.column.to_string())
        .with_hint("test another column")
}

/// A test of a column of JSON.
pub(super) fn json_error(field: &FieldRef) -> QueryError {
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

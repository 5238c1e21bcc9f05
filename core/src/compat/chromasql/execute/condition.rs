//! The condition of a statement for one collection, with the meaning that the reference's store gives it: `!=`, NOT IN
//! and the negated text tests also keep records without a value, and a value of another type equals nothing.

use super::{
    super::{
        ReferencePlan,
        ast::{Field, Junction, Literal, Predicate, Test, TestKind, Value},
    },
    ExecutionError,
};
use crate::{
    error::Span,
    query::{Column, CompareOp, Expr, FieldRef, Literal as NativeLiteral, MatchOp, Name},
    schema::{FieldType, Schema, Value as NativeValue},
};

type Condition = Result<Expr, ExecutionError>;

/// What to do about a test that only the reference refuses.
const NATIVE: &str = "the native dialect has such tests";

/// WHERE and WHERE_DOCUMENT for a collection; `None` without either.
pub(super) fn condition(plan: &ReferencePlan, schema: &Schema) -> Result<Option<Expr>, ExecutionError> {
    let clauses = [&plan.statement.filter, &plan.statement.document_filter];
    let parts = clauses.into_iter().flatten().map(|clause| predicate(clause, schema));
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    Ok(if parts.len() > 1 { Some(Expr::And(parts)) } else { parts.pop() })
}

fn predicate(predicate_: &Predicate, schema: &Schema) -> Condition {
    match predicate_ {
        Predicate::Test(test) => translate(test, schema),
        Predicate::Group { junction, parts } => {
            let parts = parts.iter().map(|part| predicate(part, schema)).collect::<Result<_, _>>()?;
            Ok(match junction {
                Junction::And => Expr::And(parts),
                Junction::Or => Expr::Or(parts),
            })
        }
    }
}

fn translate(test: &Test, schema: &Schema) -> Condition {
    match &test.field.field {
        Field::Id => id(test),
        Field::Metadata(path) => metadata(test, &path.join("."), schema),
        _ => document(test),
    }
}

fn column(test: &Test) -> FieldRef {
    let column = match &test.field.field {
        Field::Id => Column::Id,
        Field::Metadata(path) => Column::Metadata(path.join(".")),
        _ => Column::Document,
    };
    FieldRef { column, span: test.field.span }
}

// An empty OR holds for no record, an empty AND for every one.

fn none() -> Expr {
    Expr::Or(Vec::new())
}

fn every() -> Expr {
    Expr::And(Vec::new())
}

/// What holds, or whose field has no value.
fn or_missing(field: FieldRef, expr: Expr) -> Expr {
    Expr::Or(vec![expr, Expr::IsNull { field, negated: false }])
}

fn id(test: &Test) -> Condition {
    let field = column(test);
    match &test.kind {
        TestKind::Compare { value, .. } => {
            Ok(Expr::Compare { field, op: CompareOp::Eq, value: literal(value)? })
        }
        TestKind::In { values, .. } => Ok(Expr::In {
            field,
            values: values.iter().map(literal).collect::<Result<_, _>>()?,
            negated: false,
        }),
        _ => Err(refused(test, "an id has neither ranges nor patterns", NATIVE)),
    }
}

fn document(test: &Test) -> Condition {
    let field = column(test);
    let (expr, negated) = match &test.kind {
        TestKind::Contains { value, negated } => {
            let Value::Text(text) = &value.value else {
                return Err(refused(test, "CONTAINS looks for a string", "put the value in quotes"));
            };
            (contains(field.clone(), text, value.span)?, *negated)
        }
        TestKind::Like { pattern, negated } => {
            (contains(field.clone(), pattern.text.trim_matches('%'), pattern.span)?, *negated)
        }
        TestKind::Regex { pattern, negated } => (regex(field.clone(), pattern), *negated),
        _ => return Err(refused(test, "a document can be searched, not compared", NATIVE)),
    };
    Ok(if negated { or_missing(field, Expr::Not(Box::new(expr))) } else { expr })
}

fn contains(field: FieldRef, text: &str, span: Span) -> Condition {
    if text.is_empty() {
        return Err(ExecutionError::refused(
            span,
            "the text to look for is empty",
            "write at least one character",
        ));
    }
    let value = NativeLiteral { value: NativeValue::Text(text.into()), span };
    Ok(Expr::Contains { field, values: vec![value], all: false, negated: false })
}

fn regex(field: FieldRef, pattern: &Name) -> Expr {
    let literal = NativeLiteral { value: NativeValue::Text(pattern.text.clone()), span: pattern.span };
    Expr::Match { field, op: MatchOp::Regex, pattern: literal, negated: false }
}

fn metadata(test: &Test, path: &str, schema: &Schema) -> Condition {
    let kind = schema.fields.iter().find(|field| field.path == path).map(|field| &field.kind);
    match &test.kind {
        TestKind::Compare { op, value } => compared(test, kind, *op, value),
        TestKind::In { values, negated } => listed(test, kind, values, *negated),
        TestKind::Between { low, high } => {
            let bounds = [(CompareOp::Ge, low), (CompareOp::Le, high)];
            let bounds = bounds.map(|(op, value)| compared(test, kind, op, value));
            Ok(Expr::And(bounds.into_iter().collect::<Result<_, _>>()?))
        }
        _ => Err(refused(test, "metadata can be compared, not searched", NATIVE)),
    }
}

fn compared(test: &Test, kind: Option<&FieldType>, op: CompareOp, value: &Literal) -> Condition {
    let field = column(test);
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    if !equality && !matches!(value.value, Value::Integer(_) | Value::Float(_)) {
        return Err(refused(test, "ranges are for numbers", NATIVE));
    }
    let value = literal(value)?;
    let fits = fits(test, kind, &value.value)?;
    Ok(match op {
        CompareOp::Ne if !fits => every(),
        CompareOp::Ne => or_missing(field.clone(), Expr::Compare { field, op, value }),
        _ if !fits => none(),
        _ => Expr::Compare { field, op, value },
    })
}

fn listed(test: &Test, kind: Option<&FieldType>, values: &[Literal], negated: bool) -> Condition {
    let field = column(test);
    let same = |value: &Literal| {
        values
            .first()
            .is_some_and(|first| std::mem::discriminant(&first.value) == std::mem::discriminant(&value.value))
    };
    if !values.iter().all(same) {
        return Err(refused(
            test,
            "the values of a list are not of one type",
            "write 1.0 beside 2.5, and texts and numbers in tests of their own",
        ));
    }
    let values = values.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
    let fits = match values.first() {
        Some(first) => fits(test, kind, &first.value)?,
        None => false,
    };
    Ok(match (fits, negated) {
        (false, false) => none(),
        (false, true) => every(),
        (true, false) => Expr::In { field, values, negated },
        (true, true) => or_missing(field.clone(), Expr::In { field, values, negated }),
    })
}

/// Whether values of the field's type can equal the literal at all.
fn fits(test: &Test, kind: Option<&FieldType>, value: &NativeValue) -> Result<bool, ExecutionError> {
    Ok(match (kind, value) {
        (Some(FieldType::Json), _) => {
            return Err(refused(
                test,
                "the field holds values of several types, which cannot be filtered",
                "test another field, or write one type into this one",
            ));
        }
        (Some(FieldType::Bool), NativeValue::Bool(_))
        | (Some(FieldType::Int | FieldType::Float), NativeValue::Int(_) | NativeValue::Float(_))
        | (Some(FieldType::Text), NativeValue::Text(_)) => true,
        _ => false,
    })
}

fn literal(literal: &Literal) -> Result<NativeLiteral, ExecutionError> {
    let value = match &literal.value {
        Value::Null => {
            return Err(ExecutionError::refused(
                literal.span,
                "NULL cannot be compared",
                "the native dialect has IS NULL",
            ));
        }
        Value::Bool(value) => NativeValue::Bool(*value),
        Value::Integer(value) => {
            value.to_i64().map_or_else(|| NativeValue::Float(value.to_f64()), NativeValue::Int)
        }
        Value::Float(value) => NativeValue::Float(*value),
        Value::Text(text) => NativeValue::Text(text.clone()),
    };
    Ok(NativeLiteral { value, span: literal.span })
}

fn refused(test: &Test, message: &str, hint: &str) -> ExecutionError {
    ExecutionError::refused(test.span, message, hint)
}

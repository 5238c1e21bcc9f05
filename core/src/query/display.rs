//! Conditions and columns as text that parses again: what EXPLAIN prints.

use std::fmt::{Display, Formatter, Result};

use super::{
    ast::{
        Aggregate, AggregateFunction, Arithmetic, Column, CompareOp, Expr, Field, Literal, MatchOp, Scalar,
    },
    keywords::{is_plain_name, quote_alias, quote_name, quote_text},
};
use crate::{error::Span, number::literal, schema::Value};

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Column::Id => f.write_str("id"),
            Column::Document => f.write_str("document"),
            Column::Metadata(path) => {
                f.write_str("metadata.")?;
                match path.split('.').all(is_plain_name) {
                    true => f.write_str(path),
                    false => f.write_str(&quote_name(path)),
                }
            }
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Field::Id => "id",
            Field::Document => "document",
            Field::Distance => "distance",
            Field::Score => "score",
            Field::Item => "item",
            Field::Collection => "collection",
            Field::Embedding => "embedding",
            Field::Metadata(None) => "metadata",
            Field::Metadata(Some(path)) => return Column::Metadata(path.clone()).fmt(f),
        })
    }
}

impl AggregateFunction {
    /// The function as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Sum => "SUM",
            Self::Avg => "AVG",
        }
    }
}

impl Arithmetic {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Scalar::Field(field) => field.fmt(f),
            Scalar::Number(value) => Literal { value: value.clone(), span: Span::default() }.fmt(f),
            Scalar::Aggregate(Aggregate { function, of: None }) => write!(f, "{}(*)", function.name()),
            Scalar::Aggregate(Aggregate { function, of: Some(field) }) => {
                write!(f, "{}({field})", function.name())
            }
            Scalar::Negate(inner) => write!(f, "-({inner})"),
            Scalar::Binary(left, operator, right) => {
                let strength = strength(*operator);
                operand(f, left, strength)?;
                write!(f, " {} ", operator.symbol())?;
                operand(f, right, strength + 1)
            }
            Scalar::Alias(name) => f.write_str(&quote_alias(&name.text)),
        }
    }
}

fn strength(operator: Arithmetic) -> u8 {
    match operator {
        Arithmetic::Add | Arithmetic::Subtract => 1,
        Arithmetic::Multiply | Arithmetic::Divide => 2,
    }
}

/// `value`, in parentheses if it is an operation weaker than `strength`.
fn operand(f: &mut Formatter<'_>, value: &Scalar, strength_needed: u8) -> Result {
    match value {
        Scalar::Binary(_, operator, _) if strength(*operator) < strength_needed => write!(f, "({value})"),
        value => value.fmt(f),
    }
}

impl MatchOp {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            MatchOp::Like => "LIKE",
            MatchOp::ILike => "ILIKE",
            MatchOp::Regex => "REGEX",
            MatchOp::StartsWith => "STARTS WITH",
        }
    }
}

impl CompareOp {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Eq => "=",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }

    /// The operator that holds exactly where this one does not, NULL aside.
    pub fn opposite(self) -> CompareOp {
        match self {
            CompareOp::Eq => CompareOp::Ne,
            CompareOp::Ne => CompareOp::Eq,
            CompareOp::Lt => CompareOp::Ge,
            CompareOp::Le => CompareOp::Gt,
            CompareOp::Gt => CompareOp::Le,
            CompareOp::Ge => CompareOp::Lt,
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.value {
            Value::Null => f.write_str("NULL"),
            Value::Bool(true) => f.write_str("TRUE"),
            Value::Bool(false) => f.write_str("FALSE"),
            Value::Int(number) => number.fmt(f),
            Value::Float(number) => f.write_str(&literal(*number)),
            Value::Text(text) => f.write_str(&quote_text(text)),
            Value::Time(micros) => micros.fmt(f),
            Value::List(_) | Value::Object(_) => f.write_str("(...)"),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Expr::Compare { field, op, value } => write!(f, "{} {} {value}", field.column, op.symbol()),
            Expr::In { field, values, negated } => {
                write!(f, "{} {}IN (", field.column, not(*negated))?;
                joined(f, values, ", ")?;
                f.write_str(")")
            }
            Expr::Between { field, low, high, negated } => {
                write!(f, "{} {}BETWEEN {low} AND {high}", field.column, not(*negated))
            }
            Expr::Match { field, op, pattern, negated } => {
                write!(f, "{} {}{} {pattern}", field.column, not(*negated), op.symbol())
            }
            Expr::Contains { field, values, all, negated } => {
                write!(f, "{} {}CONTAINS ", field.column, not(*negated))?;
                if let ([value], false) = (values.as_slice(), all) {
                    return value.fmt(f);
                }
                f.write_str(if *all { "ALL (" } else { "ANY (" })?;
                joined(f, values, ", ")?;
                f.write_str(")")
            }
            Expr::IsNull { field, negated } => write!(f, "{} IS {}NULL", field.column, not(*negated)),
            Expr::Not(inner) => write!(f, "NOT ({inner})"),
            Expr::And(parts) => joined_groups(f, parts, " AND "),
            Expr::Or(parts) => joined_groups(f, parts, " OR "),
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn joined<T: Display>(f: &mut Formatter<'_>, items: &[T], separator: &str) -> Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// Like [`joined`], with parentheses around ANDs and ORs.
fn joined_groups(f: &mut Formatter<'_>, parts: &[Expr], separator: &str) -> Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(separator)?;
        }
        match part {
            Expr::And(_) | Expr::Or(_) => write!(f, "({part})")?,
            _ => part.fmt(f)?,
        }
    }
    Ok(())
}

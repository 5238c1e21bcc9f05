//! Conditions and columns as text that parses again: what EXPLAIN prints.

use std::fmt::{Display, Formatter, Result};

use super::{
    ast::{Column, CompareOp, Expr, Literal},
    keywords::{is_plain_name, quote_name, quote_text},
};
use crate::{number::literal, schema::Value};

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

//! Column names that nobody knows.

use crate::{
    error::{CatalogError, near_names},
    order::sort_unique,
    query::{Column, Expr},
    schema::is_at_or_below,
};

/// The first metadata column of `expr` that is not among `all_fields`, the dotted paths of all asked collections, as
/// an error with near names.
///
/// A column that only some collections have is null in the others; one that none has is a mistake in the statement.
pub fn unknown_columns(expr: &Expr, all_fields: &[&str]) -> Option<CatalogError> {
    let mut known = all_fields.to_vec();
    sort_unique(&mut known);
    let name = first_unknown(expr, &known)?;
    let near = near_names(name, known);
    Some(CatalogError::UnknownColumn { name: String::from(name), near })
}

/// Whether `path` is a field, or an object that holds one: `author` where there is `author.name`.
pub(crate) fn is_field_or_object(path: &str, all_fields: &[&str]) -> bool {
    all_fields.iter().any(|field| is_at_or_below(field, path))
}

fn first_unknown<'e>(expr: &'e Expr, known: &[&str]) -> Option<&'e str> {
    match expr {
        Expr::Compare { field, .. }
        | Expr::In { field, .. }
        | Expr::Between { field, .. }
        | Expr::Match { field, .. }
        | Expr::Contains { field, .. }
        | Expr::IsNull { field, .. } => match &field.column {
            Column::Metadata(path) if known.binary_search(&path.as_str()).is_err() => Some(path),
            _ => None,
        },
        Expr::Not(inner) => first_unknown(inner, known),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().find_map(|part| first_unknown(part, known)),
    }
}

//! Which parts of the records the reference asks its store for.

use super::{
    CompatError, CompatErrorKind, Field, Projection,
    ast::{Statement, Test, TestKind},
};

/// The parts, sorted by name.
///
/// # Errors
/// REGEX in WHERE: the reference finds out here, because its helper does not know the field of such a test.
pub(super) fn include(statement: &Statement) -> Result<Vec<&'static str>, CompatError> {
    let vector_mode = statement.embedding.is_some();
    let mut parts = match &statement.projection {
        Projection::All => vec!["documents", "metadatas", "distances"],
        Projection::Items(items) => items.iter().filter_map(|item| part(&item.field)).collect(),
    };
    parts.extend(statement.order.iter().filter_map(|key| part(&key.field.field)));
    if let Some(filter) = &statement.filter {
        filter.each_test(&mut |test| {
            refuse_regex(test)?;
            parts.extend(part(&test.field.field));
            Ok(())
        })?;
    }
    parts.extend(statement.document_filter.as_ref().map(|_| "documents"));
    parts.extend(vector_mode.then_some("distances"));
    parts.retain(|part| vector_mode || *part != "distances");
    parts.sort_unstable();
    parts.dedup();
    Ok(parts)
}

fn part(field: &Field) -> Option<&'static str> {
    match field {
        Field::Id => None,
        Field::Document => Some("documents"),
        Field::Embedding => Some("embeddings"),
        Field::Distance => Some("distances"),
        Field::Metadata(_) => Some("metadatas"),
    }
}

fn refuse_regex(test: &Test) -> Result<(), CompatError> {
    if !matches!(test.kind, TestKind::Regex { .. }) {
        return Ok(());
    }
    let hint = "documents are searched with WHERE_DOCUMENT REGEX '...'; metadata cannot be";
    Err(CompatError::new(CompatErrorKind::RegexInWhere, test.span, "REGEX in WHERE is not planned", hint))
}

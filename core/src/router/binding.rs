//! Binding a plan to a release: which collections it names, whether they can be asked together, and which of them
//! cannot hold a match. Reads no file.

use super::Catalog;
use crate::{
    error::{CatalogError, Result, near_names},
    filter::{self, Prune},
    plan::{NamePattern, Plan},
    release::CollectionEntry,
    schema::Schema,
};

/// The places in the release of the collections that FROM names: as written, each once; `*` in the order of names.
pub(super) fn select(catalog: &Catalog, plan: &Plan) -> Result<Vec<usize>> {
    let known = &catalog.index().collections;
    if known.is_empty() {
        return Err(CatalogError::EmptyRelease.into());
    }
    let mut left_out = Vec::new();
    for pattern in &plan.source.except {
        left_out.extend(matching(known, pattern)?);
    }
    let mut places = Vec::new();
    for pattern in &plan.source.include {
        let wanted = matching(known, pattern)?.into_iter().filter(|place| !left_out.contains(place));
        for place in wanted {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    Ok(places)
}

/// The places of the collections that a pattern names: at least one.
fn matching(known: &[CollectionEntry], pattern: &NamePattern) -> Result<Vec<usize>> {
    let fits = |entry: &CollectionEntry| match pattern {
        NamePattern::Name(name) => entry.schema.collection == *name,
        NamePattern::Prefix(prefix) => entry.schema.collection.starts_with(prefix.as_str()),
    };
    let places: Vec<usize> =
        (0..).zip(known).filter(|(_, entry)| fits(entry)).map(|(place, _)| place).collect();
    if places.is_empty() {
        let (NamePattern::Name(name) | NamePattern::Prefix(name)) = pattern;
        let near = near_names(name, known.iter().map(|entry| entry.schema.collection.as_str()));
        return Err(CatalogError::UnknownCollection { name: pattern.to_string(), near }.into());
    }
    Ok(places)
}

/// Every column that WHERE or SELECT names exists in at least one of the collections.
pub(super) fn check_columns(plan: &Plan, entries: &[&CollectionEntry]) -> Result<()> {
    let fields = entries.iter().flat_map(|entry| &entry.schema.fields).map(|field| field.path.as_str());
    match plan.unknown_column(&fields.collect::<Vec<_>>()) {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Distances can be merged only where they mean the same.
pub(super) fn check_spaces(entries: &[&CollectionEntry]) -> Result<()> {
    let Some(first) = entries.first().map(|entry| &entry.schema) else { return Ok(()) };
    for second in entries.iter().map(|entry| &entry.schema) {
        let difference = if first.metric != second.metric {
            "metric"
        } else if first.dimension != second.dimension {
            "dimension"
        } else if fingerprint(first) != fingerprint(second) {
            "embedder"
        } else {
            continue;
        };
        let (first, second) = (first.collection.clone(), second.collection.clone());
        return Err(CatalogError::MixedSpaces { first, second, difference }.into());
    }
    Ok(())
}

fn fingerprint(schema: &Schema) -> Option<&str> {
    schema.embedder.as_ref().map(|id| id.fingerprint.as_str())
}

/// Why the collection cannot hold a matching record, if its statistics prove it.
pub(super) fn route(plan: &Plan, entry: &CollectionEntry) -> Option<String> {
    match plan.filter.as_ref().map(|filter| filter::prune(filter, &entry.statistics)) {
        Some(Prune::Skip(reason)) => Some(reason),
        _ => None,
    }
}

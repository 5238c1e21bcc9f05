//! Binding a plan to a release: which collections it names, whether they can be asked together, and which of them
//! cannot hold a match. Reads no file.

use super::{
    Catalog,
    member::{Member, State, Target},
    target,
};
use crate::{
    error::{CatalogError, Result},
    filter::{Condition, Prune},
    gather::Gather as _,
    plan::{NamePattern, Plan},
    release::CollectionEntry,
    routing::{Route, Router},
};

/// The collections that FROM names, with their names: which of them cannot hold a match, and WHERE bound to the others.
///
/// # Errors
/// Names that are not there, and literals that do not fit a column, whether its collection is asked or not; what the
/// router refuses.
pub(super) fn bind(
    catalog: &Catalog,
    plan: &Plan,
    router: Option<&dyn Router>,
) -> Result<(Vec<String>, Vec<Member>)> {
    let places = select(catalog, plan)?;
    let known = &catalog.index().collections;
    let entries: Vec<&CollectionEntry> = places.iter().filter_map(|place| known.get(*place)).gather();
    check_columns(plan, &entries)?;
    let names: Vec<String> = entries.iter().map(|entry| entry.schema.collection.clone()).gather();
    let condition = plan.filter.as_ref().map(Condition::new);
    if let Some(condition) = &condition {
        entries.iter().try_for_each(|entry| target::check(condition, &entry.schema))?;
    }
    let asked: Vec<&str> = names.iter().map(String::as_str).gather();
    let routed = match router {
        Some(router) => router.route(plan, &asked)?,
        None => Route::All,
    };
    let mut members = Vec::with_capacity(entries.len());
    for ((place, entry), outside) in places.iter().zip(entries).zip(routed.skip_reasons(&asked)) {
        let state = match outside.map(String::from).or_else(|| route(condition.as_ref(), entry)) {
            Some(reason) => State::Skipped(reason),
            None => State::Asked(Box::new(Target::new(condition.as_ref(), &entry.schema)?)),
        };
        members.push(Member { place: *place, space: 0, state });
    }
    Ok((names, members))
}

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
    let names = known.iter().map(|entry| entry.schema.collection.as_str());
    let fitting = (0..).zip(names.clone()).filter(|(_, name)| pattern.fits(name));
    let places: Vec<usize> = fitting.map(|(place, _)| place).gather();
    if places.is_empty() {
        return Err(pattern.unknown(names).into());
    }
    Ok(places)
}

/// Every column that WHERE or SELECT names exists in at least one of the collections.
fn check_columns(plan: &Plan, entries: &[&CollectionEntry]) -> Result<()> {
    let fields = entries.iter().flat_map(|entry| &entry.schema.fields).map(|field| field.path.as_str());
    match plan.unknown_column(&fields.gather::<Vec<_>>()) {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Why the collection cannot hold a matching record, if its statistics prove it.
fn route(condition: Option<&Condition<'_>>, entry: &CollectionEntry) -> Option<String> {
    match condition.map(|condition| condition.prune(&entry.statistics)) {
        Some(Prune::Skip(reason)) => Some(reason),
        _ => None,
    }
}

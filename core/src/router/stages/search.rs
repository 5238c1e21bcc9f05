//! The rows of one collection that are nearest to the queries.

use super::page;
use crate::{
    error::Result,
    metric::Metric,
    router::{run::Run, target::Opened},
    schema::Value,
    search::{Measure, Reach, scan},
    snapshot::layout::malformed,
};

/// The vectors of all probes in one space, and what is ranked by there.
pub(in crate::router) struct Queries<'q> {
    pub(in crate::router) metric: Metric,
    pub(in crate::router) vectors: Vec<&'q [f32]>,
}

/// By query: distances and rows, nearest first.
pub(in crate::router) fn nearest(
    run: &Run<'_>,
    member: usize,
    opened: &Opened<'_>,
    mask: Option<&[u64]>,
    queries: &Queries<'_>,
) -> Result<Vec<Vec<(f32, u64)>>> {
    let collection = &opened.collection;
    let reach =
        Reach { mask, k: run.shape.fetch(run.plan), after: floor(run, member, opened)?, stop: run.host.stop };
    let mut found = Vec::with_capacity(queries.vectors.len());
    for query in &queries.vectors {
        let stored = collection.schema().metric;
        let measure = Measure::new(queries.metric, stored, collection.encoding(), query)
            .ok_or_else(|| malformed("description", 0, "it is not what release.json says"))?;
        found.push(scan(collection, opened.source, &measure, &reach)?);
    }
    Ok(found)
}

/// The distance of the cursor's row, and the first row behind it among those that are as far.
fn floor(run: &Run<'_>, member: usize, opened: &Opened<'_>) -> Result<Option<(f32, u64)>> {
    let Some(after) = run.plan.after.as_ref().filter(|_| run.shape.skips_paged(run.plan)) else {
        return Ok(None);
    };
    let Some(Value::Float(distance)) = after.keys.first() else { return Ok(None) };
    Ok(Some((*distance as f32, page::first_behind(run, member, opened, after)?)))
}

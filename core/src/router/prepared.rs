//! A search that is asked again and again with other vectors: bound once, WHERE evaluated once.
//!
//! Use it where only the places of rows and their distances matter, as in a benchmark or where records are kept elsewhere.
//! It reads no records and brings no bytes: all files must be resident.

use std::sync::Arc;

use super::{
    Catalog, Fanout, Host, Needs, Options, Sources,
    hit::Merged,
    jobs,
    member::{Member, State},
    run::Run,
    stages::merge::merge,
};
use crate::{error::Result, gather::Gather as _, plan::Plan};

/// A row by its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearRow {
    /// To the query.
    pub distance: f32,
    /// The place of its collection among those that FROM names.
    pub collection: usize,
    /// Its place in the collection: rows are in the order of their ids.
    pub row: u64,
}

/// A statement with one VECTOR, which [`nearest`](Self::nearest) replaces.
#[derive(Debug)]
pub struct Prepared {
    fanout: Fanout,
}

impl Prepared {
    /// Binds the statement; `None` if it does not rank by one vector in one space, or does more than that with the rows.
    ///
    /// # Errors
    /// As [`Fanout::with`].
    pub fn new(catalog: Arc<Catalog>, plan: Plan, options: Options) -> Result<Option<Self>> {
        let more =
            plan.rerank.is_some() || plan.group.is_some() || plan.fuse.is_some() || plan.after.is_some();
        let plain = plan.order.is_empty() && plan.offset == 0 && !more;
        let ranks = plan.is_search() && plan.probes.len() == 1;
        let fanout = Fanout::with(catalog, plan, options)?;
        let fits = ranks && plain && fanout.spaces.list.len() == 1;
        Ok(fits.then_some(Self { fanout }))
    }

    /// The rows nearest to `vector`, in the order of their distances; of those as far as the last one all. `None`: bytes
    /// are not resident.
    ///
    /// # Errors
    /// A vector that does not fit, and whatever the files turn out to be.
    pub fn nearest(
        &mut self,
        vector: &[f32],
        sources: &dyn Sources,
        host: &Host<'_>,
    ) -> Result<Option<Vec<NearRow>>> {
        let Fanout { statement, members, spaces, .. } = &mut self.fanout;
        spaces.replace(&statement.catalog, vector)?;
        members.iter_mut().for_each(forget);
        let run = statement.run(sources, host);
        let mut needs = Needs::default();
        jobs::search(&run, members, spaces, &mut needs).map_err(|halt| *halt.error)?;
        if !needs.is_empty() {
            return Ok(None);
        }
        Ok(Some(ranked(&run, members, spaces)?))
    }
}

/// What was found for another vector is not what will be found.
fn forget(member: &mut Member) {
    if let State::Asked(target) = &mut member.state {
        target.found = None;
    }
}

fn ranked(run: &Run<'_>, members: &[Member], spaces: &super::spaces::Spaces) -> Result<Vec<NearRow>> {
    let merged = merge(run, members, spaces).map_err(|halt| *halt.error)?;
    let Merged::Rankings(mut rankings) = merged else { return Ok(Vec::new()) };
    let mut hits = rankings.pop().map(|ranking| ranking.hits).unwrap_or_default();
    crate::order::sort_by(&mut hits, |a, b| a.distance.total_cmp(&b.distance));
    let wanted = run.plan.rows_wanted().and_then(|rows| usize::try_from(rows).ok()).unwrap_or(usize::MAX);
    let last = hits.get(wanted.saturating_sub(1)).map_or(f32::INFINITY, |hit| hit.distance);
    hits.retain(|hit| hit.distance <= last);
    Ok(hits
        .into_iter()
        .map(|hit| NearRow { distance: hit.distance, collection: hit.member, row: hit.row })
        .gather())
}

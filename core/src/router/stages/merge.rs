//! From what each collection found to one ranking of all of them, or to their groups.

use super::{group, page as paging, rerank};
use crate::{
    error::Result,
    gather::Gather as _,
    order::sort_indices,
    query::Duplicates,
    router::{
        Needs,
        hit::{Grouping, Hit, Merged, Ranking, sorted},
        member::{Found, Member, Read, State},
        run::{Halt, Run},
        spaces::Spaces,
        stages::{group::Local, records},
        target::Opened,
    },
    snapshot::layout::malformed,
};

/// What the statement's stages before the payload come to. All collections were searched.
pub(in crate::router) fn merge(run: &Run<'_>, members: &[Member], spaces: &Spaces) -> Result<Merged, Halt> {
    match (run.plan.is_search(), &run.plan.group) {
        (true, _) => Ok(Merged::Rankings(searched(run, members, spaces)?)),
        (false, Some(_)) => grouped(run, members),
        (false, None) => Ok(Merged::Rankings(vec![filtered(run, members)?])),
    }
}

/// The members that were searched, with what they found.
fn found(members: &[Member]) -> impl Iterator<Item = (usize, &Member, &Found)> {
    members.iter().enumerate().filter_map(|(place, member)| match &member.state {
        State::Asked(target) => target.found.as_ref().map(|found| (place, member, found)),
        _ => None,
    })
}

/// A collection that was searched, opened again: all that its search took is resident.
fn open<'r>(run: &Run<'r>, members: &[Member], member: usize) -> Result<Option<Opened<'r>>> {
    match members.get(member) {
        Some(member) => Opened::open(run, member.place, &mut Needs::default()),
        None => Ok(None),
    }
}

/// One ranking for each item of a BATCH, or a fused one.
fn searched(run: &Run<'_>, members: &[Member], spaces: &Spaces) -> Result<Vec<Ranking>, Halt> {
    let probes = run.plan.probes.len();
    let mut rankings = Vec::with_capacity(probes);
    for probe in 0..probes {
        let mut lists = Vec::with_capacity(spaces.list.len());
        for (space, _) in spaces.list.iter().enumerate() {
            lists.push(nearest(run, members, space, probe)?);
        }
        let item = run.shape.batch.then_some(probe as u32);
        let exact = run.shape.ids;
        rankings.push(match lists.len() {
            1 => {
                let hits = lists.pop().unwrap_or_default();
                let metric = spaces.list.first().map(|space| space.metric);
                let hits = match (run.plan.rerank, metric) {
                    (Some(mmr), Some(metric)) => {
                        let open = |member| open(run, members, member);
                        rerank::diverse(run, mmr, metric, hits, &open)?
                    }
                    _ => hits,
                };
                Ranking { item, hits, exact, cut: false }
            }
            _ => Ranking { item, hits: rerank::fused(run, lists), exact, cut: false },
        });
    }
    if run.plan.fuse.is_some() {
        let lists = rankings.into_iter().map(|ranking| ranking.hits).gather();
        rankings = vec![Ranking { item: None, hits: rerank::fused(run, lists), exact: true, cut: false }];
    }
    rankings.iter_mut().for_each(|ranking| early_page(run, ranking));
    Ok(rankings)
}

/// The nearest rows of the collections of one space, in order if ids are at hand.
fn nearest(run: &Run<'_>, members: &[Member], space: usize, probe: usize) -> Result<Vec<Hit>, Halt> {
    let mut hits = Vec::new();
    for (place, _, found) in found(members).filter(|(_, member, _)| member.space == space) {
        let Found::Nearest(lists) = found else { continue };
        let rows = lists.get(probe).map(Vec::as_slice).unwrap_or_default();
        let near = rows.iter().filter(|(distance, _)| {
            run.plan.threshold.is_none_or(|threshold| f64::from(*distance) <= threshold)
        });
        let from = hits.len();
        hits.extend(near.map(|(distance, row)| Hit {
            member: place,
            row: *row,
            distance: *distance,
            ..Hit::default()
        }));
        name_all(run, members, place, hits.get_mut(from..).unwrap_or_default())?;
    }
    let hits = ordered(run, hits, run.shape.fetch(run.plan));
    match hits.iter().find(|hit| !hit.distance.is_finite()) {
        Some(hit) => Err(not_finite(run, members, hit)),
        None => Ok(hits),
    }
}

/// Checked vectors have finite distances.
fn not_finite(run: &Run<'_>, members: &[Member], hit: &Hit) -> Halt {
    let place = members.get(hit.member).map_or(0, |member| member.place);
    let error = malformed("vectors", 0, format!("the distance of row {} is not finite", hit.row));
    Halt::of(hit.member, run.catalog.blame_collection(place, error.into()))
}

/// Gives the rows of a collection their ids, if those are at hand.
fn name_all(run: &Run<'_>, members: &[Member], member: usize, hits: &mut [Hit]) -> Result<(), Halt> {
    if !run.shape.ids || hits.is_empty() {
        return Ok(());
    }
    let place = members.get(member).map_or(0, |member| member.place);
    let name = || -> Result<()> {
        let Some(opened) = open(run, members, member)? else { return Ok(()) };
        let ids = opened.id_table()?;
        for hit in hits {
            let id = u32::try_from(hit.row).ok().and_then(|row| ids.text(row));
            hit.id = id.ok_or_else(|| malformed("ids", 0, "a row has no id"))?.into();
        }
        Ok(())
    };
    name().map_err(|error| Halt::of(member, run.catalog.blame_collection(place, error)))
}

/// Rows in the order of the statement, without duplicates and without those up to the cursor, the first `most`. Without
/// ids: those that may be among the first `most`, in no order.
fn ordered(run: &Run<'_>, hits: Vec<Hit>, most: usize) -> Vec<Hit> {
    if !run.shape.ids {
        return tied(run, hits, most);
    }
    let hits = sorted(hits, usize::MAX, &|a, b| a.exact(b, run));
    let mut hits = distinct(run, hits);
    // With ORDER BY it is the order of the whole statement that the cursor stands in, not that of the distances.
    let paged = !run.plan.is_search() || run.plan.order.is_empty();
    if let Some(after) = run.plan.after.as_ref().filter(|_| paged && run.shape.keeps_nearest(run.plan)) {
        hits.retain(|hit| paging::is_behind(run, hit, &hit.keys, after));
    }
    hits.truncate(most);
    hits
}

/// The rows up to the `most`-th, and all that tie with it.
fn tied(run: &Run<'_>, hits: Vec<Hit>, most: usize) -> Vec<Hit> {
    if hits.len() <= most || most == 0 {
        return if most == 0 { Vec::new() } else { hits };
    }
    let mut hits = sorted(hits, usize::MAX, &|a, b| a.coarse(b, run));
    let last = hits.get(most - 1).cloned();
    let end = hits.partition_point(|hit| last.as_ref().is_some_and(|last| hit.coarse(last, run).is_le()));
    hits.truncate(end);
    hits
}

/// The first row of each id, if the statement keeps only that.
pub(super) fn distinct(run: &Run<'_>, mut hits: Vec<Hit>) -> Vec<Hit> {
    if run.plan.duplicates == Duplicates::KeepAll {
        return hits;
    }
    let id = |place: u32| hits.get(place as usize).map(|hit| hit.id.as_str());
    let (mut first, mut last) = (vec![false; hits.len()], None);
    // Rows of one id keep their order.
    for place in sort_indices(hits.len(), &mut |a, b| id(a).cmp(&id(b))) {
        if last.is_none_or(|last| id(last) != id(place)) {
            first.get_mut(place as usize).into_iter().for_each(|first| *first = true);
        }
        last = Some(place);
    }
    let mut first = first.into_iter();
    hits.retain(|_| first.next().unwrap_or_default());
    hits
}

/// Matching rows without a query: in their own order, or by ORDER BY.
fn filtered(run: &Run<'_>, members: &[Member]) -> Result<Ranking, Halt> {
    let mut hits = Vec::new();
    for (place, _, found) in found(members) {
        let from = hits.len();
        let hit = |row: u64| Hit { member: place, row, ..Hit::default() };
        match found {
            Found::Rows(rows) => hits.extend(rows.iter().map(|row| hit(*row))),
            Found::Sorted(rows) => {
                hits.extend(rows.iter().map(|(row, keys)| Hit { keys: keys.clone(), ..hit(*row) }));
            }
            _ => {}
        }
        let listed = run.plan.order.is_empty() && !run.shape.keeps_nearest(run.plan);
        if !listed {
            name_all(run, members, place, hits.get_mut(from..).unwrap_or_default())?;
        }
    }
    let most = run.shape.depth;
    let mut ranking = match run.plan.order.is_empty() {
        // Collections come in the order of FROM and rows in that of their ids.
        true => Ranking { hits: listed(run, hits, most), exact: true, ..Ranking::default() },
        false => {
            let hits = ordered(run, hits, most);
            Ranking { hits, exact: run.shape.ids, ..Ranking::default() }
        }
    };
    early_page(run, &mut ranking);
    Ok(ranking)
}

fn listed(run: &Run<'_>, hits: Vec<Hit>, most: usize) -> Vec<Hit> {
    let mut hits = distinct(run, hits);
    if let Some(after) = run.plan.after.as_ref().filter(|_| run.shape.keeps_nearest(run.plan)) {
        hits.retain(|hit| paging::is_behind(run, hit, &[], after));
    }
    hits.truncate(most);
    hits
}

/// Cuts a ranking that is final, so that no record is read in vain.
fn early_page(run: &Run<'_>, ranking: &mut Ranking) {
    let later = run.plan.is_search() && (run.plan.group.is_some() || !run.plan.order.is_empty());
    if ranking.exact && !later {
        let (page, cut) = page(run, ranking.hits.len());
        ranking.hits.truncate(page.end);
        ranking.hits.drain(..page.start);
        ranking.cut = cut;
    } else if later && ranking.exact {
        ranking.hits.truncate(run.shape.depth);
    }
}

/// The rows of an answer of `len` that OFFSET and LIMIT leave, and whether any were cut off.
pub(super) fn page(run: &Run<'_>, len: usize) -> (std::ops::Range<usize>, bool) {
    let most = run.shape.offset.saturating_add(run.shape.page).min(answer_rows(run));
    let end = len.min(most);
    (run.shape.offset.min(end)..end, len > most)
}

/// The most rows that the statement returns or skips.
fn answer_rows(run: &Run<'_>) -> usize {
    let rows = run.plan.rows_wanted().unwrap_or(u64::MAX);
    usize::try_from(rows).unwrap_or(usize::MAX)
}

fn grouped(run: &Run<'_>, members: &[Member]) -> Result<Merged, Halt> {
    let open = |member| open(run, members, member);
    let regrouped = match run.shape.keeps_nearest(run.plan) {
        true => survivors(run, members)?,
        false => Vec::new(),
    };
    let locals: Vec<(usize, &Local)> = match run.shape.keeps_nearest(run.plan) {
        true => regrouped.iter().map(|(member, local)| (*member, local)).gather(),
        false => found(members)
            .filter_map(|(place, _, found)| match found {
                Found::Groups(local) => Some((place, local)),
                _ => None,
            })
            .gather(),
    };
    let blame = |Halt { members: of, error }| {
        let member = of.first().copied().unwrap_or_default();
        let place = members.get(member).map_or(0, |member| member.place);
        Halt::of(member, run.catalog.blame_collection(place, *error))
    };
    let (buckets, hits) = group::merged(run, &locals, &open).map_err(blame)?;
    let mut rows = group::rows(run, &buckets);
    let done = run.plan.order.is_empty();
    if done {
        rows = rows.into_iter().skip(run.shape.offset).take(run.shape.page).gather();
    }
    Ok(Merged::Groups(Grouping { buckets, hits, rows, done }))
}

/// The groups of each collection's rows without those whose id came in a collection before.
fn survivors(run: &Run<'_>, members: &[Member]) -> Result<Vec<(usize, Local)>, Halt> {
    let mut hits = Vec::new();
    for (place, _, found) in found(members) {
        let (Found::Rows(rows), from) = (found, hits.len()) else { continue };
        hits.extend(rows.iter().map(|row| Hit { member: place, row: *row, ..Hit::default() }));
        name_all(run, members, place, hits.get_mut(from..).unwrap_or_default())?;
    }
    let hits = distinct(run, hits);
    let mut locals = Vec::new();
    for own in hits.chunk_by(|a, b| a.member == b.member) {
        let member = own.first().map_or(0, |hit| hit.member);
        let rows: Vec<u64> = own.iter().map(|hit| hit.row).gather();
        let group = || -> Result<Local> {
            let Some(opened) = open(run, members, member)? else { return Ok(Local::default()) };
            let fields = opened.record_fields(&run.shape.reads);
            let records = match fields.is_empty() {
                true => None,
                false => records::read(run, &opened, &rows, &fields, &mut Needs::default())?,
            };
            let records = records.map(|(records, _)| records);
            Local::new(run, member, &opened, &Read { rows: &rows, records: records.as_deref() })
        };
        locals.push((member, group().map_err(|error| Halt::of(member, error))?));
    }
    Ok(locals)
}

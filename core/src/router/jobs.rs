//! The parts of a step that concern one collection each, done side by side where that is worth it.

use std::sync::{Mutex, PoisonError};

use super::{
    Needs, clustered,
    hit::{Merged, Shown},
    member::{Cost, Member, State, Target},
    run::{Halt, Run},
    spaces::Spaces,
    stages::{records as stage, search::Queries},
    target::Opened,
};
use crate::{
    error::{Error, Result},
    gather::Gather as _,
    order::sort_indices,
};

/// Searching fewer bytes than this is not worth starting a thread, which takes tens of microseconds.
const SPREAD_BYTES: u64 = 2 << 20;
/// The same of records, which have to be decompressed.
const SPREAD_RECORDS: usize = 2048;

/// The search of one collection.
struct Search<'j> {
    member: usize,
    place: usize,
    space: usize,
    target: &'j mut Target,
    needs: Needs,
    error: Option<Error>,
}

/// Searches the collections that were not searched yet, as far as resident bytes go.
pub(super) fn search(
    run: &Run<'_>,
    members: &mut [Member],
    spaces: &Spaces,
    needs: &mut Needs,
) -> Result<(), Halt> {
    clustered::decide(run, members);
    let mut jobs = Vec::with_capacity(members.len());
    for (number, member) in members.iter_mut().enumerate() {
        let (place, space) = (member.place, member.space);
        if let State::Asked(target) = &mut member.state
            && target.found.is_none()
            // What a search of clusters takes besides is asked for by file.
            && !(target.by_clusters && target.is_masked())
        {
            let needs = Needs::default();
            jobs.push(Mutex::new(Search { member: number, place, space, target, needs, error: None }));
        }
    }
    let index = run.catalog.index();
    let bytes = |place: usize| index.collections.get(place).map_or(0, |entry| index.share(entry));
    let sizes: Vec<u64> = jobs.iter().map(|job| lock(job, |job| bytes(job.place))).gather();
    each(run, &sizes, SPREAD_BYTES, &|number| {
        if let Some(job) = jobs.get(number) {
            lock(job, |job| search_one(run, job, spaces));
        }
    });
    for job in jobs {
        let job = job.into_inner().unwrap_or_else(PoisonError::into_inner);
        needs.extend(job.needs);
        if let Some(error) = job.error {
            return Err(Halt::of(job.member, error));
        }
    }
    clustered::search(run, members, spaces, needs)
}

fn search_one(run: &Run<'_>, job: &mut Search<'_>, spaces: &Spaces) {
    let metric = spaces.list.get(job.space).map(|space| space.metric);
    let vectors = metric.zip(spaces.queries(job.space));
    let queries = vectors.map(|(metric, vectors)| Queries { metric, vectors });
    let done = job.target.step(run, (job.member, job.place), queries, &mut job.needs);
    job.error = done.err().map(|error| run.catalog.blame_collection(job.place, error));
}

/// The records of one collection that are wanted.
struct Read<'j> {
    member: usize,
    place: usize,
    cost: Option<&'j mut Cost>,
    rows: Vec<u64>,
    /// For each row, the places where its record goes.
    goes_to: Vec<Vec<u32>>,
    needs: Needs,
    found: Result<Option<Vec<Shown>>>,
}

/// Reads the records of `wanted` (collections by their place in FROM, and rows), in that order. `None`: `needs` holds
/// what is missing.
pub(super) fn records(
    run: &Run<'_>,
    members: &mut [Member],
    merged: &Merged,
    wanted: &[(usize, u64)],
    needs: &mut Needs,
) -> Result<Option<Vec<Shown>>, Halt> {
    if run.shape.fields.is_empty() && merged.wanted().iter().all(|hit| !hit.id.is_empty()) {
        return Ok(Some(vec![Shown::default(); wanted.len()]));
    }
    let mut jobs = reads(members, wanted);
    let sizes: Vec<u64> = jobs.iter().map(|job| lock(job, |job| job.rows.len() as u64)).gather();
    each(run, &sizes, SPREAD_RECORDS as u64, &|number| {
        if let Some(job) = jobs.get(number) {
            lock(job, |job| read_one(run, job));
        }
    });
    let mut shown = vec![Shown::default(); wanted.len()];
    for job in jobs.drain(..) {
        let job = job.into_inner().unwrap_or_else(PoisonError::into_inner);
        needs.extend(job.needs);
        let blame = |error| Halt::of(job.member, run.catalog.blame_collection(job.place, error));
        let found = job.found.map_err(blame)?;
        for (record, places) in found.into_iter().flatten().zip(job.goes_to) {
            for place in places {
                shown.get_mut(place as usize).into_iter().for_each(|to| *to = record.clone());
            }
        }
    }
    Ok(needs.is_empty().then_some(shown))
}

fn reads<'j>(members: &'j mut [Member], wanted: &[(usize, u64)]) -> Vec<Mutex<Read<'j>>> {
    let at = |place: u32| wanted.get(place as usize).copied().unwrap_or_default();
    let order = sort_indices(wanted.len(), &mut |a, b| at(a).cmp(&at(b)));
    let mut jobs: Vec<Read<'j>> = Vec::new();
    let mut members = members.iter_mut().enumerate();
    for place in order {
        let (number, row) = at(place);
        if jobs.last().is_none_or(|job| job.member != number) {
            // Both go by number, so none is passed by.
            let Some((_, member)) = members.find(|(member, _)| *member == number) else { continue };
            let cost = match &mut member.state {
                State::Asked(target) => Some(&mut target.cost),
                _ => None,
            };
            let (rows, goes_to, needs) = (Vec::new(), Vec::new(), Needs::default());
            let place = member.place;
            jobs.push(Read { member: number, place, cost, rows, goes_to, needs, found: Ok(None) });
        }
        let Some(job) = jobs.last_mut() else { continue };
        if job.rows.last() != Some(&row) {
            job.rows.push(row);
            job.goes_to.push(Vec::new());
        }
        job.goes_to.last_mut().into_iter().for_each(|places| places.push(place));
    }
    jobs.into_iter().map(Mutex::new).gather()
}

fn read_one(run: &Run<'_>, job: &mut Read<'_>) {
    let started = run.now();
    let mut read = || -> Result<Option<(Vec<Shown>, u64)>> {
        let Some(opened) = Opened::open(run, job.place, &mut job.needs)? else { return Ok(None) };
        stage::read(run, &opened, &job.rows, &run.shape.fields, &mut job.needs)
    };
    let found = read();
    if let (Some(cost), Ok(Some((_, bytes)))) = (&mut job.cost, &found) {
        cost.record_bytes = cost.record_bytes.max(*bytes);
        cost.record_micros += run.now().saturating_sub(started);
    }
    job.found = found.map(|found| found.map(|(shown, _)| shown));
}

/// Does jobs of these sizes: at once, the largest first, if together they are worth it.
pub(super) fn each(run: &Run<'_>, sizes: &[u64], worth: u64, job: &(dyn Fn(usize) + Sync)) {
    if sizes.len() < 2 || sizes.iter().sum::<u64>() < worth {
        return (0..sizes.len()).for_each(job);
    }
    let size = |place: u32| sizes.get(place as usize);
    let order = sort_indices(sizes.len(), &mut |a, b| size(b).cmp(&size(a)));
    run.host.spread.each(order.len(), &|place| {
        order.get(place).into_iter().for_each(|number| job(*number as usize));
    });
}

/// Every job is locked by the one thread that does it.
fn lock<T, R>(job: &Mutex<T>, with: impl FnOnce(&mut T) -> R) -> R {
    with(&mut job.lock().unwrap_or_else(PoisonError::into_inner))
}

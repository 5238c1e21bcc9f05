//! Searching the collections of a space through their clusters, all at once: they share the bound that a row must reach,
//! and collections that are packed in one file are read as one.

mod file;
#[cfg(not(target_arch = "wasm32"))]
mod graph;

use std::sync::{Mutex, PoisonError};

use file::File;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use graph::foresee;

use super::{
    Catalog, Needs,
    jobs::each,
    member::{Found, Member, State},
    run::{Halt, Run},
    shape::Shape,
    spaces::Spaces,
};
use crate::{
    error::{Error, Result},
    gather::Gather as _,
    metric::{Encoding, Metric},
    plan::Plan,
    release::CollectionEntry,
    search::{
        Measure,
        clusters::{
            Chosen, Entry, Near, Part, Query, Ranked, Settings, Yardstick, choose, everything, look,
            missing_cells, missing_rows, sample, scan,
        },
    },
};

/// The recall of statements that do not ask for one.
const RECALL: f64 = 0.95;
/// More rows than this are not searched for through clusters.
const MOST_ROWS: usize = 1000;
/// A row whose vector is compared costs as much as this many slots that are scanned.
const LOOK_COST: f32 = 16.0;
/// What choosing clusters costs, in slots.
const CHOICE_COST: f32 = 4096.0;
/// Where the chosen clusters hold less than this part of the matching rows that are expected in them, those lie elsewhere.
const ELSEWHERE: f32 = 0.5;
/// How many questions of a BATCH make a thread worth its start.
const SPREAD_QUESTIONS: u64 = 8;

/// Why the rows of a collection are compared one by one; `None`: they are found through its clusters. That follows from the
/// statement and from what the release says, never from what is resident, so that all readers find the same rows.
pub(super) fn why_not(
    catalog: &Catalog,
    plan: &Plan,
    shape: &Shape,
    entry: &CollectionEntry,
) -> Option<&'static str> {
    let snapshot = catalog.index().snapshots.get(entry.snapshot);
    if snapshot.is_none_or(|snapshot| snapshot.clusters.is_none()) {
        Some("its file has no clusters")
    } else if plan.recall.unwrap_or(RECALL) >= 1.0 {
        Some("RECALL 1 compares every row")
    } else if plan.similarity.is_some_and(|metric| metric != entry.schema.metric) {
        Some("its clusters are for another metric")
    } else if plan.after.is_some() {
        Some("AFTER continues an exact order")
    } else if shape.keeps_nearest(plan) {
        Some("KEEP NEAREST compares every row")
    } else if shape.fetch(plan) > MOST_ROWS {
        Some("many rows are wanted")
    } else {
        None
    }
}

/// Decides which collections are found through their clusters.
pub(super) fn decide(run: &Run<'_>, members: &mut [Member]) {
    let index = run.catalog.index();
    let entry = |place: usize| index.collections.get(place).filter(|_| run.plan.is_search());
    for member in &mut *members {
        if let (State::Asked(target), Some(entry)) = (&mut member.state, entry(member.place)) {
            target.by_clusters = why_not(run.catalog, run.plan, run.shape, entry).is_none();
        }
    }
    let mut asked = vec![0_u64; index.snapshots.len()];
    for entry in members.iter().filter(|member| goes(member)).filter_map(|member| entry(member.place)) {
        asked.get_mut(entry.snapshot).into_iter().for_each(|rows| *rows += entry.statistics.rows);
    }
    for member in members {
        let own = entry(member.place).map_or(0, |entry| entry.snapshot);
        let rows = index.snapshots.get(own).map_or(0, |snapshot| snapshot.rows);
        let few = asked.get(own).is_some_and(|asked| asked.saturating_mul(2) <= rows);
        if let State::Asked(target) = &mut member.state {
            target.narrow = target.by_clusters && few;
        }
    }
}

fn goes(member: &Member) -> bool {
    matches!(&member.state, State::Asked(target) if target.by_clusters)
}

/// Searches the collections that go by clusters and whose WHERE was evaluated, space by space.
pub(super) fn search(
    run: &Run<'_>,
    members: &mut [Member],
    spaces: &Spaces,
    needs: &mut Needs,
) -> Result<(), Halt> {
    for (space, kind) in spaces.list.iter().enumerate() {
        let Some(vectors) = spaces.queries(space) else { continue };
        let waiting = (0..).zip(members.iter()).filter(|(_, member)| waits(member, space));
        let group: Vec<usize> = waiting.map(|(place, _)| place).gather();
        let ready = |place: &usize| members.get(*place).is_some_and(is_ready);
        if group.is_empty() || !group.iter().all(ready) {
            continue;
        }
        let started = run.now();
        let files = file::open(run, members, &group, needs)?;
        let Some(files) = files else { continue };
        let asked = Asked::new(run, &files, kind.metric).map_err(|error| blame(&files, error))?;
        let Some(found) = asked.all(&vectors, needs).map_err(|error| blame(&files, error))? else { continue };
        #[cfg(not(target_arch = "wasm32"))]
        graph::note(members, &group, asked.graph.is_some());
        give(&files, members, &found, run.now().saturating_sub(started));
    }
    Ok(())
}

/// Whether a collection of the space still has to be searched through its clusters.
fn waits(member: &Member, space: usize) -> bool {
    let State::Asked(target) = &member.state else { return false };
    member.space == space && target.by_clusters && target.found.is_none()
}

fn is_ready(member: &Member) -> bool {
    matches!(&member.state, State::Asked(target) if target.is_masked())
}

/// An error of one of the files, with the collections that are in it.
fn blame(files: &[File<'_>], error: Error) -> Halt {
    let members = files.iter().map(File::failed).find(|failed| !failed.is_empty()).unwrap_or_default();
    Halt { members, error: error.into() }
}

/// What one question of several lacks, and what was found.
type Answered = (Needs, Result<Option<Vec<Near>>>);

/// What is asked of the files of a space.
struct Asked<'a> {
    run: &'a Run<'a>,
    files: &'a [File<'a>],
    parts: Vec<Part<'a>>,
    metric: Metric,
    /// How many rows are wanted, and how many there are that pass.
    k: usize,
    relevant: u64,
    recall: f32,
    settings: Settings,
    /// What walks the graph of the only file, if that is what costs least.
    #[cfg(not(target_arch = "wasm32"))]
    graph: Option<graph::Walker<'a>>,
}

impl<'a> Asked<'a> {
    fn new(run: &'a Run<'a>, files: &'a [File<'a>], metric: Metric) -> Result<Self> {
        let k = run.shape.fetch(run.plan);
        let recall = run.plan.recall.unwrap_or(RECALL) as f32;
        let candidates = run.plan.candidates.map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let settings = Settings::new(k, recall).at_least(candidates);
        Ok(Self {
            run,
            files,
            parts: files.iter().map(File::part).gather(),
            metric,
            k,
            relevant: files.iter().map(|file| file.relevant).sum(),
            recall,
            settings,
            #[cfg(not(target_arch = "wasm32"))]
            graph: graph::Walker::new(run, files, (k, recall, settings.least))?,
        })
    }

    /// What is nearest to each vector; `None`: `needs` holds what is missing.
    fn all(&self, vectors: &[&[f32]], needs: &mut Needs) -> Result<Option<Vec<Vec<Near>>>> {
        if let [vector] = vectors {
            return Ok(self.one(vector, needs)?.map(|near| vec![near]));
        }
        let done: Vec<Mutex<Answered>> =
            vectors.iter().map(|_| Mutex::new((Needs::default(), Ok(None)))).gather();
        let costs = vec![1; vectors.len()];
        each(self.run, &costs, SPREAD_QUESTIONS, &|place| {
            if let (Some(slot), Some(vector)) = (done.get(place), vectors.get(place)) {
                let mut own = Needs::default();
                let found = self.one(vector, &mut own);
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = (own, found);
            }
        });
        let mut all = Vec::with_capacity(done.len());
        for slot in done {
            let (own, found) = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            needs.extend(own);
            all.extend(found?);
        }
        Ok((all.len() == vectors.len()).then_some(all))
    }

    /// What is nearest to one vector.
    fn one(&self, vector: &[f32], needs: &mut Needs) -> Result<Option<Vec<Near>>> {
        let Some(first) = self.files.first() else { return Ok(Some(Vec::new())) };
        let query = Query::new(self.metric, first.rotation(), vector);
        let yardsticks: Vec<_> = self.files.iter().map(|file| self.yardstick(file, &query, vector)).gather();
        let by = (&query, yardsticks.as_slice());
        #[cfg(not(target_arch = "wasm32"))]
        if let (Some(graph), [part]) = (&self.graph, self.parts.as_slice())
            && let Some(near) = graph.nearest(by, part, self.run.host.stop)?
        {
            return Ok(Some(near));
        }
        let chosen = choose(&query, &self.parts, self.k, self.recall);
        if self.are_few(&chosen) {
            return self.compare(by, self.passing(), needs);
        }
        match self.are_elsewhere(&chosen)? {
            Some(true) => return self.compare(by, self.passing(), needs),
            Some(false) => {}
            None => {
                self.want_cells(&chosen, needs)?;
                return Ok(None);
            }
        }
        let Some(near) = self.scan(by, &chosen, needs)? else { return Ok(None) };
        // Where WHERE leaves rows that lie far from the query, the clusters near it may hold too few.
        let estimated = yardsticks.iter().any(|by| matches!(by, Yardstick::Estimates));
        match (near.len() as u64) < self.relevant.min(self.k as u64) {
            true if estimated => self.scan(by, &everything(&query, &self.parts), needs),
            true => self.compare(by, self.passing(), needs),
            false => Ok(Some(near)),
        }
    }

    /// What is nearest among the rows of the chosen clusters.
    fn scan(
        &self,
        by: (&Query, &[Yardstick]),
        chosen: &[Chosen],
        needs: &mut Needs,
    ) -> Result<Option<Vec<Near>>> {
        let bound = (self.k.max(self.settings.least), self.settings.bound);
        let Some(candidates) = scan(by.0, &self.parts, chosen, bound, self.run.host.stop)? else {
            self.want_cells(chosen, needs)?;
            return Ok(None);
        };
        self.compare(by, Rows::Ranked(candidates.into_rows(self.settings.looks)), needs)
    }

    /// The best that a file carries of its rows.
    fn yardstick(&self, file: &File<'_>, query: &Query, vector: &[f32]) -> Yardstick {
        match file.encoding() {
            Encoding::None => Yardstick::codes(query, file.extended_bits()),
            encoding => match Measure::new(self.metric, self.metric, encoding, vector) {
                Some(measure) => Yardstick::Vectors(measure),
                None => Yardstick::Estimates,
            },
        }
    }

    /// Whether comparing all rows that pass costs less than scanning the chosen clusters.
    fn are_few(&self, chosen: &[Chosen]) -> bool {
        let slots = |chosen: &Chosen| {
            let part = self.parts.get(chosen.part as usize);
            part.map_or(0, |part| part.slots(chosen.cluster)) as f32
        };
        let scanned: f32 = chosen.iter().map(slots).sum();
        self.have_vectors() && self.relevant as f32 * LOOK_COST <= scanned + CHOICE_COST
    }

    /// Whether the rows that WHERE leaves mostly stand in other clusters than those near the query: then nothing says which
    /// clusters hold the nearest of them. `None`: cells are not resident.
    fn are_elsewhere(&self, chosen: &[Chosen]) -> Result<Option<bool>> {
        let filtered = self.parts.iter().any(|part| part.mask.is_some() && !part.narrow);
        if !filtered || !self.have_vectors() {
            return Ok(Some(false));
        }
        let rows: u64 = self.parts.iter().map(|part| part.file.table().rows).sum();
        let share = self.relevant as f32 / (rows as f32).max(1.0);
        let sampled = sample(&self.parts, chosen)?;
        Ok(sampled.map(|(passing, all)| (passing as f32) < ELSEWHERE * share * all as f32))
    }

    fn have_vectors(&self) -> bool {
        self.files.iter().all(|file| file.encoding() != Encoding::None)
    }

    /// All rows that pass.
    fn passing(&self) -> Rows<'a> {
        Rows::Passing { files: self.files, part: 0, row: 0 }
    }

    fn compare(
        &self,
        by: (&Query, &[Yardstick]),
        rows: Rows<'_>,
        needs: &mut Needs,
    ) -> Result<Option<Vec<Near>>> {
        let found = look(by, &self.parts, rows.clone(), (self.k, self.settings.least), self.run.host.stop)?;
        if found.is_none() {
            for (part, row) in missing_rows(by, &self.parts, rows)? {
                self.files.get(part as usize).into_iter().for_each(|file| file.want_row(row, needs));
            }
        }
        Ok(found)
    }

    fn want_cells(&self, chosen: &[Chosen], needs: &mut Needs) -> Result<()> {
        for (part, cells) in missing_cells(&self.parts, chosen)? {
            self.files.get(part as usize).into_iter().for_each(|file| file.want_cells(cells.clone(), needs));
        }
        Ok(())
    }
}

/// Rows whose vectors are compared. One type, so that comparing is compiled once.
#[derive(Clone)]
enum Rows<'a> {
    /// Those that may be near by their codes.
    Ranked(Ranked),
    /// All that pass, from a row of a file on.
    Passing { files: &'a [File<'a>], part: u32, row: u32 },
}

impl Iterator for Rows<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (files, part, from) = match self {
            Self::Ranked(rows) => return rows.next(),
            Self::Passing { files, part, row } => (files, part, row),
        };
        loop {
            if let Some(row) = files.get(*part as usize)?.next_passing(*from) {
                *from = row + 1;
                return Some(Entry { part: *part, row, low: f32::NEG_INFINITY, estimate: 0.0 });
            }
            (*part, *from) = (*part + 1, 0);
        }
    }
}

/// Hands each collection its rows, nearest first, and what the search cost.
fn give(files: &[File<'_>], members: &mut [Member], found: &[Vec<Near>], micros: u64) {
    let collections: usize = files.iter().map(|file| file.members.len()).sum();
    for (part, file) in (0..).zip(files) {
        for (number, own) in file.members.iter().enumerate() {
            let lists: Vec<_> = found.iter().map(|near| own.rows_of(part, near)).gather();
            let Some(State::Asked(target)) = members.get_mut(own.place).map(|member| &mut member.state)
            else {
                continue;
            };
            target.cost.found = found_rows(&lists);
            target.cost.search_micros += micros / collections.max(1) as u64;
            target.cost.bytes += if number == 0 { file.bytes_used() } else { 0 };
            target.found = Some(Found::Nearest(lists));
        }
    }
}

fn found_rows(lists: &[Vec<(f32, u64)>]) -> u64 {
    lists.iter().map(|list| list.len() as u64).sum()
}

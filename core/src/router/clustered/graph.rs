//! Whether the graph of a file finds its nearest rows at less cost than its clusters, and finding them so.
//!
//! A graph is used where all of it and all vectors are resident: each of its steps depends on the one before. What it costs
//! and what clusters cost was measured when the file was made, in rows that are compared and slots that are scanned.

use super::{RECALL, file::File, why_not};
use crate::{
    bytes::ByteSource,
    error::{Result, SnapshotError},
    filter,
    gather::Gather as _,
    order::sort_unique,
    router::{
        Needs, Path,
        member::{Member, State},
        run::Run,
    },
    search::{
        clusters::{ClusterFile, Near, Part, Query, Yardstick},
        graph::{GraphFile, LOOK_COST, enter, walk},
    },
    snapshot::{Calibration, ClusterTable, Graph, SnapshotFile, layout::SectionKind},
};

/// How many rows are wanted, at what recall, and how many are compared at least.
type Wanted = (usize, f32, usize);

/// How far beyond the rows that are expected to hold enough matching ones a walk goes.
const SPARE: f32 = 1.5;

/// A walk is taken where clusters are foreseen to cost so many times as much: what was counted says little about a
/// processor that brings the rows of a scan before they are needed, and nothing about those of a walk.
const WORTH: f32 = 1.6;
/// How a walk is done.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// How many rows it looks for, and the recall at which clusters are read for those that it begins with.
    entry: (usize, f32),
    width: usize,
}

/// Walks the graph of a file.
pub(super) struct Walker<'a> {
    file: &'a File<'a>,
    graph: Graph,
    k: usize,
    way: Way,
}

impl<'a> Walker<'a> {
    /// For the only one of `files`; `None`: it is to be searched in another way.
    pub(super) fn new(run: &Run<'_>, files: &'a [File<'a>], wanted: Wanted) -> Result<Option<Self>> {
        let [file] = files else { return Ok(None) };
        let (snapshot, source) = file.snapshot();
        let Some(graph) = file.named(open(run, snapshot, source))? else { return Ok(None) };
        let way = way(run.path, &graph, file.table(), file.relevant, wanted);
        Ok(way.map(|way| Self { file, graph, k: wanted.0, way }))
    }

    /// The nearest rows, as [`look`](crate::search::clusters::look) gives them; `None`: too few of them match.
    pub(super) fn nearest(
        &self,
        (query, by): (&Query, &[Yardstick]),
        part: &Part<'_>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Vec<Near>>> {
        let [Yardstick::Vectors(measure)] = by else { return Ok(None) };
        let Some(entries) = enter(query, part, self.way.entry, stop)? else { return Ok(None) };
        let Some(walked) = walk(self, measure, &entries.rows, self.way.width, stop)? else { return Ok(None) };
        let matching = walked.rows.into_iter().filter(|(_, row)| self.file.next_passing(*row) == Some(*row));
        let mut near: Vec<Near> = matching.map(|(distance, row)| Near { distance, part: 0, row }).gather();
        if (near.len() as u64) < part.relevant.min(self.k as u64) {
            return Ok(None);
        }
        if let Some(last) = self.k.checked_sub(1).and_then(|place| near.get(place)).map(|near| near.distance)
        {
            near.retain(|near| near.distance <= last);
        }
        Ok(Some(near))
    }
}

impl GraphFile for Walker<'_> {
    fn links(&self, row: u32) -> Result<Option<&[[u8; 4]]>> {
        let (_, source) = self.file.snapshot();
        self.file.named(self.graph.links(source, row))
    }

    fn vector(&self, row: u32) -> Result<Option<&[u8]>> {
        self.file.vector(row)
    }
}

/// The graph of a file of which it and all vectors are resident.
fn open(run: &Run<'_>, file: &SnapshotFile, source: &dyn ByteSource) -> Result<Option<Graph>, SnapshotError> {
    let vectors = file.head().section(SectionKind::Vectors);
    let resident = vectors.is_some_and(|section| source.get(section.range).is_some());
    if !resident || run.path == Path::Clusters { Ok(None) } else { Graph::open(file, source) }
}

/// How to find the wanted rows of `relevant` ones; `None`: another way costs less, or the graph does not go so far.
fn way(
    path: Path,
    graph: &Graph,
    table: &ClusterTable,
    relevant: u64,
    (k, recall, least): Wanted,
) -> Option<Way> {
    // About so many of the nearest rows hold `k` of the relevant ones.
    let expected = k as f32 * table.rows as f32 / (relevant as f32).max(1.0);
    let depth = if relevant < table.rows { SPARE * expected } else { expected };
    let measured = depth <= Calibration::DEPTHS[2] && recall <= Calibration::RECALLS[3];
    if least > 0 || !measured {
        return None;
    }
    let foreseen = graph.cost().at(depth, recall);
    // Clusters read for all of these rows, but compare only those that match: about as for so many rows without a filter.
    let others = graph.cost().at(k as f32, recall).clusters.min(relevant as f32 * LOOK_COST);
    (foreseen.walk * WORTH < others || path == Path::Graph).then_some(Way {
        entry: (depth.max(1.0) as usize, foreseen.entry),
        width: foreseen.width.min(table.rows as f32).max(1.0) as usize,
    })
}

/// Notes of the collections that were searched whether it was by the graph.
pub(super) fn note(members: &mut [Member], group: &[usize], by_graph: bool) {
    for place in group {
        if let Some(State::Asked(target)) = members.get_mut(*place).map(|member| &mut member.state) {
            target.by_graph = by_graph;
        }
    }
}

/// Notes of the collections that would be searched by a graph that they would be, for EXPLAIN.
pub(in crate::router) fn foresee(run: &Run<'_>, members: &mut [Member]) {
    let mut spaces = members.iter().map(|member| member.space).gather::<Vec<usize>>();
    sort_unique(&mut spaces);
    for space in spaces {
        let places =
            (0..).zip(members.iter()).filter(|(_, member)| member.space == space && walks(run, member));
        let group: Vec<usize> = places.map(|(place, _)| place).gather();
        // What cannot be opened is told by who opens it.
        let by_graph = expected(run, members, &group).ok().flatten().is_some();
        note(members, &group, by_graph);
    }
}

/// Whether the collection is one of those that clusters or a graph search.
fn walks(run: &Run<'_>, member: &Member) -> bool {
    let entry = run.catalog.index().collections.get(member.place).filter(|_| run.plan.is_search());
    matches!(member.state, State::Asked(_))
        && entry.is_some_and(|entry| why_not(run.catalog, run.plan, run.shape, entry).is_none())
}

/// The walk over the file of these collections, as far as statistics tell how many rows match.
fn expected(run: &Run<'_>, members: &[Member], group: &[usize]) -> Result<Option<Way>> {
    let places: Vec<usize> = group.iter().filter_map(|place| Some(members.get(*place)?.place)).gather();
    let (Some(first), mut needs) = (places.first().copied(), Needs::default()) else { return Ok(None) };
    let number = run.catalog.collection_file(first);
    if places.iter().any(|place| run.catalog.collection_file(*place) != number) {
        return Ok(None);
    }
    let Some(clusters) = run.catalog.clusters(first, run.sources, &mut needs)? else { return Ok(None) };
    let Some(collection) = run.catalog.collection(first, run.sources, &mut needs)? else { return Ok(None) };
    let Some(graph) = open(run, collection.file(), run.catalog.file(number, run.sources)?)? else {
        return Ok(None);
    };
    let entries = places.iter().filter_map(|place| run.catalog.index().collections.get(*place));
    let share =
        |statistics| run.plan.filter.as_ref().map_or(1.0, |filter| filter::estimate(filter, statistics));
    let relevant: f64 = entries.map(|entry| entry.statistics.rows as f64 * share(&entry.statistics)).sum();
    let recall = run.plan.recall.unwrap_or(RECALL) as f32;
    let least = run.plan.candidates.map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let wanted = (run.shape.fetch(run.plan), recall, least);
    Ok(way(run.path, &graph, clusters.table(), relevant as u64, wanted))
}

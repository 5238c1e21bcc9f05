//! Measuring how wide searches of a graph are for a recall, and what they cost: as for clusters, with the same questions.
//!
//! Costs are counted, in slots that are scanned and rows that are compared, never timed: the same rows give the same file.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    cluster::{Built, Parallel, Question, map, question},
    error::Result,
    quant::Rotation,
    search::{
        clusters::{ClusterFile, Part, Settings, Yardstick, choose, look, scan},
        graph::{GraphFile, LOOK_COST, Walked, enter, walk},
    },
    snapshot::{Calibration, ClusterTable, GraphCost},
};

/// How many questions are asked for each of [`Calibration::DEPTHS`].
const QUESTIONS: [usize; 3] = [256, 96, 32];
/// The widest search that is tried, as a multiple of how many rows are wanted, and beside that.
const WIDEST: (f32, f32) = (8.0, 512.0);
/// A search begins with what clusters alone would find with so many times the misses that are allowed: of these what costs
/// least.
const MISSES: [f32; 3] = [4.0, 2.0, 1.25];
/// What a row costs that a scan finds to be perhaps among the nearest, in slots: it is put in order among the others.
const OFFER_COST: f32 = 8.0;
/// What a walk costs beside the slots and the rows, in slots: measured as the time that neither explains.
const WALK_COST: f32 = 2500.0;
/// Halvings of the range in which the width is looked for.
const HALVINGS: usize = 7;

/// A graph that is not a file yet.
struct Linked<'a> {
    file: &'a Built<'a>,
    links: Vec<[u8; 4]>,
    degree: usize,
}

impl GraphFile for Linked<'_> {
    fn links(&self, row: u32) -> Result<Option<&[[u8; 4]]>> {
        let first = row as usize * self.degree;
        Ok(self.links.get(first..first + self.degree))
    }

    fn vector(&self, row: u32) -> Result<Option<&[u8]>> {
        ClusterFile::vector(self.file, row)
    }
}

/// What searches of the graph cost.
pub(super) fn calibrate(
    file: &Built<'_>,
    links: &[Vec<u32>],
    degree: usize,
    parallel: &dyn Parallel,
) -> GraphCost {
    let rotation = Rotation::new(file.dimension());
    let graph =
        Linked { file, links: links.iter().flatten().map(|link| link.to_le_bytes()).collect(), degree };
    let asked = map(parallel, QUESTIONS[0].min(file.rows()), &|number| question(file, &rotation, number));
    let questions: Vec<Question> = asked.into_iter().flatten().collect();
    let mut cost = GraphCost::default();
    for (place, depth) in Calibration::DEPTHS.iter().enumerate() {
        for (column, recall) in Calibration::RECALLS.iter().enumerate() {
            let some = &questions[..QUESTIONS[place].min(questions.len())];
            let found = cheapest(&graph, some, *depth, *recall, parallel);
            cost.entry.clusters[place][column] = found.entry;
            cost.width.clusters[place][column] = found.width;
            cost.walk.clusters[place][column] = found.cost;
            cost.clusters.clusters[place][column] =
                by_clusters(file, some, (*depth as usize, *recall), parallel);
        }
    }
    cost
}

/// A way to search.
struct Way {
    entry: f32,
    width: f32,
    cost: f32,
    recall: f32,
}

/// The way that keeps the recall at the least cost; if none does, the one that comes nearest to it.
fn cheapest(
    graph: &Linked<'_>,
    questions: &[Question],
    depth: f32,
    recall: f32,
    parallel: &dyn Parallel,
) -> Way {
    let entries = MISSES.map(|misses| (1.0 - misses * (1.0 - recall)).max(0.0));
    let ways = entries.map(|entry| least(graph, questions, (depth, recall), entry, parallel));
    let key = |way: &Way| match way.recall < recall {
        true => (true, 1.0 - way.recall),
        false => (false, way.cost),
    };
    let order = |a: &Way, b: &Way| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    let [first, second, third] = ways;
    let best = if order(&second, &first).is_lt() { second } else { first };
    if order(&third, &best).is_lt() { third } else { best }
}

/// The least width that keeps the recall with that entry, or the widest.
fn least(
    graph: &Linked<'_>,
    questions: &[Question],
    (depth, recall): (f32, f32),
    entry: f32,
    parallel: &dyn Parallel,
) -> Way {
    let at = |width: f32| {
        let asked = map(parallel, questions.len(), &|place| {
            let wanted = (depth as usize, entry);
            questions.get(place).map_or((1.0, 0.0), |question| ask(graph, question, width, wanted))
        });
        let count = asked.len().max(1) as f32;
        let sum = asked.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (sum.0 / count, sum.1 / count)
    };
    let (mut low, mut high) = (depth, WIDEST.0 * depth + WIDEST.1);
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if at(middle).0 < recall { low = middle } else { high = middle }
    }
    let (kept, cost) = at(high);
    Way { entry, width: high, cost: cost.max(1.0), recall: kept }
}

/// The share of the true nearest rows that a search finds, and what it costs.
fn ask(graph: &Linked<'_>, question: &Question, width: f32, wanted: (usize, f32)) -> (f32, f32) {
    let depth = wanted.0.min(question.nearest.len());
    let Some(last) = depth.checked_sub(1).and_then(|place| question.nearest.get(place)) else {
        return (1.0, 0.0);
    };
    let part = Part { file: graph.file, mask: None, relevant: graph.file.rows() as u64, narrow: false };
    let Yardstick::Vectors(measure) = &question.yardstick else { return (1.0, 0.0) };
    let entries = enter(&question.query, &part, wanted, &|| false).ok().flatten().unwrap_or_default();
    let Ok(Some(Walked { rows, looks })) = walk(graph, measure, &entries.rows, width as usize, &|| false)
    else {
        return (0.0, 0.0);
    };
    let found = rows.iter().filter(|(distance, _)| distance <= last).count().min(depth);
    (found as f32 / depth as f32, WALK_COST + entries.slots as f32 + LOOK_COST * looks as f32)
}

/// Clusters that count the rows whose vectors are asked for.
struct Counting<'a> {
    file: &'a Built<'a>,
    looks: AtomicUsize,
}

impl ClusterFile for Counting<'_> {
    fn table(&self) -> &ClusterTable {
        self.file.table()
    }

    fn cells(&self, cells: Range<u32>) -> Result<Option<&[u8]>> {
        self.file.cells(cells)
    }

    fn stride(&self) -> usize {
        self.file.stride()
    }

    fn vector(&self, row: u32) -> Result<Option<&[u8]>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        ClusterFile::vector(self.file, row)
    }

    fn extended(&self, row: u32) -> Result<Option<&[u8]>> {
        self.file.extended(row)
    }

    fn wanted_slots(&self, cluster: u32) -> &[Range<u32>] {
        self.file.wanted_slots(cluster)
    }
}

/// What searches by clusters cost on average.
fn by_clusters(
    file: &Built<'_>,
    questions: &[Question],
    wanted: (usize, f32),
    parallel: &dyn Parallel,
) -> f32 {
    let costs = map(parallel, questions.len(), &|place| {
        questions.get(place).map_or(0.0, |question| scan_cost(file, question, wanted))
    });
    (costs.iter().sum::<f32>() / costs.len().max(1) as f32).max(1.0)
}

fn scan_cost(file: &Built<'_>, question: &Question, (k, recall): (usize, f32)) -> f32 {
    let counting = Counting { file, looks: AtomicUsize::new(0) };
    let parts = [Part { file: &counting, mask: None, relevant: file.rows() as u64, narrow: false }];
    let (settings, stop) = (Settings::new(k, recall), || false);
    let chosen = choose(&question.query, &parts, k, recall);
    let slots: u32 = chosen.iter().map(|chosen| parts[0].slots(chosen.cluster)).sum();
    let mut offered = 0;
    if let Ok(Some(found)) = scan(&question.query, &parts, &chosen, (k, settings.bound), &stop) {
        offered = found.len();
        let by = std::slice::from_ref(&question.yardstick);
        // All is in memory, and what is found was counted.
        drop(look((&question.query, by), &parts, found.into_rows(settings.looks), (k, 0), &stop));
    }
    slots as f32 + OFFER_COST * offered as f32 + LOOK_COST * counting.looks.into_inner() as f32
}

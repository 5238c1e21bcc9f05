//! Measuring how many clusters searches of a file need for a recall.
//!
//! Nobody knows the questions when a file is made. Points between two of its rows, nearer to one of them, behave like real
//! questions: they lie between the regions of the data, as questions do, and need as many clusters, where rows themselves
//! and rows with noise need half as many. What is measured is the search that readers run.

use std::ops::Range;

use super::{
    Parallel, Vectors,
    jobs::{map, part},
};
use crate::{
    error::Result,
    metric::{Encoding, Metric, decode_row, encode_row},
    quant::Rotation,
    search::{
        Measure, Top,
        clusters::{ClusterFile, Part, Query, Settings, Yardstick, choose, look, scan},
    },
    snapshot::{Calibration, ClusterTable},
};

/// How many questions are asked for each of [`Calibration::DEPTHS`].
const QUESTIONS: [usize; 3] = [256, 96, 32];
/// How much of a second row is mixed into a question.
const MIXED: f32 = 0.6;
/// Rows that one job encodes.
const PART: usize = 1024;
/// Halvings of the range in which the number of clusters is looked for.
const HALVINGS: usize = 7;

/// A file whose sections are in memory, before it is a file.
pub(crate) struct Built<'a> {
    table: ClusterTable,
    cells: &'a [u8],
    cell_bytes: usize,
    metric: Metric,
    /// The rows in the bytes of [`Encoding::I8`].
    vectors: Vec<u8>,
    row_bytes: usize,
    dimension: usize,
}

impl<'a> Built<'a> {
    /// `cells` of `table`, and the rows that they are codes of.
    pub(crate) fn new(
        table: ClusterTable,
        (cells, cell_bytes): (&'a [u8], usize),
        rows: &dyn Vectors,
        (dimension, metric): (usize, Metric),
        parallel: &dyn Parallel,
    ) -> Self {
        let count = table.rows as usize;
        let encode = |job: usize| {
            let (mut bytes, mut vector) = (Vec::new(), vec![0.0; dimension]);
            for row in part(job, PART, count) {
                rows.read(row, &mut vector);
                // A row that cannot be encoded was refused when the clusters were built.
                drop(encode_row(&vector, metric, Encoding::I8, &mut bytes));
            }
            bytes
        };
        let row_bytes = Encoding::I8.row_bytes(dimension);
        let vectors = map(parallel, count.div_ceil(PART), &encode).concat();
        Self { table, cells, cell_bytes, metric, vectors, row_bytes, dimension }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.table.rows as usize
    }

    /// How many components each has.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// How they are compared.
    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// The bytes of a row's vector; none of one that is not there.
    pub(crate) fn vector_of(&self, row: usize) -> &[u8] {
        self.vectors.get(row * self.row_bytes..(row + 1) * self.row_bytes).unwrap_or_default()
    }
}

impl ClusterFile for Built<'_> {
    fn table(&self) -> &ClusterTable {
        &self.table
    }

    fn cells(&self, cells: Range<u32>) -> Result<Option<&[u8]>> {
        let at = |cell: u32| cell as usize * self.cell_bytes;
        Ok(self.cells.get(at(cells.start)..at(cells.end)))
    }

    fn stride(&self) -> usize {
        self.cell_bytes
    }

    fn vector(&self, row: u32) -> Result<Option<&[u8]>> {
        Ok(Some(self.vector_of(row as usize)))
    }

    fn extended(&self, _row: u32) -> Result<Option<&[u8]>> {
        Ok(None)
    }

    fn wanted_slots(&self, _cluster: u32) -> &[Range<u32>] {
        &[]
    }
}

/// A question with what it needs to be asked and its true nearest distances.
pub(crate) struct Question {
    pub(crate) query: Query,
    pub(crate) yardstick: Yardstick,
    /// Ascending, as many as the greatest depth.
    pub(crate) nearest: Vec<f32>,
}

/// The numbers of clusters that searches of `file` need.
pub(super) fn calibrate(file: &mut Built<'_>, parallel: &dyn Parallel) -> Calibration {
    if file.table.count() < 2 {
        return Calibration::default();
    }
    let (rows, rotation) = (file.table.rows as usize, Rotation::new(file.dimension));
    let asked = map(parallel, QUESTIONS[0].min(rows), &|number| question(file, &rotation, number));
    let questions: Vec<Question> = asked.into_iter().flatten().collect();
    let mut found = Calibration::default();
    for (place, depth) in Calibration::DEPTHS.iter().enumerate() {
        for (column, recall) in Calibration::RECALLS.iter().enumerate() {
            let some = &questions[..QUESTIONS[place].min(questions.len())];
            let clusters = least(file, some, *depth as usize, *recall, parallel);
            found.clusters[place][column] = clusters;
        }
    }
    found
}

/// A point between two rows that a hash picks.
pub(crate) fn question(file: &Built<'_>, rotation: &Rotation, number: usize) -> Option<Question> {
    let pick = |salt: u64| (hash(number as u64 * 2 + salt) % file.rows().max(1) as u64) as usize;
    let decode = |row: usize| decode_row(file.vector_of(row), Encoding::I8, file.dimension());
    let (near, far) = (decode(pick(0)), decode(pick(1)));
    let vector: Vec<f32> = near.iter().zip(&far).map(|(a, b)| (a + MIXED * b) / (1.0 + MIXED)).collect();
    let query = Query::new(file.metric(), rotation, &vector);
    let measure = Measure::new(file.metric(), file.metric(), Encoding::I8, &vector)?;
    let mut top = Top::new(Calibration::DEPTHS[2] as usize);
    let rows = file.vectors.chunks_exact(file.row_bytes);
    (0..).zip(rows).for_each(|(row, bytes)| top.push(measure.distance(bytes), row));
    let nearest = top.into_sorted().into_iter().map(|(distance, _)| distance).collect();
    Some(Question { query, yardstick: Yardstick::Vectors(measure), nearest })
}

/// The least number of clusters, of questions of middling difficulty, that keeps the recall.
fn least(
    file: &mut Built<'_>,
    questions: &[Question],
    depth: usize,
    recall: f32,
    parallel: &dyn Parallel,
) -> f32 {
    let all = file.table.count() as f32;
    let (mut low, mut high) = (1.0_f32, all);
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        file.table.calibration = Calibration { clusters: [[middle; 4]; 3] };
        let found = map(parallel, questions.len(), &|place| {
            questions.get(place).map_or(1.0, |question| recall_of(file, question, depth, recall))
        });
        let mean = found.iter().sum::<f32>() / found.len().max(1) as f32;
        if mean < recall { low = middle } else { high = middle }
    }
    high
}

/// The share of the true nearest rows that a search finds; of rows as far as the last one any will do.
fn recall_of(file: &Built<'_>, question: &Question, depth: usize, recall: f32) -> f32 {
    let depth = depth.min(question.nearest.len());
    let Some(last) = depth.checked_sub(1).and_then(|place| question.nearest.get(place)) else { return 1.0 };
    let settings = Settings::new(depth, recall);
    let parts = [Part { file, mask: None, relevant: file.table.rows, narrow: false }];
    let chosen = choose(&question.query, &parts, depth, recall);
    let scanned = scan(&question.query, &parts, &chosen, (depth, settings.bound), &|| false);
    let Ok(Some(candidates)) = scanned else { return 0.0 };
    let rows = candidates.into_rows(settings.looks);
    let Ok(Some(near)) =
        look((&question.query, std::slice::from_ref(&question.yardstick)), &parts, rows, (depth, 0), &|| {
            false
        })
    else {
        return 0.0;
    };
    let found = near.iter().filter(|near| near.distance <= *last).count().min(depth);
    found as f32 / depth as f32
}

/// splitmix64: a number that looks random and is the same everywhere.
fn hash(number: u64) -> u64 {
    let mut h = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x706f_7274_6f6c_616e);
    h = (h ^ h >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ h >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ h >> 31
}

//! Bytes: the files are read by ranges, as a browser reads them, and every wave, range and byte is counted.
//!
//! The same engine reads the same bytes as over HTTP: it asks for ranges, they are copied from the file, and it checks each
//! against its checksum. What HTTP itself adds (headers, compression of `release.json`) is not counted.

use std::sync::Arc;

use portolan::{
    bytes::RangeCache,
    router::{Catalog, Fanout, FileRange, ResultSet, Sources, Step},
};

use super::{
    engine::{Answer, Engine, Setting, Statements},
    files::Opened,
    questions::Questions,
    records::{Records, Truth},
    report::Report,
};
use crate::outcome::{Failure, Outcome};

/// What a question cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// How often the reader had to wait for bytes.
    pub waves: u64,
    /// How many ranges were asked for.
    pub ranges: u64,
    /// Bytes of `release.json`.
    pub description: u64,
    /// Bytes of the heads file.
    pub heads: u64,
    /// Bytes of the files of collections.
    pub snapshots: u64,
    /// Bytes of embedders.
    pub embedders: u64,
}

impl Cost {
    pub fn bytes(&self) -> u64 {
        self.description + self.heads + self.snapshots + self.embedders
    }
}

/// A visitor: what has arrived so far.
struct Visit<'o> {
    opened: &'o Opened,
    catalog: Arc<Catalog>,
    files: Vec<RangeCache>,
    described: bool,
}

impl<'o> Visit<'o> {
    fn new(opened: &'o Opened) -> Self {
        let files = opened.index().files().map(|file| RangeCache::new(file.bytes)).collect();
        Self {
            opened,
            catalog: Arc::new(opened.catalog.fresh()),
            files,
            described: opened.description_bytes == 0,
        }
    }

    fn ask(&mut self, fanout: Fanout) -> Result<(ResultSet, Cost), Failure> {
        let (mut fanout, mut cost) = (fanout, Cost::default());
        if !self.described {
            cost = Cost { waves: 1, ranges: 1, description: self.opened.description_bytes, ..cost };
            self.described = true;
        }
        loop {
            match fanout.step(&self.files)? {
                Step::Done(result) => return Ok((result, cost)),
                Step::Need(ranges) => {
                    cost.waves += 1;
                    cost.ranges += ranges.len() as u64;
                    ranges.into_iter().try_for_each(|range| self.fetch(range, &mut cost))?;
                }
            }
        }
    }

    fn fetch(&mut self, FileRange { file, range }: FileRange, cost: &mut Cost) -> Result<(), Failure> {
        let source = self.opened.files.file(file).and_then(|source| source.get(range));
        let (Some(bytes), Some(cache)) = (source, self.files.get_mut(file)) else {
            return Err(Failure::wrong_use("a range lies outside of its file"));
        };
        cache.insert(range.start, bytes.to_vec());
        let snapshots = self.opened.index().snapshots.len();
        let count = match file {
            0 => &mut cost.heads,
            file if file <= snapshots => &mut cost.snapshots,
            _ => &mut cost.embedders,
        };
        *count += range.len();
        Ok(())
    }
}

/// Lets a visitor come for each question, who asks it and then the next one.
pub fn measure(
    opened: &Opened,
    statements: &Statements<'_>,
    records: &Records,
    questions: &Questions,
    truth: &Truth,
    settings: &[Setting],
    report: &mut Report,
) -> Result<Outcome, Failure> {
    let mut same = true;
    for setting in settings {
        let (mut cold, mut later, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..questions.len() {
            let mut visit = Visit::new(opened);
            let catalog = visit.catalog.clone();
            let start = |number| -> Result<Fanout, Failure> {
                Ok(Fanout::new(catalog.clone(), statements.plan(questions, number, *setting)?)?)
            };
            let (found, cost) = visit.ask(start(number)?)?;
            let Answer::Rows(whole) = statements.ask(questions, number, *setting)?;
            same &= whole.rows == found.rows;
            cold.push(cost);
            later.push(visit.ask(start((number + 1) % questions.len())?)?.1);
            answers.push(Answer::Rows(found));
        }
        let recall = truth.recall(&records.numbers(&answers)?);
        report.ranges(*setting, "cold", recall, &cold);
        report.ranges(*setting, "later", recall, &later);
    }
    report.finish();
    if !same {
        eprintln!("ranges and whole files gave different rows: please report it");
        return Ok(Outcome::CheckFailed);
    }
    Ok(Outcome::Done)
}

//! Bytes: the files are read by ranges, as a browser reads them, and every wave, range and byte is counted.
//!
//! The same engine reads the same bytes as over HTTP: it asks for ranges, they are copied from the file, and it checks each
//! against its checksum. What HTTP itself adds (headers, compression of `release.json`) is not counted.

use std::{collections::BTreeMap, sync::Arc};

use portolan::{
    bytes::{ByteRange, RangeCache},
    router::{Catalog, Fanout, FileRange, ResultSet, Sources, Step},
    snapshot::Head,
};

use super::{
    engine::{Answer, Setting, Statements},
    files::Opened,
    questions::Questions,
    records::{Records, Truth},
    report::Report,
};
use crate::outcome::{Failure, Outcome};

/// What a question cost.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// How often the reader had to wait for bytes.
    pub waves: u64,
    /// How many ranges were asked for.
    pub ranges: u64,
    /// Bytes by what they are: `release.json`, `heads`, and the sections of files.
    pub parts: BTreeMap<String, u64>,
}

impl Cost {
    /// All bytes.
    pub fn bytes(&self) -> u64 {
        self.parts.values().sum()
    }

    fn add(&mut self, part: &str, bytes: u64) {
        if bytes > 0 {
            *self.parts.entry(part.to_owned()).or_default() += bytes;
        }
    }
}

/// What the bytes of each file are.
struct Map(Vec<Vec<(ByteRange, String)>>);

impl Map {
    fn of(opened: &Opened) -> Result<Self, Failure> {
        let index = opened.index();
        let parts = |(number, file): (usize, &portolan::release::ReleaseFile)| {
            let whole = ByteRange::at(0, file.bytes);
            let bytes = opened.files.file(number).and_then(|source| source.get(whole));
            let (Some(bytes), true) = (bytes, number > 0) else { return Ok(vec![(whole, "heads".into())]) };
            let of = if number <= index.snapshots.len() { "" } else { "embedder " };
            let head = Head::parse(bytes, file.bytes).map_err(portolan::Error::from)?;
            let sections =
                head.sections().map(|section| (section.range, format!("{of}{}", section.kind.name())));
            let before = (ByteRange::at(0, head.header().head_bytes), format!("{of}head"));
            Ok(std::iter::once(before).chain(sections).collect())
        };
        index.files().enumerate().map(parts).collect::<Result<_, Failure>>().map(Self)
    }

    /// Counts a range of a file, part by part.
    fn count(&self, file: usize, range: ByteRange, cost: &mut Cost) {
        let mut left = range.len();
        for (part, name) in self.0.get(file).into_iter().flatten() {
            let common = ByteRange { start: part.start.max(range.start), end: part.end.min(range.end) };
            cost.add(name, common.len());
            left = left.saturating_sub(common.len());
        }
        cost.add("padding", left);
    }
}

/// A visitor: what has arrived so far.
struct Visit<'o> {
    opened: &'o Opened,
    map: &'o Map,
    catalog: Arc<Catalog>,
    files: Vec<RangeCache>,
    described: bool,
}

impl<'o> Visit<'o> {
    fn new(opened: &'o Opened, map: &'o Map) -> Self {
        let files = opened.index().files().map(|file| RangeCache::new(file.bytes)).collect();
        let described = opened.description_bytes == 0;
        Self { opened, map, catalog: Arc::new(opened.catalog.fresh()), files, described }
    }

    fn ask(&mut self, fanout: Fanout) -> Result<(ResultSet, Cost), Failure> {
        let (mut fanout, mut cost) = (fanout, Cost::default());
        if !self.described {
            (cost.waves, cost.ranges, self.described) = (1, 1, true);
            cost.add("release.json", self.opened.description_bytes);
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
        self.map.count(file, range, cost);
        Ok(())
    }
}

/// Lets a visitor come for each question, who asks it and then the next one.
pub fn measure(
    (opened, statements): (&Opened, &Statements<'_>),
    (records, truth): (&Records, &Truth),
    questions: &Questions,
    settings: &[Setting],
    report: &mut Report,
) -> Result<Outcome, Failure> {
    let (mut same, map) = (true, Map::of(opened)?);
    for setting in settings {
        let (mut cold, mut later, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..questions.len() {
            let mut visit = Visit::new(opened, &map);
            let catalog = visit.catalog.clone();
            let start = |number| -> Result<Fanout, Failure> {
                Ok(Fanout::new(catalog.clone(), statements.plan(questions, number, *setting)?)?)
            };
            let (found, cost) = visit.ask(start(number)?)?;
            let whole = statements.rows(questions, number, *setting)?;
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

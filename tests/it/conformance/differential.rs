//! Random statements about random collections, against the oracle.
//!
//! The cases of the suite say what somebody thought of; here every clause meets every other. Seeds are fixed. A failure
//! names its seed and its question: both come again with the same numbers.

use std::sync::Arc;

use portolan::{
    bytes::{RangeCache, Resident},
    error::Error,
    metric::Encoding,
    plan::Plan,
    query::Params,
    release::ReleaseBuilder,
    router::{Catalog, Fanout, FileRange, Host, Options, Outcome, ResultSet, Step},
    snapshot::write_collection,
};
use serde_json::Value as Json;

use super::{
    compare::{Integers, neutral},
    data::World,
    draw::Questions,
    engine::joined,
    oracle::Oracle,
    question::Question,
    random::Dice,
};

const WORLDS: u64 = 20;
const QUESTIONS: usize = 40;
/// Every so many questions are also asked over files of which nothing is there at first.
const BY_WAVES: usize = 5;
/// No statement takes more round trips.
const MOST_WAVES: u32 = 3;

/// A world as files in memory.
struct Release {
    catalog: Arc<Catalog>,
    files: Vec<Vec<u8>>,
}

impl Release {
    fn new(world: &World) -> Self {
        let (mut release, mut files) = (ReleaseBuilder::new(), Vec::new());
        for one in &world.collections {
            let file = write_collection(&one.schema(), Encoding::F32, one.stored_records()).unwrap();
            release.add_collection(&format!("{}.portolan", one.name), &file).unwrap();
            files.push(file);
        }
        let built = release.finish().unwrap();
        files.insert(0, built.heads);
        Self { catalog: Arc::new(Catalog::open(&built.json).unwrap()), files }
    }

    fn fanout(&self, sql: &str, params: &Json) -> Result<Fanout, Error> {
        let params = Params::from_json(&params.to_string()).expect("the parameters of a question");
        Fanout::with(Arc::clone(&self.catalog), Plan::parse_with(sql, &params)?, Options::default())
    }

    fn ask(&self, sql: &str, params: &Json) -> Result<ResultSet, Error> {
        let sources: Vec<_> = self.files.iter().map(|file| Resident(file.as_slice())).collect();
        self.fanout(sql, params)?.run(&sources)
    }

    /// The same, bringing only the bytes that are asked for.
    fn ask_by_waves(&self, sql: &str, params: &Json) -> Result<ResultSet, Error> {
        let mut caches: Vec<_> = self.files.iter().map(|file| RangeCache::new(file.len() as u64)).collect();
        let mut fanout = self.fanout(sql, params)?;
        loop {
            match fanout.step_with(&caches, &Host::ALONE)? {
                Step::Done(result) => return Ok(result),
                Step::Need(ranges) => {
                    for FileRange { file, range } in ranges {
                        let bytes = &self.files[file][range.start as usize..range.end as usize];
                        caches[file].insert(range.start, bytes.to_vec());
                    }
                }
            }
        }
    }
}

/// What has been asked.
#[derive(Default)]
struct Tally {
    decided: usize,
    undecided: usize,
    with_rows: usize,
}

/// What is wrong with the answer to a question, if anything.
fn wrong(
    world: &World,
    release: &Release,
    question: &Question,
    waves: bool,
    tally: &mut Tally,
) -> Option<String> {
    let (sql, params) = question.sql();
    let got = match release.ask(&sql, &params) {
        Ok(got) => got,
        Err(error) => return Some(format!("error {}: {error}", error.code())),
    };
    if waves {
        let by_waves = release.ask_by_waves(&sql, &params).expect("what was answered before");
        if by_waves.waves > MOST_WAVES {
            return Some(format!("{} waves", by_waves.waves));
        }
        if costless(by_waves) != costless(got.clone()) {
            return Some("another answer by waves".into());
        }
    }
    tally.with_rows += usize::from(!got.rows.is_empty());
    let Ok(expected) = Oracle::new(world, &question.ask()).answer() else {
        tally.undecided += 1;
        return None;
    };
    tally.decided += 1;
    Integers::Exact.difference(&neutral(&expected), &neutral(&joined(&[got])))
}

/// The answer without what it cost: a whole file has its ids at hand, ranges bring them with the records.
fn costless(mut answer: ResultSet) -> ResultSet {
    answer.waves = 0;
    for report in &mut answer.collections {
        if let Outcome::Asked { bytes, .. } = &mut report.outcome {
            *bytes = 0;
        }
    }
    answer
}

#[test]
fn random_statements_are_answered_as_the_oracle_answers_them() {
    let mut tally = Tally::default();
    for seed in 0..WORLDS {
        let mut dice = Dice::new(seed);
        let world = if seed == 0 { World::load() } else { World::random(&mut dice, 130) };
        let release = Release::new(&world);
        let mut questions = Questions { world: &world, dice };
        for number in 0..QUESTIONS {
            let question = questions.draw();
            if let Some(wrong) = wrong(&world, &release, &question, number % BY_WAVES == 0, &mut tally) {
                let (sql, params) = question.sql();
                panic!("seed {seed}, question {number}: {sql}\n{params}\n{}\n{wrong}", question.ask());
            }
        }
    }
    let Tally { decided, undecided, with_rows } = tally;
    assert!(undecided * 20 < decided, "{undecided} of {decided} questions cannot be decided");
    assert!(with_rows * 2 > decided, "only {with_rows} of {decided} answers have rows");
}

//! Collections that cannot be searched: they fail the statement, or only themselves.

use super::world::{World, names};
use crate::{
    Error,
    bytes::{ByteSource, RangeCache, Resident},
    plan::Plan,
    router::{Fanout, FileRange, Host, Options, Outcome, ResultSet, Sources, Step},
};

const SEARCH: &str = "SELECT id, document FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 30";
const STATEMENTS: [&str; 4] = [
    SEARCH,
    "SELECT id, document FROM * WHERE metadata.size > -2 ORDER BY metadata.size LIMIT 40",
    "SELECT metadata.kind, MIN(document), COUNT(*) FROM * GROUP BY metadata.kind",
    "SELECT id, document FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) RERANK BY MMR",
];

fn lenient() -> Options {
    Options { strict: false, ..Options::default() }
}

/// The files of a release, one of them another one or missing.
struct Broken<'w> {
    files: Vec<Option<Resident<&'w [u8]>>>,
}

impl Sources for Broken<'_> {
    fn file(&self, number: usize) -> Option<&dyn ByteSource> {
        self.files.get(number)?.as_ref().map(|file| file as &dyn ByteSource)
    }
}

fn ask(world: &World, sources: &dyn Sources, sql: &str, options: Options) -> crate::Result<ResultSet> {
    Fanout::with(world.catalog(), Plan::parse(sql)?, options)?.run(sources)
}

fn failed(result: &ResultSet) -> Vec<(&str, u32, &str)> {
    let failure = |report: &'_ crate::router::CollectionReport| match &report.outcome {
        Outcome::Failed { code, .. } => Some(*code),
        _ => None,
    };
    result
        .collections
        .iter()
        .filter_map(|report| {
            let Outcome::Failed { message, .. } = &report.outcome else { return None };
            Some((report.name.as_str(), failure(report)?, message.as_str()))
        })
        .collect()
}

/// Without a collection the answer is that of the others, whatever is wrong with it and wherever that comes out.
#[test]
fn one_broken_collection_fails_alone_unless_strict() {
    let world = World::new();
    let barn = world.files[2].clone();
    let mut damaged = Vec::new();
    // Places in all sections: columns, ids, vectors, payload.
    for tenth in 3..10 {
        let mut file = barn.clone();
        for byte in file.iter_mut().skip(barn.len() * tenth / 10).step_by(200).take(40) {
            *byte ^= 0x40;
        }
        damaged.push(file);
    }
    let short = &barn[..barn.len() - 1];
    let broken = damaged.iter().map(|file| Some(file.as_slice())).chain([Some(short), None]);
    let mut failures = 0;
    for (case, file) in broken.enumerate() {
        let mut files: Vec<_> = world.files.iter().map(|file| Some(Resident(file.as_slice()))).collect();
        files[2] = file.map(Resident);
        let sources = Broken { files };
        for sql in STATEMENTS {
            let Err(error) = ask(&world, &sources, sql, Options::default()) else { continue };
            failures += 1;
            assert!(error.to_string().contains("barn.portolan"), "{error}");
            let result = ask(&world, &sources, sql, lenient()).unwrap();
            let others = world.ask(&sql.replace("FROM *", "FROM ark, cage, den"));
            assert_eq!(result.rows, others.rows, "case {case}: {sql}");
            let failed = failed(&result);
            assert_eq!((failed.len(), failed[0].0, failed[0].1), (1, "barn", error.code()), "{sql}");
            assert!(failed[0].2.contains("barn.portolan"), "{failed:?}");
        }
    }
    assert!(failures > 20, "only {failures} of the statements met the damage");
}

#[test]
fn over_ranges_a_failure_comes_out_the_same() {
    let world = World::new();
    let mut files = world.files.clone();
    // In the middle of the payload.
    let barn = crate::snapshot::Collection::open(&files[2], files[2].len() as u64).unwrap();
    let at = barn.payload_range(500).unwrap().start as usize + 100;
    files[2][at] ^= 1;
    let mut caches: Vec<_> = files.iter().map(|file| RangeCache::new(file.len() as u64)).collect();
    let plan = Plan::parse("SELECT id, document FROM *").unwrap();
    let mut fanout = Fanout::with(world.catalog(), plan, lenient()).unwrap();
    let result = loop {
        match fanout.step_with(&caches, &Host::ALONE).unwrap() {
            Step::Done(result) => break result,
            Step::Need(ranges) => {
                for FileRange { file, range } in ranges {
                    caches[file].insert(range.start, Resident(&files[file]).get(range).unwrap().to_vec());
                }
            }
        }
    };
    assert_eq!(
        failed(&result).iter().map(|(name, code, _)| (*name, *code)).collect::<Vec<_>>(),
        [("barn", 4006)]
    );
    assert_eq!(names(&result.rows), names(&world.ask("SELECT id FROM ark, cage, den").rows));
}

#[test]
fn when_all_fail_the_first_error_is_the_answer() {
    let world = World::new();
    let nothing = Broken { files: vec![Some(Resident(world.files[0].as_slice()))] };
    let error = ask(&world, &nothing, SEARCH, lenient()).unwrap_err();
    assert!(error.to_string().contains("ark.portolan"), "{error}");
}

#[test]
fn a_wrong_statement_fails_whatever_the_options() {
    let world = World::new();
    for sql in [
        "SELECT id FROM * WHERE metadata.size = 'x'",
        // Routing leaves all of them out by the id, and the type is wrong all the same.
        "SELECT id FROM * WHERE id = 'zzz' AND metadata.size = 'x'",
    ] {
        let error = world.try_ask(sql, lenient()).unwrap_err();
        assert!(matches!(&error, Error::Query(error) if error.code() == 1201), "{sql}: {error}");
    }
}

/// A router leaves collections out before statistics are asked, and says why.
#[test]
fn a_router_chooses_among_the_collections() {
    use std::sync::Arc;

    use crate::routing::{Route, RouterFn};
    let world = World::new();
    let router = RouterFn::new(|_: &Plan, names: &[&str]| {
        assert_eq!(names, ["ark", "barn", "cage", "den"]);
        Ok(Route::Only(vec!["cage".to_owned(), "nowhere".to_owned()]))
    });
    let options = Options { router: Some(Arc::new(router)), ..Options::default() };
    let result = world.try_ask(SEARCH, options).unwrap();
    assert_eq!(result.rows, world.ask(&SEARCH.replace("FROM *", "FROM cage")).rows);
    assert!(
        matches!(&result.collections[0].outcome, Outcome::Skipped { reason } if reason.contains("router"))
    );
    assert_eq!(result.asked(), 1);
}

/// A statement that is stopped ends with that error, strict or not.
#[test]
fn a_stop_ends_the_statement() {
    let world = World::new();
    for sql in STATEMENTS {
        for polls in [0, 1, 3, 10] {
            let asked = std::sync::atomic::AtomicUsize::new(0);
            let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= polls;
            let host = Host { stop: &stop, ..Host::ALONE };
            let fanout = Fanout::with(world.catalog(), Plan::parse(sql).unwrap(), lenient()).unwrap();
            let result = fanout.run_with(&world.sources(), &host);
            let polled = asked.load(std::sync::atomic::Ordering::Relaxed);
            match result {
                Err(Error::Catalog(error)) => assert_eq!(error.code(), 2014),
                other => assert!(polled <= polls, "{sql} after {polls}: {other:?}"),
            }
            assert!(polled > 0, "{sql} never asks");
        }
    }
}

/// A large collection is not searched to its end after a stop.
#[test]
fn a_search_asks_between_its_blocks() {
    let world = World::with(&[("a", 1500, crate::metric::Metric::L2, 300)]);
    let vector = vec!["0.25"; 300].join(", ");
    let plan = || Plan::parse(&format!("SELECT id FROM a USING EMBEDDING (VECTOR [{vector}])")).unwrap();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let ask = |most: usize| {
        asked.store(0, std::sync::atomic::Ordering::Relaxed);
        let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= most;
        let host = Host { stop: &stop, ..Host::ALONE };
        let result = Fanout::new(world.catalog(), plan()).unwrap().run_with(&world.sources(), &host);
        (result.is_ok(), asked.load(std::sync::atomic::Ordering::Relaxed))
    };
    let (done, polls) = ask(usize::MAX);
    // 1500 rows are taken 256 at a time.
    assert!(done && polls > 6, "{polls}");
    assert_eq!(ask(polls - 3), (false, polls - 2));
}

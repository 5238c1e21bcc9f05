//! Threads change no answer.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::world::World;
use crate::{
    metric::Metric,
    plan::Plan,
    router::{Fanout, Host, Options, Spread},
};

/// All jobs at once, in an order of their own, and counted.
struct AtOnce<'c>(&'c AtomicUsize);

impl Spread for AtOnce<'_> {
    fn each(&self, jobs: usize, run: &(dyn Fn(usize) + Sync)) {
        self.0.fetch_add(jobs, Ordering::Relaxed);
        thread::scope(|scope| {
            for job in (0..jobs).rev() {
                scope.spawn(move || run(job));
            }
        });
    }
}

#[test]
fn answers_are_the_same_on_any_number_of_threads() {
    // Large enough to be worth a thread: see SPREAD_BYTES.
    let world = World::with(&[
        ("a", 1500, Metric::L2, 300),
        ("b", 1900, Metric::L2, 300),
        ("c", 40, Metric::L2, 300),
    ]);
    let vector = vec!["0.25"; 300].join(", ");
    for sql in [
        format!("SELECT * FROM * USING EMBEDDING (VECTOR [{vector}]) TOPK 100"),
        format!("SELECT id FROM * USING EMBEDDING (VECTOR [{vector}]) TOPK 40 RERANK BY MMR"),
        "SELECT * FROM * ORDER BY metadata.kind, metadata.size DESC".to_owned(),
        "SELECT metadata.kind, AVG(metadata.weight), COUNT(*) FROM * GROUP BY metadata.kind".to_owned(),
        "SELECT * FROM *".to_owned(),
    ] {
        let spread = AtomicUsize::new(0);
        let host = Host { spread: &AtOnce(&spread), ..Host::ALONE };
        let fanout = Fanout::with(world.catalog(), Plan::parse(&sql).unwrap(), Options::default()).unwrap();
        let result = fanout.run_with(&world.sources(), &host).unwrap();
        assert_eq!(result, world.ask(&sql), "{}", &sql[..60.min(sql.len())]);
        assert!(spread.load(Ordering::Relaxed) > 0, "nothing was spread");
    }
}

#[test]
fn a_small_statement_starts_no_thread() {
    let world = World::new();
    let spread = AtomicUsize::new(0);
    let host = Host { spread: &AtOnce(&spread), ..Host::ALONE };
    let plan = Plan::parse("SELECT * FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0])").unwrap();
    Fanout::new(world.catalog(), plan).unwrap().run_with(&world.sources(), &host).unwrap();
    assert_eq!(spread.load(Ordering::Relaxed), 0);
}

//! Lists of thousands of values against many collections: the list is read once, not once for each collection.

use std::time::{Duration, Instant};

use super::{expr, matches, table::Table};
use crate::{filter::*, query::tests::Random, schema::Value};

const VALUES: usize = 20_000;
const COLLECTIONS: u32 = 200;

fn list(literal: &dyn Fn(usize) -> String) -> String {
    (0..VALUES).map(literal).collect::<Vec<_>>().join(", ")
}

fn stats(path: &str, values: Vec<Value>, known: bool) -> CollectionStats {
    let field = FieldStats {
        path: path.into(),
        min: values.first().cloned(),
        max: values.last().cloned(),
        sketch: (!known).then(|| Sketch::new(&values.iter().filter_map(sketch_hash).collect::<Vec<_>>())),
        distinct: known.then_some(values),
        ..FieldStats::default()
    };
    CollectionStats { rows: 1000, id: None, fields: vec![field] }
}

/// How long it takes to read a condition, and to leave many collections out by it.
fn times(condition: &str, stats: &CollectionStats) -> (Duration, Duration) {
    let expr = expr(condition);
    let started = Instant::now();
    let condition = Condition::new(&expr);
    let read = started.elapsed();
    let started = Instant::now();
    (0..COLLECTIONS).for_each(|_| assert!(matches!(condition.prune(stats), Prune::Skip(_))));
    (read, started.elapsed())
}

#[test]
fn many_collections_do_not_read_a_list_again() {
    let day = |day: i64| Value::Time(day * 86_400_000_000);
    let text = |text: &str| Value::Text(text.into());
    let dates = list(&|at| format!("'20{:02}-{:02}-{:02}'", at % 90, at / 90 % 12 + 1, at / 1080 % 28 + 1));
    let texts = list(&|at| format!("'s{at}'"));
    for (condition, stats) in [
        (format!("metadata.t IN ({dates})"), stats("t", (0..50).map(day).collect(), true)),
        (format!("metadata.t IN ({dates})"), stats("t", vec![day(0), day(70)], false)),
        (format!("metadata.s IN ({texts})"), stats("s", vec![text("a"), text("b")], false)),
    ] {
        let (read, pruned) = times(&condition, &stats);
        // Reading the list for each collection takes hundreds of times as long as reading it once.
        assert!(pruned < read * 40, "{}: {read:?}, then {pruned:?}", &condition[..20]);
    }
}

#[test]
fn the_values_between_the_bounds_are_asked_of_the_sketch() {
    let number = |number: i64| Value::Int(number);
    let held = stats("i", vec![number(10), number(500), number(900)], false);
    let skips = |condition: &str| matches!(prune(&expr(condition), &held), Prune::Skip(_));
    assert!(skips("metadata.i IN (1, 2, 1000)"), "outside");
    assert!(skips("metadata.i IN (11, 12.5, 2000)"), "between, and not held");
    for kept in ["10", "500.0", "1, 900, 7000", "11, 500"] {
        assert!(!skips(&format!("metadata.i IN ({kept})")), "{kept}");
    }
}

#[test]
fn a_list_longer_than_the_dictionary_finds_the_same_rows() {
    let table = Table::with_rows(&mut Random(3), 100);
    let few = "'a', 'ab', 'b', 'zebra', ''";
    let padding = list(&|at| format!("'not there {at}'"));
    for test in ["IN", "NOT IN"] {
        let short = matches(&table, &format!("metadata.s {test} ({few})"));
        assert!(!short.is_empty(), "{test}");
        assert_eq!(matches(&table, &format!("metadata.s {test} ({few}, {padding})")), short, "{test}");
    }
}

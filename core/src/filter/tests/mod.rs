//! Filters against a slow evaluator that follows SQL's rules word by word, and pruning against the rows themselves.

mod binding;
mod long_lists;
mod naive;
mod random;
mod table;

use random::condition;
use table::Table;

use super::*;
use crate::query::{self, Expr, tests::Random};

/// The expression of a condition.
fn expr(condition: &str) -> Expr {
    match query::parse(&format!("SELECT id FROM t WHERE {condition}")) {
        Ok(statement) => statement.filter.expect("a filter"),
        Err(error) => panic!("{condition}: {error}"),
    }
}

/// The rows of `table` that pass.
fn matches(table: &Table, condition: &str) -> Vec<usize> {
    passing(table, &expr(condition))
}

fn passing(table: &Table, condition: &Expr) -> Vec<usize> {
    let filter = match Filter::bind(condition, table) {
        Ok(Bind::Ready(filter)) => filter,
        other => panic!("{condition}: {other:?}"),
    };
    table.evaluate(&filter).iter().collect()
}

#[test]
fn evaluation_equals_the_naive_evaluator() {
    let mut random = Random(1);
    let mut passed = 0;
    for _ in 0..300 {
        let table = Table::random(&mut random);
        for _ in 0..40 {
            let condition = condition(&mut random, 3);
            let expected: Vec<usize> =
                (0..table.rows).filter(|row| naive::truth(&condition, &table, *row) == Some(true)).collect();
            assert_eq!(passing(&table, &condition), expected, "{condition}\n{table:?}");
            passed += usize::from(!expected.is_empty());
        }
    }
    assert!(passed > 2000, "only {passed} conditions held for any row");
}

#[test]
fn a_skipped_collection_never_holds_a_matching_row() {
    let mut random = Random(2);
    let (mut skipped, mut empty) = (0, 0);
    for _ in 0..1500 {
        let mut table = Table::random(&mut random);
        table.shrink(random.below(6));
        let stats = table.stats(&mut random);
        for _ in 0..40 {
            let parsed = condition(&mut random, 2);
            let found = passing(&table, &parsed);
            empty += usize::from(found.is_empty());
            let guess = estimate(&parsed, &stats);
            assert!((0.0..=1.0).contains(&guess), "{parsed}: {guess}");
            if let Prune::Skip(reason) = prune(&parsed, &stats) {
                skipped += 1;
                assert!(!reason.is_empty());
                assert_eq!(guess, 0.0);
                assert!(
                    found.is_empty(),
                    "{parsed} skipped because {reason}, but rows {found:?} pass\n{table:?}\n{stats:?}"
                );
            }
        }
    }
    // Sound is not enough: pruning that never skips would be sound too.
    assert!(skipped * 3 > empty, "{skipped} skipped of {empty} without a match");
}

#[test]
fn the_deepest_condition_fits_a_small_stack() {
    // A browser gives wasm one megabyte for everything; a quarter of it must be enough here.
    let work = || {
        let mut text = String::from("metadata.i = 1");
        for depth in 0..query::MAX_NESTING {
            let operator = ["AND", "OR"][depth % 2];
            text = format!("NOT (metadata.f > {depth} {operator} {text})");
        }
        let table = Table::random(&mut Random(6));
        let parsed = expr(&text);
        let found = matches(&table, &text);
        let expected: Vec<usize> =
            (0..table.rows).filter(|row| naive::truth(&parsed, &table, *row) == Some(true)).collect();
        assert_eq!(found, expected);
        prune(&parsed, &table.stats(&mut Random(6)));
        assert!(parsed.clone().to_string().len() > text.len() / 2);
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(work).expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn three_valued_logic_keeps_null_out() {
    let mut table = Table::random(&mut Random(3));
    table.shrink(0);
    table.push_null_row();
    for never in [
        "metadata.i = 1",
        "metadata.i != 1",
        "NOT metadata.i = 1",
        "metadata.i IN (1)",
        "metadata.i NOT IN (1)",
        "metadata.i BETWEEN 1 AND 2",
        "metadata.i NOT BETWEEN 1 AND 2",
        "metadata.b = TRUE OR metadata.b = FALSE",
        "metadata.i IS NOT NULL",
        "metadata.gone = 1",
        "NOT metadata.gone = 1",
        "NOT (metadata.i = 1 AND id IS NOT NULL)",
    ] {
        assert!(matches(&table, never).is_empty(), "{never}");
    }
    for always in [
        "metadata.i IS NULL",
        "metadata.gone IS NULL",
        "NOT (metadata.i IS NOT NULL)",
        "metadata.i = 1 OR metadata.s IS NULL",
        "NOT (metadata.i = 1 AND metadata.s IS NOT NULL)",
    ] {
        assert_eq!(matches(&table, always), [0], "{always}");
    }
}

#[test]
fn every_block_length_ends_cleanly() {
    let mut random = Random(4);
    for rows in 0..200 {
        let table = Table::with_rows(&mut random, rows);
        let filter =
            match Filter::bind(&expr("metadata.i IS NULL OR metadata.i <= 0 OR metadata.i > 0"), &table) {
                Ok(Bind::Ready(filter)) => filter,
                other => panic!("{other:?}"),
            };
        let mask = table.evaluate(&filter);
        assert_eq!((mask.rows(), mask.count()), (rows, rows));
        assert_eq!(mask.iter().collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
        assert!(!mask.contains(rows) && mask.is_empty() == (rows == 0));
    }
}

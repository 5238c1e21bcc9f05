//! The native dialect against a brute-force oracle, natively and in wasm.

mod cases;
mod condition;
mod data;
mod expression;
mod oracle;
mod pattern;
mod rank;
mod value;

use std::collections::BTreeSet;

use cases::{AFTER, Expected};
use data::World;
use oracle::Oracle;

#[test]
fn every_case_has_its_own_name_and_an_answer_that_can_be_decided() {
    let (world, cases) = (World::load(), cases::load());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases of one name");
    assert!(cases.len() >= 330);
    let mut undecided = Vec::new();
    for case in &cases {
        assert_eq!(case.pages, case.sql.contains(AFTER), "{}", case.name);
        if let Expected::Ask(ask) = &case.expected
            && let Err(doubt) = Oracle::new(&world, ask).answer()
        {
            undecided.push(format!("{}: {doubt}", case.name));
        }
    }
    assert!(undecided.is_empty(), "{undecided:#?}");
}

#[test]
fn dump() {
    let (world, cases) = (World::load(), cases::load());
    for case in &cases {
        if let Expected::Ask(ask) = &case.expected
            && let Ok(answer) = Oracle::new(&world, ask).answer()
        {
            println!("DUMP {} | {}", answer.rows.len(), case.name);
        }
    }
}

//! The native dialect against a brute-force oracle, natively and in wasm.
//!
//! `tests/conformance/native.jsonl` holds questions twice: as SQL for the engine, and as a structured question for the
//! oracle, which answers it by looking at every record. Whatever fails is listed at once.

mod cases;
mod compare;
mod condition;
mod conditions;
mod data;
mod differential;
mod draw;
mod engine;
mod expression;
mod oracle;
mod pattern;
mod question;
mod random;
mod rank;
mod value;

use std::{collections::BTreeSet, fs};

use cases::{AFTER, Case, Expected};
use compare::{Integers, neutral};
use data::World;
use engine::{Engine, joined, printed};
use oracle::Oracle;
use portolan::{error::Error, router::ResultSet};
use serde_json::Value as Json;

use crate::doors::{Answers, chromium, node};

#[test]
fn every_case_has_its_own_name_and_an_answer_that_can_be_decided() {
    let (world, cases) = (World::load(), cases::load());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases of one name");
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
fn native_code_answers_as_the_oracle_does() {
    let (world, cases) = (World::load(), cases::load());
    let engine = Engine::new(&world).unwrap();
    let checked = |case: &Case| wrong(&world, case, &engine.answers(case));
    report("native code", &cases, cases.iter().map(checked).collect());
}

#[test]
fn node_answers_as_native_code_does() {
    let setting = Setting::new();
    let answers = node::run_script("native.mjs", engine_folder(&setting), &setting.file());
    setting.compare("node", answers);
}

#[test]
fn a_page_answers_as_native_code_does() {
    let setting = Setting::new();
    let cases = fs::read_to_string(setting.file()).unwrap();
    setting.compare("chromium", chromium::post(engine_folder(&setting).into(), cases));
}

/// What the doors of wasm are given: the release, and the cases in a file.
struct Setting {
    cases: Vec<Case>,
    engine: Engine,
}

impl Setting {
    fn new() -> Self {
        let (cases, engine) = (cases::load(), Engine::new(&World::load()).unwrap());
        let setting = Self { cases, engine };
        let lines: Vec<String> = setting.cases.iter().map(Case::line).collect();
        fs::write(setting.file(), lines.join("\n") + "\n").unwrap();
        setting
    }

    fn file(&self) -> std::path::PathBuf {
        self.engine.folder.path().join("cases.jsonl")
    }

    /// Fails unless each answer of the door is native code's.
    fn compare(&self, door: &str, answers: Answers) {
        let answers = match answers.unwrap() {
            Ok(answers) => answers,
            Err(absent) => return absent.skip(door),
        };
        assert_eq!(answers.len(), self.cases.len(), "{door}: one answer per case");
        let differ = |(case, answer): (&Case, &Json)| {
            let native = printed(&self.engine.answers(case));
            Integers::AsDoubles.difference(&engine::what_counts(&native), &engine::what_counts(answer))
        };
        report(door, &self.cases, self.cases.iter().zip(&answers).map(differ).collect());
    }
}

fn engine_folder(setting: &Setting) -> &std::path::Path {
    setting.engine.folder.path()
}

/// What is wrong with the engine's answer, if anything.
fn wrong(world: &World, case: &Case, got: &Result<Vec<ResultSet>, Error>) -> Option<String> {
    match (&case.expected, got) {
        (Expected::Error(code), Err(error)) => {
            let same = u64::from(error.code()) == *code;
            (!same).then(|| format!("expected error {code}, got {}: {error}", error.code()))
        }
        (Expected::Error(code), Ok(pages)) => {
            Some(format!("expected error {code}, got {} rows", pages[0].rows.len()))
        }
        (Expected::Ask(_), Err(error)) => Some(format!("error {}: {error}", error.code())),
        (Expected::Ask(ask), Ok(pages)) => {
            let expected = Oracle::new(world, ask).answer().expect("another test shows what is wrong");
            Integers::Exact.difference(&neutral(&expected), &neutral(&joined(pages)))
        }
    }
}

/// Fails with all that is wrong.
fn report(who: &str, cases: &[Case], wrong: Vec<Option<String>>) {
    let line = |(case, wrong): (&Case, Option<String>)| {
        wrong.map(|wrong| format!("{}\n    {}\n    {wrong}", case.name, case.sql))
    };
    let lines: Vec<String> = cases.iter().zip(wrong).filter_map(line).collect();
    assert!(lines.is_empty(), "{who} fails {} of {} cases:\n{}", lines.len(), cases.len(), lines.join("\n"));
    println!("{who}: {} cases", cases.len());
}

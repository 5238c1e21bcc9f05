//! One release, the same statements, every door: native code, C, node and a page in chromium give the same answers.
//!
//! A door is a program that is told a release and a file of statements, one per line (with parameters after a tab), and gives one line of JSON per
//! statement: the result, or `{"error": {"code", "message"}}`. Where a door's tools are missing it is skipped with a
//! word about why; with `CI=true` that is a failure. Nothing here looks at how a door works inside.

mod c;
pub mod chromium;
pub mod node;
mod process;
mod release;
mod same;
mod server;
pub mod setting;
pub mod statements;
pub mod tools;

use serde_json::Value as Json;
use setting::{Failure, Setting};
use tools::Absent;

/// What a door printed, one value per statement; or why it cannot be asked here.
pub type Answers = Result<Result<Vec<Json>, Absent>, Failure>;

#[test]
fn every_door_gives_the_same_answers() {
    let setting = Setting::new().unwrap();
    let expected = setting.native_answers().unwrap();
    statements::check(&setting.statements, &expected);
    ask_all(&setting, &expected);
}

/// Asks every door that opens a folder.
///
/// # Panics
/// If one does not give the expected answers.
pub fn ask_all(setting: &Setting, expected: &[Json]) {
    for (door, answers) in [("C", c::answers(setting)), ("node", node::answers(setting))] {
        match answers.unwrap() {
            Ok(answers) => same::check(door, &setting.statements, expected, &answers),
            Err(absent) => absent.skip(door),
        }
    }
}

#[test]
fn a_page_answers_as_native_code_does_in_at_most_three_waves() {
    let setting = Setting::new().unwrap();
    let expected = setting.native_answers().unwrap();
    match chromium::answers(&setting).unwrap() {
        Ok(answers) => {
            same::check("chromium", &setting.statements, &expected, &answers);
            same::check_waves("chromium", &setting, &answers);
        }
        Err(absent) => absent.skip("chromium"),
    }
}

#[test]
fn a_server_without_ranges_gives_the_same_answers() {
    let setting = Setting::new().unwrap();
    let expected = setting.native_answers().unwrap();
    match node::answers_over_http(&setting).unwrap() {
        Ok(answers) => same::check("node over HTTP without ranges", &setting.statements, &expected, &answers),
        Err(absent) => absent.skip("node over HTTP"),
    }
}

#[test]
fn a_page_that_may_not_run_wasm_says_so() {
    match chromium::refused().unwrap() {
        Ok(answer) => {
            assert_eq!(answer["code"], 7002, "{answer}");
            assert!(answer["failed"].as_str().unwrap_or_default().contains("wasm-unsafe-eval"), "{answer}");
        }
        Err(absent) => absent.skip("chromium"),
    }
}

#[test]
fn damaged_files_never_trap_the_module() {
    match node::damage().unwrap() {
        Ok(seen) => {
            println!("damage seen by the module: {seen}");
            assert_eq!(seen["wrong"], serde_json::json!([]), "{seen}");
            assert!(seen["refused"].as_u64().unwrap_or(0) > 1000, "{seen}");
        }
        Err(absent) => absent.skip("node"),
    }
}

#[test]
fn the_package_keeps_its_word() {
    match node::package_tests().unwrap() {
        Ok(printed) => println!("{printed}"),
        Err(absent) => absent.skip("node"),
    }
}

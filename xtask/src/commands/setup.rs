//! `cargo xtask setup`: installs what is missing and prints what was found.

use anyhow::Result;

use crate::context::Context;
use crate::setup::{self, Checked};
use crate::steps::Outcome;
use crate::{process, table};

/// Sets up every tool of a build and of the tests.
pub fn run(context: &Context) -> Result<()> {
    let mut rows = vec![row("protoc", &context.protoc.display().to_string(), &protoc_version(context))];
    setup::wasm_target::ensure(context)?;
    rows.push(row(setup::wasm_target::TRIPLE, "Rust's standard library", "installed"));
    let wasm_bindgen = setup::wasm_bindgen::ensure(context)?;
    rows.push(row("wasm-bindgen", &wasm_bindgen.display().to_string(), "as in Cargo.lock"));
    let programs = setup::test_programs(context.policy);
    rows.extend(programs.iter().map(program_row));
    rows.push(go_row());
    println!("\n{}", table::render(&["tool", "where", "what"], &rows, &[]));
    match setup::report_missing(context.policy, &programs)? {
        Outcome::Done => println!("Everything is there: cargo xtask demo, cargo xtask test"),
        Outcome::Skipped(why) => println!("cargo xtask demo works; cargo xtask test will skip some: {why}"),
    }
    Ok(())
}

fn protoc_version(context: &Context) -> String {
    let version = process::output(std::process::Command::new(&context.protoc).arg("--version"));
    version.map_or_else(|error| format!("does not run: {error:#}"), |text| text.trim().to_owned())
}

fn program_row(checked: &Checked) -> Vec<String> {
    match &checked.found {
        Ok(found) => row(checked.program.name, &found.path.display().to_string(), &found.version),
        Err(_) => row(checked.program.name, "missing", "see below"),
    }
}

/// Looked for and never installed: nothing uses it yet.
fn go_row() -> Vec<String> {
    match setup::go::GO.find() {
        Ok(Some(found)) => row(setup::go::GO.name, &found.path.display().to_string(), &found.version),
        Ok(None) => row(setup::go::GO.name, "not there", "nothing uses it yet"),
        Err(error) => row(setup::go::GO.name, "unusable", &format!("{error:#}")),
    }
}

fn row(tool: &str, place: &str, what: &str) -> Vec<String> {
    vec![tool.to_owned(), place.to_owned(), what.to_owned()]
}

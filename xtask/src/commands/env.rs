//! `cargo xtask env`: export lines, so that plain cargo and editors build exactly what xtask builds.
//!
//! It installs nothing: a program that is missing is left out, as it is for the tests.

use anyhow::Result;

use crate::context::Context;
use crate::process::quoted;
use crate::setup::{self, Checked};

/// Prints one export line for each variable.
pub fn run(context: &Context) -> Result<()> {
    let found = setup::TEST_PROGRAMS.into_iter().filter_map(|program| {
        let found = program.find().transpose()?;
        Some(Checked { program, found })
    });
    let found: Vec<Checked> = found.collect();
    for checked in &found {
        if let Err(error) = &checked.found {
            eprintln!("{}: {error:#}", checked.program.name);
        }
    }
    let fixed = [("PROTOC", context.protoc.clone()), ("CARGO_TARGET_DIR", context.target_dir.clone())];
    for (name, value) in fixed.into_iter().chain(setup::test_variables(context, &found)) {
        println!("export {name}={}", quoted(&value.display().to_string()));
    }
    Ok(())
}

//! `cargo xtask test`: every test, on everything that the tests run against.
//!
//! The C library, the wasm module and the command line tool are built first, because the conformance test runs the
//! same queries through all of them. It learns from variables where they are (`setup::test_variables`).

use std::path::PathBuf;

use anyhow::Result;

use super::{headers, wasm};
use crate::context::{Context, NATIVE};
use crate::setup::{self, Checked};
use crate::steps::{Outcome, Steps};
use crate::{process, test_count::TestCount};

/// Runs every test and prints the table of steps.
pub fn run(context: &Context) -> Result<()> {
    let mut steps = Steps::default();
    let count = run_steps(context, &mut steps)?;
    steps.print();
    println!("{count}");
    Ok(())
}

/// The steps of all tests; says how many tests ran.
pub fn run_steps(context: &Context, steps: &mut Steps) -> Result<TestCount> {
    let mut programs = Vec::new();
    steps.run("tools of the tests", || {
        programs = setup::test_programs(context.policy);
        setup::report_missing(context.policy, &programs)
    })?;
    let mut tests = Tests::new(context, &programs);
    tests.run(steps, "tests of xtask", &["-p", "xtask"])?;
    tests.run(steps, "tests of the pure core", &["-p", "portolan"])?;
    tests.run(steps, "inputs that fuzzing found", &["-p", "portolan-fuzz-checks"])?;
    tests.run(steps, "tests of the C library's crate", &["-p", "portolan-ffi"])?;
    // The check builds the library with the generator in it, so the plain library is built after it.
    steps.run("C header is current", || headers::check(context).map(|()| Outcome::Done))?;
    cargo_step(context, steps, "build the C library", &["build", "-p", "portolan-ffi"])?;
    steps.run("build the wasm module", || wasm::run(context).map(|_| Outcome::Done))?;
    let build: Vec<&str> = ["build"].into_iter().chain(NATIVE).collect();
    cargo_step(context, steps, "build the native crates", &build)?;
    tests.run(steps, "tests of the native crates", &NATIVE)?;
    Ok(tests.count)
}

/// One step that is one cargo command.
pub fn cargo_step(context: &Context, steps: &mut Steps, name: &str, words: &[&str]) -> Result<()> {
    steps.run(name, || process::run(&mut context.cargo(words)).map(|()| Outcome::Done))
}

/// Test runs that share their variables and are counted together.
struct Tests<'a> {
    context: &'a Context,
    variables: Vec<(&'static str, PathBuf)>,
    count: TestCount,
}

impl<'a> Tests<'a> {
    fn new(context: &'a Context, programs: &[Checked]) -> Self {
        Self { context, variables: setup::test_variables(context, programs), count: TestCount::default() }
    }

    fn run(&mut self, steps: &mut Steps, name: &str, packages: &[&str]) -> Result<()> {
        let mut command = self.context.cargo(&["test", "--no-fail-fast"]);
        command.args(packages).envs(self.variables.iter().cloned());
        let count = &mut self.count;
        steps.run(name, || process::run_reading(&mut command, |line| count.add(line)).map(|()| Outcome::Done))
    }
}

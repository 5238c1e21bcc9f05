//! `cargo xtask ci`: everything a change must pass.
//!
//! Cheap checks come first. Lints and documentation of the native crates need the metadata of Lance, which cargo
//! compiles apart from its code: once for both, because both name the same packages.

use anyhow::Result;

use super::test::cargo_step;
use super::{one_build, purity, test};
use crate::context::{Context, NATIVE};
use crate::process;
use crate::setup::wasm_target;
use crate::steps::{Outcome, Steps};

/// Runs every check and every test, and prints the table of steps.
pub fn run(context: &Context) -> Result<()> {
    let mut steps = Steps::default();
    cargo_step(context, &mut steps, "format", &["fmt", "--all", "--", "--check"])?;
    steps.run("wasm target", || wasm_target::ensure(context).map(|()| Outcome::Done))?;
    steps.run("purity of the wasm module", || purity::check(context).map(|()| Outcome::Done))?;
    steps.run("one build of Lance", || one_build::check(context).map(|()| Outcome::Done))?;
    lints(context, &mut steps)?;
    documentation(context, &mut steps)?;
    let count = test::run_steps(context, &mut steps)?;
    steps.print();
    println!("{count}");
    Ok(())
}

fn lints(context: &Context, steps: &mut Steps) -> Result<()> {
    let wasm = ["-p", "portolan", "-p", "portolan-wasm", "--target", wasm_target::TRIPLE];
    let all = |packages: &[&'static str]| [packages, &["--all-targets"]].concat();
    let runs: [(&str, Vec<&str>); 6] = [
        ("lints of xtask", all(&["-p", "xtask"])),
        ("lints of the pure core", all(&["-p", "portolan"])),
        ("lints of the fuzzers' checks", all(&["-p", "portolan-fuzz-checks"])),
        ("lints of the wasm module", wasm.to_vec()),
        ("lints of the C library", all(&["-p", "portolan-ffi", "--features", "headers"])),
        ("lints of the native crates", all(&NATIVE)),
    ];
    for (name, packages) in runs {
        let words = [&["clippy"], packages.as_slice(), &["--", "-D", "warnings"]].concat();
        cargo_step(context, steps, name, &words)?;
    }
    Ok(())
}

/// Libraries only: the command line tool is called `portolan` as the library is, and its pages would replace them.
fn documentation(context: &Context, steps: &mut Steps) -> Result<()> {
    let runs: [(&str, &[&str]); 2] =
        [("documentation", &NATIVE), ("documentation of the C library", &["-p", "portolan-ffi"])];
    for (name, packages) in runs {
        let words = [&["doc", "--no-deps", "--lib"], packages].concat();
        let mut command = context.cargo(&words);
        command.env("RUSTDOCFLAGS", "-D warnings");
        steps.run(name, || process::run(&mut command).map(|()| Outcome::Done))?;
    }
    Ok(())
}

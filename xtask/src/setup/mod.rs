//! The tools that a build or a test needs: each file finds one, and installs it where that is allowed.
//!
//! Found means: what the user named in a variable, else what is on PATH. Installed means: from crates.io into the
//! target directory, through rustup, or through the system's package manager ([`apt`]). A tool that stays missing
//! is a message that names the packages to install; [`crate::policy`] decides whether that ends the run.

mod apt;
pub mod c_compiler;
pub mod cargo_fuzz;
mod cargo_tool;
pub mod chromium;
pub mod cxx_compiler;
pub mod go;
pub mod node;
mod program;
pub mod protoc;
pub mod wasm_bindgen;
pub mod wasm_target;

pub use program::{Found, Program};

use std::path::PathBuf;

use anyhow::Result;

use crate::context::Context;
use crate::policy::Policy;
use crate::steps::Outcome;

/// A program of the tests, and what finding it found.
pub struct Checked {
    /// The program that was asked for.
    pub program: &'static Program,
    /// Where it is, or why it is not there.
    pub found: Result<Found>,
}

/// The programs that the tests run, in the order in which they are looked for. Go joins when a test uses it.
pub const TEST_PROGRAMS: [&Program; 4] =
    [&c_compiler::CC, &cxx_compiler::CXX, &node::NODE, &chromium::CHROMIUM];

/// Finds or installs the programs that the tests run.
pub fn test_programs(policy: Policy) -> Vec<Checked> {
    TEST_PROGRAMS
        .into_iter()
        .map(|program| Checked { program, found: program.find_or_install(policy) })
        .collect()
}

/// Reports the programs that are missing: an error in CI, else one SKIP for each.
pub fn report_missing(policy: Policy, programs: &[Checked]) -> Result<Outcome> {
    let mut missing = Vec::new();
    for checked in programs {
        if let Err(error) = &checked.found {
            policy.skip(checked.program.purpose, &format!("{error:#}"))?;
            missing.push(checked.program.name);
        }
    }
    if missing.is_empty() {
        return Ok(Outcome::Done);
    }
    Ok(Outcome::Skipped(format!("without {}", missing.join(", "))))
}

/// The variables that tell the tests where everything is. A missing program is left unset.
pub fn test_variables(context: &Context, programs: &[Checked]) -> Vec<(&'static str, PathBuf)> {
    let mut variables = vec![
        ("PORTOLAN_LIB_DIR", context.target_dir.join("debug")),
        ("PORTOLAN_INCLUDE_DIR", context.root.join("include")),
        ("PORTOLAN_WASM_PKG", context.root.join(crate::commands::wasm::PACKAGE)),
        ("PORTOLAN_SAMPLE", context.root.join(crate::context::SAMPLE)),
        ("PORTOLAN_CLI", context.built(&format!("portolan{}", std::env::consts::EXE_SUFFIX))),
    ];
    for checked in programs {
        if let Ok(found) = &checked.found {
            variables.push((checked.program.variable, found.path.clone()));
        }
    }
    variables
}

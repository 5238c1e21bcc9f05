//! `cargo xtask <command>`: what people and CI run. It sets up the tools that a build needs, then calls cargo.
//!
//! Nothing here is part of the library. Each command is a file of [`commands`], each tool a file of [`setup`].

mod commands;
mod context;
mod lockfile;
mod measurement;
mod policy;
mod process;
mod setup;
mod steps;
mod table;
mod test_count;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::Context;

/// Builds, tests and measures Portolan; sets up every tool that this takes.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the command line tool and answer three questions over the sample data.
    Demo(commands::demo::Options),
    /// Run every test: native, C, wasm in node and in a browser.
    Test,
    /// Format, lints, documentation, purity of the core, then every test.
    Ci,
    /// Measure against the goals and print one table.
    Bench(commands::bench::Options),
    /// Build the wasm module into bindings/js/pkg.
    Wasm,
    /// Regenerate the C headers under include/.
    Headers(commands::headers::Options),
    /// Run the fuzzers of fuzz/, a minute each; needs a nightly compiler.
    Fuzz(commands::fuzz::Options),
    /// Check licences, advisories and sources of all dependencies with cargo-deny.
    Deny,
    /// Install whatever is missing and print what was found.
    Setup,
    /// Print export lines for plain cargo or an editor: eval "$(cargo xtask env)".
    Env,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `{error:?}`: a backtrace of xtask says nothing about why a build failed.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let context = Context::from_env()?;
    match command {
        Command::Demo(options) => commands::demo::run(&context, &options),
        Command::Test => commands::test::run(&context),
        Command::Ci => commands::ci::run(&context),
        Command::Bench(options) => commands::bench::run(&context, &options),
        Command::Wasm => commands::wasm::run(&context).map(drop),
        Command::Headers(options) => commands::headers::run(&context, &options),
        Command::Fuzz(options) => commands::fuzz::run(&context, &options),
        Command::Deny => commands::deny::run(&context).map(drop),
        Command::Setup => commands::setup::run(&context),
        Command::Env => commands::env::run(&context),
    }
}

//! `cargo xtask bench`: every number that has a goal, in one table.
//!
//! A benchmark is an example of the core named `bench_*` that prints one JSON line for each number
//! ([`Measurement::from_line`]): adding a file there adds its rows here. The size of the wasm module and the cost of
//! the demo are measured here, whole searches in [`bench_search`].

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use super::{bench_search, demo, wasm};
use crate::context::{Context, NATIVE};
use crate::measurement::{Better, Measurement, report};
use crate::process;

/// The demo after compilation, for a newcomer.
const GOAL_DEMO_SECONDS: f64 = 60.0;
/// The most memory that any process of the demo holds, in MiB.
const GOAL_DEMO_MEBIBYTES: f64 = 1024.0;

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Only what has this in its name: bench_metric, search, wasm, demo.
    #[arg(long, value_name = "PART")]
    pub only: Option<String>,
    #[command(flatten)]
    pub search: bench_search::SearchOptions,
}

/// Measures and prints the table.
pub fn run(context: &Context, options: &Options) -> Result<()> {
    let wanted = |name: &str| options.only.as_ref().is_none_or(|part| name.contains(part));
    let examples = examples(&context.root.join("core/examples"))?;
    let examples: Vec<String> = examples.into_iter().filter(|name| wanted(name)).collect();
    let mut measurements = run_examples(context, &examples)?;
    if wanted("search") {
        measurements.extend(bench_search::run(context, &options.search)?);
    }
    if wanted("wasm") {
        measurements.push(wasm_size(context)?);
    }
    if wanted("demo") {
        measurements.extend(demo_cost(context)?);
    }
    println!("\n{}", report(&measurements));
    Ok(())
}

/// The names of the benchmarks, sorted.
fn examples(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("bench_") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Builds all at once, with the packages of every native build, and runs one after the other.
fn run_examples(context: &Context, names: &[String]) -> Result<Vec<Measurement>> {
    let mut measurements = Vec::new();
    if names.is_empty() {
        return Ok(measurements);
    }
    let mut build = context.cargo(&["build"]);
    build.args(NATIVE).args(names.iter().flat_map(|name| ["--example", name]));
    process::run(&mut build)?;
    for name in names {
        let mut command = Command::new(context.built("examples").join(name));
        command.current_dir(&context.root).env("PORTOLAN_SAMPLE", context.root.join(crate::context::SAMPLE));
        let mut lines = Vec::new();
        process::run_reading(&mut command, |line| lines.extend(Measurement::from_line(line)))?;
        measurements.extend(lines.into_iter().collect::<Result<Vec<_>>>()?);
    }
    Ok(measurements)
}

fn wasm_size(context: &Context) -> Result<Measurement> {
    Ok(Measurement {
        name: "wasm module, gzipped".to_owned(),
        value: wasm::build(context)? as f64 / 1000.0,
        goal: Some(wasm::GOAL_GZIP_BYTES as f64 / 1000.0),
        better: Better::Lower,
        note: "kB".to_owned(),
    })
}

/// From nothing: a store that is already there would make it look cheap.
fn demo_cost(context: &Context) -> Result<[Measurement; 2]> {
    let place = demo::Place::new(context.target_dir.join("demo-bench"));
    demo::build(context)?;
    place.clear()?;
    let cost = demo::answer(context, &place)?;
    let lower = |name: &str, value, goal, note: &str| Measurement {
        name: name.to_owned(),
        value,
        goal: Some(goal),
        better: Better::Lower,
        note: note.to_owned(),
    };
    let seconds = cost.elapsed.as_secs_f64();
    let mebibytes = cost.peak_bytes as f64 / f64::from(1 << 20);
    Ok([
        lower("demo after compilation", seconds, GOAL_DEMO_SECONDS, "s, from an empty folder"),
        lower("demo, peak memory", mebibytes, GOAL_DEMO_MEBIBYTES, "MiB, largest process"),
    ])
}

//! `cargo xtask fuzz`: every fuzzer for a minute, and what to do about an input that one of them found.
//!
//! A target is a file of `fuzz/fuzz_targets`; what it checks is in `fuzz/checks`, which the tests run over all inputs
//! that ever failed. CI runs those tests and not this: an unlucky minute is no reason to refuse a change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::context::Context;
use crate::process::{self, quoted};
use crate::setup::cargo_fuzz;
use crate::{steps, table};

/// Longer inputs find no other faults, and take longer to find any.
const MAX_LENGTH: usize = 64 << 10;
/// A statement that takes this long is a finding: none of this length may.
const MAX_SECONDS_OF_AN_INPUT: u64 = 10;

/// What to fuzz, and for how long.
#[derive(Args)]
pub struct Options {
    /// Only these targets, by the names of their files in fuzz/fuzz_targets.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// For how long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
}

/// Fuzzes, prints a table, and fails if any input was found.
pub fn run(context: &Context, options: &Options) -> Result<()> {
    let all = names(&context.root.join("fuzz/fuzz_targets"))?;
    let targets = chosen(&all, &options.targets)?;
    let fuzzer = Fuzzer { context, program: cargo_fuzz::ensure(context)? };
    fuzzer.build()?;
    let mut runs = Vec::new();
    for target in targets {
        runs.push(fuzzer.run(target, options.seconds)?);
    }
    println!("\n{}", report(&runs));
    for run in &runs {
        for found in &run.found {
            println!("{}", fuzzer.what_to_do(&run.target, found));
        }
    }
    match runs.iter().filter(|run| !run.passed).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} targets failed", runs.len()),
    }
}

/// The names of the Rust files of a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let files = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let rust = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> =
        rust.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

fn chosen<'a>(all: &'a [String], wanted: &[String]) -> Result<Vec<&'a str>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    Ok(all.iter().filter(|name| wanted.is_empty() || wanted.contains(name)).map(String::as_str).collect())
}

/// What one target did.
#[derive(Debug, Default)]
struct Run {
    target: String,
    took: Duration,
    inputs: u64,
    kept: u64,
    /// The files of inputs that failed.
    found: Vec<PathBuf>,
    passed: bool,
}

impl Run {
    /// Takes a line that libFuzzer printed.
    fn add(&mut self, line: &str) {
        let number = |rest: &str| rest.trim().parse().unwrap_or(0);
        if let Some(rest) = line.strip_prefix("stat::number_of_executed_units:") {
            self.inputs = number(rest);
        } else if let Some(rest) = line.strip_prefix("stat::new_units_added:") {
            self.kept = number(rest);
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.found.push(PathBuf::from(path.trim()));
        }
    }

    fn row(&self) -> Vec<String> {
        let speed = self.inputs as f64 / self.took.as_secs_f64().max(0.001);
        let result = match (self.passed, self.found.is_empty()) {
            (true, _) => "ok",
            (false, false) => "FOUND",
            (false, true) => "FAILED",
        };
        vec![
            self.target.clone(),
            steps::seconds(self.took),
            self.inputs.to_string(),
            format!("{speed:.0}"),
            self.kept.to_string(),
            result.to_owned(),
        ]
    }
}

/// Whether the line belongs to the list of byte strings that libFuzzer would put into a dictionary.
fn is_word_list(line: &str) -> bool {
    line.starts_with("######") || (line.starts_with('"') && line.contains("\" # Uses: "))
}

fn report(runs: &[Run]) -> String {
    let rows: Vec<Vec<String>> = runs.iter().map(Run::row).collect();
    table::render(&["target", "time", "inputs", "inputs/s", "new paths", "result"], &rows, &[1, 2, 3, 4])
}

/// cargo-fuzz, as all targets need it.
struct Fuzzer<'a> {
    context: &'a Context,
    program: PathBuf,
}

impl Fuzzer<'_> {
    /// Builds all targets, so that no target's time is spent compiling.
    fn build(&self) -> Result<()> {
        process::run(&mut self.command("build"))
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new("rustup");
        command.current_dir(&self.context.root).args(["run", "nightly"]).arg(&self.program);
        command.args(["fuzz", verb, "--target-dir"]).arg(self.context.target_dir.join("fuzz"));
        // Cargo names itself to the programs it runs, and this is the stable one.
        command.env_remove("CARGO").env_remove("CARGO_TARGET_DIR");
        command
    }

    fn run(&self, target: &str, seconds: u64) -> Result<Run> {
        println!("\n==> {target}, for {seconds} s");
        let mut command = self.command("run");
        command.arg(target).args(self.corpus(target)?).arg("--");
        command.args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={MAX_LENGTH}"),
            format!("-timeout={MAX_SECONDS_OF_AN_INPUT}"),
            String::from("-dict=fuzz/statements.dict"),
            String::from("-print_final_stats=1"),
            // Not a line for each new path: there are thousands.
            String::from("-verbosity=0"),
        ]);
        let mut run = Run { target: target.to_owned(), ..Run::default() };
        let start = Instant::now();
        let status = process::run_reading_errors(&mut command, |line| {
            if !is_word_list(line) {
                eprintln!("{line}");
            }
            run.add(line);
        })?;
        run.took = start.elapsed();
        run.passed = status.success();
        Ok(run)
    }

    /// The folders of inputs to begin with. New ones are kept in the first.
    fn corpus(&self, target: &str) -> Result<Vec<PathBuf>> {
        let kept = self.context.root.join("fuzz/corpus").join(target);
        fs::create_dir_all(&kept).with_context(|| format!("making {}", kept.display()))?;
        for (name, sql) in statements(&self.context.root.join("tests/conformance"))? {
            let file = kept.join(name);
            fs::write(&file, sql).with_context(|| format!("writing {}", file.display()))?;
        }
        let given = ["fuzz/corpus-seeds", "fuzz/regressions"];
        let given = given.map(|folder| self.context.root.join(folder).join(target));
        Ok([kept].into_iter().chain(given).filter(|folder| folder.is_dir()).collect())
    }

    fn what_to_do(&self, target: &str, found: &Path) -> String {
        let shown = quoted(&self.context.shown(found).display().to_string());
        let mut smaller = self.command("tmin");
        smaller.arg(target).arg(found);
        format!(
            "{shown} fails\n  \
             again, on the stable compiler: cargo run -p portolan-fuzz-checks --example check {target} {shown}\n  \
             make it smaller: {}\n  \
             then copy it to fuzz/regressions/{target}/: every test run tries what is there",
            process::shown(&smaller)
        )
    }
}

/// The statements of the conformance cases, each with a file name.
fn statements(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut statements = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = file?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            for (line, case) in text.lines().enumerate() {
                statements.extend(sql_of(case).map(|sql| (format!("{stem}-{}", line + 1), sql)));
            }
        }
    }
    Ok(statements)
}

/// The statement of a case; lines of other kinds have none.
fn sql_of(case: &str) -> Option<String> {
    let case: serde_json::Value = serde_json::from_str(case).ok()?;
    Some(case.get("sql")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_prints_becomes_a_row() {
        let mut run = Run { target: String::from("parse"), took: Duration::from_secs(2), ..Run::default() };
        for line in [
            "INFO: Seed: 17",
            "artifact_prefix='fuzz/artifacts/parse/'; Test unit written to fuzz/artifacts/parse/crash-1",
            "stat::number_of_executed_units: 3000",
            "stat::new_units_added:          12",
        ] {
            run.add(line);
        }
        assert_eq!(run.found, [Path::new("fuzz/artifacts/parse/crash-1")]);
        assert_eq!(run.row(), ["parse", "2.0 s", "3000", "1500", "12", "FOUND"]);
        assert!(report(&[run]).contains("inputs/s"));
    }

    #[test]
    fn what_failed_is_printed_and_suggested_words_are_not() {
        assert!(
            is_word_list(r#""a\" # Uses: 3" # Uses: 5"#)
                && is_word_list("###### Recommended dictionary. ######")
        );
        assert!(!is_word_list("thread '<unnamed>' panicked at checks/src/errors.rs:33:5:"));
    }

    #[test]
    fn an_unknown_target_is_refused_with_those_that_are_there() {
        let all = ["filter", "parse"].map(String::from);
        assert_eq!(chosen(&all, &[]).unwrap(), ["filter", "parse"]);
        assert_eq!(chosen(&all, &all[1..]).unwrap(), ["parse"]);
        let error = chosen(&all, &[String::from("plam")]).unwrap_err().to_string();
        assert!(error.contains("plam") && error.contains("filter, parse"), "{error}");
    }

    #[test]
    fn the_conformance_cases_are_inputs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let statements = statements(&root.join("tests/conformance")).unwrap();
        assert!(statements.len() > 100 && statements.iter().all(|(_, sql)| !sql.is_empty()));
        assert_eq!(sql_of(r#"{"note": "no statement"}"#), None);
    }

    #[test]
    fn every_target_has_a_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let names = names(&root.join("fuzz/fuzz_targets")).unwrap();
        assert!(names.is_sorted() && names.contains(&String::from("parse")), "{names:?}");
    }
}

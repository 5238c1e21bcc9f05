//! The search part of `cargo xtask bench`: recall, speed, size, and bytes over ranges, as `portolan bench` measures them.
//!
//! By default over the sample, packed, with its 500 questions as texts. Other vector indexes on the same data are
//! `benches/compare`'s matter.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::demo;
use crate::context::{Context, SAMPLE};
use crate::measurement::{Better, Measurement};
use crate::process;

/// How far below RECALL the measured recall may stay.
const RECALL_SLACK: f64 = 0.01;
/// What the first question of a visitor may cost, and a later one: kilobytes and waves.
const GOAL_COLD: (f64, f64) = (450.0, 4.0);
const GOAL_LATER: (f64, f64) = (200.0, 3.0);
/// The recall that those bytes must reach.
const GOAL_RANGES_RECALL: f64 = 0.90;
/// What a question about one of the 45 collections may cost of one about all, embedders aside.
const GOAL_ONE_COLLECTION: f64 = 0.2;
/// One collection of middle size.
const ONE_COLLECTION: &str = "noun.animal";

/// Other data than the sample.
#[derive(Args)]
pub struct SearchOptions {
    /// A release or a .portolan file to search in, instead of the sample.
    #[arg(long, value_name = "PATH", requires = "queries")]
    release: Option<PathBuf>,
    /// Its questions, as vectors: npy, Arrow IPC or Parquet.
    #[arg(long, value_name = "FILE", requires = "release")]
    queries: Option<PathBuf>,
}

/// What is asked, and how.
struct Bench<'c> {
    context: &'c Context,
    release: &'c Path,
    /// --queries or --texts.
    kind: &'static str,
    questions: &'c Path,
}

/// Measures.
pub fn run(context: &Context, options: &SearchOptions) -> Result<Vec<Measurement>> {
    demo::build(context)?;
    if let (Some(release), Some(questions)) = (&options.release, &options.queries) {
        return Bench { context, release, kind: "--queries", questions }.speed();
    }
    let place = demo::Place::new(context.target_dir.join("demo-bench"));
    demo::answer(context, &place)?;
    let (release, questions) = (place.packed(context)?, context.root.join(SAMPLE).join("questions.jsonl.gz"));
    let bench = Bench { context, release: &release, kind: "--texts", questions: &questions };
    let mut measurements = bench.speed()?;
    measurements.extend(bench.ranges()?);
    Ok(measurements)
}

impl Bench<'_> {
    /// The JSON lines of one run.
    fn lines(&self, more: &[&str]) -> Result<Vec<Value>> {
        let mut command = demo::portolan(self.context, "bench", &[(self.kind, self.questions)], more);
        command.arg(self.release).arg("--json");
        let mut lines = Vec::new();
        process::run_reading(&mut command, |line| lines.extend(serde_json::from_str(line)))?;
        Ok(lines)
    }

    /// Recall against its goal, with speed and size.
    fn speed(&self) -> Result<Vec<Measurement>> {
        let measurement = |line: &Value| {
            let setting = line["setting"].as_str().context("a line without a setting")?;
            let goal = setting.parse::<f64>().ok().map(|recall| recall - RECALL_SLACK);
            Ok(Measurement {
                name: match goal {
                    Some(_) => format!("search, RECALL {setting}: recall@10"),
                    None => format!("search, {setting}: recall@10"),
                },
                value: number(line, "recall")?,
                goal,
                better: Better::Higher,
                note: format!(
                    "{:.0} queries/s on one thread, p50 {:.0} us, p99 {:.0} us, {:.0} bytes a vector, by {}",
                    number(line, "queries_per_second")?,
                    number(line, "p50_us")?,
                    number(line, "p99_us")?,
                    number(line, "bytes_per_vector")?,
                    line["engine"].as_str().unwrap_or_default(),
                ),
            })
        };
        self.lines(&[])?.iter().map(measurement).collect()
    }

    /// What questions cost a reader of ranges.
    fn ranges(&self) -> Result<Vec<Measurement>> {
        let settings = ["--ranges", "--settings", "0.90"];
        let all = self.lines(&settings)?;
        let one = self.lines(&[&settings[..], &["--from", ONE_COLLECTION]].concat())?;
        let [cold, later] = all.as_slice() else { anyhow::bail!("`portolan bench --ranges` gave {all:?}") };
        let mut measurements = vec![measured(
            "ranges, RECALL 0.90: recall@10",
            number(cold, "recall")?,
            GOAL_RANGES_RECALL,
            Better::Higher,
            String::new(),
        )];
        for (name, line, (kilobytes, waves)) in [("cold", cold, GOAL_COLD), ("later", later, GOAL_LATER)] {
            let note = format!("kB a question; {}", parts(line));
            let bytes = number(&line["bytes"], "mean")? / 1000.0;
            measurements.push(measured(&format!("ranges, {name}"), bytes, kilobytes, Better::Lower, note));
            let note = format!("at most, in {:.0} ranges", number(&line["ranges"], "mean")?);
            let most = number(&line["waves"], "most")?;
            measurements.push(measured(&format!("ranges, {name}: waves"), most, waves, Better::Lower, note));
        }
        let share = index_bytes(one.first().context("no line")?)? / index_bytes(cold)?;
        let note = format!("of the bytes of all 45, embedders aside, cold: {ONE_COLLECTION}");
        measurements.push(measured(
            "ranges, one collection",
            share,
            GOAL_ONE_COLLECTION,
            Better::Lower,
            note,
        ));
        Ok(measurements)
    }
}

fn measured(name: &str, value: f64, goal: f64, better: Better, note: String) -> Measurement {
    Measurement { name: name.to_owned(), value, goal: Some(goal), better, note }
}

fn number(line: &Value, key: &str) -> Result<f64> {
    line[key].as_f64().with_context(|| format!("no number {key:?} in {line}"))
}

/// All bytes but those of embedders.
fn index_bytes(line: &Value) -> Result<f64> {
    let parts = line["parts"].as_object().with_context(|| format!("no parts in {line}"))?;
    parts.iter().filter(|(name, _)| !name.starts_with("embedder")).map(|(_, part)| number(part, "mean")).sum()
}

fn parts(line: &Value) -> String {
    let parts = line["parts"].as_object().into_iter().flatten();
    let shown =
        parts.map(|(name, part)| format!("{name} {:.0}", part["mean"].as_f64().unwrap_or_default() / 1000.0));
    shown.collect::<Vec<_>>().join(", ")
}

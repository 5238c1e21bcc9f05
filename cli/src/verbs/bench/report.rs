//! The numbers, as a table for people or a line of JSON for each setting.

use std::{collections::BTreeSet, io::IsTerminal};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value as Json, json};

use super::{engine::Setting, files::Opened, ranges::Cost, speed::Measured};
use crate::output;

/// The width of a table that goes into a pipe.
const PIPE_WIDTH: u16 = 140;

/// What is printed of a run.
pub struct Report {
    json: bool,
    rows: u64,
    bytes_per_vector: f64,
    k: u32,
    table: Table,
}

impl Report {
    pub fn new(json: bool, opened: &Opened, k: u32) -> Self {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        if !std::io::stdout().is_terminal() {
            table.set_width(PIPE_WIDTH);
        }
        let rows = opened.rows();
        let bytes_per_vector = opened.snapshot_bytes() as f64 / rows.max(1) as f64;
        Self { json, rows, bytes_per_vector, k, table }
    }

    /// A setting was measured.
    pub fn speed(
        &mut self,
        engine: &str,
        setting: Setting,
        recall: f64,
        measured: &Measured,
        threads: usize,
    ) {
        let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6;
        let (p50, p99) = (micros(measured.p50), micros(measured.p99));
        if self.json {
            output::line(json!({
                "setting": setting.to_string(), "engine": engine, "recall": rounded(recall, 1e5),
                "queries_per_second": rounded(measured.rate, 10.0),
                "bytes_per_vector": rounded(self.bytes_per_vector, 10.0),
                "p50_us": rounded(p50, 10.0), "p99_us": rounded(p99, 10.0), "k": self.k, "threads": threads,
                "questions": measured.answers.len(), "rows": self.rows,
            }));
            return;
        }
        self.table.set_header([
            "setting",
            "engine",
            "recall",
            "queries/s",
            "bytes/vector",
            "p50 us",
            "p99 us",
        ]);
        self.table.add_row([
            setting.to_string(),
            engine.into(),
            format!("{recall:.4}"),
            format!("{:.0}", measured.rate),
            format!("{:.1}", self.bytes_per_vector),
            format!("{p50:.1}"),
            format!("{p99:.1}"),
        ]);
    }

    /// The bytes of a setting were counted, one cost for each question.
    pub fn ranges(&mut self, setting: Setting, state: &str, recall: f64, costs: &[Cost]) {
        let bytes = Spread::of(costs, Cost::bytes);
        let (waves, ranges) = (Spread::of(costs, |cost| cost.waves), Spread::of(costs, |cost| cost.ranges));
        let names: BTreeSet<&String> = costs.iter().flat_map(|cost| cost.parts.keys()).collect();
        let part = |name: &String| Spread::of(costs, |cost| cost.parts.get(name).copied().unwrap_or(0));
        if self.json {
            let parts: Json = names.iter().map(|name| ((*name).clone(), part(name).to_json())).collect();
            output::line(json!({
                "setting": setting.to_string(), "state": state, "recall": rounded(recall, 1e5), "waves": waves.to_json(),
                "ranges": ranges.to_json(), "bytes": bytes.to_json(), "parts": parts, "k": self.k,
                "questions": costs.len(), "rows": self.rows,
            }));
            return;
        }
        self.table.set_header([
            "setting",
            "",
            "recall",
            "waves (most)",
            "ranges (most)",
            "kB (most)",
            "of them, kB",
        ]);
        let parts = names.iter().map(|name| format!("{name} {:.1}", part(name).mean / 1e3));
        self.table.add_row([
            setting.to_string(),
            state.into(),
            format!("{recall:.4}"),
            format!("{:.1} ({})", waves.mean, waves.most),
            format!("{:.1} ({})", ranges.mean, ranges.most),
            format!("{:.1} ({:.1})", bytes.mean / 1e3, bytes.most as f64 / 1e3),
            parts.collect::<Vec<_>>().join(", "),
        ]);
    }

    /// Prints the table, if it is one.
    pub fn finish(&self) {
        if !self.json {
            output::line(&self.table);
            output::line(format_args!("k = {}, {} records", self.k, self.rows));
        }
    }
}

/// A number over all questions.
struct Spread {
    mean: f64,
    most: u64,
}

impl Spread {
    fn of(costs: &[Cost], number: impl Fn(&Cost) -> u64) -> Self {
        let sum: u64 = costs.iter().map(&number).sum();
        Self {
            mean: sum as f64 / costs.len().max(1) as f64,
            most: costs.iter().map(&number).max().unwrap_or(0),
        }
    }

    fn to_json(&self) -> Json {
        json!({"mean": rounded(self.mean, 10.0), "most": self.most})
    }
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

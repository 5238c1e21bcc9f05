//! The numbers, as a table for people or a line of JSON for each setting.

use comfy_table::{Table, presets};
use serde_json::{Value as Json, json};

use super::{engine::Setting, files::Opened, ranges::Cost, speed::Measured};
use crate::output;

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
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
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
        let parts = [
            ("release.json", Spread::of(costs, |cost| cost.description)),
            ("heads", Spread::of(costs, |cost| cost.heads)),
            ("collections", Spread::of(costs, |cost| cost.snapshots)),
            ("embedders", Spread::of(costs, |cost| cost.embedders)),
        ];
        if self.json {
            let parts: Json = parts.iter().map(|(name, part)| ((*name).to_owned(), part.to_json())).collect();
            output::line(json!({
                "setting": setting.to_string(), "state": state, "recall": rounded(recall, 1e5), "waves": waves.to_json(),
                "ranges": ranges.to_json(), "bytes": bytes.to_json(), "parts": parts, "k": self.k,
                "questions": costs.len(), "rows": self.rows,
            }));
            return;
        }
        let header = ["setting", "", "recall", "waves (most)", "ranges (most)", "bytes (most)"];
        self.table.set_header(header.into_iter().chain(parts.iter().map(|(name, _)| *name)));
        let (mean, both) = (|part: &Spread| format!("{:.0}", part.mean), Spread::shown);
        let first = [
            setting.to_string(),
            state.into(),
            format!("{recall:.4}"),
            both(&waves),
            both(&ranges),
            both(&bytes),
        ];
        self.table.add_row(first.into_iter().chain(parts.iter().map(|(_, part)| mean(part))));
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

    fn shown(&self) -> String {
        let digits = if self.mean < 100.0 { 1 } else { 0 };
        format!("{:.digits$} ({})", self.mean, self.most)
    }
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

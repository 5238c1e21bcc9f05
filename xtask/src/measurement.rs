//! One measured number beside its goal, and how a benchmark program hands it over: one JSON object a line.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::table;

/// Which side of the goal is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The value should reach the goal.
    Higher,
    /// The value should stay under the goal.
    Lower,
}

/// A measured number.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What was measured.
    pub name: String,
    /// The number; often a ratio, which says more than a time on a machine nobody has.
    pub value: f64,
    /// What it should be; `None` for a number that is only worth knowing.
    pub goal: Option<f64>,
    /// Which side of the goal is good.
    pub better: Better,
    /// What the number means, or the numbers behind it.
    pub note: String,
}

impl Measurement {
    /// Reads `{"name":"…","ratio":1.5,"goal":1.0,"better":"lower","note":"…"}`; `goal`, `better` (else higher) and
    /// `note` may be absent, and other keys join the note. `None` if the line is no measurement: no JSON object, or
    /// one with neither ratio nor goal. An error if it is one and lacks a part.
    pub fn from_line(line: &str) -> Option<Result<Self>> {
        let fields: Value = serde_json::from_str(line).ok()?;
        let object = fields.as_object()?;
        if !object.contains_key("ratio") && !object.contains_key("goal") {
            return None;
        }
        Some(Self::from_fields(&fields).with_context(|| format!("in the benchmark's line {line}")))
    }

    fn from_fields(fields: &Value) -> Result<Self> {
        let better = match fields["better"].as_str() {
            None | Some("higher") => Better::Higher,
            Some("lower") => Better::Lower,
            Some(other) => anyhow::bail!("\"better\" is {other:?}; write \"higher\" or \"lower\""),
        };
        Ok(Self {
            name: fields["name"].as_str().context("\"name\" is missing")?.to_owned(),
            value: fields["ratio"].as_f64().context("\"ratio\" is missing or no number")?,
            goal: fields["goal"].as_f64(),
            better,
            note: note(fields),
        })
    }

    /// True if there is no goal or it is reached.
    pub fn passes(&self) -> bool {
        self.goal.is_none_or(|goal| match self.better {
            Better::Higher => self.value >= goal,
            Better::Lower => self.value <= goal,
        })
    }

    fn row(&self) -> Vec<String> {
        let bound = if self.better == Better::Higher { "at least" } else { "at most" };
        let goal = self.goal.map_or_else(String::new, |goal| format!("{bound} {}", number(goal)));
        let verdict = match self.goal {
            None => "",
            Some(_) if self.passes() => "pass",
            Some(_) => "MISS",
        };
        vec![self.name.clone(), number(self.value), goal, verdict.to_owned(), self.note.clone()]
    }
}

fn note(fields: &Value) -> String {
    let read = ["name", "ratio", "goal", "better", "note"];
    let others = fields.as_object().into_iter().flatten().filter(|(key, _)| !read.contains(&key.as_str()));
    let others = others.map(|(key, value)| format!("{key} {value}"));
    let own = fields["note"].as_str().map(str::to_owned);
    own.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// The table of all measurements, and the count of goals missed.
pub fn report(measurements: &[Measurement]) -> String {
    let rows: Vec<_> = measurements.iter().map(Measurement::row).collect();
    let missed = measurements.iter().filter(|measurement| !measurement.passes()).count();
    let table = table::render(&["measurement", "value", "goal", "result", "note"], &rows, &[1, 2]);
    format!("{table}\n{} measured, {missed} missed their goal", rows.len())
}

/// Whole from a thousand on, else three decimals at most.
fn number(value: f64) -> String {
    let digits = if value.abs() >= 1000.0 { 0 } else { 3 };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Measurement {
        Measurement::from_line(line).unwrap().unwrap()
    }

    #[test]
    fn a_goal_is_reached_from_its_good_side() {
        assert!(read(r#"{"name":"a","ratio":0.5,"goal":0.5}"#).passes());
        assert!(!read(r#"{"name":"a","ratio":0.4,"goal":0.5}"#).passes());
        assert!(read(r#"{"name":"a","ratio":0.4,"goal":0.5,"better":"lower"}"#).passes());
        assert!(!read(r#"{"name":"a","ratio":0.6,"goal":0.5,"better":"lower"}"#).passes());
        assert!(read(r#"{"name":"a","ratio":0.4}"#).passes());
    }

    #[test]
    fn other_output_is_no_measurement() {
        for line in ["warming up", "", "3", "[1]", r#"{"name":"kernel avx2","rows":117791}"#] {
            assert!(Measurement::from_line(line).is_none(), "{line}");
        }
    }

    #[test]
    fn a_broken_measurement_is_an_error_and_not_ignored() {
        for line in
            [r#"{"name":"a","goal":1}"#, r#"{"ratio":1}"#, r#"{"name":"a","ratio":1,"better":"bigger"}"#]
        {
            assert!(Measurement::from_line(line).unwrap().is_err(), "{line}");
        }
    }

    #[test]
    fn the_report_counts_what_missed() {
        let hit = read(r#"{"name":"scan","ratio":0.75,"goal":0.5,"note":"of plain reading"}"#);
        let miss = read(r#"{"name":"embed","ratio":40000,"goal":50000}"#);
        let report = report(&[hit, miss]);
        assert!(report.contains("MISS") && report.ends_with("2 measured, 1 missed their goal"), "{report}");
    }

    #[test]
    fn further_keys_are_shown_in_the_note() {
        let measurement = read(r#"{"name":"a","ratio":1,"seconds":0.5,"note":"of a read","rows":3}"#);
        assert_eq!(measurement.note, "of a read, seconds 0.5, rows 3");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [number(0.5), number(51234.6), number(61.0), number(100.0)],
            ["0.5", "51235", "61", "100"]
        );
    }
}

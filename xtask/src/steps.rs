//! Runs named steps one after the other: a header and a duration for each, a table of all at the end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::table;

/// How a step that did not fail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ran.
    Done,
    /// It could not run here, and why.
    Skipped(String),
}

/// The steps of one command.
#[derive(Default)]
pub struct Steps {
    rows: Vec<(String, Duration, String)>,
}

impl Steps {
    /// Runs one step. A failing step ends the command, with its name and the table so far.
    pub fn run(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        println!("\n==> {name}");
        let start = Instant::now();
        let result = step();
        let (took, status) = (start.elapsed(), status_of(&result));
        println!("<== {name}: {status} in {}", seconds(took));
        self.rows.push((name.to_owned(), took, status));
        if result.is_err() {
            self.print();
        }
        result.map(drop).with_context(|| format!("step `{name}` failed"))
    }

    /// Prints the table of all steps.
    pub fn print(&self) {
        println!("\n{}", self.render());
    }

    fn render(&self) -> String {
        let row = |(name, took, status): &(String, Duration, String)| {
            vec![name.clone(), seconds(*took), status.clone()]
        };
        let mut rows: Vec<_> = self.rows.iter().map(row).collect();
        rows.push(vec!["total".to_owned(), seconds(self.rows.iter().map(|row| row.1).sum()), String::new()]);
        table::render(&["step", "time", "result"], &rows, &[1])
    }
}

fn status_of(result: &Result<Outcome>) -> String {
    match result {
        Ok(Outcome::Done) => "ok".to_owned(),
        Ok(Outcome::Skipped(why)) => format!("SKIP: {why}"),
        Err(_) => "FAILED".to_owned(),
    }
}

/// A duration for people, to a tenth of a second.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named_and_its_reason_kept() {
        let mut steps = Steps::default();
        let error = steps.run("lints", || anyhow::bail!("three warnings")).unwrap_err();
        assert_eq!(format!("{error:#}"), "step `lints` failed: three warnings");
        assert!(steps.render().contains("FAILED"));
    }

    #[test]
    fn a_skipped_step_stays_visible_in_the_table() {
        let mut steps = Steps::default();
        steps.run("format", || Ok(Outcome::Done)).unwrap();
        steps.run("browser", || Ok(Outcome::Skipped("no chromium".to_owned()))).unwrap();
        let table = steps.render();
        assert!(table.contains("SKIP: no chromium") && table.contains("total"), "{table}");
    }
}

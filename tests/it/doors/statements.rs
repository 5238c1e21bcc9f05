//! The statements of `tests/conformance/doors.jsonl`, and what each must come to whatever the door.
//!
//! A line is `{"name", "sql"}`, `"params"` if there are any (as `Params::from_json` takes them), and what must come of it:
//! `"rows"` (how many), `"ids"` (of which records), `"error"` (the code), `"explains"` (a part of the plan), `"notes"` (how
//! many), `"sets"` (rows of each item), `"pages"` (whether there is a further page). In `sql` and `params`, `$vector` stands
//! for the vector of the first record of `noun.animal`; in `params`, `"$cursor"` is the cursor of the statement before.

use std::fs;

use serde_json::Value as Json;

use super::{release::Sample, setting::Failure, tools};

/// One statement.
pub struct Statement {
    /// What it is about.
    pub name: String,
    /// The statement on one line.
    pub sql: String,
    /// Its parameters as JSON.
    pub params: Option<String>,
    /// What it must come to: the line of the file.
    pub expected: Json,
}

/// Reads the file.
pub fn load(sample: &Sample) -> Result<Vec<Statement>, Failure> {
    let text = fs::read_to_string(tools::root().join("tests/conformance/doors.jsonl"))?;
    let vector = serde_json::to_string(&sample.vector)?;
    text.lines().map(|line| parse(line, &vector)).collect()
}

fn parse(line: &str, vector: &str) -> Result<Statement, Failure> {
    let expected: Json = serde_json::from_str(line)?;
    let text = |key: &str| expected[key].as_str().ok_or_else(|| format!("{key} is missing in {line}"));
    let (name, sql) = (text("name")?.to_owned(), text("sql")?.replace("$vector", vector));
    let params = expected.get("params").map(|params| params.to_string().replace("\"$vector\"", vector));
    Ok(Statement { name, sql, params, expected })
}

impl Statement {
    /// The statement as the doors read it: its parameters stand behind a tab.
    pub fn line(&self) -> String {
        self.params.iter().fold(self.sql.clone(), |line, params| format!("{line}\t{params}"))
    }

    /// Puts the cursor of the statement before into the parameters.
    pub fn turn_page(&mut self, cursor: &Json) {
        if let Some(params) = &mut self.params {
            *params = params.replace("\"$cursor\"", &cursor.to_string());
        }
    }
}

/// Checks native code's answers, so that the doors do not just agree on something wrong.
pub fn check(statements: &[Statement], answers: &[Json]) {
    for (Statement { name, expected, .. }, answer) in statements.iter().zip(answers) {
        if let Some(rows) = expected["rows"].as_u64() {
            assert_eq!(answer["row_ids"].as_array().map(Vec::len), Some(rows as usize), "{name}: {answer:#}");
        }
        if let Some(code) = expected["error"].as_u64() {
            assert_eq!(answer["error"]["code"], code, "{name}: {answer:#}");
        }
        if expected["ids"].is_array() {
            assert_eq!(answer["row_ids"], expected["ids"], "{name}: {answer:#}");
        }
        if let Some(notes) = expected["notes"].as_u64() {
            assert_eq!(answer["notes"].as_array().map(Vec::len), Some(notes as usize), "{name}: {answer:#}");
        }
        if let Some(pages) = expected["pages"].as_bool() {
            assert_eq!(answer["cursor"].is_string(), pages, "{name}: {answer:#}");
        }
        if expected["sets"].is_array() {
            let rows = |set: &Json| set["rows"].clone();
            let sets: Json = answer["sets"].as_array().into_iter().flatten().map(rows).collect();
            assert_eq!(sets, expected["sets"], "{name}: {answer:#}");
        }
        if let Some(part) = expected["explains"].as_str() {
            let plan = answer["explanation"].as_str().unwrap_or_default();
            assert!(plan.contains(part), "{name}: {answer:#}");
        }
    }
}

//! The statements of `tests/conformance/doors.jsonl`, and what each must come to whatever the door.
//!
//! A line is `{"name", "sql"}` with one of `"rows"` (how many), `"error"` (the code) or `"explains"` (a part of the
//! plan). In `sql`, `$vector` stands for the vector of the first record of `noun.animal`.

use std::fs;

use serde_json::Value as Json;

use super::{release::Sample, setting::Failure, tools};

/// One statement.
pub struct Statement {
    /// What it is about.
    pub name: String,
    /// The statement on one line.
    pub sql: String,
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
    Ok(Statement { name, sql, expected })
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
        if let Some(part) = expected["explains"].as_str() {
            let plan = answer["explanation"].as_str().unwrap_or_default();
            assert!(plan.contains(part), "{name}: {answer:#}");
        }
    }
}

//! The statements of `statements.jsonl`, and the rows that each has had since the files were written.
//!
//! A line is `{"sql"}`, `"params"` if there are any, and what must come of it: `"rows"`; or `"count"`, how many, where
//! better estimates may change their order; or `"error"`, the code.

use std::{fs, path::Path};

use serde_json::Value as Json;

use crate::doors::{setting::Failure, statements::Statement};

/// How far distances may lie apart: machines may add in another order one day.
const TOLERANCE: f64 = 1e-5;

/// Reads the file.
pub fn load(folder: &Path) -> Result<Vec<Statement>, Failure> {
    let text = fs::read_to_string(folder.join("statements.jsonl"))?;
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Statement, Failure> {
    let expected: Json = serde_json::from_str(line)?;
    let sql = expected["sql"].as_str().ok_or("no sql")?.to_owned();
    let params = expected.get("params").map(Json::to_string);
    Ok(Statement { name: sql.clone(), sql, params, expected })
}

/// Checks the answers against the lines.
///
/// # Panics
/// With the statement and both answers.
pub fn check(statements: &[Statement], answers: &[Json]) {
    for (Statement { sql, expected, .. }, answer) in statements.iter().zip(answers) {
        let same = if let Some(code) = expected.get("error") {
            answer["error"]["code"] == *code
        } else if let Some(count) = expected["count"].as_u64() {
            answer["rows"].as_array().is_some_and(|rows| rows.len() as u64 == count)
        } else {
            equal(&expected["rows"], &answer["rows"])
        };
        assert!(same, "{sql}\nexpected: {expected}\nfound: {answer}");
    }
}

fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else { return false };
            a == b || (a - b).abs() <= TOLERANCE
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

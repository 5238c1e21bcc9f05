//! The cases of `tests/conformance/native.jsonl`.
//!
//! A line is `{"name", "sql"}` with `"ask"`, the same question for the oracle, or `"error"`, the code that it comes to;
//! `"params"` for `?` (an array) or `:name` (an object), and `"pages": true` where `$AFTER` in the statement stands for
//! the cursor of the page before: then the pages together are the answer.

use serde_json::{Value as Json, json};

const CASES: &str = include_str!("../../conformance/native.jsonl");

/// One case.
pub struct Case {
    pub name: String,
    pub sql: String,
    /// Null without parameters.
    pub params: Json,
    pub expected: Expected,
    pub pages: bool,
}

/// What a case comes to.
pub enum Expected {
    /// What the oracle answers to this question.
    Ask(Json),
    /// The error of this number.
    Error(u64),
}

/// What stands for the cursor.
pub const AFTER: &str = "$AFTER";

/// Reads the file.
pub fn load() -> Vec<Case> {
    CASES.lines().map(|line| case(&serde_json::from_str(line).expect(line))).collect()
}

fn case(json: &Json) -> Case {
    let text = |key: &str| json[key].as_str().unwrap_or_else(|| panic!("no {key} in {json}")).to_owned();
    let expected = match json["error"].as_u64() {
        Some(code) => Expected::Error(code),
        None => Expected::Ask(json["ask"].clone()),
    };
    Case {
        name: text("name"),
        sql: text("sql"),
        params: json["params"].clone(),
        expected,
        pages: json["pages"] == true,
    }
}

impl Case {
    /// What a door needs of it, on one line.
    pub fn line(&self) -> String {
        json!({"sql": self.sql, "params": self.params, "pages": self.pages}).to_string()
    }
}

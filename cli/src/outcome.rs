//! How a verb ends: its exit code, and errors told to people or to programs.

use std::process::ExitCode;

use portolan::{Error, ErrorKind, error::QueryError};
use serde_json::json;

/// How a verb ended. The numbers are the documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All that was asked is done.
    Done = 0,
    /// A check failed, or some records were refused and the rest kept.
    CheckFailed = 1,
    /// The command or statement is wrong.
    WrongUse = 2,
    /// Something is not there, or not in the right state.
    NotFound = 3,
    /// The disk, or a damaged file.
    Io = 4,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome as u8)
    }
}

/// Why a verb could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    outcome: Outcome,
    code: u32,
    message: String,
    detail: Option<String>,
}

impl Failure {
    /// The command was used wrongly.
    pub fn wrong_use(message: impl Into<String>) -> Self {
        Self { outcome: Outcome::WrongUse, code: 0, message: message.into(), detail: None }
    }

    /// The machine refused to start threads.
    pub fn runtime(error: std::io::Error) -> Self {
        Self { outcome: Outcome::Io, code: 0, message: format!("cannot start: {error}"), detail: None }
    }

    /// A wrong statement, with the place marked.
    pub fn statement(error: QueryError, sql: &str) -> Self {
        let detail = Some(error.snippet(sql));
        Self { detail, ..Error::from(error).into() }
    }

    /// Tells what went wrong on standard error (people) or standard output (programs).
    pub fn report(&self, json: bool) -> Outcome {
        if json {
            println!("{}", json!({"error": {"code": self.code, "message": self.message}}));
            return self.outcome;
        }
        let code = if self.code > 0 { format!(" [{}]", self.code) } else { String::new() };
        eprintln!("error{code}: {}", self.message);
        if let Some(detail) = &self.detail {
            eprintln!("{detail}");
        }
        self.outcome
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let outcome = match error.kind() {
            ErrorKind::Usage => Outcome::WrongUse,
            ErrorKind::NotFound => Outcome::NotFound,
            _ => Outcome::Io,
        };
        Self { outcome, code: error.code(), message: error.to_string(), detail: None }
    }
}

//! How a verb ends: its exit code, and errors told to people or to programs.

use std::process::ExitCode;

use portolan::{Error, ErrorKind, error::QueryError};
use serde_json::json;

use crate::output;

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
    place: Option<Place>,
}

/// Where in a statement something is wrong.
#[derive(Debug)]
struct Place {
    error: QueryError,
    snippet: String,
}

impl Failure {
    /// The command was used wrongly.
    pub fn wrong_use(message: impl Into<String>) -> Self {
        Self { outcome: Outcome::WrongUse, code: 0, message: message.into(), place: None }
    }

    /// The machine refused to start threads.
    pub fn runtime(error: std::io::Error) -> Self {
        Self { outcome: Outcome::Io, code: 0, message: format!("cannot start: {error}"), place: None }
    }

    /// A wrong statement, with the place marked.
    pub fn statement(error: QueryError, sql: &str) -> Self {
        let place = Place { error: error.clone(), snippet: error.snippet(sql) };
        Self { place: Some(place), ..Error::from(error).into() }
    }

    /// Tells what went wrong on standard error (people) or standard output (programs).
    pub fn report(&self, json: bool) -> Outcome {
        if json {
            let mut error = json!({"code": self.code, "exit": self.outcome as u8, "message": self.message});
            if let (Some(Place { error: place, .. }), Some(fields)) = (&self.place, error.as_object_mut()) {
                fields.insert("line".into(), place.line().into());
                fields.insert("column".into(), place.column().into());
                fields.insert("name".into(), place.name().into());
                fields.insert("text".into(), place.text().into());
                fields.insert("hint".into(), place.hint().into());
            }
            output::line(json!({ "error": error }));
            return self.outcome;
        }
        match &self.place {
            Some(place) => eprintln!("{}", place.snippet.trim_end()),
            None if self.code > 0 => eprintln!("error {}: {}", self.code, self.message),
            None => eprintln!("error: {}", self.message),
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
        Self { outcome, code: error.code(), message: error.to_string(), place: None }
    }
}

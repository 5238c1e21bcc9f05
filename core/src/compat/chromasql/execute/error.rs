//! Why a planned statement could not be executed.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::{Error, error::Span};

/// Which part of the execution failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStage {
    /// Choosing collections.
    Route,
    /// Making a vector of a text.
    Embed,
    /// Asking the collection.
    Backend,
    /// None of several collections answered.
    AllCollectionsFailed,
}

impl ExecutionStage {
    /// The stage in snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Embed => "embed",
            Self::Backend => "backend",
            Self::AllCollectionsFailed => "all_collections_failed",
        }
    }
}

/// The statement was planned and could not be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionError {
    stage: ExecutionStage,
    message: String,
    hint: String,
    /// Where in the statement, if one place of it is to blame.
    span: Option<Span>,
}

impl ExecutionError {
    /// An error at a stage: what happened, and what to do.
    pub fn new(stage: ExecutionStage, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { stage, message: message.into(), hint: hint.into(), span: None }
    }

    pub(super) fn missing(name: &str) -> Self {
        let message = format!("there is no collection {name:?}");
        Self::new(ExecutionStage::Backend, message, "import it, or take it out of the routing file")
    }

    pub(super) fn backend(name: &str, message: &str) -> Self {
        Self::new(ExecutionStage::Backend, format!("{name}: {message}"), "")
    }

    pub(super) fn engine(name: &str, error: &Error) -> Self {
        match error {
            Error::Query(error) => Self {
                span: Some(error.span()),
                ..Self::new(ExecutionStage::Backend, format!("{name}: {}", error.message()), error.hint())
            },
            error => Self::new(ExecutionStage::Backend, format!("{name}: {error}"), ""),
        }
    }

    /// A condition that the reference's store refuses.
    pub(super) fn refused(span: Span, message: &str, hint: &str) -> Self {
        Self { span: Some(span), ..Self::new(ExecutionStage::Backend, message, hint) }
    }

    pub(super) fn all_failed(failed: &[(String, String)]) -> Self {
        let reasons: Vec<&str> = failed.iter().map(|(_, reason)| reason.as_str()).take(3).collect();
        let message = format!("none of {} collections answered: {}", failed.len(), reasons.join("; "));
        Self::new(ExecutionStage::AllCollectionsFailed, message, "see what each collection says")
    }

    /// Which part failed.
    pub fn stage(&self) -> ExecutionStage {
        self.stage
    }

    /// `{stage, code, message, line, column, hint}`; the code is the stage's name. Line and column are null where no one
    /// place of the statement is to blame.
    pub fn to_json(&self) -> Json {
        json!({
            "stage": self.stage.name(),
            "code": self.stage.name(),
            "message": self.message,
            "line": self.span.map(|span| span.line),
            "column": self.span.map(|span| span.column),
            "hint": self.hint,
        })
    }
}

impl fmt::Display for ExecutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Span { line, column, .. }) = self.span {
            write!(f, "{line}:{column}: ")?;
        }
        match self.hint.as_str() {
            "" => f.write_str(&self.message),
            hint => write!(f, "{}; {hint}", self.message),
        }
    }
}

impl std::error::Error for ExecutionError {}

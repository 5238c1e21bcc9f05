//! Bind parameters: the values that `?` and `:name` stand for.
//!
//! A value takes the parameter's place while the statement is parsed, so it needs no quoting and can never become
//! syntax. Names of collections and fields cannot be parameters.

use std::collections::BTreeMap;

use crate::schema::Value;

/// What one parameter stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// Null, a boolean, a number, a text, a time; or a list of them, for IN and CONTAINS.
    Value(Value),
    /// A query vector.
    Vector(Vec<f32>),
}

impl From<Value> for Param {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// The parameters of one statement. Every `?` takes the next of the positional ones, every `:name` the one of that
/// name; one that no place takes is an error.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params {
    /// For `?`, in the order of the statement.
    pub positional: Vec<Param>,
    /// For `:name`, by name without the colon.
    pub named: BTreeMap<String, Param>,
}

impl Params {
    /// No parameters.
    pub fn none() -> Self {
        Self::default()
    }

    /// With one more value for `?`.
    pub fn push(mut self, param: impl Into<Param>) -> Self {
        self.positional.push(param.into());
        self
    }

    /// With a value for `:name`; the last one of a name counts.
    pub fn set(mut self, name: impl Into<String>, param: impl Into<Param>) -> Self {
        self.named.insert(name.into(), param.into());
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty() && self.named.is_empty()
    }
}

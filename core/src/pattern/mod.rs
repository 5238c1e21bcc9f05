//! Patterns over texts: LIKE, ILIKE, STARTS WITH, CONTAINS and regular expressions.
//!
//! Written for the wasm module's size: one small automaton, no tables of Unicode. Every match takes time linear in
//! the text for a given pattern; there is no backtracking into exponential time. What a match captured is not asked
//! here, only whether there is one.

mod fold;
mod like;
mod regex;

#[cfg(test)]
mod tests;

pub(crate) use like::Like;
pub(crate) use regex::{PatternError, Regex, Scratch};

/// A test of one text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    /// The text is this one.
    Whole(String),
    /// The text begins with this.
    Prefix(String),
    /// One of these is a part of the text.
    Parts(Vec<String>),
    /// LIKE and ILIKE with wildcards inside.
    Like(Like),
    /// A regular expression matches somewhere.
    Regex(Box<Regex>),
}

impl Pattern {
    /// A LIKE pattern; `folded`: letter case aside.
    ///
    /// # Errors
    /// A single backslash at its end.
    pub fn like(pattern: &str, folded: bool) -> Result<Self, PatternError> {
        let like = Like::new(pattern, folded)?;
        Ok(like
            .as_text()
            .map(Self::Whole)
            .or_else(|| like.as_prefix().map(Self::Prefix))
            .or_else(|| like.as_infix().map(|text| Self::Parts(vec![text])))
            .unwrap_or(Self::Like(like)))
    }

    /// A regular expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(pattern: &str) -> Result<Self, PatternError> {
        Regex::new(pattern).map(|regex| Self::Regex(Box::new(regex)))
    }

    /// What every matching text begins with; may be empty.
    pub fn prefix(&self) -> String {
        match self {
            Self::Whole(text) | Self::Prefix(text) => text.clone(),
            Self::Like(like) => like.prefix(),
            Self::Parts(_) | Self::Regex(_) => String::new(),
        }
    }

    /// Whether the text matches. `scratch` may be reused from text to text, also between patterns.
    pub fn is_match(&self, text: &str, scratch: &mut Scratch) -> bool {
        match self {
            Self::Whole(whole) => text == whole,
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Parts(parts) => parts.iter().any(|part| text.contains(part.as_str())),
            Self::Like(like) => like.is_match(text),
            Self::Regex(regex) => regex.is_match(text, scratch),
        }
    }
}

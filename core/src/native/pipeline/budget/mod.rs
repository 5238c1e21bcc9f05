//! Token budgets: what becomes of a text that is longer than its embedder reads.
//!
//! A model with `max_tokens` has its long texts cut by a [`Strategy`]; one with `chunk` has them divided into overlapping
//! pieces, each a record of its own. Both count with the embedder's own tokenizer, and count the result again as a whole, so
//! that it fits by what the embedder will see. What was cut says so in its metadata. Models without these keys are left alone.
//!
//! It does not choose the tokenizer (the registry does) and embeds nothing.

mod chunk;
mod segments;
mod sentences;
mod truncate;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::registry::EmbedderSpec;
use crate::error::{InputError, StoreError};
use crate::native::embed::{Tokenizer, Words, load_tokenizer};
use crate::schema::{Field, FieldType, Value};

/// Metadata of a cut text: how many tokens it had.
pub const ORIGINAL_TOKENS: &str = "original_tokens";
/// Metadata of a cut text: how many tokens are left.
pub const FINAL_TOKENS: &str = "final_tokens";
/// Metadata of a cut text: how it was cut.
pub const TRUNCATION: &str = "truncation";
/// Metadata: whether there is any text to embed.
pub const HAS_SEM: &str = "has_sem";
/// Metadata of a piece: the key of its record.
pub const PARENT: &str = "parent";
/// Metadata of a piece: its number, from 0.
pub const CHUNK_NO: &str = "chunk_no";

/// Which part of a long text is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The beginning.
    End,
    /// The end.
    Start,
    /// As many characters of the beginning as of the end.
    MiddleOut,
    /// Whole sentences of the beginning and of the end.
    Sentences,
    /// By the kind of the text: the beginning of tables, sentences of documentation, else both ends.
    Auto,
}

impl Strategy {
    /// Its name in the registry and in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Start => "start",
            Self::MiddleOut => "middle_out",
            Self::Sentences => "sentences",
            Self::Auto => "auto",
        }
    }

    /// What `auto` means for a text of that model, whose text is made of these fields.
    fn resolve(self, model: &str, fields: &[String], text: &str) -> Self {
        if self != Self::Auto {
            return self;
        }
        let beginning: String = text.chars().take(200).collect();
        let prose = |field: &String| {
            let name = field.rsplit('.').next().unwrap_or_default();
            ["documentation", "help_text", "description"].contains(&name)
        };
        match () {
            () if model == "Table" || beginning.to_lowercase().contains("table") => Self::End,
            () if fields.iter().any(prose) => Self::Sentences,
            () => Self::MiddleOut,
        }
    }
}

/// The budget of a model's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Longer texts are cut.
    Truncate {
        /// The most tokens.
        max_tokens: usize,
        /// Which part is kept.
        strategy: Strategy,
    },
    /// Texts are divided.
    Chunk {
        /// The most tokens of a piece.
        tokens: usize,
        /// The tokens that a piece shares with the one before, at most.
        overlap: usize,
    },
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncate { max_tokens, strategy } => write!(f, "{max_tokens} tokens, {}", strategy.name()),
            Self::Chunk { tokens, overlap } => write!(f, "pieces of {tokens} tokens that share {overlap}"),
        }
    }
}

impl Budget {
    /// The metadata fields that it adds to a model.
    pub fn fields(self) -> Vec<Field> {
        let field = |path: &str, kind| Field { path: path.into(), kind };
        match self {
            Self::Truncate { .. } => vec![
                field(ORIGINAL_TOKENS, FieldType::Int),
                field(FINAL_TOKENS, FieldType::Int),
                field(TRUNCATION, FieldType::Text),
                field(HAS_SEM, FieldType::Bool),
            ],
            Self::Chunk { .. } => {
                vec![
                    field(PARENT, FieldType::Text),
                    field(CHUNK_NO, FieldType::Int),
                    field(HAS_SEM, FieldType::Bool),
                ]
            }
        }
    }

    /// The most tokens of one text.
    pub fn tokens(self) -> usize {
        match self {
            Self::Truncate { max_tokens, .. } => max_tokens,
            Self::Chunk { tokens, .. } => tokens,
        }
    }
}

/// A model's budget with what is needed to apply it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetPlan {
    /// The budget.
    pub budget: Budget,
    /// The embedder whose tokenizer counts.
    pub embedder: EmbedderSpec,
    /// The fields that the model's text is made of.
    pub(super) fields: Vec<String>,
    /// The tokenizer that the host has brought.
    pub(super) given: Option<Given>,
}

/// A tokenizer that the host has brought.
#[derive(Clone)]
pub struct Given(pub Arc<dyn Tokenizer>);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Given {}

impl BudgetPlan {
    /// The tokenizer of the embedder.
    ///
    /// # Errors
    /// [`StoreError::BadRegistry`] when it has none, cannot be loaded, or makes more tokens of every text than the budget
    /// allows.
    pub(super) fn tokenizer(&self, model: &str) -> Result<Arc<dyn Tokenizer>, StoreError> {
        let none = || InputError::BadEmbedder {
            reason: "only the host can count its tokens; bring a tokenizer by `Registry::set_tokenizer`"
                .into(),
        };
        let (path, found): (&Path, crate::Result<Arc<dyn Tokenizer>>) = match &self.embedder {
            EmbedderSpec::Callback => {
                let given = self.given.as_ref().map(|given| given.0.clone());
                (Path::new("callback"), given.ok_or_else(|| none().into()))
            }
            EmbedderSpec::Static(folder) => {
                (folder, load_tokenizer(folder).map(|found| Arc::new(found) as _))
            }
            EmbedderSpec::Fake(_) => (Path::new("fake"), Ok(Arc::new(Words))),
            EmbedderSpec::Imported(_) => (Path::new("imported"), Err(none().into())),
        };
        let wrong = |reason| StoreError::BadRegistry { path: path.into(), reason };
        let found = found.map_err(|error| wrong(format!("model {model:?} has a token budget: {error}")))?;
        let (least, most) = (found.count(""), self.budget.tokens());
        if least >= most {
            return Err(wrong(format!(
                "model {model:?} allows {most} tokens, and the embedder adds {least} to every text"
            )));
        }
        Ok(found)
    }
}

/// A text that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The text.
    pub text: String,
    /// What its metadata says about it.
    pub metadata: Vec<(&'static str, Value)>,
    /// Whether something is missing.
    pub cut: bool,
}

/// Applies a budget with a tokenizer.
pub struct Budgeter<'a> {
    /// The budget.
    pub budget: Budget,
    /// The embedder's tokenizer.
    pub tokenizer: &'a dyn Tokenizer,
    /// The model's name, for `auto`.
    pub model: &'a str,
    /// The fields that the model's text is made of, for `auto`.
    pub fields: &'a [String],
}

impl Budgeter<'_> {
    /// The texts to embed instead of `text`: one, or a piece each, at least one.
    pub fn fit(&self, text: String) -> Vec<Fitted> {
        let has_sem = (HAS_SEM, Value::Bool(!text.trim().is_empty()));
        match self.budget {
            Budget::Truncate { max_tokens, strategy } => {
                vec![self.truncate(text, max_tokens, strategy, has_sem)]
            }
            Budget::Chunk { tokens, overlap } => chunk::chunks(self.tokenizer, &text, tokens, overlap)
                .into_iter()
                .map(|text| Fitted { text, metadata: vec![has_sem.clone()], cut: false })
                .collect(),
        }
    }

    fn truncate(
        &self,
        text: String,
        max_tokens: usize,
        strategy: Strategy,
        has_sem: (&'static str, Value),
    ) -> Fitted {
        let original = self.tokenizer.count(&text);
        if original <= max_tokens {
            return Fitted { text, metadata: vec![has_sem], cut: false };
        }
        let strategy = strategy.resolve(self.model, self.fields, &text);
        let kept = truncate::truncate(self.tokenizer, &text, max_tokens, strategy);
        let count = |tokens: usize| Value::Int(i64::try_from(tokens).unwrap_or(i64::MAX));
        let metadata = vec![
            (ORIGINAL_TOKENS, count(original)),
            (FINAL_TOKENS, count(kept.tokens)),
            (TRUNCATION, Value::Text(kept.strategy.name().into())),
            has_sem,
        ];
        Fitted { text: kept.text, metadata, cut: true }
    }
}

#[cfg(test)]
mod tests;

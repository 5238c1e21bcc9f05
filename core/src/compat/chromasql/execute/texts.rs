//! A fixed table of texts and their vectors, in place of an embedder.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ExecutionError, ExecutionStage};

/// Vectors by text. Read from JSON: `{"embeddings": {text: [..]}, "embeddings_by_model": {model: {text: [..]}}}`; other keys
/// are not looked at.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct TextTable {
    #[serde(default)]
    embeddings: BTreeMap<String, Vec<f32>>,
    #[serde(default)]
    embeddings_by_model: BTreeMap<String, BTreeMap<String, Vec<f32>>>,
}

impl TextTable {
    /// Reads the table.
    ///
    /// # Errors
    /// What is wrong with the JSON, with its line and column.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let table: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if table.embeddings.is_empty() && table.embeddings_by_model.is_empty() {
            return Err("it holds neither `embeddings` nor `embeddings_by_model`".into());
        }
        Ok(table)
    }

    /// The vector of a text. A model that the table does not know is as none; one that it knows has its own texts only.
    ///
    /// # Errors
    /// At stage `embed` for a text that is not in the table.
    pub fn vector(&self, text: &str, model: Option<&str>) -> Result<&[f32], ExecutionError> {
        let texts = model.and_then(|model| self.embeddings_by_model.get(model)).unwrap_or(&self.embeddings);
        let found = texts.get(text).map(Vec::as_slice);
        found.ok_or_else(|| {
            let shown: String = text.chars().take(60).collect();
            let message = format!("the table of embeddings has no vector for {shown:?}");
            ExecutionError::new(ExecutionStage::Embed, message, "add the text to the file of --embeddings")
        })
    }
}

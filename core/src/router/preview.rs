//! What a host may want to know of a statement before it begins: the collections that FROM stands for, and the texts
//! that only the host can embed. Reads no file.
//!
//! Use it where the host's own rule chooses collections, or its own embedder makes vectors, and either takes time: the
//! engine does not wait. What the host decides goes into [`Options`](super::Options).

use super::{Catalog, binding, probe::find_embedder};
use crate::{
    error::{CatalogError, Error, Result},
    plan::{Plan, Probe},
    schema::Schema,
};

/// What a statement needs from its host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// The names that FROM stands for, in its order.
    pub collections: Vec<String>,
    /// The texts that no embedder of the release can embed, each once for each embedder it is needed from.
    pub texts: Vec<HostText>,
}

/// A text that is compared with collections whose embedder the release does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostText {
    /// The text.
    pub text: String,
    /// The name of the embedder that made the collections' vectors; if it is not known, what MODEL says.
    pub model: Option<String>,
    /// The embedder's fingerprint, if it is known.
    pub fingerprint: Option<String>,
    /// How many numbers the vector has to have.
    pub dimension: u32,
}

impl Preview {
    /// Looks ahead.
    ///
    /// # Errors
    /// `CatalogError` for names after FROM that are not there.
    pub fn new(catalog: &Catalog, plan: &Plan) -> Result<Self> {
        let mut preview = Self::default();
        for place in binding::select(catalog, plan)? {
            let Some(entry) = catalog.index().collections.get(place) else { continue };
            preview.collections.push(entry.schema.collection.clone());
            for probe in &plan.probes {
                let Probe::Text { text, model } = probe else { continue };
                let text = HostText::new(text, model.as_deref(), &entry.schema);
                let known = preview.texts.contains(&text);
                if !known && is_missing(&find_embedder(model.as_deref(), &entry.schema, catalog)) {
                    preview.texts.push(text);
                }
            }
        }
        Ok(preview)
    }
}

impl HostText {
    pub(super) fn new(text: &str, model: Option<&str>, schema: &Schema) -> Self {
        let id = schema.embedder.as_ref();
        Self {
            text: text.into(),
            model: id.map(|id| id.name.as_str()).or(model).map(String::from),
            fingerprint: id.map(|id| id.fingerprint.clone()),
            dimension: schema.dimension,
        }
    }
}

/// Whether it is the embedder that is missing.
pub(super) fn is_missing<T>(found: &Result<T>) -> bool {
    matches!(found, Err(Error::Catalog(CatalogError::NoEmbedder { .. })))
}

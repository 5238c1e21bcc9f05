//! What a store knows about one collection, besides its rows.

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::metric::Metric;
use crate::schema::{EmbedderId, Field, Schema};

/// The settings of one collection, kept as JSON in `meta`.
///
/// Fields only grow: a field that a model once declared keeps its type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionConfig {
    /// The version of this JSON; readers refuse newer ones.
    pub schema_version: u32,
    /// The collection's name.
    pub collection: String,
    /// How its vectors are compared.
    pub metric: Metric,
    /// The registry's name of the embedder that fills it.
    pub embedder: String,
    /// Whether records bring their own vectors.
    pub imported: bool,
    /// The embedder whose vectors are served; `None` until one has run.
    pub active: Option<EmbedderId>,
    /// Every embedder that has written vectors here, in order of first use.
    pub embedders: Vec<EmbedderId>,
    /// The metadata fields, sorted by path.
    pub fields: Vec<Field>,
    /// The models whose records it holds, in order of first use.
    pub models: Vec<String>,
}

/// What a model asks of its collections.
#[derive(Debug, Clone)]
pub(crate) struct Claim<'a> {
    /// The model's name.
    pub model: &'a str,
    /// The metric it wants.
    pub metric: Metric,
    /// The registry's name of its embedder.
    pub embedder: &'a str,
    /// The identity of the vectors its records bring, when they bring any.
    pub imported: Option<&'a EmbedderId>,
    /// Its metadata fields.
    pub fields: &'a [Field],
}

impl CollectionConfig {
    /// The newest `schema_version`.
    pub const VERSION: u32 = 1;

    /// The settings of a new collection as `claim` wants it.
    pub(crate) fn new(collection: &str, claim: &Claim<'_>) -> Self {
        let mut config = Self {
            schema_version: Self::VERSION,
            collection: collection.into(),
            metric: claim.metric,
            embedder: claim.embedder.into(),
            imported: claim.imported.is_some(),
            active: None,
            embedders: Vec::new(),
            fields: claim.fields.to_vec(),
            models: vec![claim.model.into()],
        };
        config.fields.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(id) = claim.imported {
            config.activate(id);
        }
        config
    }

    /// Makes room for another model, or for a changed one.
    ///
    /// # Errors
    /// [`StoreError::FieldTypeChanged`] when a held field has another type; [`StoreError::CollectionConflict`] when
    /// models that share the collection disagree. A model alone in its collection may change its mind.
    pub(crate) fn admit(&mut self, claim: &Claim<'_>) -> Result<(), StoreError> {
        self.agree(claim)?;
        for field in claim.fields {
            self.add_field(field, claim.model)?;
        }
        if !self.models.iter().any(|model| model == claim.model) {
            self.models.push(claim.model.into());
        }
        self.metric = claim.metric;
        self.embedder = claim.embedder.into();
        self.imported = claim.imported.is_some();
        if let Some(id) = claim.imported {
            self.activate(id);
        }
        Ok(())
    }

    fn agree(&self, claim: &Claim<'_>) -> Result<(), StoreError> {
        if self.models.iter().all(|model| model == claim.model) {
            return Ok(());
        }
        let differs = [
            (self.metric != claim.metric, "metric"),
            (self.embedder != claim.embedder || self.imported != claim.imported.is_some(), "embedder"),
        ];
        match differs.iter().find(|(differs, _)| *differs) {
            None => Ok(()),
            Some(&(_, what)) => Err(StoreError::CollectionConflict {
                collection: self.collection.clone(),
                models: self.models.join(", "),
                model: claim.model.into(),
                what,
            }),
        }
    }

    fn add_field(&mut self, field: &Field, model: &str) -> Result<(), StoreError> {
        match self.fields.binary_search_by(|held| held.path.cmp(&field.path)) {
            Err(at) => self.fields.insert(at, field.clone()),
            Ok(at) if self.fields[at].kind == field.kind => {}
            Ok(at) => {
                return Err(StoreError::FieldTypeChanged {
                    collection: self.collection.clone(),
                    field: field.path.clone(),
                    held: format!("{:?}", self.fields[at].kind).to_lowercase(),
                    declared: format!("{:?}", field.kind).to_lowercase(),
                    model: model.into(),
                });
            }
        }
        Ok(())
    }

    /// Records that `id` has written vectors here, without serving them yet.
    pub(crate) fn know(&mut self, id: &EmbedderId) {
        if !self.embedders.contains(id) {
            self.embedders.push(id.clone());
        }
    }

    /// Serves the vectors of `id` from now on.
    pub(crate) fn activate(&mut self, id: &EmbedderId) {
        self.know(id);
        self.active = Some(id.clone());
    }

    /// What all records share, with the vectors of `embedder`.
    pub(crate) fn schema(&self, embedder: &EmbedderId) -> Schema {
        Schema {
            collection: self.collection.clone(),
            dimension: embedder.dimension,
            metric: self.metric,
            embedder: (!self.imported).then(|| embedder.clone()),
            fields: self.fields.clone(),
        }
    }
}

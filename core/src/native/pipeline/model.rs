//! A model: what a record of one kind is, and where it goes.
//!
//! Models come from a registry file ([`super::Registry`]) and are checked there. A model does not read records;
//! `record` does, by its rules.

use std::collections::BTreeMap;

use super::budget::BudgetPlan;
use super::prepare::SourceSpec;
use super::template::Template;
use crate::metric::Metric;
use crate::schema::{EmbedderId, Field};

/// A checked model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name in the registry.
    pub name: String,
    /// The paths of the fields that together identify a record.
    pub key: Vec<String>,
    /// All declared fields, sorted by path.
    pub fields: Vec<Field>,
    /// The fields kept with the record, filterable or only stored, sorted by path.
    pub metadata: Vec<Field>,
    /// Where its records go.
    pub collection: CollectionRule,
    /// How the vectors of its collections are compared.
    pub metric: Metric,
    /// The registry's name of its embedder.
    pub embedder: String,
    /// The identity of the vectors that its records bring; `None` when an embedder makes them.
    pub imported: Option<EmbedderId>,
    /// Fields and the names they had before, so that a change of the model finds their values.
    pub renamed_from: BTreeMap<String, String>,
    /// Where `prepare` finds its records.
    pub sources: Vec<SourceSpec>,
    /// What becomes of texts that are too long; `None` leaves them as they are.
    pub budget: Option<BudgetPlan>,
    /// The text to embed; `None` when there is none because records bring vectors.
    pub(super) text: Option<Template>,
    /// What is kept as document; `None` is the text.
    pub(super) document: Option<Template>,
}

/// Which collection a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectionRule {
    /// All records go to one.
    Fixed(String),
    /// The value of this field names it.
    Field(String),
}

impl Model {
    /// A declared field by path.
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.fields.binary_search_by(|field| field.path.as_str().cmp(path)).ok().map(|at| &self.fields[at])
    }
}

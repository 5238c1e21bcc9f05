//! What a model means, in a form that only depends on that: not on the order of fields, on formatting, or on where it stands.
//!
//! Its hash is the model's signature. Two registries with equal signatures make the same rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::native::pipeline::model::{CollectionRule, Model};
use crate::native::pipeline::template::Template;
use crate::schema::FieldType;

/// A model, normalised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The fields of the key, in their order.
    pub key: Vec<String>,
    /// The types of all fields, by path.
    pub fields: BTreeMap<String, String>,
    /// The fields kept with a record, sorted.
    pub metadata: Vec<String>,
    /// The text to embed, as a template.
    pub text: Option<String>,
    /// The document, as a template, when it is not the text.
    pub document: Option<String>,
    /// The rule of collections: `name words` or `field topic`.
    pub collection: String,
    /// How vectors are compared.
    pub metric: String,
    /// The registry's name of the embedder.
    pub embedder: String,
    /// What becomes of long texts, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
}

impl Description {
    /// Of a model.
    pub fn of(model: &Model) -> Self {
        let metadata = model.metadata.iter().map(|field| field.path.clone()).collect();
        Self {
            key: model.key.clone(),
            fields: model.fields.iter().map(|field| (field.path.clone(), kind_name(&field.kind))).collect(),
            metadata,
            text: model.text.as_ref().map(Template::to_text),
            document: model.document.as_ref().map(Template::to_text),
            collection: match &model.collection {
                CollectionRule::Fixed(name) => format!("name {name}"),
                CollectionRule::Field(path) => format!("field {path}"),
            },
            metric: format!("{:?}", model.metric).to_lowercase(),
            embedder: model.embedder.clone(),
            budget: model.budget.as_ref().map(|plan| plan.budget.to_string()),
        }
    }

    /// The hash of it.
    pub fn signature(&self) -> String {
        // Maps are sorted, so equal descriptions are equal texts; writing one to a text cannot fail.
        let text = serde_json::to_string(self).unwrap_or_default();
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}

/// The name of a type as the registry has it.
pub fn kind_name(kind: &FieldType) -> String {
    match kind {
        FieldType::Bool => "bool".into(),
        FieldType::Int => "int".into(),
        FieldType::Float => "float".into(),
        FieldType::Text => "text".into(),
        FieldType::Time => "time".into(),
        FieldType::Json => "json".into(),
        FieldType::List(item) => format!("[{}]", kind_name(item)),
    }
}

//! What a drop is about.

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::native::pipeline::manifest::{Held, Manifest, Partition};
use crate::time::parse_time;

/// What to drop. All that is given must hold; nothing given is an error and never means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Rows of this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Rows read by these versions of their model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schema_versions: Vec<u32>,
    /// Rows in these partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// Rows prepared at this time or later: ISO 8601, UTC unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows prepared before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Records of the model with these keys, wherever they stand; the model must be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Records of the model for which this condition, as in WHERE, is true; the model must be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
}

impl Selector {
    /// Refuses a selector that is empty, unreadable, or names what is not there.
    ///
    /// # Errors
    /// [`StoreError::BadSelector`], [`StoreError::NotPrepared`].
    pub fn check(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let bad = |reason: String| Err(StoreError::BadSelector { reason });
        if *self == Self::default() {
            return bad("nothing is selected; name a model, versions, partitions, a time or keys".into());
        }
        for (name, time) in [("after", &self.after), ("before", &self.before)] {
            if let Some(text) = time.as_ref().filter(|text| parse_time(text).is_none()) {
                return bad(format!("{name} is {text:?}; write a time like 2026-01-31T12:00:00Z"));
            }
        }
        if let Some(model) = self.model.as_ref().filter(|model| !manifest.model_schemas.contains_key(*model))
        {
            let known: Vec<&str> = manifest.model_schemas.keys().map(String::as_str).collect();
            let what = format!("no rows of a model {model:?} are there, but of {}", known.join(", "));
            return Err(StoreError::NotPrepared { what });
        }
        for name in &self.partitions {
            manifest.partition(name)?;
        }
        if self.is_of_records() {
            if self.model.is_none() {
                return bad("keys and conditions are of one model; name it".into());
            }
            let (model, keys, predicate) = (self.model.clone(), self.keys.clone(), self.predicate.clone());
            let alone = self.keys.is_empty() || self.predicate.is_none();
            if !alone || *self != (Self { model, keys, predicate, ..Self::default() }) {
                let reason = "keys or a condition cannot be combined with anything but the model";
                return bad(reason.into());
            }
        }
        Ok(())
    }

    /// Whether it selects single records, and not whole partitions.
    pub fn is_of_records(&self) -> bool {
        !self.keys.is_empty() || self.predicate.is_some()
    }

    /// Whether the rows of a model in a partition are selected.
    pub fn selects(&self, partition: &Partition, model: &str, held: &Held) -> bool {
        let created = parse_time(&partition.created_at);
        let bound = |text: &Option<String>| text.as_ref().and_then(|text| parse_time(text));
        held.is_live()
            && !self.is_of_records()
            && self.model.as_ref().is_none_or(|wanted| wanted == model)
            && (self.schema_versions.is_empty() || self.schema_versions.contains(&held.schema_version))
            && (self.partitions.is_empty() || self.partitions.contains(&partition.name))
            && bound(&self.after).is_none_or(|after| created.is_some_and(|at| at >= after))
            && bound(&self.before).is_none_or(|before| created.is_some_and(|at| at < before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclear_selector_is_an_error_and_never_everything() {
        let manifest = Manifest::default();
        let wrong = [
            Selector::default(),
            Selector { before: Some("yesterday".into()), ..Default::default() },
            Selector { after: Some("2026-13-01".into()), ..Default::default() },
            Selector { keys: vec!["a".into()], ..Default::default() },
        ];
        for selector in wrong {
            assert!(matches!(selector.check(&manifest), Err(StoreError::BadSelector { .. })), "{selector:?}");
        }
        let unknown = Selector { partitions: vec!["partition_00009".into()], ..Default::default() };
        assert!(matches!(unknown.check(&manifest), Err(StoreError::NotPrepared { .. })));
        assert!(serde_json::from_str::<Selector>(r#"{"modell": "a"}"#).is_err());
    }
}

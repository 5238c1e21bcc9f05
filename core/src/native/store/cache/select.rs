//! Which entries of the cache are meant: by embedder, by age, or those that no collection can use.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::StoreError;
use crate::native::store::config::CollectionConfig;
use crate::native::store::lance;
use crate::time::parse_time;

/// The shortest beginning of a fingerprint that names an embedder.
const LEAST_FINGERPRINT: usize = 6;

/// Which entries of the cache are meant: those that all the given conditions hold for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheSelector {
    /// Of this embedder, by its name or the beginning of its fingerprint.
    pub embedder: Option<String>,
    /// Made before this date or time.
    pub before: Option<String>,
    /// Of embedders that no collection has vectors of.
    pub unused: bool,
}

impl CacheSelector {
    /// Whether it names no condition at all.
    pub fn is_empty(&self) -> bool {
        self.embedder.is_none() && self.before.is_none() && !self.unused
    }

    /// The predicate for the table. `held` are the fingerprints in the cache.
    ///
    /// # Errors
    /// [`StoreError::BadSelector`] for a date that cannot be read and an embedder that is not there.
    pub(super) fn predicate(
        &self,
        held: &BTreeSet<String>,
        configs: &BTreeMap<String, CollectionConfig>,
    ) -> Result<Option<String>, StoreError> {
        let mut conditions = Vec::new();
        if let Some(embedder) = &self.embedder {
            conditions.push(is_one_of(&named(embedder, held, configs)?));
        }
        if self.unused {
            let used: BTreeSet<&str> = fingerprints(configs).map(|(fingerprint, _)| fingerprint).collect();
            let unused: Vec<&str> =
                held.iter().map(String::as_str).filter(|held| !used.contains(held)).collect();
            conditions.push(is_one_of(&unused));
        }
        if let Some(text) = &self.before {
            let micros = parse_time(text).ok_or_else(|| StoreError::BadSelector {
                reason: format!("{text:?} is no date or time like 2026-01-31 or 2026-01-31T12:00:00Z"),
            })?;
            let time = crate::time::format_time(micros);
            let time = time.trim_end_matches('Z').replace('T', " ");
            conditions.push(format!("created_at < timestamp '{time}'"));
        }
        Ok((!conditions.is_empty()).then(|| conditions.join(" AND ")))
    }
}

/// The fingerprints that collections know, with the embedder's name.
pub(super) fn fingerprints(
    configs: &BTreeMap<String, CollectionConfig>,
) -> impl Iterator<Item = (&str, &crate::schema::EmbedderId)> {
    configs.values().flat_map(|config| &config.embedders).map(|id| (id.fingerprint.as_str(), id))
}

fn named<'h>(
    embedder: &str,
    held: &'h BTreeSet<String>,
    configs: &BTreeMap<String, CollectionConfig>,
) -> Result<Vec<&'h str>, StoreError> {
    let by_name: BTreeSet<&str> = fingerprints(configs)
        .filter(|(_, id)| id.name == embedder)
        .map(|(fingerprint, _)| fingerprint)
        .collect();
    let found: Vec<&str> = held
        .iter()
        .map(String::as_str)
        .filter(|held| {
            by_name.contains(held) || (embedder.len() >= LEAST_FINGERPRINT && held.starts_with(embedder))
        })
        .collect();
    match found.is_empty() {
        false => Ok(found),
        true => Err(StoreError::BadSelector {
            reason: format!(
                "the cache has nothing of an embedder {embedder:?}; name one, or at least {LEAST_FINGERPRINT} \
                 digits of its fingerprint, as `portolan cache stats` shows them"
            ),
        }),
    }
}

fn is_one_of(fingerprints: &[&str]) -> String {
    match fingerprints {
        [] => "1 = 0".into(),
        some => lance::is_one_of("embedder", some),
    }
}

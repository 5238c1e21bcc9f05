//! Asking a store without exporting it: the collections that a statement names become snapshots in memory.
//!
//! The rows are those of a release that would be exported now, bit for bit. The cost is reading the named collections
//! whole: right for trying a statement, wrong for serving many.

use std::sync::Arc;

use super::{export::snapshot, kept_embedder};
use crate::{
    bytes::Resident,
    error::Result,
    local::{self, LocalOptions},
    metric::Encoding,
    native::store::Store,
    plan::{NamePattern, Plan},
    release::ReleaseBuilder,
    router::{Catalog, ResultSet},
};

/// Collections of a store at one moment, in memory, ready to be asked.
#[derive(Debug)]
pub struct StoreRelease {
    catalog: Arc<Catalog>,
    files: Vec<Resident<Vec<u8>>>,
}

impl StoreRelease {
    /// Loads the collections that `plan` names. Without an `encoding` each gets its
    /// [`default_encoding`](super::default_encoding).
    ///
    /// # Errors
    /// [`CatalogError`](crate::error::CatalogError) for names that are not there, and what the store says.
    pub async fn load(store: &Store, plan: &Plan, encoding: Option<Encoding>) -> Result<Self> {
        Self::load_named(store, &names(store, plan)?, encoding).await
    }

    /// Loads the collections of these names, each of which stands once.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn load_named(store: &Store, names: &[String], encoding: Option<Encoding>) -> Result<Self> {
        let (mut builder, mut snapshots, mut embedders) = (ReleaseBuilder::new(), Vec::new(), Vec::new());
        for name in names {
            let (schema, file) = snapshot(store, name, encoding).await?;
            embedders.extend(schema.embedder.map(|id| id.fingerprint));
            builder.add_collection(&format!("collection {}", snapshots.len()), &file)?;
            snapshots.push((name.clone(), file));
        }
        embedders.sort_unstable();
        embedders.dedup();
        snapshots.sort();
        let mut files: Vec<Vec<u8>> = snapshots.into_iter().map(|(_, file)| file).collect();
        for fingerprint in embedders {
            if let Some(file) = kept_embedder(store.dir(), &fingerprint)? {
                builder.add_embedder(&fingerprint, &file)?;
                files.push(file);
            }
        }
        let built = builder.finish()?;
        files.insert(0, built.heads);
        let files = files.into_iter().map(Resident).collect();
        Ok(Self { catalog: Arc::new(Catalog::new(built.index)), files })
    }

    /// What was loaded.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Answers a plan over the loaded collections.
    ///
    /// # Errors
    /// As `LocalRelease::run`.
    pub fn run(&self, plan: Plan) -> Result<ResultSet> {
        self.run_with(plan, &LocalOptions::default())
    }

    /// Answers a plan over the loaded collections, with options.
    ///
    /// # Errors
    /// As `LocalRelease::run_with`.
    pub fn run_with(&self, plan: Plan, options: &LocalOptions) -> Result<ResultSet> {
        local::run(&self.catalog, &self.files, plan, options)
    }
}

/// The collections that the plan mentions, after EXCEPT too: a name there has to be known, as in a release. Of those that
/// are not named one by one, the ones that have vectors.
fn names(store: &Store, plan: &Plan) -> Result<Vec<String>> {
    let known = store.collections();
    let active = |name: &String| store.config(name).is_ok_and(|config| config.active.is_some());
    let mut names = Vec::new();
    for pattern in plan.source.include.iter().chain(&plan.source.except) {
        let fitting: Vec<&String> = known.iter().filter(|name| pattern.fits(name)).collect();
        if fitting.is_empty() {
            return Err(pattern.unknown(known.iter().map(String::as_str)).into());
        }
        let asked_by_name = plan.source.include.contains(pattern) && matches!(pattern, NamePattern::Name(_));
        names.extend(fitting.into_iter().filter(|name| asked_by_name || active(name)).cloned());
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

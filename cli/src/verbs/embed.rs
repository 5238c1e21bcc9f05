//! `portolan embed`: gives every record a vector of its present text.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;
use portolan::{
    embed::Embedder,
    error::CatalogError,
    native::{
        embed::load_static,
        pipeline::{EmbedReport, EmbedderSpec, Registry, embed_all},
        release::keep_embedder,
        store::{Mode, Store},
    },
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Give every record a vector of its present text, through the cache.
///
/// Can be stopped at any moment and run again: what is ready is not touched, and no text is embedded twice. Texts
/// that cannot be embedded are counted, tried three times in all, and make the exit code 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan embed --store store --models portolan.toml
  portolan embed --store store --models portolan.toml noun.animal noun.plant")]
pub struct Embed {
    /// Only these collections.
    #[arg(value_name = "COLLECTION")]
    collections: Vec<String>,
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares the embedders.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
}

impl Embed {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let mut store = Store::open(&self.store, Mode::Write("portolan embed")).await?;
        let folder = self.store.clone();
        let progress = progress::Pipeline::new(json);
        let load = |name: &str| load(&registry, &folder, name);
        let report = embed_all(&mut store, &self.collections, &load, &|step| progress.show(step)).await?;
        progress.finish();
        print(&report, start.elapsed().as_secs_f64(), json);
        let total = report.total();
        Ok(if total.errors + total.skipped > 0 { Outcome::CheckFailed } else { Outcome::Done })
    }
}

/// Loads an embedder, and keeps it in the store, so that exporting and asking need no registry.
fn load(registry: &Registry, store: &Path, name: &str) -> portolan::Result<Arc<dyn Embedder>> {
    match registry.embedder(name) {
        Some(EmbedderSpec::Static(folder)) => {
            let embedder = load_static(folder)?;
            keep_embedder(store, &embedder)?;
            Ok(Arc::new(embedder))
        }
        _ => Err(CatalogError::UndeclaredEmbedder { name: name.into() }.into()),
    }
}

fn print(report: &EmbedReport, seconds: f64, json: bool) {
    let total = report.total();
    let done = total.embedded + total.from_cache;
    if json {
        output::line(json!({
            "ready": total.ready, "embedded": total.embedded, "from_cache": total.from_cache,
            "errors": total.errors, "skipped": total.skipped, "collections": report.collections.len(),
            "seconds": seconds,
        }));
        return;
    }
    output::line(format_args!(
        "{} collections in {seconds:.1} s: {} records were ready, {} embedded, {} from the cache{}, {} failed, {} left alone after three failures",
        report.collections.len(),
        total.ready,
        total.embedded,
        total.from_cache,
        if done > 0 {
            format!(" ({:.0} % hits)", 100.0 * total.from_cache as f64 / done as f64)
        } else {
            String::new()
        },
        total.errors,
        total.skipped,
    ));
}

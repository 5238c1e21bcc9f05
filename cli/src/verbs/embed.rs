//! `portolan embed`: gives every record a vector of its present text.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use portolan::{
    error::CatalogError,
    native::{
        embed::{Fake, Provider, load_static},
        peak_memory,
        pipeline::{EmbedOptions, EmbedReport, EmbedderSpec, Registry, embed_all},
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
/// that cannot be embedded are counted, tried three times in all, and make the exit code 1; so do records that wait because
/// the embedder was away. STORE/errors has a YAML file about each failure. With --json, progress is told on standard error,
/// one JSON object a line, and the result on standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan embed --store store --models portolan.toml
  portolan embed --store store --models portolan.toml noun.animal noun.plant
  portolan embed --store store --models portolan.toml --parallel 1 --batch 64")]
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
    /// Collections at once; one for each processor unless said otherwise.
    #[arg(long, value_name = "N")]
    parallel: Option<NonZeroUsize>,
    /// The most texts in one call of the embedder.
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// The most records in one commit, which is what a kill can cost; grows with the embedder's speed unless said.
    #[arg(long, value_name = "N")]
    commit: Option<NonZeroUsize>,
    /// Memory for what is known of the records; larger collections are gone through in parts.
    #[arg(long, value_name = "MIB", default_value = "192")]
    memory: NonZeroUsize,
}

impl Embed {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let mut store = Store::open(&self.store, Mode::Write("portolan embed")).await?;
        let folder = self.store.clone();
        let progress = progress::Pipeline::new(json);
        let load = |name: &str| load(&registry, &folder, name);
        let options = EmbedOptions {
            parallel: self.parallel.map_or(0, NonZeroUsize::get),
            batch: self.batch.map(NonZeroUsize::get),
            commit: self.commit.map(NonZeroUsize::get),
            memory: self.memory.get().saturating_mul(1 << 20),
            ..EmbedOptions::default()
        };
        let report =
            embed_all(&mut store, &self.collections, &load, &options, &|step| progress.show(step)).await?;
        progress.finish();
        print(&report, start.elapsed().as_secs_f64(), json);
        let total = report.total();
        Ok(if total.errors + total.skipped + total.waiting > 0 {
            Outcome::CheckFailed
        } else {
            Outcome::Done
        })
    }
}

/// Loads an embedder, and keeps it in the store, so that exporting and asking need no registry.
fn load(registry: &Registry, store: &Path, name: &str) -> portolan::Result<Arc<dyn Provider>> {
    match registry.embedder(name) {
        Some(EmbedderSpec::Static(folder)) => {
            let embedder = load_static(folder)?;
            keep_embedder(store, &embedder)?;
            Ok(Arc::new(embedder))
        }
        Some(EmbedderSpec::Fake(spec)) => {
            let fake = Fake::new(spec.dimension, &spec.name).with_pause(Duration::from_millis(spec.pause_ms));
            Ok(Arc::new(match &spec.log {
                Some(log) => fake.with_log(log.clone()),
                None => fake,
            }))
        }
        _ => Err(CatalogError::UndeclaredEmbedder { name: name.into() }.into()),
    }
}

fn print(report: &EmbedReport, seconds: f64, json: bool) {
    let total = report.total();
    if json {
        output::line(json!({
            "ready": total.ready, "embedded": total.embedded, "from_cache": total.from_cache,
            "errors": total.errors, "skipped": total.skipped, "waiting": total.waiting,
            "collections": report.collections.len(), "calls": total.calls, "retries": total.retries,
            "texts_sent": total.sent, "hit_rate": total.hit_rate(), "away": total.away,
            "error_files": total.error_files, "peak_memory_bytes": peak_memory(), "seconds": seconds,
        }));
        return;
    }
    output::line(format_args!(
        "{} collections in {seconds:.1} s: {} records were ready, {} embedded, {} from the cache{}, {} failed, {} left alone after three failures",
        report.collections.len(),
        total.ready,
        total.embedded,
        total.from_cache,
        total.hit_rate().map(|rate| format!(" ({:.0} % hits)", 100.0 * rate)).unwrap_or_default(),
        total.errors,
        total.skipped,
    ));
    let memory = peak_memory().map(|bytes| format!("; {} MiB of memory at most", bytes >> 20));
    output::line(format_args!(
        "{} calls with {} texts, {} of them repeated{}",
        total.calls,
        total.sent,
        total.retries,
        memory.unwrap_or_default()
    ));
    if let Some(reason) = &total.away {
        eprintln!("{} records wait for another run, because the embedder is away: {reason}", total.waiting);
    }
    for file in &total.error_files {
        eprintln!("what failed is told in {}", file.display());
    }
}

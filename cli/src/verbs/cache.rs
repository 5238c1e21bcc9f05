//! `portolan cache`: what the embedding cache holds, throwing out a part of it, carrying it to another store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use portolan::{
    native::store::{CacheSelector, CacheStats, Mode, Store},
    time::format_time,
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output,
};

/// Look after the embedding cache: the vector of every text that an embedder has seen.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan cache stats  --store store
  portolan cache prune  --store store --unused
  portolan cache prune  --store store --embedder minilm --before 2026-01-31 --apply
  portolan cache export cache.arrow --store store
  portolan cache import cache.arrow --store other")]
pub struct Cache {
    #[command(subcommand)]
    verb: CacheVerb,
}

#[derive(Debug, Subcommand)]
enum CacheVerb {
    Stats(Stats),
    Prune(Prune),
    Export(Export),
    Import(Import),
}

/// Show how many texts are cached, by embedder, and how much room they take.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan cache stats --store store --json")]
struct Stats {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

/// Count the entries that a selector means, and remove them with --apply.
///
/// Records that have their vector keep it; a text that is needed again has to be embedded again. Without a selector it is an
/// error, never everything.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan cache prune --store store --unused --before 2026-01-31 --apply")]
struct Prune {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    #[command(flatten)]
    selector: Selector,
    /// Remove them; without it nothing changes.
    #[arg(long)]
    apply: bool,
}

/// Write entries into an Arrow IPC file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan cache export cache.arrow --store store --embedder minilm")]
struct Export {
    /// The file to write.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    #[command(flatten)]
    selector: Selector,
}

/// Add the entries of an exported file that the cache does not have.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan cache import cache.arrow --store other")]
struct Import {
    /// The file to read.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

/// Entries that all the given conditions hold for.
#[derive(Debug, Args)]
struct Selector {
    /// Of this embedder: its name, or the beginning of its fingerprint.
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
    /// Made before this date or time (UTC).
    #[arg(long, value_name = "DATE")]
    before: Option<String>,
    /// Of embedders that no collection has vectors of.
    #[arg(long)]
    unused: bool,
}

impl From<Selector> for CacheSelector {
    fn from(selector: Selector) -> Self {
        Self { embedder: selector.embedder, before: selector.before, unused: selector.unused }
    }
}

impl Cache {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        match self.verb {
            CacheVerb::Stats(verb) => {
                let store = Store::open(&verb.store, Mode::Read).await?;
                print_stats(&store.cache_stats().await?, json);
            }
            CacheVerb::Prune(verb) => {
                let mut store = Store::open(&verb.store, Mode::Write("portolan cache prune")).await?;
                let entries = store.cache_prune(&verb.selector.into(), verb.apply).await?;
                match (json, verb.apply) {
                    (true, applied) => output::line(json!({"entries": entries, "applied": applied})),
                    (false, true) => output::line(format_args!("{entries} entries removed")),
                    (false, false) => {
                        output::line(format_args!(
                            "{entries} entries would be removed; add --apply to do it"
                        ));
                    }
                }
            }
            CacheVerb::Export(verb) => {
                let store = Store::open(&verb.store, Mode::Read).await?;
                let entries = store.cache_export(&verb.file, &verb.selector.into()).await?;
                match json {
                    true => output::line(json!({"entries": entries, "file": verb.file})),
                    false => {
                        output::line(format_args!("{entries} entries written to {}", verb.file.display()))
                    }
                }
            }
            CacheVerb::Import(verb) => {
                let mut store = Store::open(&verb.store, Mode::Write("portolan cache import")).await?;
                let done = store.cache_import(&verb.file).await?;
                match json {
                    true => output::line(json!({"read": done.read, "added": done.added, "held": done.held})),
                    false => output::line(format_args!(
                        "{} entries read: {} new, {} held already",
                        done.read, done.added, done.held
                    )),
                }
            }
        }
        Ok(Outcome::Done)
    }
}

fn print_stats(stats: &CacheStats, json: bool) {
    if json {
        let embedders: Vec<_> = stats
            .embedders
            .iter()
            .map(|one| {
                json!({
                    "fingerprint": one.fingerprint, "name": one.name, "collections": one.collections,
                    "entries": one.entries, "dimension": one.dimension,
                    "oldest": format_time(one.oldest), "newest": format_time(one.newest),
                })
            })
            .collect();
        output::line(json!({
            "entries": stats.entries, "bytes": stats.bytes, "indexed": stats.indexed, "embedders": embedders,
        }));
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["embedder", "fingerprint", "texts", "dimension", "collections", "oldest", "newest"]);
    for one in &stats.embedders {
        let day = |micros| format_time(micros).chars().take(10).collect::<String>();
        table.add_row([
            one.name.clone().unwrap_or_else(|| "(unused)".into()),
            one.fingerprint.chars().take(16).collect(),
            one.entries.to_string(),
            one.dimension.map(|dimension| dimension.to_string()).unwrap_or_default(),
            one.collections.len().to_string(),
            day(one.oldest),
            day(one.newest),
        ]);
    }
    output::line(table);
    let index = if stats.indexed { "with an index" } else { "too few for an index" };
    output::line(format_args!("{} texts, {} KiB on disk, {index}", stats.entries, stats.bytes >> 10));
}

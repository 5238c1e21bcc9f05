//! `portolan export`: writes a release folder.

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use portolan::{
    metric::Encoding,
    native::{
        release::{Exported, export},
        store::{Mode, Store},
    },
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Write every collection that has vectors as a release: what programs, pages and workers carry.
///
/// Unchanged collections are not written again, and readers of the old release are not disturbed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan export --store store --out release")]
pub struct Export {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The release folder: new, empty, or an older release.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How vectors are stored: half or full precision. By default f32 where they were imported, f16 where an embedder made
    /// them.
    #[arg(long, value_enum)]
    vectors: Option<Vectors>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Vectors {
    F16,
    F32,
}

impl Export {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let store = Store::open(&self.store, Mode::Read).await?;
        let bar = progress::bar(store.collections().len() as u64, "collections", json);
        let encoding = self.vectors.map(|vectors| match vectors {
            Vectors::F16 => Encoding::F16,
            Vectors::F32 => Encoding::F32,
        });
        let exported = export(&store, &self.out, encoding, |step| {
            bar.set_message(step.collection.to_owned());
            bar.set_position(step.done as u64);
        });
        let exported = exported.await?;
        bar.finish_and_clear();
        self.report(&exported, start.elapsed().as_secs_f64(), json);
        Ok(Outcome::Done)
    }

    fn report(&self, exported: &Exported, seconds: f64, json: bool) {
        let index = &exported.index;
        let rows: u64 = index.collections.iter().map(|entry| entry.statistics.rows).sum();
        let bytes: u64 = index.files().map(|file| file.bytes).sum();
        if json {
            output::line(json!({
                "release": index.id, "collections": index.collections.len(), "rows": rows, "bytes": bytes,
                "files_written": exported.written, "empty": exported.empty, "seconds": seconds,
            }));
            return;
        }
        output::line(format_args!(
            "exported {} collections, {rows} records, {:.1} MB to {} in {seconds:.1} s ({} files written)",
            index.collections.len(),
            bytes as f64 / 1e6,
            self.out.display(),
            exported.written,
        ));
        if !exported.empty.is_empty() {
            output::line(format_args!(
                "left out, because nothing in them is embedded yet: {}",
                exported.empty.join(", ")
            ));
        }
    }
}

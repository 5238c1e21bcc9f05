//! `portolan export`: writes a release folder.

use std::{num::NonZeroU32, path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use portolan::{
    cluster::{CodeBits, Options},
    metric::Encoding,
    native::{
        release::{Clustering, ExportOptions, Exported, export},
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
#[command(after_help = "\
Examples:
  portolan export --store store --out release
  portolan export --store store --out release --pack --vectors i8")]
pub struct Export {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The release folder: new, empty, or an older release.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How vectors are stored: in full, half or byte precision, or not at all. By default f32 where they were imported, f16
    /// where an embedder made them.
    #[arg(long, value_enum)]
    vectors: Option<Vectors>,
    /// Let collections share a file that have one dimension, metric and embedder, and one type for each common field.
    /// Asking many of them then costs fewer bytes and requests. All collections of a file are in memory while it is written.
    #[arg(long)]
    pack: bool,
    /// How many clusters each file gets; 0 for none. By default files of 256 records and more get about 1.5 times the
    /// square root of their records.
    #[arg(long, value_name = "N")]
    clusters: Option<u32>,
    /// Let each record stand in one cluster only: half the codes, and more of them to read for the same recall.
    #[arg(long)]
    hard: bool,
    /// Keep codes of so many bits a component too, from 2 to 8, for files without vectors.
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u8).range(1..=8), default_value_t = 1)]
    bits: u8,
    /// Give files with clusters and vectors a graph too, which readers walk that have the whole file in memory, where that is
    /// predicted to cost less: in large collections. Takes 64 bytes a record, and several times the time of clusters.
    #[arg(long)]
    graph: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Vectors {
    F32,
    F16,
    I8,
    None,
}

impl Export {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let store = Store::open(&self.store, Mode::Read).await?;
        let bar = progress::bar(store.collections().len() as u64, "collections", json);
        let encoding = self.vectors.map(|vectors| match vectors {
            Vectors::F32 => Encoding::F32,
            Vectors::F16 => Encoding::F16,
            Vectors::I8 => Encoding::I8,
            Vectors::None => Encoding::None,
        });
        let (clusters, graph) = (self.clustering(), self.graph);
        let options = ExportOptions { encoding, pack: self.pack, clusters, graph };
        let exported = export(&store, &self.out, &options, |step| {
            bar.set_message(step.collection.to_owned());
            bar.set_position(step.done as u64);
        });
        let exported = exported.await?;
        bar.finish_and_clear();
        self.report(&exported, start.elapsed().as_secs_f64(), json);
        Ok(Outcome::Done)
    }

    fn clustering(&self) -> Clustering {
        let default = Clustering::default();
        let least_rows = match self.clusters {
            Some(0) => 0,
            Some(_) => 1,
            None => default.least_rows,
        };
        let clusters = self.clusters.and_then(NonZeroU32::new);
        let bits = CodeBits::new(self.bits).unwrap_or_default();
        Clustering { least_rows, options: Options { clusters, soft: !self.hard, bits }, ..default }
    }

    fn report(&self, exported: &Exported, seconds: f64, json: bool) {
        let index = &exported.index;
        let rows: u64 = index.collections.iter().map(|entry| entry.statistics.rows).sum();
        let bytes: u64 = index.files().map(|file| file.bytes).sum();
        if json {
            output::line(json!({
                "release": index.id, "collections": index.collections.len(), "rows": rows, "bytes": bytes,
                "files_written": exported.written, "empty": exported.empty, "seconds": seconds,
                "build_seconds": exported.building.as_secs_f64(),
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

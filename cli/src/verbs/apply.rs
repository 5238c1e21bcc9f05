//! `portolan apply`: prepared rows into their collections.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use portolan::native::{
    pipeline::{ApplyOptions, ApplyReport, Registry, apply},
    store::{Mode, Store},
};
use serde_json::{Value as Json, json};

use crate::{
    memory,
    outcome::{Failure, Outcome},
    output, progress,
};

/// Write prepared rows to their collections, and carry out what changed in the models.
///
/// Afterwards the collections hold exactly the newest row of each key that stands in a live partition; rows that `portolan ingest`
/// wrote are left alone. Partitions of a changed model are read again; vectors of texts that did not change stay. Can be stopped at any
/// moment and run again. `portolan plan --store` says before what it would do. Nothing is embedded: `portolan embed` is next.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan apply --store store --models portolan.toml
  portolan apply --store store --model book --skip-refused")]
pub struct Apply {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares the models.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Only this model.
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// Leave out rows that a changed model cannot read, instead of stopping.
    #[arg(long)]
    skip_refused: bool,
}

impl Apply {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let mut store = Store::open(&self.store, Mode::Write("portolan apply")).await?;
        let progress = progress::Pipeline::new(json);
        let options = ApplyOptions { skip_refused: self.skip_refused };
        let report = apply(&mut store, &registry, &self.model, options, &|step| progress.show(step)).await?;
        progress.finish();
        if json {
            output::line(describe(&report, start.elapsed().as_secs_f64()));
        } else {
            print(&report, start.elapsed().as_secs_f64());
        }
        Ok(Outcome::Done)
    }
}

/// The report for programs, with the sums over all models.
pub fn describe(report: &ApplyReport, seconds: f64) -> Json {
    let sum = |of: &dyn Fn(&portolan::native::pipeline::ModelReport) -> u64| -> u64 {
        report.models.iter().map(of).sum()
    };
    let models: Vec<Json> = report
        .models
        .iter()
        .map(|m| {
            json!({
                "model": m.model, "schema_version": m.schema_version, "partitions": m.partitions, "rows": m.rows,
                "superseded": m.superseded, "refused": m.refused, "inserted": m.inserted, "updated": m.updated,
                "unchanged": m.unchanged, "removed": m.removed,
            })
        })
        .collect();
    json!({
        "models": models, "undeclared": report.undeclared, "rows": sum(&|m| m.rows), "inserted": sum(&|m| m.inserted),
        "updated": sum(&|m| m.updated), "unchanged": sum(&|m| m.unchanged), "removed": sum(&|m| m.removed),
        "refused": sum(&|m| m.refused), "seconds": seconds, "peak_memory_bytes": memory::peak(),
    })
}

/// The report for people.
pub fn print(report: &ApplyReport, seconds: f64) {
    for m in &report.models {
        output::line(format_args!(
            "{} (version {}): {} partitions, {} rows: {} new, {} changed, {} unchanged, {} replaced by later rows, {} refused; {} documents removed",
            m.model,
            m.schema_version,
            m.partitions.len(),
            m.rows,
            m.inserted,
            m.updated,
            m.unchanged,
            m.superseded,
            m.refused,
            m.removed,
        ));
    }
    for model in &report.undeclared {
        eprintln!("the registry no longer declares {model:?}; its documents are as they were");
    }
    output::line(format_args!("applied in {seconds:.1} s{}", memory::shown()));
}

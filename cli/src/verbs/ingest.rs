//! `portolan ingest`: reads JSON lines into a store.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use portolan::native::{
    peak_memory,
    pipeline::{IngestReport, Model, Registry, ingest},
    store::{Mode, Store},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Read JSON lines (plain or .gz) into the collections that the model's rule names.
///
/// Records are upserted by their key: reading a file twice changes nothing. A line that cannot be read is kept in the
/// store's quarantine folder with its reason, the rest goes on, and the exit code is 1.
///
/// Nothing is deleted: a record that is gone from the files stays, and one that names another collection than before is
/// added there and stays in the old one too.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan ingest docs.jsonl.gz --store store --models portolan.toml")]
pub struct Ingest {
    /// Files of JSON lines.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The store; made if the folder is new or empty.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares models and embedders.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Which model the files hold; needed when the registry declares several.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl Ingest {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let model = choose(&registry, self.model.as_deref(), &self.models)?;
        let mut store = Store::open(&self.store, Mode::Write("portolan ingest")).await?;
        let progress = progress::Pipeline::new(json);
        let report = ingest(&mut store, model, &self.files, &|step| progress.show(step)).await?;
        progress.finish();
        print(&report, start.elapsed().as_secs_f64(), json);
        Ok(if report.quarantined > 0 { Outcome::CheckFailed } else { Outcome::Done })
    }
}

/// The named model, or the only one of the registry file.
pub fn choose<'r>(registry: &'r Registry, name: Option<&str>, file: &Path) -> Result<&'r Model, Failure> {
    if let Some(name) = name {
        return Ok(registry.model(name).map_err(portolan::Error::from)?);
    }
    let mut models = registry.models();
    match (models.next(), models.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::wrong_use(format!("{} declares no model", file.display()))),
        _ => {
            let names: Vec<&str> = registry.models().map(|model| model.name.as_str()).collect();
            Err(Failure::wrong_use(format!("say which model the files hold: --model {}", names.join(" or "))))
        }
    }
}

/// Tells what an ingestion or an import did.
pub fn print(report: &IngestReport, seconds: f64, json: bool) {
    if json {
        let refused: Vec<_> = report
            .refused
            .iter()
            .map(|r| json!({"file": r.file, "line": r.line, "reason": r.reason}))
            .collect();
        output::line(json!({
            "read": report.read, "inserted": report.inserted, "updated": report.updated,
            "unchanged": report.unchanged, "duplicates": report.duplicates, "quarantined": report.quarantined,
            "chunks": report.chunks, "removed": report.removed, "truncated": report.truncated,
            "collections": report.collections, "refused": refused, "quarantine_files": report.quarantine_files,
            "peak_memory_bytes": peak_memory(), "seconds": seconds,
        }));
        return;
    }
    output::line(format_args!(
        "read {} records in {seconds:.1} s: {} new, {} changed, {} unchanged, {} repeated, {} quarantined; {} collections written",
        report.read,
        report.inserted,
        report.updated,
        report.unchanged,
        report.duplicates,
        report.quarantined,
        report.collections,
    ));
    if report.truncated > 0 {
        output::line(format_args!("{} texts were cut to the model's budget of tokens", report.truncated));
    }
    if report.chunks + report.removed > 0 {
        output::line(format_args!(
            "long texts were divided into {} more rows; {} rows of their former parts were removed",
            report.chunks, report.removed
        ));
    }
    for refused in &report.refused {
        eprintln!("quarantined: {}:{}: {}", refused.file.display(), refused.line, refused.reason);
    }
    let hidden = report.quarantined.saturating_sub(report.refused.len() as u64);
    if hidden > 0 {
        eprintln!("and {hidden} more");
    }
    let files: Vec<String> = report.quarantine_files.iter().map(|file| file.display().to_string()).collect();
    if !files.is_empty() {
        eprintln!("all {} refused lines are kept in {}", report.quarantined, files.join(" and "));
    }
}

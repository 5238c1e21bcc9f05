//! `portolan prepare`: source files into checked partitions of a store.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use portolan::native::{
    pipeline::{
        Fate, HeaderPolicy, Model, PrepareOptions, PrepareReport, Registry, SourceFormat, SourceSpec, prepare,
    },
    store::{Mode, Store},
};
use serde_json::json;

use crate::{
    memory,
    outcome::{Failure, Outcome},
    output, progress,
};

/// Read CSV, TSV, JSON lines, Parquet and Arrow files into checked partitions without duplicates.
///
/// Without files, the sources that the registry declares ([[model.source]]) are read. Each record is taken, repaired, a
/// duplicate, dropped or quarantined, and the numbers add up; what was not simply taken stands in the store's quarantine folder with
/// file, number, bytes and reason, and makes the exit code 1. Nothing is written to collections: `portolan apply` does that.
/// A run that is killed leaves nothing that counts. Reading the same files again adds nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan prepare --store store --models portolan.toml
  portolan prepare words-<int>.csv --store store --model word --delimiter ';' --header first-only --column title=Title
  portolan prepare words.parquet --store store --model word --partition-rows 100000")]
pub struct Prepare {
    /// Files, or sets of files with `<int>` for a number in the name; else what the registry declares.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The store; made if the folder is new or empty.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares models and sources.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Only this model; needed with files when the registry declares several.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The most rows of a partition.
    #[arg(long, value_name = "N", default_value_t = PrepareOptions::default().partition_rows)]
    partition_rows: u64,
    #[command(flatten)]
    source: SourceArguments,
}

/// How the files of the command line are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "How the named files are read")]
struct SourceArguments {
    /// The format; else by the name.
    #[arg(long, requires = "files")]
    format: Option<Format>,
    /// The encoding of text files without a byte-order mark, like windows-1252; else UTF-8.
    #[arg(long, value_name = "NAME", requires = "files")]
    encoding: Option<String>,
    /// What separates the cells of CSV.
    #[arg(long, value_name = "CHAR", requires = "files")]
    delimiter: Option<char>,
    /// Which files of a set have a header.
    #[arg(long, requires = "files")]
    header: Option<Header>,
    /// A field and the column it comes from.
    #[arg(long = "column", value_name = "FIELD=COLUMN", requires = "files", value_parser = pair)]
    columns: Vec<(String, String)>,
    /// The column, from 1, whose delimiters and line ends may lack quotes.
    #[arg(long, value_name = "N", requires = "files")]
    malformed_column: Option<usize>,
    /// Drop records that have no value in this field.
    #[arg(long = "drop-na", value_name = "FIELD", requires = "files")]
    drop_na: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Tsv,
    Jsonl,
    Parquet,
    Arrow,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Header {
    All,
    FirstOnly,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (field, column) = text.split_once('=').ok_or("write it FIELD=COLUMN")?;
    Ok((field.to_owned(), column.to_owned()))
}

impl SourceArguments {
    fn spec(&self, path: PathBuf) -> Result<SourceSpec, Failure> {
        let spec = SourceSpec {
            path,
            format: self.format.map(|format| match format {
                Format::Csv => SourceFormat::Csv,
                Format::Tsv => SourceFormat::Tsv,
                Format::Jsonl => SourceFormat::Jsonl,
                Format::Parquet => SourceFormat::Parquet,
                Format::Arrow => SourceFormat::Arrow,
            }),
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            header: match self.header {
                Some(Header::FirstOnly) => HeaderPolicy::FirstOnly,
                _ => HeaderPolicy::All,
            },
            columns: self.columns.iter().cloned().collect::<BTreeMap<_, _>>(),
            malformed_column: self.malformed_column,
            drop_na_columns: self.drop_na.clone(),
        };
        spec.check().map_err(Failure::wrong_use)?;
        Ok(spec)
    }
}

impl Prepare {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let sources = self.sources(&registry)?;
        let sources: Vec<(&Model, &[SourceSpec])> =
            sources.iter().map(|(model, specs)| (*model, specs.as_slice())).collect();
        let store = Store::open(&self.store, Mode::Write("portolan prepare")).await?;
        let progress = progress::Pipeline::new(json);
        let options = PrepareOptions { partition_rows: self.partition_rows, ..Default::default() };
        let report = prepare(&store, &sources, options, &|step| progress.show(step))?;
        progress.finish();
        print(&report, start.elapsed().as_secs_f64(), json);
        let clean = report.total().quarantined == 0;
        Ok(if clean { Outcome::Done } else { Outcome::CheckFailed })
    }

    fn sources<'r>(&self, registry: &'r Registry) -> Result<Vec<(&'r Model, Vec<SourceSpec>)>, Failure> {
        if !self.files.is_empty() {
            let model = super::ingest::choose(registry, self.model.as_deref(), &self.models)?;
            let specs: Result<_, Failure> =
                self.files.iter().map(|file| self.source.spec(file.clone())).collect();
            return Ok(vec![(model, specs?)]);
        }
        let models: Vec<&Model> = match &self.model {
            Some(name) => vec![registry.model(name).map_err(portolan::Error::from)?],
            None => registry.models().collect(),
        };
        let sources: Vec<_> = models.into_iter().map(|model| (model, model.sources.clone())).collect();
        if sources.iter().all(|(_, specs)| specs.is_empty()) {
            let registry = self.models.display();
            return Err(Failure::wrong_use(format!(
                "{registry} declares no source; name files, or add [[model.source]] to a model"
            )));
        }
        Ok(sources)
    }
}

fn print(report: &PrepareReport, seconds: f64, json: bool) {
    let total = report.total();
    let fate = |fate| if fate == Fate::Dropped { "dropped" } else { "quarantined" };
    if json {
        let noticed: Vec<_> = report
            .noticed
            .iter()
            .map(|n| {
                let bytes = n.bytes.map(|(start, end)| [start, end]);
                json!({"what": fate(n.fate), "file": n.file, "record": n.number, "bytes": bytes, "reason": n.reason})
            })
            .collect();
        let partitions: Vec<_> = report
            .partitions
            .iter()
            .map(|p| json!({"name": p.name, "model": p.model, "rows": p.rows}))
            .collect();
        output::line(json!({
            "run": report.run, "records": total.records, "emitted": total.emitted, "repaired": total.repaired,
            "duplicates": total.duplicates, "dropped": total.dropped, "quarantined": total.quarantined,
            "partitions": partitions, "sources": report.sources, "noticed": noticed, "log": report.log,
            "seconds": seconds, "peak_memory_bytes": memory::peak(),
        }));
        return;
    }
    output::line(format_args!(
        "{}: read {} records in {seconds:.1} s: {} taken, {} repaired, {} there already, {} dropped, {} quarantined; {} partitions added{}",
        report.run,
        total.records,
        total.emitted,
        total.repaired,
        total.duplicates,
        total.dropped,
        total.quarantined,
        report.partitions.len(),
        memory::shown(),
    ));
    for n in &report.noticed {
        let bytes = n.bytes.map(|(start, end)| format!(" (bytes {start} to {end})")).unwrap_or_default();
        eprintln!("{}: {}: record {}{bytes}: {}", fate(n.fate), n.file.display(), n.number, n.reason);
    }
    let hidden = (total.dropped + total.quarantined).saturating_sub(report.noticed.len() as u64);
    if hidden > 0 {
        eprintln!("and {hidden} more");
    }
    if let Some(log) = &report.log {
        eprintln!("all records that were not simply taken are listed in {}", log.display());
    }
}

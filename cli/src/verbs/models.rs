//! `portolan models`: checking a registry and beginning one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portolan::native::pipeline::{Description, Registry, SourceSpec, infer};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output,
};

/// Check a registry file, or draft one from a sample of records.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan models check portolan.toml
  portolan models infer books.csv > portolan.toml")]
pub struct Models {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Check(Check),
    Infer(Infer),
}

/// Read a registry file and say what its models are, each with a signature that only depends on what it means.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan models check portolan.toml")]
struct Check {
    /// The registry file.
    #[arg(value_name = "FILE", default_value = "portolan.toml")]
    file: PathBuf,
}

/// Draft a model from the first thousand records of a file, as commented TOML.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan models infer books.csv --name book > portolan.toml")]
struct Infer {
    /// A file of records: CSV, TSV, JSON lines, Parquet or Arrow.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The model's name; else the file's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What separates the cells of CSV.
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<char>,
    /// The encoding of a text file without a byte-order mark.
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
}

impl Models {
    pub fn run(self, json: bool) -> Result<Outcome, Failure> {
        match self.action {
            Action::Check(verb) => verb.run(json),
            Action::Infer(verb) => verb.run(json),
        }
    }
}

impl Check {
    fn run(self, json: bool) -> Result<Outcome, Failure> {
        let registry = Registry::load(&self.file).map_err(portolan::Error::from)?;
        if json {
            let models: Vec<_> = registry
                .models()
                .map(|model| {
                    let description = Description::of(model);
                    json!({
                        "name": model.name, "signature": description.signature(), "description": description,
                        "sources": model.sources.iter().map(|source| &source.path).collect::<Vec<_>>(),
                    })
                })
                .collect();
            output::line(json!({"models": models}));
            return Ok(Outcome::Done);
        }
        for model in registry.models() {
            let signature = Description::of(model).signature();
            output::line(format_args!(
                "{}: key {}, {} fields, {} sources, signature {}",
                model.name,
                model.key.join(" + "),
                model.fields.len(),
                model.sources.len(),
                signature.get(..16).unwrap_or_default(),
            ));
        }
        Ok(Outcome::Done)
    }
}

impl Infer {
    fn run(self, json: bool) -> Result<Outcome, Failure> {
        let stem = self.file.file_name().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or("record").to_owned();
        let spec = SourceSpec {
            path: self.file,
            delimiter: self.delimiter,
            encoding: self.encoding,
            ..Default::default()
        };
        spec.check().map_err(Failure::wrong_use)?;
        let draft = infer(&spec, self.name.as_deref().unwrap_or(&stem)).map_err(portolan::Error::from)?;
        if json {
            output::line(json!({"registry": draft}));
        } else {
            output::line(draft.trim_end());
        }
        Ok(Outcome::Done)
    }
}

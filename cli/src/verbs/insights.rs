//! `portolan insights`: what the values of fields are like.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Table, presets};
use portolan::native::{
    pipeline::{Registry, insights},
    store::{Mode, Store},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Show the metadata fields of prepared rows: how many distinct values, how many rows without one, examples.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan insights --store store --models portolan.toml --model book")]
pub struct Insights {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares the models.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Only this model.
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
}

impl Insights {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let store = Store::open(&self.store, Mode::Read).await?;
        let progress = progress::Pipeline::new(json);
        let models = insights(&store, &registry, &self.model, &|step| progress.show(step))?;
        progress.finish();
        if json {
            output::line(json!({"models": models}));
            return Ok(Outcome::Done);
        }
        for model in &models {
            output::line(format_args!("{}: {} rows", model.model, model.rows));
            let mut table = Table::new();
            table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
            table.set_header(["field", "distinct", "missing", "examples"]);
            for field in &model.fields {
                let more = if field.more { " or more" } else { "" };
                table.add_row([
                    field.field.clone(),
                    format!("{}{more}", field.distinct),
                    field.nulls.to_string(),
                    field.examples.join(", "),
                ]);
            }
            output::line(table);
        }
        Ok(Outcome::Done)
    }
}

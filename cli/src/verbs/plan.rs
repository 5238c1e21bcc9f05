//! `portolan plan`: what a statement means, without a store or a release to ask; or what `portolan apply` would do.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portolan::{
    compat::chromasql::{self, CompatError, ExactJson, ReferencePlan},
    native::{
        pipeline::{ModelPlan, Registry, plan_models},
        store::{Mode, Store},
    },
    plan::Plan as NativePlan,
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Show what a statement means, or where it is wrong. Nothing is opened and nothing is executed.
///
/// With --store and no statement, show what `portolan apply` would do: what changed in the models, the partitions and rows that
/// would be read again, and the texts that would have to be embedded. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan plan \"SELECT id FROM noun.animal USING EMBEDDING (TEXT 'it purrs') WHERE metadata.senses > 2 TOPK 5\"
  portolan plan --json \"SELECT * FROM * WHERE metadata.pos IS NULL\"
  portolan plan --compat chromasql --json \"SELECT id FROM films WHERE metadata.year BETWEEN 1990 AND 1999 LIMIT 5\"

  portolan plan --store store --models portolan.toml

With --json, the output of a statement is {\"ok\": PLAN} or {\"error\": ...}. The exit code is 0 for a plan and 2 for an error.")]
pub struct Plan {
    /// Read the statement as another program does, and print that program's plan.
    #[arg(long, value_name = "DIALECT")]
    compat: Option<Dialect>,
    /// The store to plan for.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sql", "compat"])]
    store: Option<PathBuf>,
    /// The registry file that declares the models.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Only this model.
    #[arg(long, value_name = "NAME", requires = "store")]
    model: Vec<String>,
    /// The statement.
    #[arg(value_name = "SQL", allow_hyphen_values = true, required_unless_present = "store")]
    sql: Option<String>,
}

/// The dialects of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// ChromaSQL 1.8.
    Chromasql,
}

impl Plan {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        if let Some(folder) = &self.store {
            let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
            let store = Store::open(folder, Mode::Read).await?;
            let progress = progress::Pipeline::new(json);
            let plans = plan_models(&store, &registry, &self.model, &|step| progress.show(step)).await?;
            progress.finish();
            show_models(&plans, json);
            return Ok(Outcome::Done);
        }
        let sql = self.sql.unwrap_or_default();
        match self.compat {
            None => native(&sql, json),
            Some(Dialect::Chromasql) => match chromasql::plan(&sql) {
                Ok(plan) => Ok(show(&plan, json)),
                Err(error) => Ok(refuse(&error, &sql, json)),
            },
        }
    }
}

fn show_models(plans: &[ModelPlan], json: bool) {
    if json {
        let models: Vec<_> = plans
            .iter()
            .map(|p| {
                json!({
                    "model": p.model, "version": p.version, "next_version": p.next_version, "changes": p.changes,
                    "stale": p.stale, "pending": p.pending, "rows": p.rows, "refused": p.refused,
                    "first_refused": p.first_refused, "embeddings": p.embeddings,
                })
            })
            .collect();
        output::line(json!({"models": models}));
        return;
    }
    for p in plans {
        output::line(format_args!("{} (version {}, then {}):", p.model, p.version, p.next_version));
        p.changes.iter().for_each(|change| output::line(format_args!("  {change}")));
        let partitions = [("to be read again", &p.stale), ("not applied yet", &p.pending)];
        for (what, names) in partitions.iter().filter(|(_, names)| !names.is_empty()) {
            output::line(format_args!("  {} partitions {what}: {}", names.len(), names.join(", ")));
        }
        output::line(format_args!("  {} rows, {} texts to embed", p.rows, p.embeddings));
        if let Some(first) = &p.first_refused {
            output::line(format_args!("  {} rows cannot be read any more, the first: {first}", p.refused));
        }
    }
}

fn native(sql: &str, json: bool) -> Result<Outcome, Failure> {
    let plan = NativePlan::parse(sql).map_err(|error| Failure::statement(error, sql))?;
    if json {
        output::line(json!({ "ok": plan.explain_json() }));
    } else {
        output::line(plan.explain_text().trim_end());
    }
    Ok(Outcome::Done)
}

/// Prints without serde_json, which has neither integers beyond 64 bits nor infinities.
fn show(plan: &ReferencePlan, json: bool) -> Outcome {
    match plan.to_exact_json() {
        ExactJson::Object(entries) if !json => {
            entries.iter().for_each(|(key, value)| output::line(format_args!("{key}: {value}")));
        }
        plan => output::line(format_args!("{{\"ok\":{plan}}}")),
    }
    Outcome::Done
}

pub fn refuse(error: &CompatError, sql: &str, json: bool) -> Outcome {
    if json {
        output::line(json!({ "error": error.to_json() }));
    } else {
        eprintln!("{}", error.snippet(sql).trim_end());
    }
    Outcome::WrongUse
}

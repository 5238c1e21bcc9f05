//! `portolan drop`: rows leave, come back, and it is known who did it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portolan::native::{
    pipeline::{
        ApplyOptions, DropPlan, Manifest, Registry, Selector, apply, apply_drop, plan_drop, undo_drop,
    },
    store::{Mode, Store},
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output, progress,
};

/// Take prepared rows out of all answers; plan it first, undo it, list what was dropped.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan drop plan --store store --model book --before 2026-01-01 --reason 'too old' --out drop.json
  portolan drop plan --store store --model book --where \"metadata.year < 1990\" --out drop.json
  portolan drop apply drop.json --store store --apply
  portolan drop undo drop_00000 --store store
  portolan drop audit --store store")]
pub struct Drop {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Plan(Plan),
    Apply(Apply),
    Undo(Undo),
    Audit(Audit),
}

/// Say which rows a drop would take, and write that down as a plan. Changes nothing.
///
/// All that is named must hold. A selector that is empty, cannot be read or selects nothing is an error.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  portolan drop plan --store store --model book --key b-17 --reason 'asked by its author' --out drop.json"
)]
struct Plan {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Rows of this model.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Rows read by this version of their model.
    #[arg(long = "schema-version", value_name = "N")]
    schema_versions: Vec<u32>,
    /// Rows in this partition.
    #[arg(long = "partition", value_name = "NAME")]
    partitions: Vec<String>,
    /// Rows prepared at this time or later.
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// Rows prepared before this time.
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
    /// The record with this key.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Records of the model for which a condition of WHERE is true, like "metadata.year < 1990".
    #[arg(long = "where", value_name = "CONDITION")]
    predicate: Option<String>,
    /// The registry file that declares the model of the condition.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Where to write the plan.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Carry out a plan: with --apply; without, say what it would do.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  portolan drop apply drop.json --store store\n  portolan drop apply drop.json --store store --apply"
)]
struct Apply {
    /// The plan.
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file, for older versions of the dropped rows that count again.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
    /// Really do it.
    #[arg(long)]
    apply: bool,
    /// Who does it; else the user's name.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Bring dropped rows back.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan drop undo drop_00000 --store store --models portolan.toml")]
struct Undo {
    /// The drop, as `portolan drop audit` names it.
    #[arg(value_name = "DROP")]
    id: String,
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The registry file that declares the models.
    #[arg(long, value_name = "FILE", default_value = "portolan.toml")]
    models: PathBuf,
}

/// List all drops: when, who, why, how many rows, and whether it was undone.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  portolan drop audit --store store")]
struct Audit {
    /// The store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

impl Drop {
    pub async fn run(self, json: bool) -> Result<Outcome, Failure> {
        match self.action {
            Action::Plan(verb) => verb.run(json).await,
            Action::Apply(verb) => verb.run(json).await,
            Action::Undo(verb) => verb.run(json).await,
            Action::Audit(verb) => verb.run(json).await,
        }
    }
}

impl Plan {
    async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let store = Store::open(&self.store, Mode::Read).await?;
        let selector = Selector {
            model: self.model,
            schema_versions: self.schema_versions,
            partitions: self.partitions,
            after: self.after,
            before: self.before,
            keys: self.keys,
            predicate: self.predicate,
        };
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let plan = plan_drop(store.dir(), &registry, &selector, &self.reason)?;
        if let Some(path) = &self.out {
            let text = serde_json::to_string_pretty(&plan).unwrap_or_default() + "\n";
            std::fs::write(path, text).map_err(|source| {
                let (action, path) = ("write", path.clone());
                portolan::Error::from(portolan::error::StoreError::File { action, path, source })
            })?;
        }
        show(&plan, json, "would drop");
        Ok(Outcome::Done)
    }
}

fn show(plan: &DropPlan, json: bool, what: &str) {
    if json {
        output::line(
            json!({"rows": plan.rows(), "selected": plan.selected, "selector": plan.selector, "applied": false}),
        );
        return;
    }
    output::line(format_args!("{what} {} rows:", plan.rows()));
    for one in &plan.selected {
        output::line(format_args!("  {} of {} in {}", one.rows, one.model, one.partition));
    }
}

impl Apply {
    async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let text = std::fs::read_to_string(&self.plan).map_err(|source| {
            let (action, path) = ("read", self.plan.clone());
            portolan::Error::from(portolan::error::StoreError::File { action, path, source })
        })?;
        let plan: DropPlan = serde_json::from_str(&text)
            .map_err(|error| Failure::wrong_use(format!("{} is no plan: {error}", self.plan.display())))?;
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        if !self.apply {
            let store = Store::open(&self.store, Mode::Read).await?;
            let now = plan_drop(store.dir(), &registry, &plan.selector, &plan.reason)?;
            show(&now, json, "would drop");
            if !json {
                output::line("nothing was changed; say --apply to do it");
            }
            return Ok(Outcome::Done);
        }
        let mut store = Store::open(&self.store, Mode::Write("portolan drop")).await?;
        let user = || std::env::var("USER").unwrap_or_else(|_| "unknown".into());
        let report = apply_drop(&mut store, &registry, &plan, &self.by.unwrap_or_else(user)).await?;
        let again = again(&mut store, &registry, &report.models, json).await?;
        if json {
            output::line(json!({
                "drop": report.drop, "rows": report.rows, "removed": report.removed, "applied": true, "again": again,
            }));
        } else {
            output::line(format_args!(
                "{}: dropped {} rows, {} documents left; undo it with `portolan drop undo {}`",
                report.drop, report.rows, report.removed, report.drop
            ));
        }
        Ok(Outcome::Done)
    }
}

/// Applies the models whose live rows are others now; those that the registry no longer declares stay as they are.
async fn again(
    store: &mut Store,
    registry: &Registry,
    models: &[String],
    json: bool,
) -> Result<serde_json::Value, Failure> {
    let declared: Vec<String> =
        models.iter().filter(|model| registry.model(model).is_ok()).cloned().collect();
    if declared.is_empty() {
        return Ok(serde_json::Value::Null);
    }
    let progress = progress::Pipeline::new(json);
    let report =
        apply(store, registry, &declared, ApplyOptions::default(), &|step| progress.show(step)).await?;
    progress.finish();
    Ok(super::apply::describe(&report, 0.0))
}

impl Undo {
    async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let registry = Registry::load(&self.models).map_err(portolan::Error::from)?;
        let mut store = Store::open(&self.store, Mode::Write("portolan drop")).await?;
        let report = undo_drop(&mut store, &self.id)?;
        let again = again(&mut store, &registry, &report.models, json).await?;
        if json {
            output::line(json!({"drop": report.drop, "rows": report.rows, "again": again}));
        } else {
            output::line(format_args!("{} is undone: {} rows are back", report.drop, report.rows));
        }
        Ok(Outcome::Done)
    }
}

impl Audit {
    async fn run(self, json: bool) -> Result<Outcome, Failure> {
        let store = Store::open(&self.store, Mode::Read).await?;
        let manifest = Manifest::load(store.dir()).map_err(portolan::Error::from)?;
        if json {
            output::line(json!({"drops": manifest.drops}));
            return Ok(Outcome::Done);
        }
        for drop in &manifest.drops {
            let undone = drop.undone_at.as_ref().map(|at| format!(", undone {at}")).unwrap_or_default();
            output::line(format_args!(
                "{} {} by {}: {} rows, {} ({}){undone}",
                drop.id, drop.at, drop.by, drop.rows, drop.selector, drop.reason
            ));
        }
        if manifest.drops.is_empty() {
            output::line("nothing was ever dropped");
        }
        Ok(Outcome::Done)
    }
}

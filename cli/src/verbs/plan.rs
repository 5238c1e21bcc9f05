//! `portolan plan`: what a statement means, without a store or a release to ask.

use clap::{Args, ValueEnum};
use portolan::{
    compat::chromasql::{self, CompatError, ExactJson, ReferencePlan},
    plan::Plan as NativePlan,
};
use serde_json::json;

use crate::{
    outcome::{Failure, Outcome},
    output,
};

/// Show what a statement means, or where it is wrong. Nothing is opened and nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan plan \"SELECT id FROM noun.animal USING EMBEDDING (TEXT 'it purrs') WHERE metadata.senses > 2 TOPK 5\"
  portolan plan --json \"SELECT * FROM * WHERE metadata.pos IS NULL\"
  portolan plan --compat chromasql --json \"SELECT id FROM films WHERE metadata.year BETWEEN 1990 AND 1999 LIMIT 5\"

With --json, the output is {\"ok\": PLAN} or {\"error\": ...}. The exit code is 0 for a plan and 2 for an error.")]
pub struct Plan {
    /// Read the statement as another program does, and print that program's plan.
    #[arg(long, value_name = "DIALECT")]
    compat: Option<Dialect>,
    /// The statement.
    #[arg(value_name = "SQL", allow_hyphen_values = true)]
    sql: String,
}

/// The dialects of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// ChromaSQL 1.8.
    Chromasql,
}

impl Plan {
    pub fn run(self, json: bool) -> Result<Outcome, Failure> {
        match self.compat {
            None => native(&self.sql, json),
            Some(Dialect::Chromasql) => match chromasql::plan(&self.sql) {
                Ok(plan) => Ok(show(&plan, json)),
                Err(error) => Ok(refuse(&error, &self.sql, json)),
            },
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

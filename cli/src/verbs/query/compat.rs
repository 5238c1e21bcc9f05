//! A statement of ChromaSQL, answered as that program does.

use portolan::{
    compat::chromasql::{self, Answer, Backend, ExecutionError, ExecutionStage, ReferencePlan, Request},
    local::LocalOptions,
    plan::Plan,
    query::quote_name,
    router::ResultSet,
    routing::RoutingTable,
    schema::Schema,
};
use serde_json::{Value as Json, json};

use super::{Query, source::Opened};
use crate::{
    outcome::{Failure, Outcome},
    output,
};

/// What a statement came to.
enum Said {
    /// Rows.
    Answer(Answer),
    /// EXPLAIN: the plan alone. The reference executes the statement.
    Plan(Json),
    /// It could not be executed.
    Error(ExecutionError),
}

pub async fn run(query: Query, json: bool) -> Result<Outcome, Failure> {
    if !query.params.is_empty() || query.limits.partial {
        let message =
            "--param and --partial belong to this program's own dialect; leave them or --compat out";
        return Err(Failure::wrong_use(message));
    }
    let plan = match chromasql::plan(query.sql()) {
        Ok(plan) => plan,
        Err(error) => return Ok(crate::verbs::plan::refuse(&error, query.sql(), json)),
    };
    let said = match plan.statement.explain {
        true => Said::Plan(plan.to_json()),
        false => execute(&query, &plan).await?,
    };
    Ok(print(said, json))
}

async fn execute(query: &Query, plan: &ReferencePlan) -> Result<Said, Failure> {
    let (texts, table) = (query.texts()?, query.routing_table()?);
    let targets = match targets(query, plan, table.as_ref()) {
        Ok(targets) => targets,
        Err(error) => return Ok(Said::Error(error)),
    };
    let choose = |names: &[String]| targets.names(names);
    let (opened, names) = Opened::choosing(&query.place, choose).await?;
    let collections = targets.names(&names);
    let left_out = names.into_iter().filter(|name| targets.routed() && !collections.contains(name));
    let request = Request {
        skipped: left_out.collect(),
        collections,
        rows_per_collection: query.compat.n_results_per_collection,
        texts: texts.as_ref(),
    };
    let backend = Collections { opened: &opened, options: query.limits.options() };
    Ok(chromasql::execute(plan, &request, &backend).map_or_else(Said::Error, Said::Answer))
}

/// Which collections are asked.
enum Targets {
    /// The one that FROM names.
    One(String),
    /// These; FROM is only a label.
    Named(Vec<String>),
    /// All; FROM is only a label.
    All,
}

impl Targets {
    fn names(&self, known: &[String]) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Named(names) => names.clone(),
            Self::All => known.to_vec(),
        }
    }

    fn routed(&self) -> bool {
        !matches!(self, Self::One(_))
    }
}

fn targets(
    query: &Query,
    plan: &ReferencePlan,
    table: Option<&RoutingTable>,
) -> Result<Targets, ExecutionError> {
    if let Some(named) = &query.compat.collections {
        return Ok(Targets::Named(named.iter().filter(|name| !name.is_empty()).cloned().collect()));
    }
    if query.compat.all_collections {
        return Ok(Targets::All);
    }
    let Some(table) = table else {
        return Ok(Targets::One(plan.statement.collection.text.clone()));
    };
    let values = chromasql::extract_metadata_values(&plan.statement, table.discriminator());
    let routed = table.route_chromasql(values.as_ref(), !query.routing.strict_routing);
    let routed = routed.map_err(|error| ExecutionError::new(ExecutionStage::Route, error.to_string(), ""))?;
    Ok(routed.map_or(Targets::All, Targets::Named))
}

/// The opened collections as the reference's store.
struct Collections<'a> {
    opened: &'a Opened,
    options: LocalOptions,
}

impl Backend for Collections<'_> {
    fn schema(&self, collection: &str) -> Option<&Schema> {
        let entries = &self.opened.index().collections;
        entries.iter().map(|entry| &entry.schema).find(|schema| schema.collection == collection)
    }

    fn run(&self, plan: Plan) -> portolan::Result<ResultSet> {
        self.opened.run(plan, &self.options)
    }
}

fn print(said: Said, json: bool) -> Outcome {
    match said {
        Said::Answer(answer) if json => output::line(answer.to_json()),
        Said::Answer(answer) => {
            answer.rows.into_iter().for_each(|row| output::line(Json::Object(row)));
            answer
                .failed
                .iter()
                .for_each(|(name, reason)| eprintln!("{} failed: {reason}", quote_name(name)));
        }
        Said::Plan(plan) => output::line(json!({
            "rows": [],
            "row_ids": [],
            "collections": {"queried": [], "skipped": [], "failed": []},
            "plan": plan,
        })),
        Said::Error(error) => {
            match json {
                true => output::line(json!({ "error": error.to_json() })),
                false => eprintln!("{} error: {error}", error.stage().name()),
            }
            return Outcome::WrongUse;
        }
    }
    Outcome::Done
}

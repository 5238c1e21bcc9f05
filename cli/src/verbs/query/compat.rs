//! A statement of ChromaSQL, answered as that program does.

use portolan::{
    compat::chromasql::{self, Answer, Backend, ExecutionError, ReferencePlan, Request},
    plan::Plan,
    router::ResultSet,
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
    if !query.params.is_empty() {
        return Err(Failure::wrong_use("--param belongs to this program's own dialect; leave --compat out"));
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
    let texts = query.texts()?;
    let names = Opened::names(&query.place).await?;
    let collections = match targets(query, plan, &names) {
        Ok(collections) => collections,
        Err(said) => return said.map(Said::Error),
    };
    let known = collections.iter().filter(|name| names.contains(name)).cloned().collect();
    let opened = Opened::open(&query.place, known).await?;
    let left_out = names.into_iter().filter(|name| routed(query) && !collections.contains(name));
    let request = Request {
        skipped: left_out.collect(),
        collections,
        rows_per_collection: query.compat.n_results_per_collection,
        texts: texts.as_ref(),
    };
    let backend = Collections { opened: &opened, query };
    Ok(chromasql::execute(plan, &request, &backend).map_or_else(Said::Error, Said::Answer))
}

/// Whether FROM is only a label.
fn routed(query: &Query) -> bool {
    query.routing.routing.is_some() || query.compat.all_collections || query.compat.collections.is_some()
}

/// The collections to ask, in their order; else the command's failure, or the statement's.
fn targets(query: &Query, plan: &ReferencePlan, names: &[String]) -> Result<Vec<String>, Result<ExecutionError, Failure>> {
    if let Some(named) = &query.compat.collections {
        return Ok(named.iter().filter(|name| !name.is_empty()).cloned().collect());
    }
    if query.compat.all_collections {
        return Ok(names.to_vec());
    }
    let Some(table) = super::native::routing_table(query).map_err(Err)? else {
        return Ok(vec![plan.statement.collection.text.clone()]);
    };
    chromasql::route(&plan.statement, &table, !query.routing.strict_routing, names).map_err(Ok)
}

/// The opened collections as the reference's store.
struct Collections<'a> {
    opened: &'a Opened,
    query: &'a Query,
}

impl Backend for Collections<'_> {
    fn schema(&self, collection: &str) -> Option<&Schema> {
        let entries = &self.opened.index().collections;
        entries.iter().map(|entry| &entry.schema).find(|schema| schema.collection == collection)
    }

    fn run(&self, plan: Plan) -> portolan::Result<ResultSet> {
        self.opened.run(plan, &self.query.limits, None)
    }
}

fn print(said: Said, json: bool) -> Outcome {
    match said {
        Said::Answer(answer) if json => output::line(answer.to_json()),
        Said::Answer(answer) => {
            answer.rows.into_iter().for_each(|row| output::line(Json::Object(row)));
            answer.failed.iter().for_each(|(name, reason)| eprintln!("{name} failed: {reason}"));
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

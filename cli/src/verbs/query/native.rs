//! A statement of this program's own dialect.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portolan::{
    local::LocalOptions,
    plan::{Plan, Probe},
    query::{Column, Expr, FieldRef, Literal, Span, Statement, parse_with, quote_name},
    router::{CollectionReport, Outcome as Asked, ResultSet},
    schema::Value,
};
use serde_json::json;

use super::{Query, params, source::Opened};
use crate::{
    outcome::{Failure, Outcome},
    output, table,
};

/// The metadata field with the name of a record's model.
const MODEL: &str = "model_name";

pub async fn run(query: Query, json: bool) -> Result<Outcome, Failure> {
    let params = params::parse(&query.params)?;
    let wrong = |error| Failure::statement(error, query.sql());
    let mut statement = parse_with(query.sql(), &params).map_err(wrong)?;
    only_models(&query.models, &mut statement);
    let mut plan = Plan::from_statement(statement).map_err(wrong)?;
    replace_texts(&query, &mut plan)?;
    let mut options: LocalOptions = query.limits.options();
    if let Some(table) = query.routing_table()? {
        options.options.router = Some(Arc::new(table.into_router(!query.routing.strict_routing)));
    }
    let start = Instant::now();
    let opened = Opened::for_plan(&query.place, &plan, query.limits.partial).await?;
    let middle = Instant::now();
    let result = opened.run(plan, &options).map_err(|error| match error {
        portolan::Error::Query(error) => Failure::statement(error, query.sql()),
        error => error.into(),
    })?;
    let times = Times { open: middle - start, search: middle.elapsed() };
    match json {
        true => print_json(&result, &times),
        false => print(&result, &times),
    }
    Ok(Outcome::Done)
}

/// Adds the condition of `--model` to WHERE.
fn only_models(models: &[String], statement: &mut Statement) {
    if models.is_empty() {
        return;
    }
    // It has no place in the statement: an error about it points at the beginning.
    let span = Span { start: 0, end: 0, line: 1, column: 1 };
    let values = models.iter().map(|model| Literal { value: Value::Text(model.clone()), span }).collect();
    let field = FieldRef { column: Column::Metadata(MODEL.into()), span };
    let condition = Expr::In { field, values, negated: false };
    statement.filter = Some(match statement.filter.take() {
        Some(filter) => Expr::And(vec![filter, condition]),
        None => condition,
    });
}

/// Puts the vectors of `--embeddings` in the place of texts.
fn replace_texts(query: &Query, plan: &mut Plan) -> Result<(), Failure> {
    let Some(table) = query.texts()? else { return Ok(()) };
    for probe in &mut plan.probes {
        if let Probe::Text { text, model } = probe {
            let vector =
                table.vector(text, model.as_deref()).map_err(|e| Failure::wrong_use(e.to_string()))?;
            *probe = Probe::Vector(vector.to_vec());
        }
    }
    Ok(())
}

/// How long the parts of a query took.
struct Times {
    open: Duration,
    search: Duration,
}

fn print(result: &ResultSet, times: &Times) {
    if let Some(explanation) = &result.explanation {
        output::line(explanation.text.trim_end());
        if result.rows.is_empty() {
            return;
        }
    }
    output::line(table::render(result));
    result.notes.iter().for_each(|note| output::line(format_args!("note: {note}")));
    let count = |wanted: fn(&Asked) -> bool| result.collections.iter().filter(|c| wanted(&c.outcome)).count();
    let skipped = count(|outcome| matches!(outcome, Asked::Skipped { .. }));
    output::line(format_args!(
        "{} rows from {} collections asked{} in {:.1} ms (opened in {:.1} ms)",
        result.rows.len(),
        result.asked(),
        if skipped > 0 { format!(", {skipped} skipped,") } else { String::new() },
        times.search.as_secs_f64() * 1e3,
        times.open.as_secs_f64() * 1e3,
    ));
    if let Some(cursor) = &result.cursor {
        output::line(format_args!("more: the same statement with AFTER '{cursor}'"));
    }
    for report in &result.collections {
        if let Asked::Failed { code, message } = &report.outcome {
            eprintln!("{} failed: error {code}: {message}", quote_name(&report.name));
        }
    }
}

fn print_json(result: &ResultSet, times: &Times) {
    let mut out = result.to_json();
    if let Some(object) = out.as_object_mut() {
        let bytes: u64 = result.collections.iter().map(bytes_read).sum();
        let milliseconds =
            json!({"open": times.open.as_secs_f64() * 1e3, "search": times.search.as_secs_f64() * 1e3});
        object.insert("milliseconds".into(), milliseconds);
        object.insert("bytes".into(), bytes.into());
    }
    output::line(out);
}

fn bytes_read(report: &CollectionReport) -> u64 {
    match report.outcome {
        Asked::Asked { bytes, .. } => bytes,
        Asked::Skipped { .. } | Asked::Failed { .. } => 0,
    }
}

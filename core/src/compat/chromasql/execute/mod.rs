//! Execution of ChromaSQL statements as the reference does it, over collections of a store or a release.
//!
//! Use it to move from ChromaSQL without a change in answers: what the reference asks of each collection is asked of
//! Portolan's engine, and what the reference does with the replies (merge, threshold, sort, slice, projection) is done
//! here in the same order. Where the reference is wrong by its own account (docs/query.md, "ChromaSQL quirks") the
//! answer is the sane one. Statements of the native dialect are none of its business, and it reads no file: a
//! [`Backend`] answers plans.

mod condition;
mod error;
mod rows;
mod texts;

use serde_json::{Map, Value as Json, json};

use super::{
    ReferencePlan, Source,
    ast::{Embedding, Field, Item},
};
use crate::{
    error::Result,
    plan::{NamePattern, OrderKey, OutputColumn, Plan, Probe, Source as From},
    query::{Field as NativeField, Scalar},
    router::ResultSet,
    schema::Schema,
};

pub use error::{ExecutionError, ExecutionStage};
use rows::Row;
pub use texts::TextTable;

/// The metadata field in which `portolan import` keeps the order of a file's lines: the reference's record order.
const POSITION: &str = "_position";

/// Where the collections are.
pub trait Backend {
    /// What the records of a collection share; `None` if there is no such collection.
    fn schema(&self, collection: &str) -> Option<&Schema>;

    /// Answers a plan that names one collection.
    ///
    /// # Errors
    /// Whatever the engine says; the collection then counts as failed.
    fn run(&self, plan: Plan) -> Result<ResultSet>;
}

/// What is asked beside the statement.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The collections, in the order in which their rows are merged; a name may be missing from the backend.
    pub collections: Vec<String>,
    /// Known collections that routing left out.
    pub skipped: Vec<String>,
    /// How many rows each collection gives instead of the plan's own number.
    pub rows_per_collection: Option<u64>,
    /// Vectors of texts, instead of the collections' own embedder.
    pub texts: Option<&'a TextTable>,
}

/// The answer to a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The rows: columns by name. Of two columns with one name the last one counts.
    pub rows: Vec<Map<String, Json>>,
    /// The ids of the rows.
    pub row_ids: Vec<String>,
    /// The collections asked, those that failed included.
    pub queried: Vec<String>,
    /// The collections that routing left out.
    pub skipped: Vec<String>,
    /// The collections that failed, and why.
    pub failed: Vec<(String, String)>,
}

impl Answer {
    /// `{rows, row_ids, collections: {queried, skipped, failed}}`.
    pub fn to_json(&self) -> Json {
        let failed: Vec<&str> = self.failed.iter().map(|(name, _)| name.as_str()).collect();
        json!({
            "rows": self.rows,
            "row_ids": self.row_ids,
            "collections": { "queried": self.queried, "skipped": self.skipped, "failed": failed },
        })
    }
}

/// Executes a plan over one collection or several. One failing collection among several leaves a partial answer; one
/// that is alone, or all of them, is an error.
///
/// # Errors
/// At stage `route` without collections, `embed` for a text without a vector, `backend` when the only collection
/// cannot answer, `all_collections_failed` when several cannot.
pub fn execute(
    plan: &ReferencePlan,
    request: &Request<'_>,
    backend: &dyn Backend,
) -> std::result::Result<Answer, ExecutionError> {
    if request.collections.is_empty() {
        return Err(ExecutionError::new(
            ExecutionStage::Route,
            "no collection is left to ask",
            "add the value to the routing file, or leave --strict-routing out",
        ));
    }
    let probe = probe(plan, request)?;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for name in &request.collections {
        match ask(plan, request, backend, name, probe.as_ref()) {
            Ok(found) => rows.extend(found),
            Err(error) if request.collections.len() == 1 && backend.schema(name).is_some() => {
                return Err(error);
            }
            Err(error) => failed.push((name.clone(), error.to_string())),
        }
    }
    if failed.len() == request.collections.len() {
        return Err(ExecutionError::all_failed(&failed));
    }
    let (queried, skipped) = (request.collections.clone(), request.skipped.clone());
    let (rows, row_ids) = rows::finish(plan, rows);
    Ok(Answer { rows, row_ids, queried, skipped, failed })
}

/// What the vectors are compared with. Of a BATCH the reference answers its first text, else its first vector.
fn probe(plan: &ReferencePlan, request: &Request<'_>) -> std::result::Result<Option<Probe>, ExecutionError> {
    let source = match &plan.statement.embedding {
        None => return Ok(None),
        Some(Embedding::One(source)) => Some(source),
        Some(Embedding::Batch(sources)) => {
            sources.iter().find(|source| matches!(source, Source::Text { .. })).or(sources.first())
        }
    };
    match source {
        None => Ok(None),
        Some(Source::Vector { components, .. }) => {
            Ok(Some(Probe::Vector(components.iter().map(|component| *component as f32).collect())))
        }
        Some(Source::Text { text, model }) => {
            let model = model.as_ref().map(|model| model.text.as_str());
            match request.texts {
                Some(texts) => Ok(Some(Probe::Vector(texts.vector(&text.text, model)?.to_vec()))),
                None => Ok(Some(Probe::Text { text: text.text.clone(), model: model.map(String::from) })),
            }
        }
    }
}

/// The rows of one collection, in its own order.
fn ask(
    plan: &ReferencePlan,
    request: &Request<'_>,
    backend: &dyn Backend,
    name: &str,
    probe: Option<&Probe>,
) -> std::result::Result<Vec<Row>, ExecutionError> {
    let schema = backend.schema(name).ok_or_else(|| ExecutionError::missing(name))?;
    let filter = condition::condition(plan, schema)?;
    let topk = match probe {
        None => 0,
        Some(_) => request.rows_per_collection.unwrap_or_else(|| rows::count(&plan.n_results)),
    };
    if probe.is_some() && topk == 0 {
        return Err(ExecutionError::backend(name, "the number of results is not positive"));
    }
    let fields = fields(plan);
    let native = Plan {
        probes: probe.cloned().into_iter().collect(),
        columns: fields.iter().map(output).collect(),
        order: by_position(schema, probe.is_none()),
        filter,
        topk,
        ..Plan::over(From { include: vec![NamePattern::Name(name.into())], except: Vec::new() })
    };
    let result = backend.run(native).map_err(|error| ExecutionError::engine(name, &error))?;
    Ok(result.rows.into_iter().map(|row| Row::new(&fields, row)).collect())
}

/// The parts of the records that projection and order need.
fn fields(plan: &ReferencePlan) -> Vec<NativeField> {
    let mut fields = vec![NativeField::Id];
    let ordered = plan.order.iter().map(|key| &key.field.field);
    for field in plan.projection.iter().map(|Item { field, .. }| field).chain(ordered) {
        let native = match field {
            Field::Id => NativeField::Id,
            Field::Document => NativeField::Document,
            Field::Embedding => NativeField::Embedding,
            Field::Distance => NativeField::Distance,
            Field::Metadata(_) => NativeField::Metadata(None),
        };
        if !fields.contains(&native) {
            fields.push(native);
        }
    }
    fields
}

fn output(field: &NativeField) -> OutputColumn {
    OutputColumn { name: field.to_string(), value: Scalar::Field(field.clone()) }
}

/// A filter gives records in the order in which they were added, where that is known; else in that of their ids.
fn by_position(schema: &Schema, filter_mode: bool) -> Vec<OrderKey> {
    let known = filter_mode && schema.fields.iter().any(|field| field.path == POSITION);
    let value = Scalar::Field(NativeField::Metadata(Some(POSITION.into())));
    known.then_some(OrderKey { value, descending: false, nulls_first: false }).into_iter().collect()
}

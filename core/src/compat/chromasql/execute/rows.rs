//! What the reference does with the replies of the collections: threshold, stable sort, slice, projection.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::{Map, Value as Json};

use super::super::{
    Integer, ReferencePlan,
    ast::{Direction, Field, OrderKey},
};
use crate::{query::Field as NativeField, rank::order_values, router::ResultRow, schema::Value};

/// A record of a reply.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    id: String,
    document: Value,
    distance: Value,
    embedding: Value,
    /// By dotted path, as the reference's store keeps them.
    metadata: BTreeMap<String, Value>,
}

impl Row {
    /// The record of an engine's row whose cells are `fields`.
    pub(super) fn new(fields: &[NativeField], row: ResultRow) -> Self {
        let mut own = Self::default();
        for (field, cell) in fields.iter().zip(row.cells) {
            match (field, cell) {
                (NativeField::Id, Value::Text(id)) => own.id = id,
                (NativeField::Document, cell) => own.document = cell,
                (NativeField::Distance, cell) => own.distance = cell,
                (NativeField::Embedding, cell) => own.embedding = cell,
                (NativeField::Metadata(None), cell) => flatten("", cell, &mut own.metadata),
                _ => {}
            }
        }
        own.metadata.remove(super::POSITION);
        own
    }

    fn value(&self, field: &Field, vector_mode: bool) -> Value {
        match field {
            Field::Id => Value::Text(self.id.clone()),
            Field::Document => self.document.clone(),
            Field::Distance => self.distance.clone(),
            Field::Embedding => self.embedding.clone(),
            Field::Metadata(path) if !path.is_empty() => {
                self.metadata.get(&path.join(".")).cloned().unwrap_or_default()
            }
            Field::Metadata(_) if self.metadata.is_empty() && !vector_mode => Value::Null,
            Field::Metadata(_) => Value::Object(self.metadata.clone().into_iter().collect()),
        }
    }
}

/// Nested objects become dotted keys.
fn flatten(path: &str, value: Value, out: &mut BTreeMap<String, Value>) {
    let Value::Object(entries) = value else {
        out.insert(path.into(), value);
        return;
    };
    for (key, value) in entries {
        let path = if path.is_empty() { key } else { format!("{path}.{key}") };
        if value != Value::Null {
            flatten(&path, value, out);
        }
    }
}

/// The merged replies as the answer's rows, and their ids.
pub(super) fn finish(plan: &ReferencePlan, mut rows: Vec<Row>) -> (Vec<Map<String, Json>>, Vec<String>) {
    let vector_mode = plan.statement.embedding.is_some();
    if let (true, Some(most)) = (vector_mode, plan.statement.threshold) {
        rows.retain(|row| !matches!(row.distance, Value::Float(distance) if distance > most));
    }
    rows.sort_by(|a, b| compare(&plan.order, a, b, vector_mode));
    let offset = plan.statement.offset.as_ref().map_or(0, |count| count_of(&count.value));
    let limit = plan.statement.limit.as_ref().map_or(usize::MAX, |count| count_of(&count.value));
    let kept: Vec<Row> = rows.into_iter().skip(offset).take(limit).collect();
    let projected = kept.iter().map(|row| project(plan, row, vector_mode)).collect();
    (projected, kept.into_iter().map(|row| row.id).collect())
}

/// Keys in turn. Missing values come last, whatever the direction: the reference fails on them.
fn compare(order: &[OrderKey], a: &Row, b: &Row, vector_mode: bool) -> Ordering {
    let by_key = |key: &OrderKey| {
        let (a, b) = (a.value(&key.field.field, vector_mode), b.value(&key.field.field, vector_mode));
        match (a == Value::Null, b == Value::Null) {
            (false, false) if key.direction == Direction::Descending => order_values(&b, &a),
            (false, false) => order_values(&a, &b),
            (a, b) => a.cmp(&b),
        }
    };
    order.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn project(plan: &ReferencePlan, row: &Row, vector_mode: bool) -> Map<String, Json> {
    let mut columns = Map::new();
    for item in &plan.projection {
        let name = item.alias.clone().unwrap_or_else(|| item.field.dotted());
        columns.insert(name, row.value(&item.field, vector_mode).to_json());
    }
    columns
}

/// A number of rows; those that no machine holds are all.
pub(super) fn count(number: &Integer) -> u64 {
    number.to_i64().map_or(u64::MAX, |number| u64::try_from(number).unwrap_or(0))
}

fn count_of(number: &Integer) -> usize {
    usize::try_from(count(number)).unwrap_or(usize::MAX)
}

//! The second pass of an import: a line becomes a row of the types that the first pass decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::super::lines::Line;
use super::super::record::{kind_name, shown, typed};
use super::super::source::{LineReader, Unread};
use super::MODEL;
use super::beside::InStep;
use super::layout::Layout;
use super::line::Draft;
use super::survey::{Plan, Plans};
use crate::metric::{Metric, check_vector};
use crate::native::store::{Content, Row};
use crate::schema::Value;

/// Why a line does not fit what was found a moment ago.
const CHANGED: &str = "the file was changed while it was imported; import it again";

/// Reads lines by the plans of their collections.
pub struct ExchangeReader {
    plans: Arc<Plans>,
    layout: Layout,
    beside: Option<InStep>,
}

impl ExchangeReader {
    /// A reader by these plans; `beside` gives each line its vector, if they do not bring them.
    pub fn new(plans: Arc<Plans>, layout: Layout, beside: Option<InStep>) -> Self {
        Self { plans, layout, beside }
    }

    fn row(&self, line: &[u8], beside: Option<Vec<f32>>) -> Result<(String, Row), String> {
        let Draft { collection, id, vector, document, metadata } = Draft::read(line, &self.layout, beside)?;
        let Some(plan) = self.plans.get(&collection) else {
            // No line of the collection had a good vector.
            check_vector(&id, &vector, vector.len(), Metric::Cosine).map_err(|error| error.to_string())?;
            return Err(format!("{id}: {CHANGED}"));
        };
        check_vector(&id, &vector, plan.dimension(), plan.metric).map_err(|error| error.to_string())?;
        let values = values(plan, metadata).map_err(|reason| format!("{id}: {reason}"))?;
        let text = document.clone().unwrap_or_default();
        let content = Content::new(document, text);
        // The place in the collection is still missing; the hash is made with it.
        let row_hash = blake3::Hash::from_bytes([0; 32]);
        Ok((collection, Row { id, content, row_hash, values, vector: Some(vector), piece: None, cut: false }))
    }
}

impl LineReader for ExchangeReader {
    fn name(&self) -> &str {
        MODEL
    }

    fn read(&mut self, line: &Line, rows: &mut Vec<(String, Row)>) -> Result<(), Unread> {
        // Before anything can refuse the line: the next line has the next row.
        let mut vector = None;
        if let Some(beside) = &mut self.beside {
            vector = Some(beside.next()?.ok_or_else(|| CHANGED.to_owned())?);
        }
        rows.push(self.row(line.whole()?, vector)?);
        Ok(())
    }
}

/// The values of a record, sorted by path.
fn values(plan: &Plan, metadata: Map<String, Json>) -> Result<Vec<(Arc<str>, Value)>, String> {
    let mut found = BTreeMap::new();
    gather(plan, metadata, "", &mut found)?;
    let value = |(path, json): (&Arc<str>, Json)| {
        let kind = plan.fields.get(path).ok_or(CHANGED)?;
        let value = typed(kind, &json).ok_or_else(|| {
            format!("metadata {path:?}: expected {}, got {}; {CHANGED}", kind_name(kind), shown(&json))
        })?;
        Ok((path.clone(), value))
    };
    found.into_iter().map(value).collect()
}

/// Puts each value under its field's path.
fn gather<'p>(
    plan: &'p Plan,
    object: Map<String, Json>,
    prefix: &str,
    found: &mut BTreeMap<&'p Arc<str>, Json>,
) -> Result<(), String> {
    for (key, value) in object {
        let path = format!("{prefix}{key}");
        match (covering(plan, &path), value) {
            (_, Json::Null) => {}
            (Some(field), value) => {
                let inside = path.get(field.len() + 1..).unwrap_or_default();
                put(found.entry(field).or_default(), inside, value);
            }
            (None, Json::Object(inner)) => gather(plan, inner, &format!("{path}."), found)?,
            (None, _) => return Err(format!("metadata {path:?}: {CHANGED}")),
        }
    }
    Ok(())
}

/// The field that holds a path: its own, or one of any value above it.
fn covering<'p>(plan: &'p Plan, path: &str) -> Option<&'p Arc<str>> {
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| plan.fields.get_key_value(path.get(..end)?)).map(|(field, _)| field).next()
}

/// Puts a value at a dotted path inside `whole`; at the empty path it is the whole.
fn put(whole: &mut Json, path: &str, value: Json) {
    if path.is_empty() {
        *whole = value;
        return;
    }
    if !whole.is_object() {
        *whole = Json::Object(Map::new());
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Json::Object(object) = whole {
        put(object.entry(name).or_insert(Json::Null), rest, value);
    }
}

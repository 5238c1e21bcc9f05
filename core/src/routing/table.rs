//! Routing by a file that says which values of one metadata field, the discriminator, live in which collections.

use std::collections::{BTreeMap, BTreeSet};

use super::{Route, Router, passing::Passing, read::RoutingFile};
use crate::{
    error::{CatalogError, Result},
    json,
    order::sort_by,
    plan::Plan,
    query::{Column, Literal},
    rank::order_values,
    schema::Value,
    time::parse_time,
};

/// A routing file, ready to be asked.
///
/// `model_to_collections` names for a value *all* collections that hold it; `collection_to_models` names for a
/// collection *all* values that it holds. Where the two disagree, a collection that either names is asked. Records
/// without a value may be anywhere.
///
/// Keys of JSON are texts, so `"3"` also stands for the number 3, `"true"` for TRUE, and `"2024-05-01"` for that time;
/// so does a text in `collection_to_models`.
#[derive(Debug, Clone)]
pub struct RoutingTable {
    discriminator: String,
    /// As in the file.
    model_to_collections: BTreeMap<String, Vec<String>>,
    /// As in the file.
    collection_to_models: BTreeMap<String, Vec<Value>>,
    /// The values of both maps, each once.
    models: Vec<Model>,
    /// What the values may mean, in the order of [`order_values`], with the place in `models`.
    meanings: Vec<(Value, usize)>,
}

/// A value that the file knows.
#[derive(Debug, Clone)]
struct Model {
    /// Whether `model_to_collections` has it, so that all its collections are known.
    placed: bool,
    /// The collections that either map names; may hold repeats.
    collections: Vec<String>,
}

impl RoutingTable {
    /// Reads a routing file: JSON with `discriminator` (`"kind"`, `"meta.kind"` or `["meta", "kind"]`),
    /// `model_to_collections` (`{value: [collection]}` or `{value: {"collections": [collection]}}`) and
    /// `collection_to_models` (`{collection: [value]}`). Other keys are ignored.
    ///
    /// # Errors
    /// [`CatalogError::BadRouting`] for a text that is not JSON and for any part that is missing or of another shape.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let RoutingFile { discriminator, model_to_collections, collection_to_models } =
            RoutingFile::parse(text)?;
        let mut models: BTreeMap<String, Model> = BTreeMap::new();
        for (value, collections) in &model_to_collections {
            models.insert(value.clone(), Model { placed: true, collections: collections.clone() });
        }
        for (collection, values) in &collection_to_models {
            for value in values {
                let model = Model { placed: false, collections: Vec::new() };
                models.entry(key(value)).or_insert(model).collections.push(collection.clone());
            }
        }
        let mut meanings: Vec<(Value, usize)> = (0..)
            .zip(models.keys())
            .flat_map(|(i, key)| meanings(key).map(move |value| (value, i)))
            .collect();
        sort_by(&mut meanings, |a, b| order_values(&a.0, &b.0));
        let models = models.into_values().collect();
        Ok(Self { discriminator, model_to_collections, collection_to_models, models, meanings })
    }

    /// The dotted path of the field that it routes by, without `metadata.`.
    pub fn discriminator(&self) -> &str {
        &self.discriminator
    }

    /// The table as a router. A statement *constrains* the discriminator if no record without a value of it can pass
    /// WHERE: `kind = 'a'`, `kind != 'a'`, `kind IN (..) AND ..`, but not `kind = 'a' OR rank < 3`.
    ///
    /// | | with `fallback` | without (strict) |
    /// |---|---|---|
    /// | not constrained | all collections | [`CatalogError::Unrouted`] |
    /// | asks for a value that the file does not know | all collections | no collection holds it |
    /// | may pass for values that nobody named (`!=`, ranges, LIKE ..) | also collections that `collection_to_models` does not list | no collection holds others |
    pub fn into_router(self, fallback: bool) -> TableRouter {
        TableRouter { table: self, fallback }
    }

    /// The collections that ChromaSQL's router names for these values of the discriminator (`None`: not constrained),
    /// sorted, each once; `None` stands for all. Values are compared as texts, letter by letter. Without `fallback` the
    /// list may be empty, which the reference refuses later.
    ///
    /// # Errors
    /// [`CatalogError::Unrouted`] if the discriminator is not constrained and there is no fallback.
    pub fn route_chromasql(
        &self,
        values: Option<&BTreeSet<String>>,
        fallback: bool,
    ) -> Result<Option<Vec<String>>, CatalogError> {
        let Some(values) = values else {
            return if fallback { Ok(None) } else { Err(self.unrouted()) };
        };
        let known = values.iter().filter_map(|value| self.model_to_collections.get(value));
        let names: BTreeSet<&String> = known.flatten().collect();
        match names.is_empty() && fallback {
            true => Ok(None),
            false => Ok(Some(names.into_iter().cloned().collect())),
        }
    }

    pub(super) fn meanings(&self) -> &[(Value, usize)] {
        &self.meanings
    }

    /// The discriminator as it is written in a statement.
    fn column(&self) -> Column {
        Column::Metadata(self.discriminator.clone())
    }

    fn unrouted(&self) -> CatalogError {
        CatalogError::Unrouted { column: self.column().to_string() }
    }

    fn reason(&self, collection: &str) -> String {
        let column = self.column();
        match self.collection_to_models.get(collection).map(Vec::as_slice) {
            Some([]) => format!("the routing table gives it no value of {column}"),
            Some([only]) => format!("the routing table says {column} is always {} here", shown(only)),
            Some(values) => {
                format!("the routing table gives it {} values of {column}, and none passes", values.len())
            }
            None => format!("the routing table puts no value of {column} here that passes"),
        }
    }
}

/// A [`RoutingTable`] that routes; see [`RoutingTable::into_router`].
#[derive(Debug, Clone)]
pub struct TableRouter {
    table: RoutingTable,
    fallback: bool,
}

impl Router for TableRouter {
    fn route(&self, plan: &Plan, collections: &[&str]) -> Result<Route> {
        let table = &self.table;
        let passing = Passing::new(table, plan.filter.as_ref());
        if passing.null && !self.fallback {
            return Err(table.unrouted().into());
        }
        if self.fallback && (passing.null || passing.asked_unknown) {
            return Ok(Route::All);
        }
        let mut named: BTreeSet<&str> = BTreeSet::new();
        let mut open = passing.others;
        for model in passing.models.iter().filter_map(|place| table.models.get(*place)) {
            named.extend(model.collections.iter().map(String::as_str));
            open |= !model.placed;
        }
        let open = |name: &str| self.fallback && open && !table.collection_to_models.contains_key(name);
        let skipped = collections.iter().filter(|name| !named.contains(**name) && !open(name));
        Ok(Route::Except(skipped.map(|name| (String::from(*name), table.reason(name))).collect()))
    }
}

/// A value as a key of JSON. A whole float is written as the integer that equals it.
fn key(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bool(true) => String::from("true"),
        Value::Bool(false) => String::from("false"),
        // Beyond 2^53 the conversion may saturate.
        Value::Float(float) if float.abs() < 9e15 && float.fract() == 0.0 => (*float as i64).to_string(),
        value => shown(value),
    }
}

fn shown(value: &Value) -> String {
    Literal { value: value.clone(), span: Default::default() }.to_string()
}

/// All values that a key may stand for.
fn meanings(key: &str) -> impl Iterator<Item = Value> {
    let bool = |text: &str| key.eq_ignore_ascii_case(text);
    let other = match json::parse(key) {
        Ok(number @ (Value::Int(_) | Value::Float(_))) => Some(number),
        _ if bool("true") => Some(Value::Bool(true)),
        _ if bool("false") => Some(Value::Bool(false)),
        _ => parse_time(key).map(Value::Time),
    };
    [Some(Value::Text(String::from(key))), other].into_iter().flatten()
}

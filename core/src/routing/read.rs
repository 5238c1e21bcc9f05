//! The routing file as it is written: idxr's JSON, every odd shape an error that names its place.

use std::collections::BTreeMap;

use crate::{
    error::CatalogError,
    json,
    schema::{Object, Value},
};

/// The three parts of a routing file.
#[derive(Debug)]
pub(super) struct RoutingFile {
    /// The dotted path of the discriminator.
    pub discriminator: String,
    /// For each of its values the collections that hold it.
    pub model_to_collections: BTreeMap<String, Vec<String>>,
    /// For a collection the only values that it holds: texts, numbers, booleans.
    pub collection_to_models: BTreeMap<String, Vec<Value>>,
}

type Read<T> = Result<T, CatalogError>;

impl RoutingFile {
    pub fn parse(text: &str) -> Read<Self> {
        let file = json::parse(text).map_err(|error| bad("the text", format!("is not JSON: {error}")))?;
        let part = |key: &'static str| match object(&file, "the file")?.get(key) {
            Some(value) => Ok(value),
            None => Err(bad(key, "is missing")),
        };
        let mut model_to_collections = BTreeMap::new();
        let place = "model_to_collections";
        for (value, collections) in object(part(place)?, place)? {
            let names = collections_of(collections, &format!("{place}[{value:?}]"))?;
            model_to_collections.insert(value.clone(), names);
        }
        let mut collection_to_models = BTreeMap::new();
        let place = "collection_to_models";
        for (collection, values) in object(part(place)?, place)? {
            let values = models_of(values, &format!("{place}[{collection:?}]"))?;
            collection_to_models.insert(collection.clone(), values);
        }
        let discriminator = discriminator(part("discriminator")?)?;
        Ok(Self { discriminator, model_to_collections, collection_to_models })
    }
}

/// `"kind"`, `"meta.kind"` or `["meta", "kind"]`.
fn discriminator(value: &Value) -> Read<String> {
    let place = "discriminator";
    let path = match value {
        Value::List(keys) => texts(keys, place)?.join("."),
        Value::Text(path) => path.clone(),
        _ => return Err(bad(place, "is neither a text nor a list of texts")),
    };
    match path.split('.').any(str::is_empty) {
        true => Err(bad(place, "has an empty key")),
        false => Ok(path),
    }
}

/// `{"collections": ["a", "b"]}` or `["a", "b"]`.
fn collections_of(value: &Value, place: &str) -> Read<Vec<String>> {
    match value {
        Value::List(names) => texts(names, place),
        Value::Object(entries) => {
            let place = format!("{place}.collections");
            match entries.get("collections") {
                Some(Value::List(names)) => texts(names, &place),
                Some(_) => Err(bad(&place, "is not a list")),
                None => Err(bad(&place, "is missing")),
            }
        }
        _ => Err(bad(place, "is neither a list nor an object with `collections`")),
    }
}

fn models_of(value: &Value, place: &str) -> Read<Vec<Value>> {
    let Value::List(values) = value else { return Err(bad(place, "is not a list")) };
    let scalar =
        |value: &Value| matches!(value, Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_));
    match values.iter().position(|value| !scalar(value)) {
        Some(wrong) => Err(bad(&format!("{place}[{wrong}]"), "is neither a text nor a number nor a boolean")),
        None => Ok(values.clone()),
    }
}

fn texts(values: &[Value], place: &str) -> Read<Vec<String>> {
    let mut out = Vec::with_capacity(values.len());
    for (i, value) in values.iter().enumerate() {
        let Value::Text(text) = value else { return Err(bad(&format!("{place}[{i}]"), "is not a text")) };
        out.push(text.clone());
    }
    Ok(out)
}

fn object<'v>(value: &'v Value, place: &str) -> Read<&'v Object> {
    match value {
        Value::Object(entries) => Ok(entries),
        _ => Err(bad(place, "is not an object")),
    }
}

fn bad(place: &str, reason: impl Into<String>) -> CatalogError {
    CatalogError::BadRouting { place: String::from(place), reason: reason.into() }
}

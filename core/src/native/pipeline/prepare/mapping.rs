//! From source columns to fields: names, needed values, and one way of writing a record down.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::spec::SourceSpec;
use crate::native::pipeline::model::Model;
use crate::schema::FieldType;

/// Texts that stand for a missing value.
const MISSING: [&str; 3] = ["", "NA", "N/A"];

/// The record with the field names of the model. Columns that are not mapped keep their names.
pub fn mapped(mut record: Map<String, Json>, columns: &BTreeMap<String, String>) -> Map<String, Json> {
    let found = |(field, column): (&String, &String)| Some((field.clone(), record.get(column)?.clone()));
    let values: Vec<(String, Json)> = columns.iter().filter_map(found).collect();
    for column in columns.values() {
        record.remove(column);
    }
    for (field, value) in values {
        put(&mut record, &field, value);
    }
    record
}

fn put(record: &mut Map<String, Json>, path: &str, value: Json) {
    let nested =
        path.split_once('.').filter(|(head, _)| matches!(record.get(*head), None | Some(Json::Object(_))));
    let Some((head, rest)) = nested else {
        record.insert(path.to_owned(), value);
        return;
    };
    let inner = record.entry(head).or_insert_with(|| Json::Object(Map::new()));
    if let Json::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// The first of the needed fields that has no value.
pub fn lacks<'s>(record: &Json, needed: &'s [String]) -> Option<&'s str> {
    let missing = |path: &&String| {
        let value = record.get(path.as_str());
        match value.or_else(|| path.split('.').try_fold(record, |here, name| here.get(name))) {
            None | Some(Json::Null) => true,
            Some(Json::String(text)) => MISSING.contains(&text.trim()),
            Some(_) => false,
        }
    };
    needed.iter().find(missing).map(String::as_str)
}

/// The record as text: equal records are equal texts, whatever the order of their keys.
pub fn canonical(mut record: Json) -> String {
    record.sort_all_objects();
    record.to_string()
}

/// The type of the field that a column fills, when not every text fits it.
pub fn column_kind(model: &Model, spec: &SourceSpec, column: &str) -> Option<FieldType> {
    let mapped = spec.columns.iter().find(|(_, source)| *source == column).map(|(field, _)| field.as_str());
    let kind = model.field(mapped.unwrap_or(column))?.kind.clone();
    (kind != FieldType::Text).then_some(kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_become_fields_and_the_rest_stays() {
        let Json::Object(record) = json!({"T": "x", "n": 1, "Who": "me"}) else { panic!() };
        let columns = [("title", "T"), ("author.name", "Who")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let record = Json::Object(mapped(record, &columns.into()));
        assert_eq!(canonical(record.clone()), r#"{"author":{"name":"me"},"n":1,"title":"x"}"#);
        assert_eq!(lacks(&record, &["title".into(), "author.name".into()]), None);
        for (value, missing) in
            [(json!(null), true), (json!(" N/A "), true), (json!(0), false), (json!("n"), false)]
        {
            assert_eq!(lacks(&json!({"a": value}), &["a".into()]).is_some(), missing);
        }
    }
}

//! Which type each metadata path of a collection has, from all values that occur.
//!
//! Use it in the first pass of an import: [`Tree::observe`] every record, then ask for the [`fields`](Tree::fields). It
//! does not know what the store already holds; `survey` brings the two together.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::schema::FieldType;

/// Kinds of values, as bits.
mod seen {
    pub const BOOL: u8 = 1;
    pub const INT: u8 = 2;
    pub const FLOAT: u8 = 4;
    pub const TEXT: u8 = 8;
    pub const LIST: u8 = 16;
    pub const EMPTY_OBJECT: u8 = 32;
    /// In a list: a list or an object.
    pub const OTHER: u8 = 64;
}

/// All that was seen at one path and below it.
#[derive(Debug, Default)]
pub struct Tree {
    values: u8,
    items: u8,
    below: BTreeMap<String, Tree>,
}

/// What the values of one path have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One type.
    Type(FieldType),
    /// Only lists without values: a list of anything fits.
    EmptyLists,
}

impl Tree {
    /// Takes the metadata of one record into account. Gives the number of paths that were new.
    pub fn observe(&mut self, metadata: &Map<String, Json>) -> usize {
        metadata.iter().map(|(key, value)| self.observe_key(key, value)).sum()
    }

    fn observe_key(&mut self, key: &str, value: &Json) -> usize {
        if value.is_null() {
            return 0;
        }
        let (mut here, mut new) = (self, 0);
        for name in key.split('.') {
            if !here.below.contains_key(name) {
                here.below.insert(name.to_owned(), Tree::default());
                new += 1;
            }
            let Some(next) = here.below.get_mut(name) else { return new };
            here = next;
        }
        match value {
            Json::Object(object) if !object.is_empty() => return new + here.observe(object),
            Json::Array(items) => here.items |= items.iter().fold(0, |bits, item| bits | item_bit(item)),
            _ => {}
        }
        here.values |= bit(value);
        new
    }

    /// Every path that has a type of its own. `is_json` says of which it is known that they hold any value.
    pub fn fields(&self, is_json: &dyn Fn(&str) -> bool) -> BTreeMap<String, Found> {
        let mut fields = BTreeMap::new();
        for (name, below) in &self.below {
            below.collect(name, is_json, &mut fields);
        }
        fields
    }

    fn collect(&self, path: &str, is_json: &dyn Fn(&str) -> bool, fields: &mut BTreeMap<String, Found>) {
        let object = !self.below.is_empty();
        if is_json(path) || (object && self.values & !seen::EMPTY_OBJECT != 0) {
            fields.insert(path.into(), Found::Type(FieldType::Json));
        } else if object {
            for (name, below) in &self.below {
                below.collect(&format!("{path}.{name}"), is_json, fields);
            }
        } else if self.values != 0 {
            fields.insert(path.into(), self.found());
        }
    }

    fn found(&self) -> Found {
        Found::Type(match self.values {
            seen::LIST if self.items == 0 => return Found::EmptyLists,
            seen::LIST => scalar(self.items).map_or(FieldType::Json, |item| FieldType::List(Box::new(item))),
            values => scalar(values).unwrap_or(FieldType::Json),
        })
    }
}

fn scalar(bits: u8) -> Option<FieldType> {
    const MIXED: u8 = seen::INT | seen::FLOAT;
    match bits {
        seen::BOOL => Some(FieldType::Bool),
        seen::INT => Some(FieldType::Int),
        seen::FLOAT | MIXED => Some(FieldType::Float),
        seen::TEXT => Some(FieldType::Text),
        _ => None,
    }
}

fn bit(value: &Json) -> u8 {
    match value {
        Json::Null => 0,
        Json::Bool(_) => seen::BOOL,
        Json::Number(number) if number.as_i64().is_some() => seen::INT,
        Json::Number(_) => seen::FLOAT,
        Json::String(_) => seen::TEXT,
        Json::Array(_) => seen::LIST,
        // Objects with keys are told by what is below them.
        Json::Object(object) if object.is_empty() => seen::EMPTY_OBJECT,
        Json::Object(_) => 0,
    }
}

fn item_bit(item: &Json) -> u8 {
    match item {
        Json::Array(_) | Json::Object(_) => seen::OTHER,
        scalar => bit(scalar),
    }
}

/// What people call a type.
pub fn type_name(kind: &FieldType) -> String {
    match kind {
        FieldType::List(item) => format!("list of {}", type_name(item)),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(records: &[&str]) -> Vec<(String, String)> {
        let mut tree = Tree::default();
        for record in records {
            tree.observe(&serde_json::from_str(record).unwrap());
        }
        let name = |found| match found {
            Found::Type(kind) => serde_json::to_string(&kind).unwrap().replace('"', ""),
            Found::EmptyLists => "[]".into(),
        };
        tree.fields(&|path| path == "any").into_iter().map(|(path, found)| (path, name(found))).collect()
    }

    #[test]
    fn types_come_from_all_values_of_a_path() {
        for (records, expected) in [
            (vec![r#"{"a":true}"#, r#"{"a":null}"#], "bool"),
            (vec![r#"{"a":1}"#, r#"{"a":-9223372036854775808}"#], "int"),
            (vec![r#"{"a":1}"#, r#"{"a":2.0}"#], "float"),
            (vec![r#"{"a":"x"}"#], "text"),
            (vec![r#"{"a":1}"#, r#"{"a":"x"}"#], "json"),
            (vec![r#"{"a":1}"#, r#"{"a":true}"#], "json"),
            (vec![r#"{"a":[1,null]}"#, r#"{"a":[]}"#, r#"{"a":[0.5]}"#], "{list:float}"),
            (vec![r#"{"a":["x"]}"#], "{list:text}"),
            (vec![r#"{"a":[]}"#, r#"{"a":[null]}"#], "[]"),
            (vec![r#"{"a":[1,"x"]}"#], "json"),
            (vec![r#"{"a":[[1]]}"#], "json"),
            (vec![r#"{"a":[{"b":1}]}"#], "json"),
            (vec![r#"{"a":[1]}"#, r#"{"a":1}"#], "json"),
            (vec![r#"{"a":{}}"#], "json"),
            (vec![r#"{"a":{"b":1}}"#, r#"{"a":7}"#, r#"{"a.c":1}"#], "json"),
        ] {
            assert_eq!(found(&records), [("a".to_owned(), expected.to_owned())], "{records:?}");
        }
    }

    #[test]
    fn objects_and_points_make_paths() {
        let records =
            [r#"{"a":{"b":1,"c":{"d":"x"}},"n":null,"e":{"f":null}}"#, r#"{"a.b":0.5,"a":{},"any":{"x":1}}"#];
        let expected = [("a.b", "float"), ("a.c.d", "text"), ("any", "json")];
        assert_eq!(found(&records), expected.map(|(path, kind)| (path.to_owned(), kind.to_owned())));
    }
}

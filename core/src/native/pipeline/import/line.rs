//! One exchange line: what it must hold, before anything is known about its collection.
//!
//! Both passes of an import read lines through here, so both refuse the same ones for the same reasons.

use serde_json::{Map, Value as Json};

use super::super::record::{MAX_ID_BYTES, floats, null_for_nan, shown};
use super::POSITION;
use crate::native::store::check_name;
use crate::schema::is_at_or_below;

/// The keys of a line.
const KEYS: [&str; 5] = ["collection", "id", "vector", "document", "metadata"];
/// Longest vectors: what the registry allows too.
const MAX_DIMENSION: usize = 65_536;
/// How deep metadata may nest, points in keys included. Reading it back must stay below the JSON parser's own limit.
const MAX_DEPTH: usize = 64;

/// A line whose shape is right.
#[derive(Debug)]
pub struct Draft {
    /// Where it goes.
    pub collection: String,
    /// Its key.
    pub id: String,
    /// Its vector: not empty; its numbers are not checked yet.
    pub vector: Vec<f32>,
    /// Its text, if any.
    pub document: Option<String>,
    /// Its metadata, as it was written.
    pub metadata: Map<String, Json>,
}

impl Draft {
    /// Reads a line.
    ///
    /// # Errors
    /// The reason why it cannot be a record.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(line).map_err(|error| not_json(line, &error))?;
        let Json::Object(mut object) = json else {
            return Err(format!("expected a JSON object, got {}", shown(&json)));
        };
        let id = id(&object)?;
        let rest = |reason: String| format!("{id}: {reason}");
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(rest(format!("it has a {key:?}; a line has {}", KEYS.join(", "))));
        }
        let collection = collection(&object).map_err(rest)?;
        let vector = vector(object.get("vector")).map_err(rest)?;
        let document = match object.remove("document") {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text),
            Some(other) => return Err(rest(format!("its \"document\" is {}, not a text", shown(&other)))),
        };
        let metadata = match object.remove("metadata") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(metadata)) => metadata,
            Some(other) => return Err(rest(format!("its \"metadata\" is {}, not an object", shown(&other)))),
        };
        check_metadata(&metadata).map_err(rest)?;
        Ok(Self { collection, id, vector, document, metadata })
    }
}

fn not_json(line: &[u8], error: &serde_json::Error) -> String {
    let repaired = null_for_nan(line).and_then(|line| serde_json::from_slice::<Map<_, _>>(&line).ok());
    match repaired.and_then(|object| id(&object).ok()) {
        Some(id) => format!("{id}: NaN or Infinity stands in it, every number must be finite ({error})"),
        None => format!("not JSON: {error}"),
    }
}

fn id(object: &Map<String, Json>) -> Result<String, String> {
    match object.get("id") {
        Some(Json::String(id)) if id.len() > MAX_ID_BYTES => {
            Err(format!("its id has {} bytes, at most {MAX_ID_BYTES} are possible", id.len()))
        }
        Some(Json::String(id)) if !id.is_empty() => Ok(id.clone()),
        None | Some(Json::Null | Json::String(_)) => Err("its \"id\" is missing or empty".into()),
        Some(other) => Err(format!("its \"id\" is {}, not a text", shown(other))),
    }
}

fn collection(object: &Map<String, Json>) -> Result<String, String> {
    match object.get("collection") {
        Some(Json::String(name)) => {
            check_name(name).map_err(|error| error.to_string())?;
            Ok(name.clone())
        }
        None | Some(Json::Null) => Err("its \"collection\" is missing".into()),
        Some(other) => Err(format!("its \"collection\" is {}, not a text", shown(other))),
    }
}

fn vector(json: Option<&Json>) -> Result<Vec<f32>, String> {
    let vector = match json {
        None | Some(Json::Null) => return Err("it has no \"vector\"".into()),
        Some(json) => floats(json)?,
    };
    match vector.len() {
        0 => Err("its \"vector\" is empty".into()),
        1..=MAX_DIMENSION => Ok(vector),
        more => Err(format!("its \"vector\" has {more} numbers, at most {MAX_DIMENSION} are possible")),
    }
}

/// Refuses metadata whose paths are ambiguous, and the key that the import itself writes.
fn check_metadata(metadata: &Map<String, Json>) -> Result<(), String> {
    if metadata.keys().any(|key| key.split('.').next() == Some(POSITION)) {
        return Err(format!("its metadata brings {POSITION:?}, which the import itself writes"));
    }
    check_depth(metadata, 0)?;
    let mut paths = Vec::new();
    collect_paths(metadata, "", &mut paths);
    // Segment by segment, so that a path stands next to what is below it: in the order of bytes "a-b" comes between "a"
    // and "a.b".
    paths.sort_unstable_by(|a, b| a.split('.').cmp(b.split('.')));
    let twice = paths.windows(2).find(|pair| is_at_or_below(&pair[1], &pair[0]));
    match twice {
        Some(pair) => Err(format!("its metadata has two values for {:?}", pair[0])),
        None => Ok(()),
    }
}

fn check_depth(object: &Map<String, Json>, depth: usize) -> Result<(), String> {
    object.iter().try_for_each(|(key, value)| check_value_depth(value, depth + key.split('.').count()))
}

fn check_value_depth(value: &Json, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("its metadata nests deeper than {MAX_DEPTH} levels"));
    }
    match value {
        Json::Object(object) => check_depth(object, depth),
        Json::Array(items) => items.iter().try_for_each(|item| check_value_depth(item, depth + 1)),
        _ => Ok(()),
    }
}

/// The dotted paths of all values that are neither null nor objects.
fn collect_paths(object: &Map<String, Json>, prefix: &str, paths: &mut Vec<String>) {
    for (key, value) in object {
        let path = format!("{prefix}{key}");
        match value {
            Json::Null => {}
            Json::Object(inner) if !inner.is_empty() => collect_paths(inner, &format!("{path}."), paths),
            _ => paths.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(json: &str) -> Result<(), String> {
        let line = format!(r#"{{"collection":"c","id":"a","vector":[1],"metadata":{json}}}"#);
        Draft::read(line.as_bytes()).map(|_| ())
    }

    #[test]
    fn a_path_has_one_value() {
        for fine in [r#"{"a.b":1,"a":{"c":2}}"#, r#"{"a":1,"ab.c":2,"a-b":3}"#, r#"{"a":null,"a.b":1}"#] {
            assert_eq!(metadata(fine), Ok(()), "{fine}");
        }
        for twice in [
            r#"{"a.b":1,"a":{"b":2}}"#,
            r#"{"a":1,"a-b":2,"a.b":3}"#,
            r#"{"a":{},"a.b":1}"#,
            r#"{"x":{"a":1,"a.b":2}}"#,
        ] {
            assert!(metadata(twice).is_err_and(|reason| reason.contains("two values")), "{twice}");
        }
    }

    #[test]
    fn depth_is_limited_whatever_makes_it() {
        let deep = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(metadata(&deep(MAX_DEPTH - 1)), Ok(()));
        assert!(metadata(&deep(MAX_DEPTH)).is_err_and(|reason| reason.contains("deeper")));
        let dotted = format!("{{\"a{}\":1}}", ".a".repeat(MAX_DEPTH));
        assert!(metadata(&dotted).is_err_and(|reason| reason.contains("deeper")));
    }
}

//! One exchange line: what it must hold, before anything is known about its collection.
//!
//! Both passes of an import read lines through here, so both refuse the same ones for the same reasons.

use serde_json::{Map, Value as Json};

use super::super::record::{MAX_ID_BYTES, floats, name_of_json, null_for_nan, shown};
use super::POSITION;
use super::layout::Layout;
use crate::native::pipeline::CollectionRule;
use crate::native::store::check_name;
use crate::native::vectors::MAX_DIMENSION;
use crate::schema::is_at_or_below;

/// The keys of an exchange line.
const KEYS: [&str; 5] = ["collection", "id", "vector", "document", "metadata"];
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
    /// Reads a line. `beside` is its vector if the vectors come in a file of their own.
    ///
    /// # Errors
    /// The reason why it cannot be a record.
    pub fn read(line: &[u8], layout: &Layout, beside: Option<Vec<f32>>) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(line).map_err(|error| not_json(line, &error))?;
        let Json::Object(object) = json else {
            return Err(format!("expected a JSON object, got {}", shown(&json)));
        };
        let id = id(&object)?;
        Self::of(id.clone(), object, layout, beside).map_err(|reason| format!("{id}: {reason}"))
    }

    fn of(
        id: String,
        mut line: Map<String, Json>,
        layout: &Layout,
        beside: Option<Vec<f32>>,
    ) -> Result<Self, String> {
        line.remove("id");
        let vector = match beside {
            Some(_) if line.contains_key("vector") => {
                return Err("it has a \"vector\", but the vectors come in a file of their own".into());
            }
            Some(beside) => beside,
            None => vector(line.remove("vector").as_ref())?,
        };
        let fixed = match layout.collection {
            None => Some(collection(line.remove("collection").as_ref())?),
            Some(_) => None,
        };
        let document = document(layout.document(), line.remove(layout.document()))?;
        let mut metadata = match line.remove("metadata") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(metadata)) => metadata,
            Some(other) => return Err(format!("its \"metadata\" is {}, not an object", shown(&other))),
        };
        join(&mut metadata, line, layout)?;
        check_metadata(&metadata)?;
        let collection = match fixed {
            Some(name) => name,
            None => by_rule(layout, &metadata)?,
        };
        Ok(Self { collection, id, vector, document, metadata })
    }

    /// The id of a line, as far as it has one.
    pub fn id_of(line: &[u8]) -> Option<String> {
        let object: Map<String, Json> = serde_json::from_slice(line).ok()?;
        id(&object).ok()
    }
}

/// Takes the further keys of a line into its metadata, where its layout has any.
fn join(metadata: &mut Map<String, Json>, further: Map<String, Json>, layout: &Layout) -> Result<(), String> {
    for (key, value) in further {
        if !layout.is_plain() {
            return Err(format!("it has a {key:?}; a line has {}", KEYS.join(", ")));
        }
        if metadata.contains_key(&key) {
            return Err(format!("it has a {key:?} beside its metadata and one in it"));
        }
        metadata.insert(key, value);
    }
    Ok(())
}

fn by_rule(layout: &Layout, metadata: &Map<String, Json>) -> Result<String, String> {
    let path = match &layout.collection {
        Some(CollectionRule::Fixed(name)) => return Ok(name.clone()),
        Some(CollectionRule::Field(path)) => path,
        None => "collection",
    };
    let name = at(metadata, path).and_then(name_of_json).ok_or_else(|| {
        format!("the field {path:?}, which names the collection, is no text and no integer")
    })?;
    check_name(&name).map_err(|error| error.to_string())?;
    Ok(name)
}

/// The value at a path: points in it may stand in a key or go into an object.
fn at<'j>(object: &'j Map<String, Json>, path: &str) -> Option<&'j Json> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(point, _)| {
        let inner = object.get(path.get(..point)?)?.as_object()?;
        at(inner, path.get(point + 1..)?)
    })
}

fn document(key: &str, json: Option<Json>) -> Result<Option<String>, String> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("its {key:?} is {}, not a text", shown(&other))),
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

fn collection(json: Option<&Json>) -> Result<String, String> {
    match json {
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
        Draft::read(line.as_bytes(), &Layout::default(), None).map(|_| ())
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

//! A draft of a model from a sample of its records.
//!
//! Use it to begin a registry. It guesses types from the first records and the key from names and distinct values; what it says is a
//! commented file to be read by a person, not a decision.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::prepare::{Sample, SourceSpec, sample};
use crate::error::StoreError;
use crate::time::parse_time;

/// Records looked at.
const RECORDS: usize = 1000;
/// Texts of this average length are to be read, not to be filtered by.
const PROSE_BYTES: usize = 40;

/// What was seen of one column.
#[derive(Default)]
struct Seen {
    kinds: BTreeMap<&'static str, u64>,
    values: u64,
    nulls: u64,
    bytes: usize,
    distinct: HashSet<String>,
    example: String,
}

/// A registry with a model of the records of a file, as TOML with comments.
///
/// # Errors
/// [`StoreError::File`], [`StoreError::BadSource`] for a file that cannot be read or has no record.
pub fn infer(spec: &SourceSpec, model: &str) -> Result<String, StoreError> {
    let Sample { records, texts, refused } = sample(spec, RECORDS)?;
    if records.is_empty() {
        let reason = "it has no record to learn from".into();
        return Err(StoreError::BadSource { path: spec.path.clone(), reason });
    }
    let mut columns: BTreeMap<String, Seen> = BTreeMap::new();
    for record in &records {
        look("", record, texts, &mut columns);
    }
    for seen in columns.values_mut() {
        seen.nulls += (records.len() as u64).saturating_sub(seen.values + seen.nulls);
    }
    Ok(draft(model, &spec.path, (records.len(), refused), &columns))
}

fn look(prefix: &str, record: &Map<String, Json>, texts: bool, columns: &mut BTreeMap<String, Seen>) {
    for (name, value) in record {
        // A dot in a name would nest.
        let path = format!("{prefix}{name}");
        if let (Json::Object(inner), false) = (value, name.contains('.')) {
            look(&format!("{path}."), inner, texts, columns);
            continue;
        }
        let seen = columns.entry(path).or_default();
        let Some(kind) = kind_of(value, texts) else {
            seen.nulls += 1;
            continue;
        };
        *seen.kinds.entry(kind).or_default() += 1;
        seen.values += 1;
        let text = value.as_str().map_or_else(|| value.to_string(), String::from);
        seen.bytes += text.len();
        if seen.example.is_empty() {
            seen.example = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
        }
        seen.distinct.insert(text);
    }
}

fn kind_of(value: &Json, texts: bool) -> Option<&'static str> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(_) => "\"bool\"",
        Json::Number(number) if number.is_i64() => "\"int\"",
        Json::Number(_) => "\"float\"",
        Json::String(text) if parse_time(text.trim()).is_some() && text.contains('-') => "\"time\"",
        Json::String(text) if texts => match text.trim() {
            "" => return None,
            // Leading zeros are part of a name, not of a number.
            plain if plain.starts_with('0') && plain.len() > 1 && !plain.contains('.') => "\"text\"",
            plain if plain.parse::<i64>().is_ok() => "\"int\"",
            plain if plain.parse::<f64>().is_ok_and(f64::is_finite) => "\"float\"",
            "true" | "false" | "TRUE" | "FALSE" | "True" | "False" => "\"bool\"",
            _ => "\"text\"",
        },
        Json::String(_) => "\"text\"",
        Json::Array(items) => {
            match items.iter().find(|item| !item.is_null()).map(|item| kind_of(item, false)) {
                Some(Some("\"int\"")) => "[\"int\"]",
                Some(Some("\"float\"")) => "[\"float\"]",
                Some(Some("\"bool\"")) => "[\"bool\"]",
                _ => "[\"text\"]",
            }
        }
        Json::Object(_) => "\"text\"",
    })
}

impl Seen {
    /// The narrowest type that fits all values.
    fn kind(&self) -> &'static str {
        let kinds: Vec<&'static str> = self.kinds.keys().copied().collect();
        match kinds.as_slice() {
            [one] => one,
            ["\"float\"", "\"int\""] => "\"float\"",
            _ => "\"text\"",
        }
    }

    fn is_key(&self, records: usize) -> bool {
        self.nulls == 0 && self.distinct.len() == records && matches!(self.kind(), "\"text\"" | "\"int\"")
    }

    fn is_prose(&self) -> bool {
        self.kind() == "\"text\""
            && self.values > 0
            && self.bytes / (self.values as usize).max(1) >= PROSE_BYTES
    }
}

fn draft(
    model: &str,
    path: &Path,
    (records, refused): (usize, u64),
    columns: &BTreeMap<String, Seen>,
) -> String {
    let keys: Vec<&String> =
        columns.iter().filter(|(_, seen)| seen.is_key(records)).map(|(path, _)| path).collect();
    let named = keys.iter().find(|path| {
        let path = path.to_ascii_lowercase();
        path == "id" || path == "key" || path.ends_with("_id") || path.ends_with(".id")
    });
    let key = named.or(keys.first()).map_or("id", |path| path.as_str());
    let mut prose: Vec<&String> =
        columns.iter().filter(|(_, seen)| seen.is_prose()).map(|(path, _)| path).collect();
    if prose.is_empty() {
        let texts = columns.iter().filter(|(path, seen)| path.as_str() != key && seen.kind() == "\"text\"");
        prose = texts.max_by_key(|(_, seen)| seen.bytes).map(|(path, _)| path).into_iter().collect();
    }
    let rest = columns.keys().filter(|path| path.as_str() != key && !prose.contains(path)).collect();
    let list =
        |paths: Vec<&String>| paths.iter().map(|path| format!("{path:?}")).collect::<Vec<_>>().join(", ");
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "# A draft from {records} records of {file} ({refused} could not be read). Look at each line.\n\n\
         [embedder.small]\nprovider = \"static\"\npath = \"static-256\"              # the folder of a static embedder, relative to this file\n\n\
         [[model]]\nname = {model:?}\n\
         key = [{key:?}]                     # {}\n\
         collection = {model:?}              # or {{ field = \"...\" }}: one collection for each value\n\
         embedder = \"small\"\n\
         text = [{}]                  # embedded, in this order\n\
         metadata = [{}]              # kept and filterable\n\n\
         [model.fields]\n",
        if keys.is_empty() {
            "NO column has a distinct value in every record: choose one or several"
        } else {
            "distinct in every record"
        },
        list(prose),
        list(rest),
    );
    for (path, seen) in columns {
        let name = path.split('.').map(quoted).collect::<Vec<_>>().join(".");
        // Writing to a text in memory cannot fail.
        let _ = writeln!(
            text,
            "{name} = {:<10} # {} distinct, {} missing, for example {:?}",
            seen.kind(),
            seen.distinct.len(),
            seen.nulls,
            seen.example
        );
    }
    let _ = write!(text, "\n[[model.source]]\npath = {:?}\n", path.display().to_string());
    text
}

fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(plain) { name.to_owned() } else { format!("{name:?}") }
}

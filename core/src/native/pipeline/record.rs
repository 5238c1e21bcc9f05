//! From one JSON line to one row, by the rules of a model.
//!
//! All checks of what comes in are here. A reason is one sentence that names the field, the value and what was
//! expected; the file and the line are added by the caller.

use std::sync::Arc;

use serde_json::Value as Json;

use super::budget::{Budget, Budgeter, CHUNK_NO, Fitted, PARENT};
use super::lines::Line;
use super::model::{CollectionRule, Model};
use super::source::{LineReader, Unread};
use crate::metric::check_vector;
use crate::native::embed::Tokenizer;
use crate::native::store::{self, Content, Piece, Row};
use crate::schema::{Field, FieldType, Value};
use crate::time::parse_time;

/// The field in which a record brings its own vector.
const VECTOR: &str = "vector";
/// Snapshots write the length of an id in 16 bits.
pub const MAX_ID_BYTES: usize = u16::MAX as usize;
/// The longest piece of a wrong value that is shown.
const SHOWN_CHARS: usize = 60;

/// A model made ready to read many records.
pub struct RecordReader {
    model: Model,
    /// Shared, so that a row does not copy the names of its fields.
    paths: Vec<Arc<str>>,
    /// Metadata that every row gets, sorted by path.
    system: Vec<(Arc<str>, Value)>,
    /// Whether values are texts, to be read by the types of their fields.
    texts: bool,
    /// Fields and the names under which older records hold them.
    aliases: Vec<(String, String)>,
    /// Loaded for the first record of a model with a token budget.
    tokenizer: Option<Arc<dyn Tokenizer>>,
}

/// Metadata by path, sorted.
type Metadata = Vec<(Arc<str>, Value)>;
/// The id, the document and the metadata of a record.
type Whole = (String, Option<String>, Metadata);

/// The values of a record, one for each field of its model.
type Values = Vec<Value>;

impl LineReader for RecordReader {
    fn name(&self) -> &str {
        &self.model.name
    }

    fn read(&mut self, line: &Line, rows: &mut Vec<(String, Row)>) -> Result<(), Unread> {
        let line = line.whole()?;
        let json: Json = serde_json::from_slice(line).map_err(|error| self.not_json(line, &error))?;
        self.rows(&json, rows)?;
        Ok(())
    }
}

impl RecordReader {
    /// A reader of records of `model`.
    pub fn new(model: Model) -> Self {
        let paths = model.metadata.iter().map(|field| field.path.as_str().into()).collect();
        Self { model, paths, system: Vec::new(), texts: false, aliases: Vec::new(), tokenizer: None }
    }

    /// Gives every row this metadata besides its own.
    pub fn with_system(mut self, system: Vec<(Arc<str>, Value)>) -> Self {
        self.system = system;
        self
    }

    /// Finds a field that a record lacks under another name: pairs of field and name.
    pub fn with_aliases(mut self, aliases: Vec<(String, String)>) -> Self {
        self.aliases = aliases;
        self
    }

    /// Says whether the values of the next records are texts, as in CSV.
    pub fn set_texts(&mut self, texts: bool) {
        self.texts = texts;
    }

    /// Appends the rows of one record with their collections: one, or several of a model that divides its texts. Gives the
    /// record's key.
    ///
    /// # Errors
    /// Why it is none; a tokenizer that cannot be loaded.
    pub fn rows(&mut self, json: &Json, rows: &mut Vec<(String, Row)>) -> Result<String, Unread> {
        let (id, collection, values) = self.identify(json)?;
        let vector = self.vector(&id, json)?;
        let (text, document) = self.texts(&values);
        let values = self.metadata(&values);
        let Some(plan) = &self.model.budget else {
            rows.push((collection, self.row(id.clone(), Content::new(document, text), values, vector)));
            return Ok(id);
        };
        let tokenizer = match &mut self.tokenizer {
            Some(tokenizer) => tokenizer,
            none => none.insert(plan.tokenizer(&self.model.name)?),
        };
        let budgeter = Budgeter {
            budget: plan.budget,
            tokenizer: &**tokenizer,
            model: &self.model.name,
            fields: &plan.fields,
        };
        let fitted = budgeter.fit(text);
        let whole = (id.clone(), document, values);
        match plan.budget {
            Budget::Truncate { .. } => self.push_cut(collection, whole, fitted, rows),
            Budget::Chunk { .. } => self.push_pieces(collection, &whole, fitted, rows)?,
        }
        Ok(id)
    }

    /// The key of a record that is what the model says.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, json: &Json) -> Result<String, String> {
        let (id, _, _) = self.identify(json)?;
        self.vector(&id, json)?;
        Ok(id)
    }

    fn identify(&self, json: &Json) -> Result<(String, String, Values), String> {
        if !json.is_object() {
            return Err(format!("expected a JSON object, got {}", shown(json)));
        }
        let values = self.values(json)?;
        let id = key(&self.model, &values)?;
        let collection = collection(&self.model, &values)?;
        Ok((id, collection, values))
    }

    fn row(&self, id: String, content: Content, values: Metadata, vector: Option<Vec<f32>>) -> Row {
        let row_hash = store::row_hash(&self.model.name, &content, &values, vector.as_deref());
        Row { id, content, row_hash, values, vector, piece: None, cut: false }
    }

    /// The document stays whole: only what is embedded is cut.
    fn push_cut(
        &self,
        collection: String,
        (id, document, mut values): Whole,
        fitted: Vec<Fitted>,
        rows: &mut Vec<(String, Row)>,
    ) {
        for fit in fitted {
            add(&mut values, fit.metadata);
            let mut row =
                self.row(id.clone(), Content::new(document.clone(), fit.text), values.clone(), None);
            row.cut = fit.cut;
            rows.push((collection.clone(), row));
        }
    }

    /// A piece is its own document, unless the model says what a document is.
    fn push_pieces(
        &self,
        collection: String,
        (id, document, values): &Whole,
        fitted: Vec<Fitted>,
        rows: &mut Vec<(String, Row)>,
    ) -> Result<(), String> {
        let parent: Arc<str> = id.as_str().into();
        // The largest number of a piece has ten digits.
        if id.len() + 11 > MAX_ID_BYTES {
            return Err(format!("its key has {} bytes, too many for the ids of its pieces", id.len()));
        }
        let of = u32::try_from(fitted.len()).unwrap_or(u32::MAX);
        for (number, fit) in (0_u32..).zip(fitted) {
            let id = format!("{parent}#{number}");
            let mut values = values.clone();
            add(&mut values, fit.metadata);
            add(
                &mut values,
                vec![(PARENT, Value::Text(String::from(&*parent))), (CHUNK_NO, Value::Int(number.into()))],
            );
            let document =
                if self.model.document.is_some() { document.clone() } else { Some(fit.text.clone()) };
            let mut row = self.row(id, Content::new(document, fit.text), values, None);
            row.piece = Some(Piece { parent: parent.clone(), number, of });
            rows.push((collection.clone(), row));
        }
        Ok(())
    }

    /// Why a line is not JSON. Many programs write vectors with `NaN` and `Infinity`, which JSON does not have: then the
    /// reason names the record.
    fn not_json(&self, line: &[u8], error: &serde_json::Error) -> String {
        let repaired = null_for_nan(line).and_then(|line| serde_json::from_slice::<Json>(&line).ok());
        let id = repaired.and_then(|json| key(&self.model, &self.values(&json).ok()?).ok());
        match id {
            Some(id) => format!("{id}: NaN or Infinity stands in it, every number must be finite ({error})"),
            None => format!("not JSON: {error}"),
        }
    }

    fn values(&self, json: &Json) -> Result<Values, String> {
        self.model.fields.iter().map(|field| self.value(field, json)).collect()
    }

    fn value(&self, field: &Field, json: &Json) -> Result<Value, String> {
        // The columns of a table may be named by a dotted path; a record of JSON nests.
        let own = json.get(&field.path).filter(|_| self.texts);
        // A name that another field had before means that one in such records.
        let taken = self.aliases.iter().any(|(_, name)| *name == field.path);
        let found = own.filter(|_| !taken).or_else(|| {
            let mut names = self.aliases.iter().filter(|(path, _)| *path == field.path);
            let missing = taken || look(json, &field.path).is_none();
            names.find_map(|(_, name)| look(json, name)).filter(|_| missing)
        });
        match found {
            None if taken => Ok(Value::Null),
            Some(found) if self.texts => text_value(field, found),
            Some(found) => typed_value(field, found),
            None => convert(field, json),
        }
    }

    /// The text to embed, and the document to keep.
    fn texts(&self, values: &Values) -> (String, Option<String>) {
        let model = &self.model;
        let find = |path: &str| value(model, values, path);
        let text = model.text.as_ref().and_then(|template| template.render(find));
        let document = match &model.document {
            Some(template) => template.render(find),
            None => text.clone(),
        };
        (text.unwrap_or_default(), document)
    }

    fn metadata(&self, values: &Values) -> Metadata {
        let present = |path: &Arc<str>| match value(&self.model, values, path) {
            Value::Null => None,
            value => Some((path.clone(), value.clone())),
        };
        let mut values: Metadata = self.paths.iter().filter_map(present).collect();
        if !self.system.is_empty() {
            values.extend(self.system.iter().cloned());
            values.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        values
    }

    fn vector(&self, id: &str, json: &Json) -> Result<Option<Vec<f32>>, String> {
        let declared = self.model.field(VECTOR).is_some();
        match (&self.model.imported, json.get(VECTOR)) {
            (None, Some(_)) if !declared => Err(format!(
                "{id}: it brings a \"vector\", but the model's embedder {:?} makes its own; \
                 use an embedder with provider = \"imported\"",
                self.model.embedder
            )),
            (None, _) => Ok(None),
            (Some(_), None | Some(Json::Null)) => Err(format!("{id}: it has no \"vector\"")),
            (Some(embedder), Some(json)) => {
                let vector = floats(json).map_err(|reason| format!("{id}: {reason}"))?;
                check_vector(id, &vector, embedder.dimension as usize, self.model.metric)
                    .map_err(|error| error.to_string())?;
                Ok(Some(vector))
            }
        }
    }
}

/// What stands at a dotted path, if anything does.
fn look<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    json.get(path).or_else(|| path.split('.').try_fold(json, |here, name| here.get(name)))
}

/// Puts what a budget says among the metadata.
fn add(values: &mut Metadata, more: Vec<(&'static str, Value)>) {
    values.extend(more.into_iter().map(|(path, value)| (path.into(), value)));
    values.sort_by(|a, b| a.0.cmp(&b.0));
}

fn value<'v>(model: &Model, values: &'v Values, path: &str) -> &'v Value {
    match model.fields.binary_search_by(|field| field.path.as_str().cmp(path)) {
        Ok(at) => &values[at],
        Err(_) => &Value::Null,
    }
}

/// The line with `null` for each `NaN` and `Infinity` outside of texts; `None` if there is none.
pub fn null_for_nan(line: &[u8]) -> Option<Vec<u8>> {
    let mut repaired = Vec::with_capacity(line.len());
    let (mut rest, mut found) = (line, false);
    let (mut quoted, mut escaped) = (false, false);
    while let Some((&byte, after)) = rest.split_first() {
        let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
        let word = words.iter().find_map(|word| rest.strip_prefix(*word)).filter(|_| !quoted);
        if let Some(after) = word {
            repaired.extend(b"null");
            (rest, found) = (after, true);
            continue;
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
        repaired.push(byte);
        rest = after;
    }
    found.then_some(repaired)
}

/// The numbers of a vector.
///
/// # Errors
/// What else it holds.
pub fn floats(json: &Json) -> Result<Vec<f32>, String> {
    let items = json.as_array().ok_or_else(|| format!("its \"vector\" is {}, not a list", shown(json)))?;
    let number = |item: &Json| {
        // A number that a float cannot hold becomes infinite, and is refused with its position.
        item.as_f64()
            .map(|number| number as f32)
            .ok_or_else(|| format!("its \"vector\" holds {}, which is not a number", shown(item)))
    };
    items.iter().map(number).collect()
}

fn key(model: &Model, values: &Values) -> Result<String, String> {
    let mut parts = Vec::with_capacity(model.key.len());
    for path in &model.key {
        let part = name_of(value(model, values, path))
            .ok_or_else(|| format!("the key field {path:?} is missing or empty"))?;
        // Parts of one key may not run together: "a" + "b/c" is not "a/b" + "c".
        let alone = model.key.len() == 1;
        parts.push(if alone { part } else { part.replace('%', "%25").replace('/', "%2F") });
    }
    let id = parts.join("/");
    if id.len() > MAX_ID_BYTES {
        return Err(format!("its key has {} bytes, at most {MAX_ID_BYTES} are possible", id.len()));
    }
    Ok(id)
}

fn collection(model: &Model, values: &Values) -> Result<String, String> {
    let path = match &model.collection {
        CollectionRule::Fixed(name) => return Ok(name.clone()),
        CollectionRule::Field(path) => path,
    };
    let name = name_of(value(model, values, path))
        .ok_or_else(|| format!("the field {path:?}, which names the collection, is missing or empty"))?;
    store::check_name(&name).map_err(|error| error.to_string())?;
    Ok(name)
}

fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What a JSON value names, if it can name a collection.
pub fn name_of_json(json: &Json) -> Option<String> {
    name_of(&Value::from_json(json))
}

/// The value of a field, of exactly its type or null.
fn convert(field: &Field, json: &Json) -> Result<Value, String> {
    let mut here = json;
    for name in field.path.split('.') {
        match here {
            Json::Object(fields) => here = fields.get(name).unwrap_or(&Json::Null),
            Json::Null => return Ok(Value::Null),
            other => {
                return Err(format!(
                    "field {:?}: expected an object around it, got {}",
                    field.path,
                    shown(other)
                ));
            }
        }
    }
    typed_value(field, here)
}

fn typed_value(field: &Field, json: &Json) -> Result<Value, String> {
    typed(&field.kind, json).ok_or_else(|| {
        format!("field {:?}: expected {}, got {}", field.path, kind_name(&field.kind), shown(json))
    })
}

/// The value of a field whose source knows only texts.
fn text_value(field: &Field, json: &Json) -> Result<Value, String> {
    let Json::String(text) = json else { return typed_value(field, json) };
    typed_text(&field.kind, text).ok_or_else(|| {
        format!("field {:?}: expected {}, got {}", field.path, kind_name(&field.kind), shown(json))
    })
}

/// The value that a text stands for in a field of that type; blank ones are null, except as text. A list is written as JSON.
pub fn typed_text(kind: &FieldType, text: &str) -> Option<Value> {
    let plain = text.trim();
    match kind {
        FieldType::Text => Some(Value::Text(text.to_owned())),
        _ if plain.is_empty() => Some(Value::Null),
        FieldType::Bool => match plain.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        FieldType::Int => plain.parse().ok().map(Value::Int),
        FieldType::Float => plain.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
        FieldType::Time => parse_time(plain).map(Value::Time),
        FieldType::List(_) | FieldType::Json => typed(kind, &serde_json::from_str(plain).ok()?),
    }
}

/// The value as the type has it; null stays null, `None` does not fit.
pub fn typed(kind: &FieldType, json: &Json) -> Option<Value> {
    match (kind, json) {
        (_, Json::Null) => Some(Value::Null),
        (FieldType::Bool, Json::Bool(value)) => Some(Value::Bool(*value)),
        (FieldType::Int, Json::Number(number)) => number.as_i64().map(Value::Int),
        (FieldType::Float, Json::Number(number)) => {
            number.as_f64().filter(|number| number.is_finite()).map(Value::Float)
        }
        (FieldType::Text, Json::String(text)) => Some(Value::Text(text.clone())),
        (FieldType::Time, Json::String(text)) => parse_time(text).map(Value::Time),
        (FieldType::Json, json) => Some(Value::from_json(json)),
        (FieldType::List(item), Json::Array(items)) => {
            items.iter().map(|json| typed(item, json)).collect::<Option<_>>().map(Value::List)
        }
        _ => None,
    }
}

/// What is expected of a value of the type.
pub fn kind_name(kind: &FieldType) -> String {
    match kind {
        FieldType::Bool => "true or false".into(),
        FieldType::Int => "a 64-bit integer".into(),
        FieldType::Float => "a number".into(),
        FieldType::Text => "text".into(),
        FieldType::Time => "a date or time like \"2026-01-31T12:00:00Z\"".into(),
        FieldType::List(item) => format!("a list, each item {}", kind_name(item)),
        FieldType::Json => "any value".into(),
    }
}

/// The beginning of a value.
pub fn shown(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

//! The registry file: embedders and models, in TOML or JSON.
//!
//! ```toml
//! [embedder.small]
//! provider = "static"          # or "imported": records bring a "vector"; then dimension = 384. "callback" is the
//!                              # host's own, without dimension; "fake" is for tests
//! path = "static-256"          # relative to this file
//!
//! [collection]
//! metric = "cosine"            # or "inner_product", "l2"; a model may have its own
//!
//! [[model]]
//! name = "word"
//! key = ["id"]                 # several fields are joined by "/"
//! collection = { field = "topic" }             # or collection = "words"
//! embedder = "small"
//! text = ["words", "definition"]               # in this order, one a line
//! template = "{words}: {definition}"           # or so
//! document = "{definition}"                    # what is kept as document; else the text
//! metadata = ["words", "author"]               # kept and filterable; "author" means all below it
//! stored = []                                  # kept
//! max_tokens = 256                             # longer texts are cut; counted by the embedder's tokenizer
//! truncate = "middle_out"                      # how: end, start, middle_out, sentences, auto (which is the default)
//! # chunk = { tokens = 256, overlap = 32 }     # or divided into records of their own, with the ids KEY#0, KEY#1, …
//!
//! [model.fields]                               # the types: bool, int, float, text, time, lists, nested
//! id = "text"
//! topic = "text"
//! words = ["text"]
//! definition = "text"
//! author = { name = "text", born = "time" }    # the paths author.name and author.born
//!
//! [model.renamed_from]                         # fields, and what they were called before
//! definition = "gloss"
//!
//! [[model.source]]                             # where `prepare` finds records; all but path may be left out
//! path = "words-<int>.csv"                     # relative to this file; <int> stands for any number
//! format = "csv"                               # or "tsv", "jsonl", "parquet", "arrow"
//! encoding = "windows-1252"
//! delimiter = ";"
//! header = "first-only"                        # or "all"
//! columns = { definition = "Definition" }      # field = source column
//! malformed_column = 3                         # from 1: its delimiters and line ends may lack quotes
//! drop_na_columns = ["definition"]
//! ```
//!
//! Keys that are not in this list are errors. Fields of a record that the model does not declare are ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::budget::{Budget, BudgetPlan, Given, Strategy};
use super::model::{CollectionRule, Model};
use super::registry_file::{
    EmbedderFile, ModelFile, PlainTypeFile, ProviderFile, RegistryFile, RuleFile, TypeFile,
};
use super::template::Template;
use crate::error::{CatalogError, StoreError, near_names};
use crate::metric::Metric;
use crate::native::embed::Tokenizer;
use crate::schema::{EmbedderId, Field, FieldType};

/// How to get an embedder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmbedderSpec {
    /// A static embedder in this folder.
    Static(PathBuf),
    /// None: records bring vectors, and this is the identity they are stored under.
    Imported(EmbedderId),
    /// The host's own, which the command does not know: see [`Callback`](crate::native::embed::Callback).
    Callback,
    /// Made-up vectors, for tests.
    Fake(FakeSpec),
}

/// The fake embedder of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeSpec {
    /// Its name in the registry, which tells several apart.
    pub name: String,
    /// The length of its vectors.
    pub dimension: u32,
    /// Where it writes a line for each call, if anywhere.
    pub log: Option<PathBuf>,
    /// Milliseconds that a call takes.
    pub pause_ms: u64,
}

/// A loaded registry file.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    embedders: BTreeMap<String, EmbedderSpec>,
    models: BTreeMap<String, Model>,
}

impl Registry {
    /// Reads a registry file: JSON if its name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::BadRegistry`] with the line and what is wrong.
    pub fn load(path: &Path) -> Result<Self, StoreError> {
        let text = std::fs::read_to_string(path).map_err(|source| StoreError::File {
            action: "read",
            path: path.into(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let parsed = if json { parse_json(&text) } else { parse_toml(&text) };
        parsed
            .and_then(|file| build(file, folder))
            .map_err(|reason| StoreError::BadRegistry { path: path.into(), reason })
    }

    /// A model by name.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] with near names.
    pub fn model(&self, name: &str) -> Result<&Model, CatalogError> {
        self.models.get(name).ok_or_else(|| CatalogError::UnknownModel {
            name: name.into(),
            near: near_names(name, self.models.keys().map(String::as_str)),
        })
    }

    /// All models, by name.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.values()
    }

    /// Counts the tokens of an embedder whose provider is "callback" from now on: models with a budget need that.
    pub fn set_tokenizer(&mut self, embedder: &str, tokenizer: &Arc<dyn Tokenizer>) {
        let models = self.models.values_mut().filter(|model| model.embedder == embedder);
        for plan in models.filter_map(|model| model.budget.as_mut()) {
            plan.given = Some(Given(tokenizer.clone()));
        }
    }

    /// How to get the embedder of that name, if the registry declares it.
    pub fn embedder(&self, name: &str) -> Option<&EmbedderSpec> {
        self.embedders.get(name)
    }
}

fn parse_toml(text: &str) -> Result<RegistryFile, String> {
    toml::from_str(text).map_err(|error| match error.span() {
        None => error.message().to_owned(),
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let shown = text.lines().nth(line - 1).unwrap_or_default().trim();
            format!("line {line} ({shown}): {}", with_hint(error.message()))
        }
    })
}

fn parse_json(text: &str) -> Result<RegistryFile, String> {
    // The message ends in "at line L column C".
    serde_json::from_str(text).map_err(|error| with_hint(&error.to_string()))
}

/// The message about an unknown key, with the nearest of the known ones: `unknown field `txt`, expected one of `text`, …`.
fn with_hint(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next().filter(|_| message.starts_with("unknown field")) {
        Some(unknown) => format!("{message}{}", hint(&near_names(unknown, quoted))),
        None => message.to_owned(),
    }
}

fn build(file: RegistryFile, folder: &Path) -> Result<Registry, String> {
    let mut registry = Registry { embedders: BTreeMap::new(), models: BTreeMap::new() };
    for (name, embedder) in file.embedder {
        let spec = embedder_spec(&name, embedder, folder)?;
        registry.embedders.insert(name, spec);
    }
    let metric = file.collection.metric.unwrap_or(Metric::Cosine);
    for model in file.model {
        let name = model.name.clone();
        let built = build_model(model, &registry.embedders, metric, folder)
            .map_err(|reason| format!("model {name:?}: {reason}"))?;
        if registry.models.insert(name.clone(), built).is_some() {
            return Err(format!("two models are called {name:?}"));
        }
    }
    Ok(registry)
}

fn embedder_spec(name: &str, file: EmbedderFile, folder: &Path) -> Result<EmbedderSpec, String> {
    let needs =
        |key, other| Err(format!("embedder {name:?}: this provider needs {key:?} and takes no {other:?}"));
    if file.pause_ms > 0 && file.provider != ProviderFile::Fake {
        return Err(format!("embedder {name:?}: only the fake embedder has \"pause_ms\""));
    }
    let log = file.path.as_ref().map(|path| folder.join(path));
    match (file.provider, file.path, file.dimension) {
        (ProviderFile::Fake, _, Some(dimension)) if (1..=65_536).contains(&dimension) => {
            Ok(EmbedderSpec::Fake(FakeSpec { name: name.into(), dimension, log, pause_ms: file.pause_ms }))
        }
        (ProviderFile::Callback, None, None) => Ok(EmbedderSpec::Callback),
        (ProviderFile::Callback, ..) => {
            Err(format!("embedder {name:?}: the host brings it, so it has no \"path\" and no \"dimension\""))
        }
        (ProviderFile::Fake, ..) => Err(format!("embedder {name:?}: it needs a dimension from 1 to 65536")),
        (ProviderFile::Static, Some(path), None) => Ok(EmbedderSpec::Static(folder.join(path))),
        (ProviderFile::Static, ..) => needs("path", "dimension"),
        (ProviderFile::Imported, None, Some(dimension)) if (1..=65_536).contains(&dimension) => {
            Ok(EmbedderSpec::Imported(imported_id(name, dimension)))
        }
        (ProviderFile::Imported, None, Some(dimension)) => {
            Err(format!("embedder {name:?}: dimension is {dimension}, it must be 1 to 65536"))
        }
        (ProviderFile::Imported, ..) => needs("dimension", "path"),
    }
}

/// Vectors from outside have no known maker, so their registry name stands for it: two names never mix.
pub fn imported_id(name: &str, dimension: u32) -> EmbedderId {
    let identity = format!("portolan imported vectors\n{name}\n{dimension}");
    let fingerprint = blake3::hash(identity.as_bytes()).to_hex().to_string();
    EmbedderId { name: "imported".into(), fingerprint, dimension }
}

fn build_model(
    file: ModelFile,
    embedders: &BTreeMap<String, EmbedderSpec>,
    metric: Metric,
    folder: &Path,
) -> Result<Model, String> {
    let mut fields = Vec::new();
    flatten("", &file.fields, &mut fields)?;
    fields.sort_by(|a, b| a.path.cmp(&b.path));
    let Some(spec) = embedders.get(&file.embedder) else {
        let near = near_names(&file.embedder, embedders.keys().map(String::as_str));
        return Err(format!("no embedder is called {:?}{}", file.embedder, hint(&near)));
    };
    let imported = match spec {
        EmbedderSpec::Imported(id) => Some(id.clone()),
        EmbedderSpec::Static(_) | EmbedderSpec::Callback | EmbedderSpec::Fake(_) => None,
    };
    let text = text_template(&file)?;
    let mut metadata = kept_fields(&file, &fields)?;
    let budget = budget(&file, text.as_ref(), spec, &fields)?;
    metadata.extend(budget.iter().flat_map(|plan| plan.budget.fields()));
    metadata.sort_by(|a, b| a.path.cmp(&b.path));
    let mut model = Model {
        text,
        document: file.document.as_deref().map(Template::parse).transpose()?,
        metadata,
        budget,
        collection: match file.collection {
            RuleFile::Fixed(name) => CollectionRule::Fixed(name),
            RuleFile::Field(rule) => CollectionRule::Field(rule.field),
        },
        name: file.name,
        key: file.key,
        fields,
        metric: file.metric.unwrap_or(metric),
        embedder: file.embedder,
        imported,
        renamed_from: file.renamed_from,
        sources: file.source,
    };
    check(&model)?;
    check_sources(&mut model, folder)?;
    Ok(model)
}

fn flatten(prefix: &str, types: &BTreeMap<String, TypeFile>, fields: &mut Vec<Field>) -> Result<(), String> {
    for (name, kind) in types {
        if name.is_empty() || name.contains('.') {
            return Err(format!(
                "the field name {name:?} is empty or has a dot; nest fields as tables instead"
            ));
        }
        let path = format!("{prefix}{name}");
        match kind {
            TypeFile::Nested(nested) => flatten(&format!("{path}."), nested, fields)?,
            other => fields.push(Field { kind: field_type(&path, other)?, path }),
        }
    }
    Ok(())
}

fn field_type(path: &str, kind: &TypeFile) -> Result<FieldType, String> {
    match kind {
        TypeFile::Plain(PlainTypeFile::Bool) => Ok(FieldType::Bool),
        TypeFile::Plain(PlainTypeFile::Int) => Ok(FieldType::Int),
        TypeFile::Plain(PlainTypeFile::Float) => Ok(FieldType::Float),
        TypeFile::Plain(PlainTypeFile::Text) => Ok(FieldType::Text),
        TypeFile::Plain(PlainTypeFile::Time) => Ok(FieldType::Time),
        TypeFile::List(items) => match items.as_slice() {
            [item] => Ok(FieldType::List(Box::new(field_type(path, item)?))),
            _ => Err(format!("the list field {path:?} needs exactly one type, like [\"text\"]")),
        },
        TypeFile::Nested(_) => Err(format!("the list field {path:?} cannot hold nested fields")),
    }
}

fn text_template(file: &ModelFile) -> Result<Option<Template>, String> {
    let Some(text) = &file.template else {
        return Ok((!file.text.is_empty()).then(|| Template::lines(&file.text)));
    };
    let template = Template::parse(text)?;
    let stray = template.fields().find(|field| !file.text.iter().any(|text| text == field));
    if let Some(field) = stray.filter(|_| !file.text.is_empty()) {
        return Err(format!("the template names {field:?}, which is not among its text fields"));
    }
    Ok(Some(template))
}

/// The declared fields under `metadata` and `stored`; a path above several means all of them.
fn kept_fields(file: &ModelFile, fields: &[Field]) -> Result<Vec<Field>, String> {
    let mut kept = Vec::new();
    for path in file.metadata.iter().chain(&file.stored) {
        let below = format!("{path}.");
        let before = kept.len();
        kept.extend(fields.iter().filter(|f| f.path == *path || f.path.starts_with(&below)).cloned());
        if kept.len() == before {
            return Err(undeclared("metadata", path, fields));
        }
    }
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    kept.dedup();
    Ok(kept)
}

/// The budget that the file asks for; its fields become metadata.
fn budget(
    file: &ModelFile,
    text: Option<&Template>,
    embedder: &EmbedderSpec,
    fields: &[Field],
) -> Result<Option<BudgetPlan>, String> {
    let budget = match (file.max_tokens, file.truncate, file.chunk) {
        (None, None, None) => return Ok(None),
        (None, Some(_), None) => return Err("it has \"truncate\" and no \"max_tokens\"".into()),
        (Some(max_tokens), strategy, None) => {
            Budget::Truncate { max_tokens, strategy: strategy.unwrap_or(Strategy::Auto) }
        }
        (None, None, Some(chunk)) => Budget::Chunk { tokens: chunk.tokens, overlap: chunk.overlap },
        (_, _, Some(_)) => {
            return Err(
                "\"chunk\" divides texts, so nothing is left for \"max_tokens\" and \"truncate\"".into()
            );
        }
    };
    let overlap = file.chunk.map_or(0, |chunk| chunk.overlap);
    if budget.tokens() == 0 || overlap >= budget.tokens() {
        return Err(format!(
            "its texts have {} tokens at most and share {overlap}; give at least one, and fewer to share",
            budget.tokens()
        ));
    }
    let Some(text) = text.filter(|_| !matches!(embedder, EmbedderSpec::Imported(_))) else {
        return Err("its records bring their vectors, so there is no text to budget".into());
    };
    let made = budget.fields();
    let root = |field: &Field| String::from(field.path.split('.').next().unwrap_or_default());
    if let Some(taken) = fields.iter().find(|field| made.iter().any(|made| made.path == root(field))) {
        return Err(format!("the field {:?} is made by the token budget; rename yours", taken.path));
    }
    let fields = text.fields().map(String::from).collect();
    Ok(Some(BudgetPlan { budget, embedder: embedder.clone(), fields, given: None }))
}

fn check(model: &Model) -> Result<(), String> {
    if model.key.is_empty() {
        return Err("the key names no field".into());
    }
    let mut used: Vec<(&str, &str)> = model.key.iter().map(|path| ("key", path.as_str())).collect();
    used.extend(model.text.iter().flat_map(Template::fields).map(|path| ("text", path)));
    used.extend(model.document.iter().flat_map(Template::fields).map(|path| ("document", path)));
    match &model.collection {
        CollectionRule::Field(path) => used.push(("collection", path)),
        CollectionRule::Fixed(name) => {
            crate::native::store::check_name(name).map_err(|error| error.to_string())?;
        }
    }
    for (role, path) in used {
        let Some(field) = model.field(path) else { return Err(undeclared(role, path, &model.fields)) };
        let names = matches!(role, "key" | "collection");
        if names && !matches!(field.kind, FieldType::Text | FieldType::Int) {
            return Err(format!("the {role} field {path:?} must be text or int"));
        }
    }
    if model.text.is_none() && model.imported.is_none() {
        return Err("it has no text to embed; give \"text\" or \"template\"".into());
    }
    Ok(())
}

/// Checks the settings of sources against the fields, and makes their paths relative to the registry's folder.
fn check_sources(model: &mut Model, folder: &Path) -> Result<(), String> {
    let mut used: Vec<(&str, &str)> =
        model.renamed_from.keys().map(|path| ("renamed_from", &**path)).collect();
    for source in &model.sources {
        source.check().map_err(|reason| format!("source {:?}: {reason}", source.path))?;
        used.extend(source.drop_na_columns.iter().map(|path| ("drop_na_columns", path.as_str())));
    }
    for (role, path) in used {
        let below = format!("{path}.");
        if !model.fields.iter().any(|field| field.path == path || field.path.starts_with(&below)) {
            return Err(undeclared(role, path, &model.fields));
        }
    }
    model.sources.iter_mut().for_each(|source| source.path = folder.join(&source.path));
    Ok(())
}

fn undeclared(role: &str, path: &str, fields: &[Field]) -> String {
    let near = near_names(path, fields.iter().map(|field| field.path.as_str()));
    format!("{role} names the field {path:?}, which [model.fields] does not declare{}", hint(&near))
}

fn hint(near: &[String]) -> String {
    near.first().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

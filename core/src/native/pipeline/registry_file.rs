//! The registry file as it is written: what serde reads, before anything is checked.
//!
//! `registry` makes models of it. Keys that are not here are errors.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::budget::Strategy;
use super::prepare::SourceSpec;
use crate::metric::Metric;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistryFile {
    #[serde(default)]
    pub(super) embedder: BTreeMap<String, EmbedderFile>,
    #[serde(default)]
    pub(super) collection: CollectionFile,
    #[serde(default)]
    pub(super) model: Vec<ModelFile>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectionFile {
    pub(super) metric: Option<Metric>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmbedderFile {
    pub(super) provider: ProviderFile,
    pub(super) path: Option<PathBuf>,
    pub(super) dimension: Option<u32>,
    #[serde(default)]
    pub(super) pause_ms: u64,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProviderFile {
    Static,
    Imported,
    Callback,
    Fake,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelFile {
    pub(super) name: String,
    pub(super) key: Vec<String>,
    pub(super) fields: BTreeMap<String, TypeFile>,
    #[serde(default)]
    pub(super) text: Vec<String>,
    pub(super) template: Option<String>,
    pub(super) document: Option<String>,
    #[serde(default)]
    pub(super) metadata: Vec<String>,
    #[serde(default)]
    pub(super) stored: Vec<String>,
    pub(super) collection: RuleFile,
    pub(super) embedder: String,
    pub(super) metric: Option<Metric>,
    #[serde(default)]
    pub(super) renamed_from: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) source: Vec<SourceSpec>,
    pub(super) max_tokens: Option<usize>,
    pub(super) truncate: Option<Strategy>,
    pub(super) chunk: Option<ChunkFile>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct ChunkFile {
    pub(super) tokens: usize,
    #[serde(default)]
    pub(super) overlap: usize,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a collection's name, or { field = \"a field's path\" }")]
pub(super) enum RuleFile {
    Fixed(String),
    Field(FieldRuleFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRuleFile {
    pub(super) field: String,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a type: \"bool\", \"int\", \"float\", \"text\", \"time\", [a type], or a table of fields"
)]
pub(super) enum TypeFile {
    Plain(PlainTypeFile),
    List(Vec<TypeFile>),
    Nested(BTreeMap<String, TypeFile>),
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum PlainTypeFile {
    Bool,
    Int,
    Float,
    Text,
    Time,
}

//! EXPLAIN: the plan in words or as JSON, with what is known of each collection. Never executes anything.

use std::fmt::{self, Display, Formatter};

use serde_json::{Value as Json, json};

use super::{Group, NamePattern, OrderKey, OutputColumn, Plan, Probe, Source, build::default_name};
use crate::{
    metric::Metric,
    query::{Duplicates, quote_alias, quote_name, quote_text},
};

/// What routing and statistics say about one collection of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionFacts {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// Whether it will be searched.
    pub asked: bool,
    /// Why not, if not.
    pub skip_reason: Option<String>,
    /// How it will be searched: `scan`, `clusters`, `graph`, `filter`.
    pub access_path: &'static str,
    /// How many rows are expected to pass WHERE.
    pub estimated_rows: Option<u64>,
}

/// The longest condition or text that EXPLAIN prints, in characters; statements may hold a megabyte.
const MAX_SHOWN: usize = 2000;
/// The longest key of ORDER BY that it prints: there may be a hundred, each with long columns in it.
const MAX_KEY_SHOWN: usize = 200;

impl Plan {
    /// The plan as a few lines for people. Without facts nothing is said about collections.
    pub fn explain_text(&self, facts: &[CollectionFacts]) -> String {
        let mut lines = vec![self.headline()];
        if self.batch {
            let items: Vec<String> = self.probes.iter().map(probe_text).collect();
            lines.push(format!("  items: {}", clip(&items.join(", "))));
        }
        lines.push(format!("  from: {}", clip(&self.source.to_string())));
        let columns: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        lines.push(format!("  columns: {}", clip(&columns.join(", "))));
        lines.extend(self.filter.as_ref().map(|filter| format!("  where: {}", clip(&filter.to_string()))));
        lines.extend(self.clauses().iter().map(|(name, value)| {
            format!("  {name}: {}", clip(&said(value)).replace(char::is_control, "\u{fffd}"))
        }));
        lines.extend(self.notes.iter().map(|note| format!("  note: {}", clip(note))));
        let asked = facts.iter().filter(|fact| fact.asked).count();
        if !facts.is_empty() {
            lines.push(format!("  collections: {asked} of {} asked", facts.len()));
        }
        lines.extend(facts.iter().map(fact_line));
        lines.join("\n") + "\n"
    }

    fn headline(&self) -> String {
        let mut line = match self.probes.as_slice() {
            [] => String::from("filter"),
            items if self.batch => format!("nearest to each of {} items, topk {}", items.len(), self.topk),
            [probe, ..] => format!("nearest to {}, topk {}", probe_text(probe), self.topk),
        };
        if let Some(limit) = self.limit {
            line.push_str(&format!(", limit {limit}"));
        }
        if self.offset > 0 {
            line.push_str(&format!(", offset {}", self.offset));
        }
        line
    }

    /// The plan as JSON.
    pub fn explain_json(&self, facts: &[CollectionFacts]) -> Json {
        let mut json = json!({
            "mode": if self.is_search() { "vector" } else { "filter" },
            "from": names(&self.source.include),
            "except": names(&self.source.except),
            "columns": self.columns.iter().map(|column| {
                json!({ "name": column.name, "field": column.value.to_string() })
            }).collect::<Vec<_>>(),
            "embedding": match self.batch {
                true => Some(json!({ "type": "batch", "items": self.probes.iter().map(probe_json).collect::<Vec<_>>() })),
                false => self.probes.first().map(probe_json),
            },
            "where": self.filter.as_ref().map(|filter| clip(&filter.to_string())),
            "topk": self.is_search().then_some(self.topk),
            "limit": self.limit,
            "offset": self.offset,
            "notes": self.notes,
            "collections": facts.iter().map(fact_json).collect::<Vec<_>>(),
        });
        if let Some(object) = json.as_object_mut() {
            object.extend(self.clauses().into_iter().map(|(name, value)| (String::from(name), value)));
        }
        json
    }

    /// The clauses between the condition and the remarks, only those that the statement has.
    fn clauses(&self) -> Vec<(&'static str, Json)> {
        let clauses = [
            ("similarity", self.similarity.map(|metric| json!(metric_word(metric)))),
            ("threshold", self.threshold.map(Json::from)),
            ("duplicates", (self.duplicates == Duplicates::KeepNearest).then(|| json!("keep nearest"))),
            ("fuse", self.fuse.map(|k| json!({ "rrf": k }))),
            ("rerank", self.rerank.map(|mmr| json!({ "mmr": mmr.lambda, "candidates": mmr.candidates }))),
            (
                "group",
                self.group.as_ref().map(|group| match group.top {
                    None => json!({ "by": group_keys(group) }),
                    Some(top) => json!({ "by": group_keys(group), "top": top }),
                }),
            ),
            (
                "order",
                (!self.order.is_empty())
                    .then(|| self.order.iter().map(|key| Json::from(key.to_string())).collect()),
            ),
            ("recall", self.recall.map(Json::from)),
            ("candidates", self.candidates.map(Json::from)),
            ("after", self.after.as_ref().map(|row| json!({ "collection": row.collection, "id": row.id }))),
        ];
        clauses.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// What a clause of [`Plan::clauses`] says, for people.
fn said(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(values) if values.is_empty() => String::from("nothing, all rows are one"),
        Json::Array(values) => values.iter().map(said).collect::<Vec<_>>().join(", "),
        Json::Object(object) => {
            object.iter().map(|(key, value)| format!("{key} {}", said(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn metric_word(metric: Metric) -> &'static str {
    match metric {
        Metric::Cosine => "cosine",
        Metric::InnerProduct => "ip",
        Metric::L2 => "l2",
    }
}

fn group_keys(group: &Group) -> Vec<String> {
    group.keys.iter().map(|key| clip(&key.to_string())).collect()
}

impl Display for OrderKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&clip_to(&self.value.to_string(), MAX_KEY_SHOWN))?;
        f.write_str(if self.descending { " DESC" } else { "" })?;
        f.write_str(if self.nulls_first { " NULLS FIRST" } else { "" })
    }
}

/// As SELECT writes it.
impl Display for OutputColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        match self.name == default_name(&self.value) {
            true => Ok(()),
            false => write!(f, " AS {}", quote_alias(&self.name)),
        }
    }
}

fn names(patterns: &[NamePattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

impl Display for NamePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&quote_name(name)),
            Self::Prefix(prefix) if prefix.is_empty() => f.write_str("*"),
            Self::Prefix(prefix) => write!(f, "{}*", quote_name(prefix.as_str())),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&names(&self.include).join(", "))?;
        match self.except.is_empty() {
            true => Ok(()),
            false => write!(f, " EXCEPT {}", names(&self.except).join(", ")),
        }
    }
}

fn fact_line(fact: &CollectionFacts) -> String {
    let name = clip(&quote_name(&fact.name));
    let estimate = fact.estimated_rows.map(|rows| format!(", about {rows} expected")).unwrap_or_default();
    match &fact.skip_reason {
        _ if fact.asked => format!("    {name}: {}, {} rows{estimate}", fact.access_path, fact.rows),
        Some(reason) => format!("    {name}: skipped, {} rows: {reason}", fact.rows),
        None => format!("    {name}: skipped, {} rows", fact.rows),
    }
}

fn fact_json(fact: &CollectionFacts) -> Json {
    json!({
        "name": fact.name,
        "rows": fact.rows,
        "asked": fact.asked,
        "skip_reason": fact.skip_reason,
        "access_path": fact.asked.then_some(fact.access_path),
        "estimated_rows": fact.estimated_rows,
    })
}

fn probe_text(probe: &Probe) -> String {
    match probe {
        Probe::Text { text, model: None } => clip(&quote_text(text)),
        Probe::Text { text, model: Some(model) } => {
            format!("{} by {}", clip(&quote_text(text)), clip(&quote_text(model)))
        }
        Probe::Vector(components) => format!("a vector of {} numbers", components.len()),
    }
}

fn probe_json(probe: &Probe) -> Json {
    match probe {
        Probe::Text { text, model } => json!({ "type": "text", "text": text, "model": model }),
        Probe::Vector(components) => json!({ "type": "vector", "dimensions": components.len() }),
    }
}

fn clip(text: &str) -> String {
    clip_to(text, MAX_SHOWN)
}

fn clip_to(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => String::from(text),
    }
}

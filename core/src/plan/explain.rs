//! EXPLAIN: the plan in words or as JSON, with what is known of each collection. Never executes anything.

use std::fmt::{self, Display, Formatter};

use serde_json::{Value as Json, json};

use super::{NamePattern, Plan, Probe, Source};
use crate::query::{quote_name, quote_text};

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

impl Plan {
    /// The plan as a few lines for people. Without facts nothing is said about collections.
    pub fn explain_text(&self, facts: &[CollectionFacts]) -> String {
        let mut lines = vec![self.headline()];
        lines.push(format!("  from: {}", clip(&self.source.to_string())));
        lines.push(format!("  columns: {}", listed(self.columns.iter().map(|column| &column.name))));
        lines.extend(self.filter.as_ref().map(|filter| format!("  where: {}", clip(&filter.to_string()))));
        lines.extend(self.notes.iter().map(|note| format!("  note: {}", clip(note))));
        let asked = facts.iter().filter(|fact| fact.asked).count();
        if !facts.is_empty() {
            lines.push(format!("  collections: {asked} of {} asked", facts.len()));
        }
        lines.extend(facts.iter().map(fact_line));
        lines.join("\n") + "\n"
    }

    fn headline(&self) -> String {
        let what = match self.probes.first() {
            None => String::from("filter"),
            Some(Probe::Text { text, model: None }) => format!("nearest to {}", clip(&quote_text(text))),
            Some(Probe::Text { text, model: Some(model) }) => {
                format!("nearest to {} by {}", clip(&quote_text(text)), clip(&quote_text(model)))
            }
            Some(Probe::Vector(components)) => format!("nearest to a vector of {} numbers", components.len()),
        };
        let mut line = match self.probes.first() {
            Some(_) => format!("{what}, topk {}", self.topk),
            None => what,
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
        json!({
            "mode": if self.is_search() { "vector" } else { "filter" },
            "from": names(&self.source.include),
            "except": names(&self.source.except),
            "columns": self.columns.iter().map(|column| {
                json!({ "name": column.name, "field": column.value.to_string() })
            }).collect::<Vec<_>>(),
            "embedding": self.probes.first().map(probe_json),
            "where": self.filter.as_ref().map(|filter| clip(&filter.to_string())),
            "topk": self.is_search().then_some(self.topk),
            "limit": self.limit,
            "offset": self.offset,
            "notes": self.notes,
            "collections": facts.iter().map(fact_json).collect::<Vec<_>>(),
        })
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

/// Names as a statement writes them: in quotes where they hold what could be taken for something else.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    clip(&names.map(|name| quote_name(name)).collect::<Vec<_>>().join(", "))
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

fn probe_json(probe: &Probe) -> Json {
    match probe {
        Probe::Text { text, model } => json!({ "type": "text", "text": text, "model": model }),
        Probe::Vector(components) => json!({ "type": "vector", "dimensions": components.len() }),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => String::from(text),
    }
}

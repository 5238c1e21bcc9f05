//! EXPLAIN: the plan in words or as JSON. What is known of the collections, the router adds. Never executes anything.

use std::fmt::{self, Display, Formatter};

use serde_json::Value as Json;

use super::{
    Cursor, Group, Mmr, NamePattern, OrderKey, OutputColumn, Plan, Probe, Source, build::default_name,
};
use crate::{
    error::clip_to,
    gather::Gather as _,
    json::Ordered,
    metric::Metric,
    number::literal,
    query::{Duplicates, quote_alias, quote_name, quote_text},
};

/// The longest condition or text that EXPLAIN prints, in characters; statements may hold a megabyte.
const MAX_SHOWN: usize = 2000;
/// The longest key of ORDER BY that it prints: there may be a hundred, each with long columns in it.
const MAX_KEY_SHOWN: usize = 200;

impl Plan {
    /// The plan as a few lines for people.
    pub fn explain_text(&self) -> String {
        let mut lines = vec![self.headline()];
        if self.batch {
            let items: Vec<String> = self.probes.iter().map(probe_text).gather();
            lines.push(format!("  items: {}", clip(&items.join(", "))));
        }
        lines.push(format!("  from: {}", clip(&self.source.to_string())));
        let columns: Vec<String> = self.columns.iter().map(ToString::to_string).gather();
        lines.push(format!("  columns: {}", clip(&columns.join(", "))));
        lines.extend(self.filter.as_ref().map(|filter| format!("  where: {}", clip(&filter.to_string()))));
        lines.extend(self.clauses().iter().map(|(name, value)| {
            format!("  {name}: {}", clip(&said(value)).replace(char::is_control, "\u{fffd}"))
        }));
        lines.extend(self.notes.iter().map(|note| format!("  note: {}", clip(note))));
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
    pub fn explain_json(&self) -> Json {
        self.explain_tree().to_json()
    }

    /// The same as [`explain_json`](Self::explain_json), not yet JSON.
    pub fn explain_tree(&self) -> Ordered {
        let column = |column: &OutputColumn| {
            Ordered::Object(vec![("name", (&column.name).into()), ("field", column.value.to_string().into())])
        };
        let embedding = match self.batch {
            true => Some(Ordered::Object(vec![
                ("type", "batch".into()),
                ("items", Ordered::list(&self.probes, probe_tree)),
            ])),
            false => self.probes.first().map(probe_tree),
        };
        let mut entries = vec![
            ("mode", if self.is_search() { "vector" } else { "filter" }.into()),
            ("from", Ordered::list(&self.source.include, shown)),
            ("except", Ordered::list(&self.source.except, shown)),
            ("columns", Ordered::list(&self.columns, column)),
            ("embedding", embedding.into()),
            ("where", self.filter.as_ref().map(|filter| clip(&filter.to_string())).into()),
            ("topk", self.is_search().then_some(self.topk).into()),
            ("limit", self.limit.into()),
            ("offset", self.offset.into()),
            ("notes", Ordered::list(&self.notes, |note| note.into())),
            // For the router, which knows them.
            ("collections", Ordered::List(Vec::new())),
        ];
        entries.extend(self.clauses());
        Ordered::Object(entries)
    }

    /// The clauses between the condition and the remarks, only those that the statement has.
    fn clauses(&self) -> Vec<(&'static str, Ordered)> {
        let mut clauses: Vec<(&'static str, Ordered)> = Vec::new();
        let mut clause = |name, value: Option<Ordered>| clauses.extend(value.map(|value| (name, value)));
        clause("similarity", self.similarity.map(|metric| metric_word(metric).into()));
        clause("threshold", self.threshold.map(Ordered::from));
        clause("duplicates", (self.duplicates == Duplicates::KeepNearest).then(|| "keep nearest".into()));
        clause("fuse", self.fuse.map(|k| Ordered::Object(vec![("rrf", k.into())])));
        let rerank = |mmr: Mmr| vec![("mmr", mmr.lambda.into()), ("candidates", mmr.candidates.into())];
        clause("rerank", self.rerank.map(|mmr| Ordered::Object(rerank(mmr))));
        clause("group", self.group.as_ref().map(group_tree));
        clause("order", (!self.order.is_empty()).then(|| Ordered::list(&self.order, shown)));
        clause("recall", self.recall.map(Ordered::from));
        clause("candidates", self.candidates.map(Ordered::from));
        let after = |row: &Cursor| vec![("collection", (&row.collection).into()), ("id", (&row.id).into())];
        clause("after", self.after.as_ref().map(|row| Ordered::Object(after(row))));
        clauses
    }
}

/// What a clause of [`Plan::clauses`] says, for people.
fn said(value: &Ordered) -> String {
    let all: Vec<String> = match value {
        Ordered::Null => return String::from("null"),
        Ordered::Bool(value) => return value.to_string(),
        Ordered::Count(count) => return count.to_string(),
        Ordered::Float(value) => return literal(*value),
        Ordered::Text(text) => return text.clone(),
        Ordered::List(values) if values.is_empty() => return String::from("nothing, all rows are one"),
        Ordered::List(values) => values.iter().map(said).gather(),
        Ordered::Object(entries) => {
            entries.iter().map(|(key, value)| format!("{key} {}", said(value))).gather()
        }
    };
    all.join(", ")
}

fn metric_word(metric: Metric) -> &'static str {
    match metric {
        Metric::Cosine => "cosine",
        Metric::InnerProduct => "ip",
        Metric::L2 => "l2",
    }
}

fn group_tree(group: &Group) -> Ordered {
    let mut entries = vec![("by", Ordered::list(&group.keys, |key| clip(&key.to_string()).into()))];
    entries.extend(group.top.map(|top| ("top", top.into())));
    Ordered::Object(entries)
}

fn shown(part: &impl Display) -> Ordered {
    part.to_string().into()
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
    patterns.iter().map(ToString::to_string).gather()
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

fn probe_text(probe: &Probe) -> String {
    match probe {
        Probe::Text { text, model: None } => clip(&quote_text(text)),
        Probe::Text { text, model: Some(model) } => {
            format!("{} by {}", clip(&quote_text(text)), clip(&quote_text(model)))
        }
        Probe::Vector(components) => format!("a vector of {} numbers", components.len()),
    }
}

fn probe_tree(probe: &Probe) -> Ordered {
    Ordered::Object(match probe {
        Probe::Text { text, model } => {
            vec![("type", "text".into()), ("text", text.into()), ("model", model.as_ref().into())]
        }
        Probe::Vector(components) => {
            vec![("type", "vector".into()), ("dimensions", (components.len() as u64).into())]
        }
    })
}

fn clip(text: &str) -> String {
    clip_to(text, MAX_SHOWN)
}

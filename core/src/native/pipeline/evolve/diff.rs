//! What differs between two versions of a model, and the memory of renamed fields.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::description::Description;
use crate::native::pipeline::manifest::{Alias, Manifest, ModelSchema};
use crate::native::pipeline::model::Model;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
#[non_exhaustive]
pub enum Change {
    /// A field that was not there.
    Added {
        /// The field.
        field: String,
        /// Its type.
        kind: String,
    },
    /// A field with a new name.
    Renamed {
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// A field that is no longer there.
    Removed {
        /// The field.
        field: String,
    },
    /// A field of another type.
    Retyped {
        /// The field, by its name now.
        field: String,
        /// The type before.
        from: String,
        /// The type now.
        to: String,
    },
    /// Fields are used in another way.
    Role {
        /// For what: `key`, `text`, `document`, `metadata`, `collection`, `metric`, `embedder` or `budget`.
        role: &'static str,
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { field, kind } => write!(f, "{field} ({kind}) was added"),
            Self::Renamed { from, to } => write!(f, "{from} was renamed to {to}"),
            Self::Removed { field } => write!(f, "{field} was removed"),
            Self::Retyped { field, from, to } => write!(f, "{field} was {from}, it is {to} now"),
            Self::Role { role, from, to } => write!(f, "{role} was {from:?}, it is {to:?} now"),
        }
    }
}

/// The differences from one description to another; `renamed_from` says which fields were called otherwise.
pub fn diff(old: &Description, new: &Description, renamed_from: &BTreeMap<String, String>) -> Vec<Change> {
    let renames = renames(old, new, renamed_from);
    let now = |path: &String| renames.get(path).unwrap_or(path).clone();
    let mut changes: Vec<Change> =
        renames.iter().map(|(from, to)| Change::Renamed { from: from.clone(), to: to.clone() }).collect();
    let held: BTreeMap<String, &String> = old.fields.iter().map(|(path, kind)| (now(path), kind)).collect();
    for (field, kind) in &new.fields {
        match held.get(field) {
            None => changes.push(Change::Added { field: field.clone(), kind: kind.clone() }),
            Some(from) if *from != kind => changes.push(Change::Retyped {
                field: field.clone(),
                from: (*from).clone(),
                to: kind.clone(),
            }),
            Some(_) => {}
        }
    }
    let removed = held.keys().filter(|field| !new.fields.contains_key(*field));
    changes.extend(removed.map(|field| Change::Removed { field: field.clone() }));
    changes.extend(roles(old, new, &renames));
    changes
}

/// The fields of the old description that have another name in the new one.
fn renames(
    old: &Description,
    new: &Description,
    renamed_from: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut renames = BTreeMap::new();
    for (to, from) in renamed_from {
        for path in old.fields.keys() {
            let rest = path.strip_prefix(from.as_str());
            let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('.'));
            let target = rest.map(|rest| format!("{to}{rest}"));
            let target = target.filter(|to| new.fields.contains_key(to) && !old.fields.contains_key(to));
            renames.extend(target.map(|to| (path.clone(), to)));
        }
    }
    renames
}

fn roles(old: &Description, new: &Description, renames: &BTreeMap<String, String>) -> Vec<Change> {
    let path = |path: &String| renames.get(path).unwrap_or(path).clone();
    let paths = |list: &[String]| {
        let mut list: Vec<String> = list.iter().map(path).collect();
        list.sort();
        list.join(", ")
    };
    let text = |text: &Option<String>| {
        let text = text.clone().unwrap_or_default();
        renames
            .iter()
            .fold(text, |text, (from, to)| text.replace(&format!("{{{from}}}"), &format!("{{{to}}}")))
    };
    let rule = |rule: &str| match rule.strip_prefix("field ") {
        Some(field) => format!("field {}", path(&field.to_owned())),
        None => rule.to_owned(),
    };
    let kept: Vec<String> =
        old.metadata.iter().filter(|field| new.fields.contains_key(&path(field))).cloned().collect();
    let added: Vec<String> = new
        .metadata
        .iter()
        .filter(|field| old.fields.keys().any(|held| path(held) == **field))
        .cloned()
        .collect();
    let key = |key: &[String]| key.iter().map(path).collect::<Vec<_>>().join(", ");
    let all = [
        ("key", key(&old.key), new.key.join(", ")),
        ("text", text(&old.text), new.text.clone().unwrap_or_default()),
        ("document", text(&old.document), new.document.clone().unwrap_or_default()),
        // Fields that came or went are changes of their own.
        ("metadata", paths(&kept), paths(&added)),
        ("collection", rule(&old.collection), new.collection.clone()),
        ("metric", old.metric.clone(), new.metric.clone()),
        ("embedder", old.embedder.clone(), new.embedder.clone()),
        ("budget", old.budget.clone().unwrap_or_default(), new.budget.clone().unwrap_or_default()),
    ];
    let changed = all.into_iter().filter(|(_, from, to)| from != to);
    changed.map(|(role, from, to)| Change::Role { role, from, to }).collect()
}

/// Makes the model's present meaning its newest version, unless it is; says whether it changed anything.
pub fn register(manifest: &mut Manifest, model: &Model) -> bool {
    let fields = Description::of(model);
    let signature = fields.signature();
    let Some(schema) = manifest.model_schemas.get_mut(&model.name) else {
        let (history, aliases) = Default::default();
        let schema = ModelSchema { signature, version: 1, fields, history, aliases };
        manifest.model_schemas.insert(model.name.clone(), schema);
        return true;
    };
    if schema.signature == signature {
        return false;
    }
    let since = schema.version + 1;
    let mut aliases = Vec::new();
    for (from, to) in renames(&schema.fields, &fields, &model.renamed_from) {
        // What the field was called before that, it was called too.
        let older = schema.aliases.iter().filter(|alias| alias.field == from);
        aliases.extend(older.map(|alias| Alias { field: to.clone(), ..alias.clone() }));
        aliases.push(Alias { field: to, name: from, since });
    }
    for (field, column) in model.sources.iter().flat_map(|source| &source.columns) {
        if fields.fields.contains_key(field) && !schema.fields.fields.contains_key(field) {
            let (field, name) = (field.clone(), column.clone());
            if field != name && !aliases.iter().any(|alias| alias.field == field) {
                aliases.push(Alias { field, name, since });
            }
        }
    }
    schema.aliases.extend(aliases);
    let before = std::mem::replace(&mut schema.fields, fields);
    schema.history.insert(schema.version, before);
    (schema.version, schema.signature) = (since, signature);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(fields: &[(&str, &str)], text: &str, metadata: &[&str]) -> Description {
        Description {
            key: vec!["id".into()],
            fields: fields.iter().map(|(path, kind)| ((*path).into(), (*kind).into())).collect(),
            metadata: metadata.iter().map(|path| (*path).into()).collect(),
            text: Some(text.into()),
            document: None,
            collection: "name c".into(),
            metric: "cosine".into(),
            embedder: "e".into(),
            budget: None,
        }
    }

    #[test]
    fn every_kind_of_change_is_named_once() {
        let old = description(
            &[("id", "text"), ("title", "text"), ("n", "int"), ("old", "text")],
            "{title}",
            &["n"],
        );
        let new = description(
            &[("id", "text"), ("head", "text"), ("n", "float"), ("new", "text")],
            "{head}",
            &["n"],
        );
        let renamed = BTreeMap::from([("head".to_owned(), "title".to_owned())]);
        let changes: Vec<String> = diff(&old, &new, &renamed).iter().map(Change::to_string).collect();
        let expected = [
            "title was renamed to head",
            "n was int, it is float now",
            "new (text) was added",
            "old was removed",
        ];
        assert_eq!(changes, expected);
        let roles =
            description(&[("id", "text"), ("title", "text"), ("n", "int"), ("old", "text")], "{old}", &[]);
        let changes = diff(&old, &roles, &BTreeMap::new());
        assert!(matches!(
            &changes[..],
            [Change::Role { role: "text", .. }, Change::Role { role: "metadata", .. }]
        ));
    }
}

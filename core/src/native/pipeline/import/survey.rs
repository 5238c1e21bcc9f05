//! The first pass of an import: what each collection is to be.
//!
//! It reads all lines without keeping them, then brings what it saw together with what the store holds. Lines that the
//! second pass will refuse count for nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::super::lines::{Line, Lines};
use super::super::progress::{Phase, Progress, ProgressFn};
use super::super::registry::imported_id;
use super::super::source::joined;
use super::beside::InStep;
use super::layout::Layout;
use super::line::Draft;
use super::types::{Found, Tree, type_name};
use super::{EMBEDDER, ImportOptions, MODEL, POSITION};
use crate::error::{InputError, StoreError};
use crate::metric::{Metric, check_vector};
use crate::native::store::{Claim, CollectionConfig, Store};
use crate::schema::{EmbedderId, Field, FieldType, is_at_or_below};

/// Distinct metadata keys of one collection. Each may become a column.
const MAX_KEYS: usize = 4096;
/// Lines between two signs of life.
const LINES_PER_SIGN: u64 = 1000;

/// What a collection is to be.
#[derive(Debug)]
pub struct Plan {
    /// How its vectors are compared.
    pub metric: Metric,
    /// The types of the paths that the files have values for, without the record's position.
    pub fields: BTreeMap<Arc<str>, FieldType>,
    declared: Vec<Field>,
    embedder: EmbedderId,
}

/// The plans of all collections of an import.
pub type Plans = BTreeMap<String, Plan>;

impl Plan {
    /// The length of its vectors.
    pub fn dimension(&self) -> usize {
        self.embedder.dimension as usize
    }

    /// What the import asks of the collection.
    pub fn claim(&self) -> Claim<'_> {
        Claim {
            model: MODEL,
            metric: self.metric,
            embedder: EMBEDDER,
            imported: Some(&self.embedder),
            fields: &self.declared,
        }
    }
}

/// Looks through the files.
///
/// # Errors
/// [`StoreError::CannotImport`], [`StoreError::BadVectors`], [`StoreError::File`].
pub async fn survey(
    store: &Store,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &ProgressFn<'_>,
) -> crate::Result<Arc<Plans>> {
    let mut held = BTreeMap::new();
    for name in store.collections() {
        held.insert(name.clone(), store.config(&name)?.clone());
    }
    let (signs, mut receiver) = mpsc::channel(1);
    let (files, options) = (files.to_vec(), options.clone());
    let looking = tokio::task::spawn_blocking(move || Survey::new(held, &options)?.run(&files, &signs));
    while let Some(Sign { file, done, total }) = receiver.recv().await {
        progress(Progress { phase: Phase::Survey, subject: &file, done, total });
    }
    Ok(Arc::new(joined(looking.await)?))
}

/// How far the survey is.
struct Sign {
    file: String,
    done: u64,
    total: Option<u64>,
}

/// What was seen of one collection.
struct Seen {
    metric: Metric,
    embedder: EmbedderId,
    tree: Tree,
    keys: usize,
}

struct Survey {
    held: BTreeMap<String, CollectionConfig>,
    metric: Option<Metric>,
    layout: Layout,
    beside: Option<InStep>,
    seen: BTreeMap<String, Seen>,
}

impl Survey {
    fn new(held: BTreeMap<String, CollectionConfig>, options: &ImportOptions) -> Result<Self, StoreError> {
        let (layout, beside) = (options.layout(), options.open_vectors()?);
        Ok(Self { held, metric: options.metric, layout, beside, seen: BTreeMap::new() })
    }

    fn run(mut self, files: &[PathBuf], signs: &mpsc::Sender<Sign>) -> Result<Plans, StoreError> {
        for file in files {
            self.read(file, signs)?;
        }
        if let Some(beside) = self.beside {
            beside.finish()?;
        }
        let held = self.held;
        let plan = |(name, seen): (String, Seen)| {
            let plan = resolve(&name, seen, held.get(&name))?;
            Ok((name, plan))
        };
        self.seen.into_iter().map(plan).collect()
    }

    fn read(&mut self, path: &Path, signs: &mpsc::Sender<Sign>) -> Result<(), StoreError> {
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        let total = regular(path).map_err(fail)?;
        let mut lines = Lines::open(path).map_err(fail)?;
        let (mut count, mut last) = (0u64, None);
        while let Some(line) = lines.next().map_err(fail)? {
            self.look_at(path, &line)?;
            if count.is_multiple_of(LINES_PER_SIGN) {
                let sign = Sign { file: path.display().to_string(), done: lines.consumed(), total };
                if signs.blocking_send(sign).is_err() {
                    // Nobody waits for the answer any more.
                    return Ok(());
                }
            }
            count += 1;
            last = Some(line);
        }
        if let (Some(beside), Some(last)) = (&mut self.beside, &last) {
            beside.passed(path, last);
        }
        Ok(())
    }

    fn look_at(&mut self, path: &Path, line: &Line) -> Result<(), StoreError> {
        let mut vector = None;
        if let Some(beside) = &mut self.beside {
            vector = Some(beside.next()?.ok_or_else(|| beside.missing(path, line))?);
        }
        let read = line.whole().and_then(|bytes| Draft::read(bytes, &self.layout, vector));
        let Ok(draft) = read else { return Ok(()) };
        match (self.check(&draft)?, &self.beside) {
            (Ok(()), _) => self.observe(&draft),
            (Err(error), Some(beside)) => Err(beside.refuse(path, line, &error)),
            // The second pass keeps the line and its reason.
            (Err(_), None) => Ok(()),
        }
    }

    /// Whether the vector fits its collection, which its first record decides.
    fn check(&mut self, draft: &Draft) -> Result<Result<(), InputError>, StoreError> {
        let name = &draft.collection;
        let fits = |seen: &Seen| {
            check_vector(&draft.id, &draft.vector, seen.embedder.dimension as usize, seen.metric)
        };
        if let Some(seen) = self.seen.get(name) {
            return Ok(fits(seen));
        }
        let held = self.held.get(name);
        let seen = first_seen(name, held, self.metric, draft.vector.len() as u32)?;
        let fit = fits(&seen);
        // What a collection holds is what its records must be like, even if none of them is.
        if fit.is_ok() || held.is_some_and(|held| held.active.is_some()) {
            self.seen.insert(name.clone(), seen);
        }
        Ok(fit)
    }

    fn observe(&mut self, draft: &Draft) -> Result<(), StoreError> {
        let Some(seen) = self.seen.get_mut(&draft.collection) else { return Ok(()) };
        seen.keys += seen.tree.observe(&draft.metadata);
        if seen.keys > MAX_KEYS {
            let reason = format!(
                "its metadata has more than {MAX_KEYS} different keys; put what varies into values, as a list of \
                 objects for example"
            );
            return Err(StoreError::CannotImport { collection: draft.collection.clone(), reason });
        }
        Ok(())
    }
}

/// The size of a file that can be read twice.
fn regular(path: &Path) -> io::Result<Option<u64>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        let reason = "it is read twice, so it must be a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(Some(metadata.len()))
}

/// Decides metric and dimension at the first record of a collection.
fn first_seen(
    name: &str,
    held: Option<&CollectionConfig>,
    metric: Option<Metric>,
    dimension: u32,
) -> Result<Seen, StoreError> {
    let new = || imported_id(EMBEDDER, dimension);
    let (metric, embedder) = match held {
        None => (metric.unwrap_or(Metric::Cosine), new()),
        Some(held) => {
            check_held(held, metric)
                .map_err(|reason| StoreError::CannotImport { collection: name.into(), reason })?;
            (held.metric, held.active.clone().unwrap_or_else(new))
        }
    };
    Ok(Seen { metric, embedder, tree: Tree::default(), keys: 0 })
}

fn check_held(held: &CollectionConfig, metric: Option<Metric>) -> Result<(), String> {
    if !held.imported || held.embedder != EMBEDDER {
        return Err(format!(
            "the model {} fills it with vectors of the embedder {:?}; ingest the records, or name another collection",
            held.models.join(", "),
            held.embedder
        ));
    }
    match metric {
        Some(metric) if metric != held.metric => Err(format!(
            "its vectors are compared by {}, not by {}; leave the metric out, or import into another store",
            metric_name(held.metric),
            metric_name(metric)
        )),
        _ => Ok(()),
    }
}

/// What the command calls a metric.
fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Cosine => "cosine",
        Metric::InnerProduct => "ip",
        Metric::L2 => "l2",
    }
}

/// Brings the files and the store together.
fn resolve(name: &str, seen: Seen, held: Option<&CollectionConfig>) -> Result<Plan, StoreError> {
    let held = held.map_or(&[][..], |config| config.fields.as_slice());
    let is_json = |path: &str| held.iter().any(|field| field.path == path && field.kind == FieldType::Json);
    let mut fields = BTreeMap::new();
    for (path, found) in seen.tree.fields(&is_json) {
        let kind = merged(held, &path, found)
            .map_err(|reason| StoreError::CannotImport { collection: name.into(), reason })?;
        fields.insert(Arc::from(path), kind);
    }
    let field = |(path, kind): (&Arc<str>, &FieldType)| Field { path: path.to_string(), kind: kind.clone() };
    let mut declared: Vec<Field> = fields.iter().map(field).collect();
    declared.push(Field { path: POSITION.into(), kind: FieldType::Int });
    declared.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Plan { metric: seen.metric, fields, declared, embedder: seen.embedder })
}

/// The type of a path, given the fields that the collection holds.
fn merged(held: &[Field], path: &str, found: Found) -> Result<FieldType, String> {
    let inside = |below: &str, above: &str| below != above && is_at_or_below(below, above);
    let other = held.iter().find(|field| inside(path, &field.path) || inside(&field.path, path));
    if let Some(other) = other {
        return Err(format!(
            "it holds a field {:?}, the files have {path:?}, and one cannot be inside the other; {REMEDY}",
            other.path
        ));
    }
    let held = held.iter().find(|field| field.path == path).map(|field| &field.kind);
    let empty = FieldType::List(Box::new(FieldType::Text));
    match (held, found) {
        (None, Found::Type(kind)) => Ok(kind),
        (None, Found::EmptyLists) => Ok(empty),
        (Some(held @ (FieldType::List(_) | FieldType::Json)), Found::EmptyLists) => Ok(held.clone()),
        (Some(held), Found::Type(kind)) if widens(&kind, held) => Ok(held.clone()),
        (Some(held), found) => {
            let kind = if let Found::Type(kind) = found { kind } else { empty };
            Err(format!(
                "it holds the field {path:?} as {}, the files have it as {}; {REMEDY}",
                type_name(held),
                type_name(&kind)
            ))
        }
    }
}

const REMEDY: &str = "rename it in the files, or import them into another collection";

/// Whether a field of one type takes all values of another.
fn widens(kind: &FieldType, held: &FieldType) -> bool {
    match (kind, held) {
        (_, FieldType::Json) | (FieldType::Int, FieldType::Float) => true,
        (FieldType::List(kind), FieldType::List(held)) => widens(kind, held),
        _ => kind == held,
    }
}

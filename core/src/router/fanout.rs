//! The fan-out: a statement over many collections as a machine that is stepped.

use std::sync::Arc;

use super::{
    Catalog, CollectionReport, Explanation as Explained, FileRange, Needs, Outcome, ResultRow, ResultSet,
    Sources, binding, limit, probe::Probe, target::Target,
};
use crate::{
    bytes::ByteRange,
    error::{Result, SnapshotError},
    filter, json,
    order::sort_by,
    plan::{CollectionFacts, Plan},
    query::{Explain, Field, Scalar},
    release::CollectionEntry,
    schema::Value,
    search::Top,
    snapshot::{PayloadBlock, PayloadRow, layout::malformed},
};

/// What a step came to.
#[derive(Debug)]
pub enum Step {
    /// The answer.
    Done(ResultSet),
    /// These bytes are missing: bring them and step again. Sorted, near neighbours joined.
    Need(Vec<FileRange>),
}

/// One statement on its way through a release.
#[derive(Debug)]
pub struct Fanout {
    catalog: Arc<Catalog>,
    plan: Plan,
    selected: Vec<Selected>,
    probe: Option<Probe>,
    waves: u32,
}

/// A collection that FROM names.
#[derive(Debug)]
struct Selected {
    name: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Skipped(String),
    Asked(Target),
}

/// A row that is in the answer, or tied with one that is.
#[derive(Debug, Clone, Copy)]
struct Winner {
    distance: f32,
    selected: usize,
    row: u64,
}

/// The payload block that was read last. Without a query vector the rows of an answer are neighbours and share it.
struct OpenBlock {
    file: usize,
    range: ByteRange,
    block: PayloadBlock,
}

impl Fanout {
    /// Binds a plan to a release: which collections it names, and which of them cannot hold a match.
    ///
    /// # Errors
    /// `CatalogError` for names that are not there and collections that cannot be merged, `InputError` for a query
    /// vector that does not fit, `QueryError` for a literal that does not fit its column.
    pub fn new(catalog: Arc<Catalog>, plan: Plan) -> Result<Self> {
        let places = binding::select(&catalog, &plan)?;
        let entries: Vec<&CollectionEntry> =
            places.iter().filter_map(|p| catalog.index().collections.get(*p)).collect();
        binding::check_columns(&plan, &entries)?;
        let probe = match (plan.probes.first(), entries.first()) {
            (Some(probe), Some(first)) => {
                binding::check_spaces(&entries)?;
                Some(Probe::new(probe, &first.schema, &catalog)?)
            }
            _ => None,
        };
        let mut selected = Vec::with_capacity(places.len());
        for (place, entry) in places.iter().zip(&entries) {
            let state = match binding::route(&plan, entry) {
                Some(reason) => State::Skipped(reason),
                None => State::Asked(Target::new(*place, &plan, &entry.schema)?),
            };
            selected.push(Selected { name: entry.schema.collection.clone(), state });
        }
        Ok(Self { catalog, plan, selected, probe, waves: 0 })
    }

    /// Goes as far as the resident bytes allow. After [`Step::Done`] a further step answers again.
    ///
    /// # Errors
    /// Whatever the files turn out to be; and a file that stays without bytes it was said to have.
    pub fn step(&mut self, sources: &dyn Sources) -> Result<Step> {
        if self.plan.explain == Some(Explain::Plan) {
            return Ok(Step::Done(self.explain()));
        }
        let mut needs = Needs::default();
        self.search(sources, &mut needs)?;
        if needs.is_empty() {
            let winners = self.merge();
            let rows = self.rows(&winners, sources, &mut needs)?;
            if needs.is_empty() {
                return Ok(Step::Done(self.result(rows)));
            }
        }
        self.waves += 1;
        let ranges = needs.into_ranges();
        self.check_inside(&ranges)?;
        Ok(Step::Need(ranges))
    }

    /// A forged description can name ranges that no file has. They would be asked for without end.
    fn check_inside(&self, ranges: &[FileRange]) -> Result<()> {
        for FileRange { file, range } in ranges {
            let file = self.catalog.index().file(*file);
            if file.is_none_or(|file| range.end > file.bytes || range.is_empty()) {
                let name = file.map_or("a file", |file| &file.name);
                let reason = format!("{name} has no bytes {} to {}; export again", range.start, range.end);
                return Err(SnapshotError::BadRelease { reason }.into());
            }
        }
        Ok(())
    }

    /// Steps once over files that are wholly resident.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(mut self, sources: &dyn Sources) -> Result<ResultSet> {
        match self.step(sources)? {
            Step::Done(result) => Ok(result),
            Step::Need(ranges) => {
                let file = ranges.first().and_then(|need| self.catalog.index().file(need.file));
                let name = file.map_or("a file", |file| &file.name);
                let reason = format!("{name} is not wholly resident; bring what step asks for");
                Err(SnapshotError::BadRelease { reason }.into())
            }
        }
    }

    fn search(&mut self, sources: &dyn Sources, needs: &mut Needs) -> Result<()> {
        let query = match &mut self.probe {
            Some(probe) => probe.vector(&self.catalog, sources, needs)?,
            None => None,
        };
        for selected in &mut self.selected {
            if let State::Asked(target) = &mut selected.state
                && target.found.is_none()
            {
                target.step(&self.plan, query, &self.catalog, sources, needs)?;
            }
        }
        Ok(())
    }

    /// The rows that may be in the answer: the nearest `rows_wanted`, and all that tie with the last of them, since
    /// ties are broken by ids, which are not read yet.
    fn merge(&self) -> Vec<Winner> {
        let mut all = Vec::new();
        for (selected, entry) in self.selected.iter().enumerate() {
            if let State::Asked(Target { found: Some(found), .. }) = &entry.state {
                all.extend(found.iter().map(|&(distance, row)| Winner { distance, selected, row }));
            }
        }
        if self.probe.is_some() {
            let mut nearest = Top::new(limit(&self.plan));
            (0..).zip(&all).for_each(|(place, winner)| nearest.push(winner.distance, place));
            if let Some((last, _)) = nearest.into_sorted().pop() {
                all.retain(|winner| winner.distance <= last);
            }
        } else {
            // The order is known without the ids, so what OFFSET skips is not read.
            all.truncate(limit(&self.plan));
            all.drain(..self.offset().min(all.len()));
        }
        if limit(&self.plan) == 0 {
            all.clear();
        }
        all
    }

    fn rows(&self, winners: &[Winner], sources: &dyn Sources, needs: &mut Needs) -> Result<Vec<ResultRow>> {
        let (mut rows, mut opened) = (Vec::with_capacity(winners.len()), None);
        for winner in winners {
            if let Some(row) = self.row(winner, &mut opened, sources, needs)? {
                rows.push(row);
            }
        }
        if !needs.is_empty() {
            return Ok(Vec::new());
        }
        if self.probe.is_some() {
            let nearer = |a: &ResultRow, b: &ResultRow| {
                a.distance.unwrap_or(0.0).total_cmp(&b.distance.unwrap_or(0.0))
            };
            sort_by(&mut rows, |a, b| {
                nearer(a, b).then_with(|| (&a.id, &a.collection).cmp(&(&b.id, &b.collection)))
            });
            rows.truncate(limit(&self.plan));
            rows.drain(..self.offset().min(rows.len()));
        }
        Ok(rows)
    }

    fn offset(&self) -> usize {
        usize::try_from(self.plan.offset).unwrap_or(usize::MAX)
    }

    fn row(
        &self,
        winner: &Winner,
        opened: &mut Option<OpenBlock>,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<ResultRow>> {
        let Some(Selected { name, state: State::Asked(target) }) = self.selected.get(winner.selected) else {
            return Ok(None);
        };
        let Some(collection) = self.catalog.collection(target.place, sources, needs)? else {
            return Ok(None);
        };
        let file = self.catalog.collection_file(target.place);
        let source = self.catalog.file(file, sources)?;
        let (range, place) = (collection.payload_range(winner.row)?, collection.place_in_payload(winner.row));
        if opened.as_ref().is_none_or(|opened| (opened.file, opened.range) != (file, range)) {
            let block = collection.payload_block(source, winner.row)?;
            *opened = block.map(|(block, _)| OpenBlock { file, range, block });
        }
        if opened.is_none() {
            needs.want(file, range);
        }
        // Asked for in the wave of the payload: a wave of its own would be the fourth.
        let mut embedding = Value::Null;
        if self.plan.fields().contains(&Field::Embedding) {
            match collection.vector(source, winner.row)? {
                Ok(vector) => {
                    embedding = Value::List(vector.into_iter().map(|x| Value::Float(x.into())).collect())
                }
                Err(range) => needs.want(file, range),
            }
        }
        let Some(OpenBlock { block, .. }) = opened else { return Ok(None) };
        let at = range.start;
        let record = block.row(place).ok_or_else(|| malformed("payload", at, "a record cannot be read"))?;
        let distance = self.probe.is_some().then_some(winner.distance);
        if distance.is_some_and(|distance| !distance.is_finite()) {
            return Err(malformed("vectors", at, "a vector's distance is not finite").into());
        }
        let cells = self
            .cells(name, &record, distance, embedding)
            .map_err(|reason| malformed("payload", at, reason))?;
        let (collection, id) = (Some(name.clone()), Some(record.id.into()));
        Ok(Some(ResultRow { collection, id, item: None, distance, score: None, cells }))
    }

    /// The selected columns of a record.
    fn cells(
        &self,
        collection: &str,
        record: &PayloadRow<&str>,
        distance: Option<f32>,
        embedding: Value,
    ) -> Result<Vec<Value>, String> {
        let metadata = match self.plan.fields().iter().any(|field| matches!(field, Field::Metadata(_))) {
            true => json::parse(record.metadata).map_err(|e| format!("metadata is not JSON: {e}"))?,
            false => Value::Null,
        };
        let field = |field: &Field| match field {
            Field::Id => Value::Text(record.id.into()),
            Field::Document => record.document.map_or(Value::Null, |text| Value::Text(text.into())),
            Field::Distance => distance.map_or(Value::Null, |d| Value::Float(f64::from(d))),
            Field::Collection => Value::Text(collection.into()),
            Field::Metadata(path) => dig(&metadata, path.as_deref()),
            Field::Embedding => embedding.clone(),
            Field::Score | Field::Item => Value::Null,
        };
        let cell = |value: &Scalar| match value {
            Scalar::Field(part) => field(part),
            _ => Value::Null,
        };
        Ok(self.plan.columns.iter().map(|column| cell(&column.value)).collect())
    }

    fn result(&self, rows: Vec<ResultRow>) -> ResultSet {
        let known = &self.catalog.index().collections;
        let mut own = vec![0; known.len()];
        for row in &rows {
            let place = known.binary_search_by(|entry| {
                entry.schema.collection.as_str().cmp(row.collection.as_deref().unwrap_or_default())
            });
            place.ok().and_then(|place| own.get_mut(place)).into_iter().for_each(|count| *count += 1);
        }
        let report = |selected: &Selected| CollectionReport {
            name: selected.name.clone(),
            outcome: match &selected.state {
                State::Skipped(reason) => Outcome::Skipped { reason: reason.clone() },
                State::Asked(target) => Outcome::Asked {
                    rows: own.get(target.place).copied().unwrap_or(0),
                    bytes: target.bytes,
                    micros: None,
                },
            },
        };
        let collections = self.selected.iter().map(report).collect();
        let columns = self.plan.columns.iter().map(|column| column.name.clone()).collect();
        ResultSet {
            columns,
            rows,
            sets: Vec::new(),
            collections,
            waves: self.waves,
            notes: Vec::new(),
            cursor: None,
            explanation: None,
        }
    }

    fn explain(&self) -> ResultSet {
        let facts: Vec<CollectionFacts> = self.selected.iter().map(|selected| self.facts(selected)).collect();
        let (text, json) = (self.plan.explain_text(&facts), self.plan.explain_json(&facts));
        ResultSet { explanation: Some(Explained { text, json }), ..self.result(Vec::new()) }
    }

    fn facts(&self, selected: &Selected) -> CollectionFacts {
        let entry =
            self.catalog.index().collections.iter().find(|entry| entry.schema.collection == selected.name);
        let rows = entry.map_or(0, |entry| entry.statistics.rows);
        let selectivity = match (&self.plan.filter, entry) {
            (Some(filter), Some(entry)) => filter::estimate(filter, &entry.statistics),
            _ => 1.0,
        };
        let skip_reason = match &selected.state {
            State::Skipped(reason) => Some(reason.clone()),
            State::Asked(_) => None,
        };
        CollectionFacts {
            name: selected.name.clone(),
            rows,
            asked: skip_reason.is_none(),
            skip_reason,
            access_path: if self.plan.is_search() { "scan" } else { "filter" },
            estimated_rows: Some((rows as f64 * selectivity).round() as u64),
        }
    }
}

/// The value at a dotted path of a record's metadata; the whole object without a path.
fn dig(metadata: &Value, path: Option<&str>) -> Value {
    let found = path.iter().flat_map(|path| path.split('.')).try_fold(metadata, |value, key| match value {
        Value::Object(entries) => entries.get(key),
        _ => None,
    });
    found.cloned().unwrap_or(Value::Null)
}

//! Which of the asked collections' distances mean the same, and the query's vectors in each of these spaces.

use super::{
    Catalog, HostText, Needs, Sources,
    preview::is_missing,
    probe::{embed, find_embedder},
};
use crate::{
    error::{CatalogError, Error, InputError, Quoted, Result},
    gather::Gather as _,
    metric::{Metric, check_vector},
    plan::{Plan, Probe},
    release::CollectionEntry,
    schema::Schema,
};

/// Collections whose distances can be compared: one ranking metric, one dimension, one embedder.
#[derive(Debug)]
pub(super) struct Space {
    /// What rows are ranked by.
    pub(super) metric: Metric,
    /// The place in the release of its first collection.
    first: usize,
}

/// The spaces of a statement, and its query vectors in them.
#[derive(Debug, Default)]
pub(super) struct Spaces {
    pub(super) list: Vec<Space>,
    /// The vectors, each made once.
    slots: Vec<Slot>,
    /// By probe and space: the vector.
    slot_of: Vec<Vec<usize>>,
}

#[derive(Debug, PartialEq)]
enum Slot {
    Ready(Vec<f32>),
    /// Text for the embedder at that place of the release.
    Text {
        text: String,
        embedder: usize,
    },
}

impl Spaces {
    /// Puts a collection into its space; gives the space's number.
    ///
    /// # Errors
    /// The collection cannot be asked what the plan asks: SIMILARITY, a vector of another length, no embedder for TEXT.
    pub(super) fn place(
        &mut self,
        catalog: &Catalog,
        plan: &Plan,
        texts: &[(HostText, Vec<f32>)],
        place: usize,
    ) -> Result<usize> {
        let known = &catalog.index().collections;
        let Some(CollectionEntry { schema, .. }) = known.get(place) else {
            return Err(CatalogError::EmptyRelease.into());
        };
        let metric = ranking_metric(plan, schema)?;
        let same = |space: &Space| {
            let first = known.get(space.first).map(|entry| &entry.schema);
            space.metric == metric && first.is_some_and(|first| difference(first, schema).is_none())
        };
        // What the first of a space was asked with is what all are asked with.
        if let Some(space) = self.list.iter().position(same) {
            return Ok(space);
        }
        let slots =
            plan.probes.iter().map(|probe| Ok(self.keep(slot(probe, schema, metric, catalog, texts)?)));
        let slots = slots.gather::<Result<Vec<usize>>>()?;
        self.list.push(Space { metric, first: place });
        self.slot_of.resize(plan.probes.len(), Vec::new());
        self.slot_of.iter_mut().zip(slots).for_each(|(of, slot)| of.push(slot));
        Ok(self.list.len() - 1)
    }

    /// The number of the slot, which is a new one unless there is one like it.
    fn keep(&mut self, slot: Slot) -> usize {
        if let Some(known) = self.slots.iter().position(|known| *known == slot) {
            return known;
        }
        self.slots.push(slot);
        self.slots.len() - 1
    }

    /// Makes the vectors of texts as far as the resident bytes allow, and notes what is missing. Errors come with the
    /// spaces that lack their vector.
    pub(super) fn embed(
        &mut self,
        catalog: &Catalog,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<(), (Vec<usize>, Box<Error>)> {
        for number in 0..self.slots.len() {
            let Some(Slot::Text { text, embedder }) = self.slots.get(number) else { continue };
            match embed(text, *embedder, catalog, sources, needs) {
                Ok(None) => {}
                Ok(Some(vector)) => {
                    self.slots
                        .get_mut(number)
                        .into_iter()
                        .for_each(|slot| *slot = Slot::Ready(vector.clone()));
                }
                Err(error) => return Err((self.spaces_of(number), error.into())),
            }
        }
        Ok(())
    }

    /// Asks with another vector instead of the only one.
    ///
    /// # Errors
    /// The vector does not fit.
    pub(super) fn replace(&mut self, catalog: &Catalog, vector: &[f32]) -> Result<()> {
        let Some(space) = self.list.first() else { return Ok(()) };
        let dimension = schema(catalog, space).map_or(0, |schema| schema.dimension as usize);
        check_vector("the query", vector, dimension, space.metric)?;
        self.slots.iter_mut().for_each(|slot| *slot = Slot::Ready(vector.to_vec()));
        Ok(())
    }

    fn spaces_of(&self, slot: usize) -> Vec<usize> {
        let uses = |space: &usize| self.slot_of.iter().any(|of| of.get(*space) == Some(&slot));
        (0..self.list.len()).filter(uses).gather()
    }

    /// How many texts the statement has to be embedded.
    pub(super) fn texts(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot, Slot::Text { .. })).count()
    }

    /// The vectors of all probes in a space; `None` while one is still being made.
    pub(super) fn queries(&self, space: usize) -> Option<Vec<&[f32]>> {
        let vector = |of: &Vec<usize>| match of.get(space).and_then(|slot| self.slots.get(*slot)) {
            Some(Slot::Ready(vector)) => Some(vector.as_slice()),
            _ => None,
        };
        self.slot_of.iter().map(vector).gather()
    }

    /// Refuses what needs one space where there are several.
    pub(super) fn check(&self, catalog: &Catalog, plan: &Plan) -> Result<()> {
        let [first, second, ..] = self.list.as_slice() else { return Ok(()) };
        let clause = if plan.threshold.is_some() {
            "WITH SCORE THRESHOLD"
        } else if plan.rerank.is_some() {
            "RERANK BY MMR"
        } else if plan.after.is_some() {
            "AFTER"
        } else {
            return Ok(());
        };
        let name = |space: &Space| schema(catalog, space).map(|schema| schema.collection.clone());
        let (first_name, second_name) = (name(first).unwrap_or_default(), name(second).unwrap_or_default());
        let difference = self.difference(catalog, first, second);
        Err(CatalogError::MixedSpaces { first: first_name, second: second_name, difference, clause }.into())
    }

    fn difference(&self, catalog: &Catalog, first: &Space, second: &Space) -> &'static str {
        if first.metric != second.metric {
            return "metric";
        }
        let schemas = schema(catalog, first).zip(schema(catalog, second));
        schemas.and_then(|(first, second)| difference(first, second)).unwrap_or("metric")
    }

    /// What a reader of the rows should know of the spaces.
    pub(super) fn note(&self, catalog: &Catalog) -> Option<String> {
        let [first, second, ..] = self.list.as_slice() else { return None };
        let name = |space: &Space| schema(catalog, space).map_or("", |schema| schema.collection.as_str());
        Some(format!(
            "the collections have {} spaces ({} and {} differ in {}): rows are ranked by distance within each and \
             fused by RRF, so distances of different spaces say nothing about each other",
            self.list.len(),
            Quoted(name(first)),
            Quoted(name(second)),
            self.difference(catalog, first, second),
        ))
    }
}

/// Where the vector of a probe comes from, for the collections of `schema`: the statement, the release's embedder, or the
/// host.
fn slot(
    probe: &Probe,
    schema: &Schema,
    metric: Metric,
    catalog: &Catalog,
    texts: &[(HostText, Vec<f32>)],
) -> Result<Slot> {
    let ready = |vector: &Vec<f32>| {
        let record = format!("the query for collection {}", Quoted(&schema.collection));
        check_vector(&record, vector, schema.dimension as usize, metric)?;
        Ok(Slot::Ready(vector.clone()))
    };
    match probe {
        Probe::Vector(vector) => ready(vector),
        Probe::Text { text, model } => {
            let embedder = find_embedder(model.as_deref(), schema, catalog);
            if is_missing(&embedder) {
                let wanted = HostText::new(text, model.as_deref(), schema);
                if let Some((_, vector)) = texts.iter().find(|(known, _)| *known == wanted) {
                    return ready(vector);
                }
            }
            Ok(Slot::Text { text: text.clone(), embedder: embedder? })
        }
    }
}

fn schema<'c>(catalog: &'c Catalog, space: &Space) -> Option<&'c Schema> {
    catalog.index().collections.get(space.first).map(|entry| &entry.schema)
}

/// What keeps the distances of two collections apart, the metric aside.
fn difference(first: &Schema, second: &Schema) -> Option<&'static str> {
    let fingerprint = |schema: &Schema| schema.embedder.as_ref().map(|id| id.fingerprint.clone());
    if first.dimension != second.dimension {
        Some("dimension")
    } else if fingerprint(first) != fingerprint(second) {
        Some("embedder")
    } else {
        None
    }
}

/// What rows of the collection are ranked by.
fn ranking_metric(plan: &Plan, schema: &Schema) -> Result<Metric> {
    let asked = match plan.similarity {
        Some(metric) if metric != schema.metric => metric,
        _ => return Ok(schema.metric),
    };
    let lost = match asked {
        _ if schema.metric != Metric::Cosine => return Ok(asked),
        Metric::L2 => "L2",
        _ => "IP",
    };
    let collection = schema.collection.clone();
    Err(CatalogError::SimilarityNotPossible { collection, asked: lost }.into())
}

/// Whether another collection could be asked although this one gave `error`: it is not the statement that is wrong, and
/// nobody stopped it.
pub(super) fn concerns_one_collection(error: &Error) -> bool {
    match error {
        Error::Query(_) => false,
        Error::Catalog(error) => !matches!(error, CatalogError::Stopped | CatalogError::TimedOut { .. }),
        Error::Input(error) => !matches!(error, InputError::NotFinite { .. }),
        _ => true,
    }
}

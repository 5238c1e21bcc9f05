//! What a plan asks of the stages, derived once: how many rows, which fields, whether ids decide early.

use crate::{
    gather::Gather as _,
    order::sort_unique,
    plan::Plan,
    query::{Aggregate, Column, Duplicates, Field, Scalar},
};

/// The kind of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nearest rows, whatever is done with them afterwards.
    Search,
    /// Matching rows in their own order: collection, id.
    List,
    /// Matching rows by ORDER BY.
    Sorted,
    /// Groups of matching rows, or aggregates over all of them.
    Grouped,
}

/// What the stages need to know of a plan, in the form in which they need it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) mode: Mode,
    /// How many rows a ranking needs to decide the answer.
    pub(super) depth: usize,
    /// The rows to skip.
    pub(super) offset: usize,
    /// The most rows to return.
    pub(super) page: usize,
    /// Whether WHERE tests documents, which have no column.
    pub(super) tests_documents: bool,
    /// Whether records of rows that pass are read for the answer.
    pub(super) shows_records: bool,
    /// Whether there is a row set for each item.
    pub(super) batch: bool,
    /// Whether the answer can be paged.
    pub(super) pages: bool,
    /// Whether ranking needs ids: then they are read before the rows are ranked and not with their payload.
    pub(super) ids: bool,
    /// The fields that come from a record: of the answer's rows.
    pub(super) fields: Vec<Field>,
    /// The fields that are read of every matching row, without a query vector.
    pub(super) reads: Vec<Field>,
    /// The aggregates of the statement, each once.
    pub(super) aggregates: Vec<Aggregate>,
}

impl Shape {
    /// `mixed`: the collections do not share one space.
    pub(super) fn new(plan: &Plan, mixed: bool) -> Self {
        let mode = match (plan.is_search(), &plan.group, plan.order.is_empty()) {
            (true, ..) => Mode::Search,
            (_, Some(_), _) => Mode::Grouped,
            (_, None, true) => Mode::List,
            _ => Mode::Sorted,
        };
        let batch = plan.batch && plan.fuse.is_none();
        let one_ranking = plan.rerank.is_none() && !mixed && !plan.batch;
        let pages = one_ranking && plan.group.is_none() && plan.offset == 0 && plan.limit != Some(0);
        let keep_nearest = plan.duplicates == Duplicates::KeepNearest;
        let mut shape = Self {
            mode,
            depth: depth(plan, pages),
            offset: usize::try_from(plan.offset).unwrap_or(usize::MAX),
            page: plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            pages,
            batch,
            shows_records: mode != Mode::Grouped
                || plan.group.as_ref().is_some_and(|group| group.top.is_some()),
            tests_documents: plan
                .filter
                .as_ref()
                .is_some_and(|filter| filter.columns().contains(&Column::Document)),
            ids: keep_nearest
                || plan.after.is_some()
                || plan.rerank.is_some()
                || plan.fuse.is_some()
                || mixed,
            fields: Vec::new(),
            reads: Vec::new(),
            aggregates: aggregates(plan),
        };
        shape.fields = plan.fields().into_iter().filter(|field| from_record(field)).cloned().gather();
        if mode != Mode::Search {
            shape.reads = reads(plan, &shape.aggregates);
            shape.ids |= shape.reads.contains(&Field::Id);
        }
        shape
    }

    /// Whether the statement asks for no row at all.
    pub(super) fn is_empty(&self) -> bool {
        self.page == 0
    }

    /// Whether only the first row of each id is kept.
    pub(super) fn keeps_nearest(&self, plan: &Plan) -> bool {
        plan.duplicates == Duplicates::KeepNearest
    }

    /// How many rows of each collection may be in the answer. Ids are unique within a collection, so the first `depth`
    /// rows without duplicates are among the first `depth` rows of the collections. Behind a cursor that is not so: a
    /// row there may be a duplicate of one before it.
    pub(super) fn fetch(&self, plan: &Plan) -> usize {
        if self.keeps_nearest(plan) && plan.after.is_some() {
            return usize::MAX;
        }
        let candidates = plan.rerank.map_or(0, |mmr| usize::try_from(mmr.candidates).unwrap_or(usize::MAX));
        self.depth.max(candidates)
    }

    /// Whether a collection leaves out the rows up to the cursor. With duplicates the merge does it.
    pub(super) fn skips_paged(&self, plan: &Plan) -> bool {
        let in_order = !plan.is_search() || plan.order.is_empty();
        plan.after.is_some() && in_order && !self.keeps_nearest(plan)
    }

    /// The place of an aggregate of the statement.
    pub(super) fn aggregate(&self, wanted: &Aggregate) -> Option<usize> {
        self.aggregates.iter().position(|aggregate| aggregate == wanted)
    }
}

/// One row more than is returned, where that decides whether there is a next page.
fn depth(plan: &Plan, pages: bool) -> usize {
    let cut_late = plan.is_search() && !plan.order.is_empty();
    let rows = plan.rows_wanted().unwrap_or(u64::MAX);
    usize::try_from(rows.saturating_add(u64::from(pages && !cut_late))).unwrap_or(usize::MAX)
}

/// Whether the field is part of a stored record, so that its payload or vector has to be read. Ids come with either.
pub(super) fn from_record(field: &Field) -> bool {
    matches!(field, Field::Document | Field::Metadata(_) | Field::Embedding)
}

fn reads(plan: &Plan, aggregates: &[Aggregate]) -> Vec<Field> {
    let mut fields = Vec::new();
    match &plan.group {
        Some(group) => {
            fields.extend(&group.keys);
            fields.extend(aggregates.iter().filter_map(|aggregate| aggregate.of.as_ref()));
        }
        None => plan.order.iter().for_each(|key| key.value.collect_fields(&mut fields)),
    }
    sort_unique(&mut fields);
    fields.into_iter().cloned().gather()
}

fn aggregates(plan: &Plan) -> Vec<Aggregate> {
    let mut found = Vec::new();
    plan.columns.iter().for_each(|column| collect(&column.value, &mut found));
    plan.order.iter().for_each(|key| collect(&key.value, &mut found));
    found
}

fn collect(value: &Scalar, found: &mut Vec<Aggregate>) {
    match value {
        Scalar::Aggregate(aggregate) if !found.contains(aggregate) => found.push(aggregate.clone()),
        Scalar::Negate(inner) => collect(inner, found),
        Scalar::Binary(left, _, right) => {
            collect(left, found);
            collect(right, found);
        }
        _ => {}
    }
}

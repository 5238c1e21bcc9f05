//! The answer: what is left is ordered, grouped and cut, and its columns are calculated.

use std::{cmp::Ordering, convert::Infallible};

use super::{
    group::{self, Buckets},
    merge, page,
};
use crate::{
    gather::Gather as _,
    order::sort_indices,
    plan::Plan,
    query::{Aggregate, Field, Scalar},
    rank::{evaluate, order_rows},
    router::{
        ResultRow, RowSet,
        hit::{Bucket, Grouping, Hit, Merged, Ranking, Shown, sorted},
        run::Run,
        shape::Shape,
    },
    schema::Value,
};

/// The rows of an answer.
#[derive(Debug, Default)]
pub(in crate::router) struct Answer {
    pub(in crate::router) rows: Vec<ResultRow>,
    pub(in crate::router) sets: Vec<RowSet>,
    pub(in crate::router) cursor: Option<String>,
}

impl Answer {
    /// The answer to LIMIT 0: a BATCH has its row sets all the same.
    pub(in crate::router) fn of_no_rows(plan: &Plan, shape: &Shape) -> Self {
        let items = if shape.batch { plan.probes.len() } else { 0 };
        let sets = (0..items as u32).map(|item| RowSet { item, first: 0, rows: 0 }).gather();
        Self { sets, ..Self::default() }
    }
}

/// Makes the answer; `shown` are the records of [`Merged::wanted`], in that order.
pub(in crate::router) fn answer(run: &Run<'_>, merged: Merged, shown: Vec<Shown>) -> Answer {
    let mut out = Answer::default();
    let mut shown = shown.into_iter();
    match merged {
        Merged::Groups(mut grouping) => {
            let mut records = Vec::new();
            for (_, hit) in &mut grouping.rows {
                let Some(hit) = hit else { continue };
                records.push(Row {
                    hit: grouping.hits.get(*hit).cloned().unwrap_or_default(),
                    shown: shown.next(),
                });
                *hit = records.len() - 1;
            }
            let records: Vec<Row> = records.into_iter().map(Row::named).gather();
            out.rows = group_rows(run, &records, grouping, None);
        }
        Merged::Rankings(rankings) => {
            for ranking in rankings {
                let (item, first) = (ranking.item, out.rows.len());
                let (rows, cursor) = ranked(run, ranking, &mut shown);
                out.rows.extend(rows);
                out.cursor = cursor;
                let rows = out.rows.len() - first;
                out.sets.extend(item.map(|item| RowSet { item, first, rows }));
            }
        }
    }
    out
}

/// A row with what was read of its record.
#[derive(Debug, Default)]
struct Row {
    hit: Hit,
    shown: Option<Shown>,
}

impl Row {
    /// The same with the id that the record has.
    fn named(mut self) -> Self {
        if let Some(shown) = self.shown.as_mut().filter(|shown| !shown.id.is_empty()) {
            self.hit.id = std::mem::take(&mut shown.id);
        }
        self
    }
}

fn ranked(
    run: &Run<'_>,
    ranking: Ranking,
    shown: &mut dyn Iterator<Item = Shown>,
) -> (Vec<ResultRow>, Option<String>) {
    let Ranking { item, hits, exact, cut: was_cut } = ranking;
    let rows: Vec<Row> = hits.into_iter().map(|hit| Row { hit, shown: shown.next() }.named()).gather();
    let by_order = run.plan.is_search() && !run.plan.order.is_empty();
    let rows = match exact {
        true => rows,
        false => sorted(rows, run.shape.depth, &|a, b| a.hit.exact(&b.hit, run)),
    };
    if run.plan.is_search() && run.plan.group.is_some() {
        let grouping = grouped(run, &rows, item);
        return (group_rows(run, &rows, grouping, item), None);
    }
    let (rows, was_cut) = match (by_order, exact) {
        (true, _) => cut(run, reordered(run, rows, item)),
        (false, false) => cut(run, rows),
        (false, true) => (rows, was_cut),
    };
    let keys = |row: &Row| match by_order {
        true => order_keys(run, &View::of(run, row, item)),
        false => row.hit.keys.clone(),
    };
    let last = rows.last().filter(|_| was_cut && run.shape.pages);
    let cursor = last.map(|row| page::cursor(run, &row.hit, keys(row)));
    let rows = rows.iter().map(|row| View::of(run, row, item).result()).gather();
    (rows, cursor)
}

/// What OFFSET and LIMIT leave, and whether rows were cut off.
fn cut(run: &Run<'_>, mut rows: Vec<Row>) -> (Vec<Row>, bool) {
    let (page, cut) = merge::page(run, rows.len());
    rows.truncate(page.end);
    rows.drain(..page.start);
    (rows, cut)
}

fn order_keys(run: &Run<'_>, view: &View<'_>) -> Vec<Value> {
    run.plan.order.iter().map(|key| view.value(&key.value)).gather()
}

/// The rows of a search in the order of ORDER BY, without those up to the cursor.
fn reordered(run: &Run<'_>, mut rows: Vec<Row>, item: Option<u32>) -> Vec<Row> {
    for row in &mut rows {
        row.hit.keys = order_keys(run, &View::of(run, row, item));
    }
    if let Some(after) = &run.plan.after {
        rows.retain(|row| page::is_behind(run, &row.hit, &row.hit.keys, after));
    }
    sorted(rows, usize::MAX, &|a, b| {
        order_rows(&run.plan.order, &a.hit.keys, &b.hit.keys).then_with(|| a.hit.exact(&b.hit, run))
    })
}

/// The groups of ranked rows, in the order of their best rows.
fn grouped(run: &Run<'_>, rows: &[Row], item: Option<u32>) -> Grouping {
    let group_keys = run.plan.group.as_ref().map(|group| group.keys.as_slice()).unwrap_or_default();
    let keys: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| group_keys.iter().map(|key| View::of(run, row, item).field(key)).gather())
        .gather();
    let (mut buckets, of) = Buckets::new(run, &keys.iter().map(Vec::as_slice).gather::<Vec<_>>());
    for (place, (row, bucket)) in rows.iter().zip(of).enumerate() {
        buckets.count(run, bucket, 1, &[place]);
        let Ok(()) =
            buckets.add(run, bucket, &|field| Ok::<_, Infallible>(View::of(run, row, item).field(field)));
    }
    let best = |bucket: &Bucket| bucket.first.first().copied();
    let buckets = sorted(buckets.finish(), usize::MAX, &|a, b| best(a).cmp(&best(b)));
    Grouping { rows: group::rows(run, &buckets), buckets, ..Grouping::default() }
}

/// The rows of an answer of groups; `records` are what its rows show.
fn group_rows(run: &Run<'_>, records: &[Row], grouping: Grouping, item: Option<u32>) -> Vec<ResultRow> {
    let view = |(bucket, row): &(usize, Option<usize>)| View {
        run,
        item,
        row: row.and_then(|row| records.get(row)),
        bucket: grouping.buckets.get(*bucket),
    };
    let views: Vec<View<'_>> = grouping.rows.iter().map(view).gather();
    if grouping.done {
        return views.iter().map(View::result).gather();
    }
    let keys: Vec<Vec<Value>> = views.iter().map(|view| order_keys(run, view)).gather();
    let at = |place: u32| views.get(place as usize).zip(keys.get(place as usize));
    // Without ORDER BY groups and their rows are in order.
    let ties = !run.plan.order.is_empty();
    let order = sort_indices(views.len(), &mut |a, b| match (at(a), at(b)) {
        (Some((a, a_keys)), Some((b, b_keys))) => {
            order_rows(&run.plan.order, a_keys, b_keys).then_with(|| match (a.row, b.row) {
                (Some(a), Some(b)) if ties => a.hit.exact(&b.hit, run),
                _ => Ordering::Equal,
            })
        }
        _ => Ordering::Equal,
    });
    let page = order.into_iter().skip(run.shape.offset).take(run.shape.page);
    page.filter_map(|place| views.get(place as usize)).map(View::result).gather()
}

/// A row of the answer as its columns see it.
struct View<'v> {
    run: &'v Run<'v>,
    item: Option<u32>,
    /// `None` where the row stands for a group.
    row: Option<&'v Row>,
    bucket: Option<&'v Bucket>,
}

impl<'v> View<'v> {
    fn of(run: &'v Run<'v>, row: &'v Row, item: Option<u32>) -> Self {
        Self { run, item, row: Some(row), bucket: None }
    }

    fn field(&self, field: &Field) -> Value {
        let Some(Row { hit, shown }) = self.row else { return self.key(field) };
        match field {
            Field::Id => Value::Text(hit.id.clone()),
            Field::Collection => Value::Text(self.run.name(hit.member).into()),
            Field::Distance if self.run.plan.is_search() => Value::Float(hit.distance.into()),
            Field::Score => hit.score.map_or(Value::Null, Value::Float),
            Field::Item => self.item_value(),
            field => {
                let place = self.run.shape.fields.iter().position(|known| known == field);
                let value = place.and_then(|place| shown.as_ref()?.values.get(place));
                value.cloned().unwrap_or(Value::Null)
            }
        }
    }

    fn item_value(&self) -> Value {
        self.item.map_or(Value::Null, |item| Value::Int(item.into()))
    }

    /// The field of a group: one of its keys.
    fn key(&self, field: &Field) -> Value {
        if *field == Field::Item {
            return self.item_value();
        }
        let keys = self.run.plan.group.as_ref().map(|group| group.keys.as_slice()).unwrap_or_default();
        let place = keys.iter().position(|key| key == field);
        place.and_then(|place| self.bucket?.keys.get(place)).cloned().unwrap_or(Value::Null)
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Value {
        let place = self.run.shape.aggregate(aggregate);
        place.and_then(|place| self.bucket?.aggregates.get(place)).cloned().unwrap_or(Value::Null)
    }

    fn value(&self, scalar: &Scalar) -> Value {
        evaluate(scalar, &|field| self.field(field), &|aggregate| self.aggregate(aggregate))
    }

    fn result(&self) -> ResultRow {
        let hit = self.row.map(|row| &row.hit);
        ResultRow {
            collection: hit.map(|hit| self.run.name(hit.member).into()),
            id: hit.map(|hit| hit.id.clone()),
            item: self.item,
            distance: hit.filter(|_| self.run.plan.is_search()).map(|hit| hit.distance),
            score: hit.and_then(|hit| hit.score),
            cells: self.run.plan.columns.iter().map(|column| self.value(&column.value)).gather(),
        }
    }
}

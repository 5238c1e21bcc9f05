//! The matching rows of one collection in the order of the statement, where there is no query: by id, or by ORDER BY.

use std::cell::RefCell;

use super::page;
use crate::{
    error::{Result, SnapshotError},
    gather::Gather as _,
    order::select_indices,
    plan::OrderKey,
    query::{Field, Scalar},
    rank::{evaluate, order_rows},
    router::{
        feed::{Feed, float_word, present, value_words},
        member::{Read, rows_of},
        run::Run,
        target::Opened,
    },
    schema::Value,
};

/// The first matching rows in the order of their ids.
pub(in crate::router) fn listed(
    run: &Run<'_>,
    member: usize,
    opened: &Opened<'_>,
    mask: Option<&[u64]>,
) -> Result<Vec<u64>> {
    let (fetch, rows) = (run.shape.fetch(run.plan), opened.collection.rows());
    let Some(first) = page::first_listed(run, member, opened)? else { return Ok(Vec::new()) };
    if mask.is_none() {
        return Ok((first..rows).take(fetch).gather());
    }
    let mut found = rows_of(mask, rows);
    found.drain(..found.partition_point(|row| *row < first));
    found.truncate(fetch);
    Ok(found)
}

/// The matching rows that may be in the answer, in the order of ORDER BY and then of their ids, with the values they
/// are ordered by.
pub(in crate::router) fn sorted_rows(
    run: &Run<'_>,
    member: usize,
    opened: &Opened<'_>,
    read: &Read<'_>,
) -> Result<Vec<(u64, Vec<Value>)>> {
    let keys = Keys { run, feeds: opened.feeds(&run.shape.reads, run.name(member))?, read };
    let mut words = Vec::with_capacity(run.plan.order.len());
    for key in &run.plan.order {
        run.check_stop()?;
        words.push(keys.words(key)?);
    }
    let behind = keys.behind(member, opened)?;
    let at = |place: u32| behind.as_ref().map_or(place as usize, |behind| behind[place as usize]);
    let len = behind.as_ref().map_or(read.rows.len(), Vec::len);
    let chosen = select_indices(len, run.shape.fetch(run.plan), &mut |a, b| {
        let (a, b) = (at(a), at(b));
        let orders = words.iter().map(|words| words.get(a).cmp(&words.get(b)));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
    });
    chosen
        .into_iter()
        .enumerate()
        .map(|(number, place)| {
            // Keys that are calculated can cost a hundred operators a row.
            if number % 256 == 0 {
                run.check_stop()?;
            }
            let place = at(place);
            Ok((read.rows.get(place).copied().unwrap_or_default(), keys.values(place)?))
        })
        .gather()
}

/// What ORDER BY goes by in one collection.
struct Keys<'k, 's> {
    run: &'k Run<'k>,
    feeds: Vec<Feed<'s>>,
    read: &'k Read<'k>,
}

impl Keys<'_, '_> {
    fn feed(&self, field: &Field) -> Option<&Feed<'_>> {
        self.run.shape.reads.iter().position(|read| read == field).and_then(|place| self.feeds.get(place))
    }

    /// A number for each row, in the order that the key asks for.
    fn words(&self, key: &OrderKey) -> Result<Vec<u128>> {
        let mut words = match &key.value {
            Scalar::Field(field) => match self.feed(field) {
                Some(feed) => match feed.words(self.read.rows) {
                    Some(words) => words,
                    None => value_words(&self.all(key)?),
                },
                None => vec![0; self.read.rows.len()],
            },
            // Calculated values are numbers or null.
            _ => self.all(key)?.iter().map(number_word).gather(),
        };
        words.iter_mut().for_each(|word| *word = directed(*word, key));
        Ok(words)
    }

    fn all(&self, key: &OrderKey) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(self.read.rows.len());
        for place in 0..self.read.rows.len() {
            if place % 4096 == 0 {
                self.run.check_stop()?;
            }
            values.push(self.value(&key.value, place)?);
        }
        Ok(values)
    }

    /// A value of the row at that place of the matching rows.
    fn value(&self, scalar: &Scalar, place: usize) -> Result<Value, SnapshotError> {
        let row = self.read.rows.get(place).copied().unwrap_or_default();
        let failed = RefCell::new(None);
        let field =
            |field: &Field| match self.feed(field).map(|feed| feed.value(row, self.read.record(place))) {
                Some(Ok(value)) => value,
                Some(Err(error)) => {
                    failed.replace(Some(error));
                    Value::Null
                }
                None => Value::Null,
            };
        let value = evaluate(scalar, &field, &|_| Value::Null);
        failed.into_inner().map_or(Ok(value), Err)
    }

    fn values(&self, place: usize) -> Result<Vec<Value>, SnapshotError> {
        self.run.plan.order.iter().map(|key| self.value(&key.value, place)).gather()
    }

    /// The places of the rows behind the cursor; `None` if all are.
    fn behind(&self, member: usize, opened: &Opened<'_>) -> Result<Option<Vec<usize>>> {
        let run = self.run;
        let Some(after) = run.plan.after.as_ref().filter(|_| run.shape.skips_paged(run.plan)) else {
            return Ok(None);
        };
        let first = page::first_behind(run, member, opened, after)?;
        let mut behind = Vec::new();
        for (place, row) in self.read.rows.iter().enumerate() {
            if place % 4096 == 0 {
                run.check_stop()?;
            }
            let order = order_rows(&run.plan.order, &self.values(place)?, &after.keys);
            if order.is_gt() || (order.is_eq() && *row >= first) {
                behind.push(place);
            }
        }
        Ok(Some(behind))
    }
}

fn number_word(value: &Value) -> u128 {
    match value {
        Value::Float(number) => present(float_word(*number)),
        Value::Int(number) => present(float_word(*number as f64)),
        _ => 0,
    }
}

/// The word of a value in the order of a key: nulls at the end that it names, the others turned around under DESC.
fn directed(word: u128, key: &OrderKey) -> u128 {
    match (word, key.nulls_first, key.descending) {
        (0, true, _) => 0,
        (0, false, _) => u128::MAX,
        (_, _, false) => word,
        (_, _, true) => present(!(word as u64)),
    }
}

//! Groups: which rows belong together, and what is counted and added up over them.

use std::cmp::Ordering;

use crate::{
    error::{Result, SnapshotError},
    gather::Gather as _,
    order::sort_indices,
    query::Field,
    rank::{Tally, order_values},
    router::{
        feed::{Feed, value_words},
        hit::{Bucket, Hit, Shown},
        member::Read,
        run::{Halt, Run},
        target::Opened,
    },
    schema::Value,
};

/// The groups of one collection's matching rows.
#[derive(Debug, Default)]
pub(in crate::router) struct Local {
    /// By group: the values of GROUP BY, how many rows, and as many of its first rows as TOP says.
    keys: Vec<Vec<Value>>,
    counts: Vec<u64>,
    first: Vec<Vec<u64>>,
    /// The rows with their groups, where more than counting is asked.
    rows: Vec<u64>,
    group_of: Vec<u32>,
    records: Vec<Shown>,
}

impl Local {
    /// The group of a collection all of whose rows match, if it takes nothing but their number.
    pub(in crate::router) fn counted(run: &Run<'_>, member: usize, rows: u64) -> Option<Self> {
        let group = run.plan.group.as_ref()?;
        let countable = run.shape.reads.iter().all(|field| *field == Field::Collection)
            && run.shape.aggregates.iter().all(|aggregate| aggregate.of.is_none())
            && group.top.is_none()
            && !run.shape.keeps_nearest(run.plan);
        let keys = group.keys.iter().map(|_| Value::Text(run.name(member).into())).gather();
        let local = Self { keys: vec![keys], counts: vec![rows], first: vec![Vec::new()], ..Self::default() };
        countable.then(|| if rows == 0 { Self::default() } else { local })
    }

    /// The groups of the rows of `read`.
    pub(in crate::router) fn new(
        run: &Run<'_>,
        member: usize,
        opened: &Opened<'_>,
        read: &Read<'_>,
    ) -> Result<Self> {
        let Some(group) = &run.plan.group else { return Ok(Self::default()) };
        let feeds = opened.feeds(&run.shape.reads, run.name(member))?;
        let keys: Vec<&Feed<'_>> = group.keys.iter().filter_map(|key| feed(run, &feeds, key)).gather();
        let mut local = Self::default();
        let mut words = Vec::with_capacity(keys.len());
        for key in keys.iter().filter(|key| !key.is_constant()) {
            run.check_stop()?;
            words.push(match key.words(read.rows) {
                Some(words) => words,
                None => value_words(&all(key, read)?),
            });
        }
        let numbered = Numbered::new(&words, read.rows.len());
        for place in &numbered.first {
            let row = read.rows.get(*place).copied().unwrap_or_default();
            let values = keys.iter().map(|key| key.value(row, read.record(*place)));
            local.keys.push(values.gather::<Result<_, SnapshotError>>()?);
        }
        local.fill(run, numbered, read);
        Ok(local)
    }

    fn fill(&mut self, run: &Run<'_>, numbered: Numbered, read: &Read<'_>) {
        let top = top(run);
        self.counts = vec![0; numbered.first.len()];
        self.first = vec![Vec::new(); numbered.first.len()];
        for (row, group) in read.rows.iter().zip(&numbered.group_of) {
            let group = *group as usize;
            self.counts.get_mut(group).into_iter().for_each(|count| *count += 1);
            let first = self.first.get_mut(group).filter(|first| first.len() < top);
            first.into_iter().for_each(|first| first.push(*row));
        }
        if run.shape.aggregates.iter().any(|aggregate| aggregate.of.is_some()) {
            self.rows = read.rows.to_vec();
            self.group_of = numbered.group_of;
            self.records = read.records.map(<[Shown]>::to_vec).unwrap_or_default();
        }
    }

    pub(in crate::router) fn groups(&self) -> usize {
        self.keys.len()
    }
}

fn feed<'f, 's>(run: &Run<'_>, feeds: &'f [Feed<'s>], field: &Field) -> Option<&'f Feed<'s>> {
    run.shape.reads.iter().position(|read| read == field).and_then(|place| feeds.get(place))
}

fn all(key: &Feed<'_>, read: &Read<'_>) -> Result<Vec<Value>, SnapshotError> {
    let rows = read.rows.iter().enumerate();
    rows.map(|(place, row)| key.value(*row, read.record(place))).gather()
}

/// How many rows of a group are shown; none where a row stands for the whole group.
fn top(run: &Run<'_>) -> usize {
    let top = run.plan.group.as_ref().and_then(|group| group.top).unwrap_or(0);
    usize::try_from(top).unwrap_or(usize::MAX)
}

/// Rows numbered by group, groups by their first row.
struct Numbered {
    group_of: Vec<u32>,
    first: Vec<usize>,
}

impl Numbered {
    /// Groups `rows` rows by their words, one list of words a key. A hash table with linear probing.
    fn new(words: &[Vec<u128>], rows: usize) -> Self {
        let mut found = Self { group_of: Vec::with_capacity(rows), first: Vec::new() };
        let mut slots: Vec<u32> = vec![u32::MAX; 64];
        for row in 0..rows {
            if found.first.len() * 2 >= slots.len() {
                slots = found.grown(words, slots.len() * 4);
            }
            let slot = found.slot(words, row, &slots);
            let group = match slots.get_mut(slot) {
                Some(empty) if *empty == u32::MAX => {
                    *empty = found.first.len() as u32;
                    found.first.push(row);
                    *empty
                }
                Some(group) => *group,
                None => 0,
            };
            found.group_of.push(group);
        }
        found
    }

    /// The slot of the row's group, or the free one where it belongs. `slots` is a power of two long, and never full.
    fn slot(&self, words: &[Vec<u128>], row: usize, slots: &[u32]) -> usize {
        let mut slot = hash(words, row) as usize & (slots.len() - 1);
        while let Some(group) = slots.get(slot).filter(|group| **group != u32::MAX) {
            let first = self.first.get(*group as usize).copied().unwrap_or_default();
            if words.iter().all(|words| words.get(first) == words.get(row)) {
                break;
            }
            slot = (slot + 1) & (slots.len() - 1);
        }
        slot
    }

    fn grown(&self, words: &[Vec<u128>], len: usize) -> Vec<u32> {
        let mut slots = vec![u32::MAX; len];
        for (group, first) in (0..).zip(&self.first) {
            let slot = self.slot(words, *first, &slots);
            slots.get_mut(slot).into_iter().for_each(|slot| *slot = group);
        }
        slots
    }
}

/// Mixes the words of a row; the multiplier is that of Fibonacci hashing, 2^64 / phi.
fn hash(words: &[Vec<u128>], row: usize) -> u64 {
    let mut hash = 0_u64;
    for word in words.iter().filter_map(|words| words.get(row)) {
        for half in [*word as u64, (*word >> 64) as u64] {
            hash = (hash.rotate_left(5) ^ half).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
    hash ^ hash >> 32
}

/// Groups of several collections, or of ranked rows, in the making.
pub(super) struct Buckets {
    buckets: Vec<Bucket>,
    counts: Vec<u64>,
    tallies: Vec<Vec<Option<Tally>>>,
}

impl Buckets {
    /// Groups in the order of their keys, and the number of each item's group.
    pub(super) fn new(run: &Run<'_>, keys: &[&[Value]]) -> (Self, Vec<usize>) {
        let at = |item: u32| keys.get(item as usize).copied().unwrap_or_default();
        let order = sort_indices(keys.len(), &mut |a, b| compare(at(a), at(b)));
        let (mut of, mut buckets) = (vec![0; keys.len()], Vec::<Bucket>::new());
        for item in order {
            let same = buckets.last().is_some_and(|last| compare(&last.keys, at(item)).is_eq());
            if !same {
                buckets.push(Bucket { keys: at(item).to_vec(), ..Bucket::default() });
            }
            of.get_mut(item as usize).into_iter().for_each(|of| *of = buckets.len() - 1);
        }
        // Aggregates over no rows are a row all the same.
        if buckets.is_empty() && run.plan.group.as_ref().is_some_and(|group| group.keys.is_empty()) {
            buckets.push(Bucket::default());
        }
        let tallies = run.shape.aggregates.iter();
        let tallies: Vec<Option<Tally>> =
            tallies.map(|aggregate| aggregate.of.as_ref().map(|_| Tally::new(aggregate))).gather();
        let made = Self {
            counts: vec![0; buckets.len()],
            tallies: buckets.iter().map(|_| tallies.clone()).gather(),
            buckets,
        };
        (made, of)
    }

    /// Counts rows, and keeps the first of them as far as TOP goes.
    pub(super) fn count(&mut self, run: &Run<'_>, bucket: usize, rows: u64, first: &[usize]) {
        self.counts.get_mut(bucket).into_iter().for_each(|count| *count += rows);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            let room = top(run).max(1).saturating_sub(bucket.first.len());
            bucket.first.extend(first.iter().take(room));
        }
    }

    /// Adds a row's values to the aggregates; `value` gives a field of it.
    pub(super) fn add<E>(
        &mut self,
        run: &Run<'_>,
        bucket: usize,
        value: &dyn Fn(&Field) -> Result<Value, E>,
    ) -> Result<(), E> {
        let Some(tallies) = self.tallies.get_mut(bucket) else { return Ok(()) };
        for (tally, aggregate) in tallies.iter_mut().zip(&run.shape.aggregates) {
            if let (Some(tally), Some(field)) = (tally, &aggregate.of) {
                tally.add(&value(field)?);
            }
        }
        Ok(())
    }

    /// The finished groups, in the order of their keys.
    pub(super) fn finish(self) -> Vec<Bucket> {
        let mut buckets = self.buckets;
        for ((bucket, count), tallies) in buckets.iter_mut().zip(self.counts).zip(self.tallies) {
            let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
            let value = |tally: Option<Tally>| tally.map_or_else(|| count.clone(), |tally| tally.result());
            bucket.aggregates = tallies.into_iter().map(value).gather();
        }
        buckets
    }
}

/// The order of groups: by their keys, nulls last.
fn compare(a: &[Value], b: &[Value]) -> Ordering {
    let orders = a.iter().zip(b).map(|(a, b)| order_values(a, b));
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The rows of an answer of groups: one a group, or the best ones of each.
pub(super) fn rows(run: &Run<'_>, buckets: &[Bucket]) -> Vec<(usize, Option<usize>)> {
    let best_rows = run.plan.group.as_ref().is_some_and(|group| group.top.is_some());
    let of = |(place, bucket): (usize, &Bucket)| match best_rows {
        true => bucket.first.iter().map(|row| (place, Some(*row))).gather(),
        false => vec![(place, None)],
    };
    buckets.iter().enumerate().flat_map(of).gather()
}

/// The groups of all collections and the rows that they show.
///
/// # Errors
/// With the collection's place in FROM.
pub(super) fn merged<'l>(
    run: &Run<'_>,
    locals: &[(usize, &'l Local)],
    open: &dyn Fn(usize) -> Result<Option<Opened<'l>>>,
) -> Result<(Vec<Bucket>, Vec<Hit>), Halt> {
    let keys: Vec<&[Value]> = locals.iter().flat_map(|(_, local)| &local.keys).map(Vec::as_slice).gather();
    let (mut buckets, of) = Buckets::new(run, &keys);
    let (mut hits, mut base) = (Vec::new(), 0);
    for (member, local) in locals {
        for (group, (count, first)) in local.counts.iter().zip(&local.first).enumerate() {
            let shown: Vec<usize> = (hits.len()..).take(first.len()).gather();
            hits.extend(first.iter().map(|row| Hit { member: *member, row: *row, ..Hit::default() }));
            let bucket = of.get(base + group).copied().unwrap_or_default();
            buckets.count(run, bucket, *count, &shown);
        }
        let of = of.get(base..).unwrap_or_default();
        tally(run, *member, local, of, &mut buckets, open).map_err(|error| Halt::of(*member, error))?;
        base += local.keys.len();
    }
    Ok((buckets.finish(), hits))
}

/// Adds the rows of one collection to the aggregates; `of` are the buckets of its groups.
fn tally<'l>(
    run: &Run<'_>,
    member: usize,
    local: &Local,
    of: &[usize],
    buckets: &mut Buckets,
    open: &dyn Fn(usize) -> Result<Option<Opened<'l>>>,
) -> Result<()> {
    if local.rows.is_empty() {
        return Ok(());
    }
    let Some(opened) = open(member)? else { return Ok(()) };
    let feeds = opened.feeds(&run.shape.reads, run.name(member))?;
    for (place, (row, group)) in local.rows.iter().zip(&local.group_of).enumerate() {
        if place % 4096 == 0 {
            run.check_stop()?;
        }
        let value = |field: &Field| match feed(run, &feeds, field) {
            Some(feed) => feed.value(*row, local.records.get(place)),
            None => Ok(Value::Null),
        };
        buckets.add(run, of.get(*group as usize).copied().unwrap_or_default(), &value)?;
    }
    Ok(())
}

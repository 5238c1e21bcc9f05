//! Rows on their way from the collections to the answer.

use std::cmp::Ordering;

use super::run::Run;
use crate::{gather::Gather as _, order::sort_by, rank::order_rows, schema::Value};

/// A row that may be in the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Hit {
    /// Its collection, by the place in FROM.
    pub(super) member: usize,
    pub(super) row: u64,
    /// To the query; 0 without one.
    pub(super) distance: f32,
    /// What it was ranked by, if not by distance or ORDER BY.
    pub(super) score: Option<f64>,
    /// The values of ORDER BY without a query vector; empty otherwise.
    pub(super) keys: Vec<Value>,
    /// Its id; empty while it is not known.
    pub(super) id: String,
}

impl Hit {
    /// One number a row.
    pub(super) fn key(&self) -> u64 {
        (self.member as u64) << 32 | (self.row & u64::from(u32::MAX))
    }

    /// The order of the unsorted answer as far as it does not take ids.
    pub(super) fn coarse(&self, other: &Self, run: &Run<'_>) -> Ordering {
        match run.plan.is_search() {
            true => self.distance.total_cmp(&other.distance),
            false => order_rows(&run.plan.order, &self.keys, &other.keys),
        }
    }

    /// Id and collection, which decide between rows that are equal otherwise.
    pub(super) fn last(&self, other: &Self, run: &Run<'_>) -> Ordering {
        self.id.cmp(&other.id).then_with(|| run.name(self.member).cmp(run.name(other.member)))
    }

    /// The whole order.
    pub(super) fn exact(&self, other: &Self, run: &Run<'_>) -> Ordering {
        self.coarse(other, run).then_with(|| self.last(other, run))
    }
}

/// `items` in the order of `compare`, the first `most` of them.
pub(super) fn sorted<T>(mut items: Vec<T>, most: usize, compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<T> {
    sort_by(&mut items, compare);
    items.truncate(most);
    items
}

/// A ranking: the rows of one item of a BATCH, or of the whole statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranking {
    /// The item, where the answer has a row set an item.
    pub(super) item: Option<u32>,
    pub(super) hits: Vec<Hit>,
    /// Whether the rows are in order and cut. Else ids decide between some of them, which come with the payload.
    pub(super) exact: bool,
    /// Whether more rows would have followed.
    pub(super) cut: bool,
}

/// A group of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    /// The values of GROUP BY.
    pub(super) keys: Vec<Value>,
    /// Its best rows, by their places among the rows that are grouped: as many as TOP says, at least one.
    pub(super) first: Vec<usize>,
    /// The values of the statement's aggregates.
    pub(super) aggregates: Vec<Value>,
}

/// Groups, and the rows that they show.
#[derive(Debug, Clone, Default)]
pub(super) struct Grouping {
    pub(super) buckets: Vec<Bucket>,
    pub(super) hits: Vec<Hit>,
    /// The rows of the answer: a bucket, and one of the hits unless the row stands for the whole group.
    pub(super) rows: Vec<(usize, Option<usize>)>,
    /// Whether the rows are in order and cut.
    pub(super) done: bool,
}

/// What the stages between searching and reading records came to.
#[derive(Debug, Clone)]
pub(super) enum Merged {
    Rankings(Vec<Ranking>),
    /// Groups of rows that need not be read themselves.
    Groups(Grouping),
}

impl Merged {
    /// The rows whose records the answer takes.
    pub(super) fn wanted(&self) -> Vec<&Hit> {
        match self {
            Self::Rankings(rankings) => rankings.iter().flat_map(|ranking| &ranking.hits).gather(),
            Self::Groups(Grouping { hits, rows, .. }) => {
                rows.iter().filter_map(|(_, hit)| hits.get((*hit)?)).gather()
            }
        }
    }
}

/// What the payload and the vector of a row hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) id: String,
    /// In the order of the fields that were asked for.
    pub(super) values: Vec<Value>,
}

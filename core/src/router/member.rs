//! One collection's part of a statement: what it lacks, what was found in it, what that cost.

use super::{
    Needs,
    hit::Shown,
    run::Run,
    shape::Mode,
    stages::{group::Local, records, search, sort},
    target::{Masked, Opened, bind, passes},
};
use crate::{
    error::Result,
    filter::{Bind, Condition},
    schema::{Schema, Value},
    snapshot::Section,
};

/// A collection that FROM names.
#[derive(Debug)]
pub(super) struct Member {
    /// Its place in the release.
    pub(super) place: usize,
    /// Its space, for a search.
    pub(super) space: usize,
    pub(super) state: State,
}

/// What becomes of a collection.
#[derive(Debug)]
pub(super) enum State {
    Skipped(String),
    Failed { code: u32, message: String },
    Asked(Box<Target>),
}

/// A collection that is asked.
#[derive(Debug)]
pub(super) struct Target {
    /// The WHERE as far as the schema alone binds it.
    filter: Option<Bind>,
    /// The rows that pass it; `None`: not known yet.
    masked: Option<Masked>,
    /// Whether its rows are found through clusters, together with those of other collections.
    pub(super) by_clusters: bool,
    /// Whether it is the graph of its file that finds them.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) by_graph: bool,
    /// Whether its slots are listed, because few collections of its file are asked.
    pub(super) narrow: bool,
    /// What was found; `None` until the collection was searched.
    pub(super) found: Option<Found>,
    pub(super) cost: Cost,
}

/// What a collection gives to the stages that merge.
#[derive(Debug)]
pub(super) enum Found {
    /// By probe: distances and rows, nearest first.
    Nearest(Vec<Vec<(f32, u64)>>),
    /// Matching rows, in the order of ids: all that may be in the answer.
    Rows(Vec<u64>),
    /// Matching rows in the order of the statement with the values they are ordered by.
    Sorted(Vec<(u64, Vec<Value>)>),
    /// Groups of the matching rows.
    Groups(Local),
}

/// What searching a collection cost.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cost {
    /// Bytes of its sections that were used.
    pub(super) bytes: u64,
    /// Bytes of records, the winners' included.
    pub(super) record_bytes: u64,
    /// Rows that WHERE was evaluated for.
    pub(super) filtered: u64,
    /// Rows that pass it.
    pub(super) passed: u64,
    /// Rows that were found.
    pub(super) found: u64,
    /// Time in microseconds, 0 without a clock: for WHERE, searching, reading records.
    pub(super) filter_micros: u64,
    pub(super) search_micros: u64,
    pub(super) record_micros: u64,
}

impl Cost {
    /// The time that was spent on the collection.
    pub(super) fn micros(&self) -> u64 {
        self.filter_micros + self.search_micros + self.record_micros
    }
}

impl Target {
    /// The WHERE as far as the schema alone binds it.
    pub(super) fn filter(&self) -> Option<&Bind> {
        self.filter.as_ref()
    }

    /// The collection of `schema`.
    ///
    /// # Errors
    /// As [`bind`].
    pub(super) fn new(condition: Option<&Condition<'_>>, schema: &Schema) -> Result<Self> {
        Ok(Self {
            filter: bind(condition, schema)?,
            masked: None,
            by_clusters: false,
            #[cfg(not(target_arch = "wasm32"))]
            by_graph: false,
            narrow: false,
            found: None,
            cost: Cost::default(),
        })
    }

    /// Searches the collection if all that it takes is resident; else notes all of it in `needs`, so that one wave
    /// brings it. `queries` are `None` while a vector is still being made; a plan without a probe needs none.
    pub(super) fn step(
        &mut self,
        run: &Run<'_>,
        (member, place): (usize, usize),
        space: Option<search::Queries<'_>>,
        needs: &mut Needs,
    ) -> Result<()> {
        if let Some(found) = self.known(run, member, place) {
            self.found = Some(found);
            return Ok(());
        }
        let opened = Opened::open(run, place, needs)?;
        if self.by_clusters && !run.catalog.open_clusters(place, self.narrow, run.sources, needs)? {
            return Ok(());
        }
        let Some(opened) = opened else { return Ok(()) };
        let sections = self.sections(run, member, &opened)?;
        let missing = sections.iter().filter(|section| !opened.want(section, needs)).count();
        // Documents are asked for in the wave that brings the rows of a query's tokens.
        let unmade = run.plan.is_search() && space.is_none();
        if missing > 0 || (unmade && !run.shape.tests_documents) {
            return Ok(());
        }
        if !self.evaluate(run, &opened, needs)? || unmade || self.by_clusters {
            return Ok(());
        }
        let read: u64 = sections.iter().map(|section| section.range.len()).sum();
        self.cost.bytes = read + self.masked.as_ref().map_or(0, |masked| masked.bytes);
        let started = run.now();
        let mask = self.mask();
        let found = match (run.shape.mode, space) {
            (Mode::Search, Some(queries)) => {
                Some(Found::Nearest(search::nearest(run, member, &opened, mask, &queries)?))
            }
            (Mode::Search, None) => None,
            (Mode::List, _) => Some(Found::Rows(sort::listed(run, member, &opened, mask)?)),
            _ => self.of_all_rows(run, member, &opened, needs)?,
        };
        self.cost.search_micros += run.now().saturating_sub(started);
        self.cost.found = found.as_ref().map_or(0, Found::rows);
        self.found = found;
        Ok(())
    }

    /// What is found without opening the collection: nothing where no row can pass, counts where all do.
    fn known(&mut self, run: &Run<'_>, member: usize, place: usize) -> Option<Found> {
        match (passes(self.filter.as_ref())?, run.shape.mode) {
            (false, Mode::Search) => Some(Found::Nearest(vec![Vec::new(); run.plan.probes.len()])),
            (false, Mode::Grouped) => Some(Found::Groups(Local::default())),
            (false, _) => Some(Found::Rows(Vec::new())),
            (true, Mode::Grouped) => {
                let rows = run.catalog.index().collections.get(place)?.statistics.rows;
                let local = Local::counted(run, member, rows)?;
                self.cost.passed = rows;
                Some(Found::Groups(local))
            }
            (true, _) => None,
        }
    }

    /// What one wave brings: the sections of the WHERE, of what rows are ordered or grouped by, ids, vectors.
    fn sections(&self, run: &Run<'_>, member: usize, opened: &Opened<'_>) -> Result<Vec<Section>> {
        let mut sections = opened.filter_sections(run.plan, self.filter.as_ref());
        sections.extend(opened.field_sections(&run.shape.reads));
        if run.plan.is_search() && !self.by_clusters {
            sections.push(*opened.collection.expect_vectors()?);
        }
        let cursor_here = run.plan.after.as_ref().is_some_and(|after| after.collection == run.name(member));
        if run.shape.ids && (run.shape.mode != Mode::List || run.shape.keeps_nearest(run.plan) || cursor_here)
        {
            sections.extend(opened.collection.ids());
        }
        let mut seen: Vec<Section> = Vec::with_capacity(sections.len());
        sections.retain(|section| {
            let new = !seen.contains(section);
            seen.extend(new.then_some(*section));
            new
        });
        Ok(sections)
    }

    /// Whether it is known which rows pass WHERE.
    pub(super) fn is_masked(&self) -> bool {
        self.masked.is_some()
    }

    /// A bit per row that passes WHERE; `None` when all do.
    pub(super) fn mask(&self) -> Option<&[u64]> {
        self.masked.as_ref().and_then(|masked| masked.words.as_deref())
    }

    /// Finds the rows that pass WHERE; false if documents are missing that it takes to tell.
    fn evaluate(&mut self, run: &Run<'_>, opened: &Opened<'_>, needs: &mut Needs) -> Result<bool> {
        if self.masked.is_some() {
            return Ok(true);
        }
        let started = run.now();
        let masked = opened.mask(run, self.filter.as_ref(), needs)?;
        let rows = opened.collection.rows();
        self.cost.filter_micros += run.now().saturating_sub(started);
        self.cost.filtered = if self.filter.is_some() { rows } else { 0 };
        let Some(masked) = masked else { return Ok(false) };
        self.cost.passed = match &masked.words {
            Some(words) => words.iter().map(|word| u64::from(word.count_ones())).sum(),
            None => rows,
        };
        self.masked = Some(masked);
        Ok(true)
    }

    /// Orders or groups all matching rows. Fields that only records hold take a wave of their own.
    fn of_all_rows(
        &mut self,
        run: &Run<'_>,
        member: usize,
        opened: &Opened<'_>,
        needs: &mut Needs,
    ) -> Result<Option<Found>> {
        let rows = rows_of(self.mask(), opened.collection.rows());
        let fields = opened.record_fields(&run.shape.reads);
        let records: Option<Vec<Shown>> = match fields.is_empty() {
            true => None,
            false => match records::read(run, opened, &rows, &fields, needs)? {
                Some((records, bytes)) => {
                    self.cost.record_bytes = bytes;
                    Some(records)
                }
                None => return Ok(None),
            },
        };
        let read = Read { rows: &rows, records: records.as_deref() };
        Ok(Some(match run.shape.mode {
            Mode::Grouped if run.shape.keeps_nearest(run.plan) => Found::Rows(rows),
            Mode::Grouped => Found::Groups(Local::new(run, member, opened, &read)?),
            _ => Found::Sorted(sort::sorted_rows(run, member, opened, &read)?),
        }))
    }
}

/// The matching rows of a collection, and what was read of their records.
pub(super) struct Read<'r> {
    pub(super) rows: &'r [u64],
    /// One for each row; `None` where columns are enough.
    pub(super) records: Option<&'r [Shown]>,
}

impl Read<'_> {
    pub(super) fn record(&self, place: usize) -> Option<&Shown> {
        self.records.and_then(|records| records.get(place))
    }
}

impl Found {
    fn rows(&self) -> u64 {
        match self {
            Self::Nearest(lists) => lists.iter().map(|list| list.len() as u64).sum(),
            Self::Rows(rows) => rows.len() as u64,
            Self::Sorted(rows) => rows.len() as u64,
            Self::Groups(local) => local.groups() as u64,
        }
    }
}

/// The rows of a mask.
pub(super) fn rows_of(mask: Option<&[u64]>, rows: u64) -> Vec<u64> {
    let Some(mask) = mask else { return (0..rows).collect() };
    let mut found = Vec::with_capacity(mask.iter().map(|word| word.count_ones() as usize).sum());
    for (first, word) in (0..).step_by(64).zip(mask) {
        let mut left = *word;
        while left != 0 {
            found.push(first + u64::from(left.trailing_zeros()));
            left &= left - 1;
        }
    }
    found
}

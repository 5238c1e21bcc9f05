//! One collection's part of a fan-out: what it lacks, its filter, its nearest rows.

use std::{collections::BTreeMap, sync::Arc};

use super::{Catalog, Needs, Sources};
use crate::{
    bytes::ByteSource,
    error::{Result, SnapshotError},
    filter::{Bind, BindSchema, ColumnBlock, ColumnData, Filter, TextDictionary},
    metric::Scorer,
    plan::Plan,
    query::Column,
    schema::{Field, FieldType},
    search::scan,
    snapshot::{Collection, Strings, layout::SectionEntry},
};

/// Rows are filtered in blocks of this many, as columns are stored.
const FILTER_ROWS: u64 = crate::snapshot::COLUMN_ROWS as u64;

/// A collection that is asked.
#[derive(Debug)]
pub(super) struct Target {
    /// Its place in the release.
    pub(super) place: usize,
    /// Distances (0 without a query vector) and rows, in the order of the answer; `None` until searched.
    pub(super) found: Option<Vec<(f32, u64)>>,
    /// How many bytes of the collection's file the search used.
    pub(super) bytes: u64,
}

/// A collection whose head is open, and its file.
struct Opened<'s> {
    collection: Arc<Collection>,
    source: &'s dyn ByteSource,
    file: usize,
}

impl Target {
    pub(super) fn new(place: usize) -> Self {
        Self { place, found: None, bytes: 0 }
    }

    /// Searches the collection if all that it takes is resident; else notes all of it in `needs`, so that one wave
    /// brings it. `query` is `None` while the vector is still being made; a plan without a probe needs none.
    pub(super) fn step(
        &mut self,
        plan: &Plan,
        query: Option<&[f32]>,
        catalog: &Catalog,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<()> {
        let Some(collection) = catalog.collection(self.place, sources, needs)? else { return Ok(()) };
        let file = catalog.collection_file(self.place);
        let opened = Opened { collection, source: catalog.file(file, sources)?, file };
        let wanted = opened.wanted(plan)?;
        let missing = wanted.iter().filter(|section| !opened.want(section, needs)).count();
        if missing > 0 || (plan.probe.is_some() && query.is_none()) {
            return Ok(());
        }
        self.bytes = wanted.iter().map(|section| section.bytes).sum();
        let mask = opened.mask(plan)?;
        self.found = Some(match query {
            Some(query) => opened.nearest(plan, query, mask.as_deref())?,
            None => opened.first(plan, mask.as_deref()),
        });
        Ok(())
    }
}

impl Opened<'_> {
    /// The sections that the search reads: columns and dictionaries of the WHERE, and the vectors.
    fn wanted(&self, plan: &Plan) -> Result<Vec<SectionEntry>, SnapshotError> {
        let mut sections = Vec::new();
        for column in plan.filter.iter().flat_map(|filter| filter.columns()) {
            sections.extend(self.values(&column).map(|(_, section)| *section));
            sections.extend(self.dictionary(&column).copied());
        }
        if plan.probe.is_some() {
            sections.push(*self.collection.vectors()?);
        }
        Ok(sections)
    }

    /// Notes the blocks of a section that are missing; says whether none is.
    fn want(&self, section: &SectionEntry, needs: &mut Needs) -> bool {
        let ranges =
            (0..section.blocks).filter_map(|block| self.collection.head().block_range(section, block));
        let missing = ranges.filter(|range| !needs.check(self.file, self.source, *range)).count();
        missing == 0
    }

    fn values(&self, column: &Column) -> Option<(&Field, &SectionEntry)> {
        match column {
            Column::Metadata(path) => self.collection.column(path),
            _ => None,
        }
    }

    fn dictionary(&self, column: &Column) -> Option<&SectionEntry> {
        match column {
            Column::Id => self.collection.ids(),
            Column::Metadata(path) => self.collection.dictionary(path),
            _ => None,
        }
    }

    /// A bit per row: WHERE is true. `None` without a WHERE.
    fn mask(&self, plan: &Plan) -> Result<Option<Vec<u64>>> {
        let Some(expr) = &plan.filter else { return Ok(None) };
        let filter = match Filter::bind(expr, &Dictionaries::open(self, expr.columns())?)? {
            Bind::Ready(filter) => filter,
            Bind::Needs(columns) => {
                let reason = format!("the collection has no dictionary of {columns:?}");
                return Err(
                    SnapshotError::Malformed { section: "directory".into(), offset: 0, reason }.into()
                );
            }
        };
        let mut words = Vec::with_capacity((self.collection.rows() / 64) as usize + 1);
        for first_row in (0..self.collection.rows()).step_by(FILTER_ROWS as usize) {
            words.extend_from_slice(self.mask_block(&filter, first_row)?.words());
        }
        Ok(Some(words))
    }

    fn mask_block(&self, filter: &Filter, first_row: u64) -> Result<crate::filter::Mask> {
        let rows = (self.collection.rows() - first_row).min(FILTER_ROWS) as usize;
        let ids = IdBlock::new(first_row, rows);
        let mut blocks = Vec::with_capacity(filter.columns().len());
        for column in filter.columns() {
            blocks.push(match (column, self.values(column)) {
                (Column::Id, _) => ids.block(),
                (_, Some(values)) => self.column_block(values, first_row)?,
                (_, None) => ColumnBlock { rows, valid: &ids.none, data: ColumnData::Bool(&ids.none) },
            });
        }
        filter.evaluate(rows, &blocks)
    }

    fn column_block(
        &self,
        values: (&Field, &SectionEntry),
        first_row: u64,
    ) -> Result<ColumnBlock<'_>, SnapshotError> {
        let block = u32::try_from(first_row / FILTER_ROWS).unwrap_or(u32::MAX);
        let found = self.collection.column_block(self.source, values, block)?;
        found.ok_or_else(|| SnapshotError::Malformed {
            section: "column".into(),
            offset: values.1.offset,
            reason: "the block is not resident".into(),
        })
    }

    fn nearest(&self, plan: &Plan, query: &[f32], mask: Option<&[u64]>) -> Result<Vec<(f32, u64)>> {
        let scorer = Scorer::new(self.collection.schema().metric, self.collection.encoding(), query);
        Ok(scan(&self.collection, self.source, &scorer, mask, super::limit(plan))?.rows)
    }

    /// The first matching rows in the order of their ids.
    fn first(&self, plan: &Plan, mask: Option<&[u64]>) -> Vec<(f32, u64)> {
        let matches = |row: &u64| {
            mask.is_none_or(|mask| {
                mask.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
            })
        };
        (0..self.collection.rows()).filter(matches).take(super::limit(plan)).map(|row| (0.0, row)).collect()
    }
}

/// The dictionaries that a WHERE needs, opened.
struct Dictionaries<'s> {
    collection: &'s Collection,
    opened: BTreeMap<Column, Strings<'s>>,
}

impl<'s> Dictionaries<'s> {
    fn open(
        target: &'s Opened<'_>,
        columns: impl IntoIterator<Item = Column>,
    ) -> Result<Self, SnapshotError> {
        let mut opened = BTreeMap::new();
        for column in columns {
            if let Some(section) = target.dictionary(&column)
                && let Some(strings) = target.collection.strings(target.source, section)?
            {
                opened.insert(column, strings);
            }
        }
        Ok(Self { collection: &target.collection, opened })
    }
}

impl BindSchema for Dictionaries<'_> {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        self.collection
            .schema()
            .fields
            .iter()
            .find(|field| field.path == path)
            .map(|field| field.kind.clone())
    }

    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary> {
        self.opened.get(column).map(|strings| strings as &dyn TextDictionary)
    }
}

/// The ids of a run of rows as a text column: rows are in the order of their ids, so a row's code is its number.
struct IdBlock {
    rows: usize,
    codes: Vec<[u8; 4]>,
    all: Vec<u8>,
    none: Vec<u8>,
}

impl IdBlock {
    fn new(first_row: u64, rows: usize) -> Self {
        let codes = (first_row..).take(rows).map(|row| (row as u32).to_le_bytes()).collect();
        let bitmap = rows.div_ceil(8);
        Self { rows, codes, all: vec![0xff; bitmap], none: vec![0; bitmap] }
    }

    fn block(&self) -> ColumnBlock<'_> {
        ColumnBlock { rows: self.rows, valid: &self.all, data: ColumnData::Text(&self.codes) }
    }
}

//! One collection's part of a fan-out: what it lacks, its filter, its nearest rows.

use std::sync::Arc;

use super::{Catalog, Needs, Sources};
use crate::{
    bytes::ByteSource,
    error::{Result, SnapshotError},
    filter::{Bind, BindSchema, ColumnBlock, ColumnData, Filter, TextDictionary},
    metric::Scorer,
    order::Map,
    plan::Plan,
    query::{Column, Expr},
    schema::{Field, FieldType, Schema},
    search::scan,
    snapshot::{
        Collection, Strings,
        layout::{SectionEntry, malformed},
    },
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
    /// The WHERE as far as the schema alone binds it.
    filter: Option<Bind>,
}

/// A collection whose head is open, and its file.
struct Opened<'s> {
    collection: Arc<Collection>,
    source: &'s dyn ByteSource,
    file: usize,
}

impl Target {
    /// The collection at `place` of the release.
    ///
    /// # Errors
    /// `QueryError` for a literal that does not fit its column, and for tests of lists.
    pub(super) fn new(place: usize, plan: &Plan, schema: &Schema) -> Result<Self> {
        let known = Known { schema, dictionaries: Map::new() };
        let filter = plan.filter.as_ref().map(|expr| Filter::bind(expr, &known)).transpose()?;
        Ok(Self { place, found: None, bytes: 0, filter })
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
        if self.passes() == Some(false) {
            self.found = Some(Vec::new());
            return Ok(());
        }
        let Some(collection) = catalog.collection(self.place, sources, needs)? else { return Ok(()) };
        let file = catalog.collection_file(self.place);
        let opened = Opened { collection, source: catalog.file(file, sources)?, file };
        let wanted = opened.wanted(plan, self.filter.as_ref())?;
        let missing = wanted.iter().filter(|section| !opened.want(section, needs)).count();
        if missing > 0 || (plan.probe.is_some() && query.is_none()) {
            return Ok(());
        }
        self.bytes = wanted.iter().map(|section| section.bytes).sum();
        let mask = opened.mask(plan, self.filter.as_ref())?;
        self.found = Some(match query {
            Some(query) => opened.nearest(plan, query, mask.as_deref())?,
            None => opened.first(plan, mask.as_deref()),
        });
        Ok(())
    }

    /// Whether every row passes the WHERE, or none, whatever the collection holds.
    fn passes(&self) -> Option<bool> {
        match &self.filter {
            Some(Bind::Ready(filter)) => filter.constant(),
            _ => None,
        }
    }
}

impl Opened<'_> {
    /// The sections that the search reads: columns and dictionaries of the WHERE, and the vectors.
    fn wanted(&self, plan: &Plan, filter: Option<&Bind>) -> Result<Vec<SectionEntry>, SnapshotError> {
        let (columns, dictionaries) = match (filter, &plan.filter) {
            (Some(Bind::Ready(filter)), _) => (filter.columns().to_vec(), Vec::new()),
            (Some(Bind::Needs(texts)), Some(expr)) => (expr.columns(), texts.clone()),
            _ => (Vec::new(), Vec::new()),
        };
        let mut sections = Vec::new();
        sections.extend(columns.iter().filter_map(|column| self.values(column)).map(|(_, section)| *section));
        sections.extend(dictionaries.iter().filter_map(|column| self.dictionary(column)));
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

    /// A bit per row: WHERE is true. `None` when every row passes.
    fn mask(&self, plan: &Plan, filter: Option<&Bind>) -> Result<Option<Vec<u64>>> {
        let bound;
        let filter = match (filter, &plan.filter) {
            (Some(Bind::Ready(filter)), _) => filter,
            (Some(Bind::Needs(texts)), Some(expr)) => {
                bound = self.bind(expr, texts)?;
                &bound
            }
            _ => return Ok(None),
        };
        if filter.constant() == Some(true) {
            return Ok(None);
        }
        let mut words = Vec::with_capacity((self.collection.rows() / 64) as usize + 1);
        for first_row in (0..self.collection.rows()).step_by(FILTER_ROWS as usize) {
            words.extend_from_slice(self.mask_block(filter, first_row)?.words());
        }
        Ok(Some(words))
    }

    /// Binds the WHERE with the dictionaries of `texts`.
    fn bind(&self, expr: &Expr, texts: &[Column]) -> Result<Filter> {
        let mut dictionaries = Map::new();
        for column in texts {
            if let Some(section) = self.dictionary(column)
                && let Some(strings) = self.collection.strings(self.source, section)?
            {
                dictionaries.get_or_insert(column.clone(), strings);
            }
        }
        match Filter::bind(expr, &Known { schema: self.collection.schema(), dictionaries })? {
            Bind::Ready(filter) => Ok(filter),
            Bind::Needs(columns) => {
                let names: Vec<String> = columns.iter().map(Column::to_string).collect();
                let reason = format!("the collection has no dictionary of {}", names.join(", "));
                Err(malformed("directory", 0, reason).into())
            }
        }
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
        found.ok_or_else(|| malformed("column", values.1.offset, "the block is not resident"))
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

/// What a WHERE is bound to: the schema, and the dictionaries that are open.
struct Known<'s> {
    schema: &'s Schema,
    dictionaries: Map<Column, Strings<'s>>,
}

impl BindSchema for Known<'_> {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        self.schema.fields.iter().find(|field| field.path == path).map(|field| field.kind.clone())
    }

    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary> {
        self.dictionaries.get(column).map(|strings| strings as &dyn TextDictionary)
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

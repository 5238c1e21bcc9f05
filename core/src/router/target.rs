//! One collection of a statement, opened: its WHERE, bound and evaluated.

use std::sync::Arc;

use super::{Needs, documents::DocumentBlocks, run::Run};
use crate::{
    bytes::ByteSource,
    error::{Result, SnapshotError},
    filter::{Bind, BindSchema, ColumnBlock, ColumnData, Condition, Filter, Mask, TextDictionary},
    gather::Gather as _,
    order::Map,
    plan::Plan,
    query::Column,
    schema::{Field, FieldType, Schema},
    snapshot::{Collection, Section, Strings, layout::malformed},
};

/// Rows are filtered in blocks of this many, as columns are stored.
const FILTER_ROWS: u64 = crate::snapshot::COLUMN_ROWS as u64;

/// A collection whose head is open, and its file.
pub(super) struct Opened<'s> {
    pub(super) collection: Arc<Collection>,
    pub(super) source: &'s dyn ByteSource,
    pub(super) file: usize,
}

impl<'s> Opened<'s> {
    /// Opens the collection at `place` of the release, or notes in `needs` what that takes.
    pub(super) fn open(run: &Run<'s>, place: usize, needs: &mut Needs) -> Result<Option<Self>> {
        let Some(collection) = run.catalog.collection(place, run.sources, needs)? else { return Ok(None) };
        let file = run.catalog.collection_file(place);
        Ok(Some(Self { collection, source: run.catalog.file(file, run.sources)?, file }))
    }
}

/// Whether a WHERE fits the columns of a collection.
///
/// # Errors
/// `QueryError` for a literal that does not fit its column, and for tests that the column does not offer.
pub(super) fn check(condition: &Condition<'_>, schema: &Schema) -> Result<()> {
    Ok(condition.check(&Known { schema, dictionaries: Map::new() })?)
}

/// Binds a WHERE as far as the schema alone goes.
///
/// # Errors
/// As [`check`].
pub(super) fn bind(condition: Option<&Condition<'_>>, schema: &Schema) -> Result<Option<Bind>> {
    let known = Known { schema, dictionaries: Map::new() };
    Ok(condition.map(|condition| condition.bind(&known)).transpose()?)
}

/// Whether every row passes the WHERE, or none, whatever the collection holds.
pub(super) fn passes(filter: Option<&Bind>) -> Option<bool> {
    match filter {
        Some(Bind::Ready(filter)) => filter.constant(),
        Some(_) => None,
        None => Some(true),
    }
}

impl Opened<'_> {
    /// The sections that the WHERE reads: columns and dictionaries.
    pub(super) fn filter_sections(&self, plan: &Plan, filter: Option<&Bind>) -> Vec<Section> {
        let (columns, dictionaries) = match (filter, &plan.filter) {
            (Some(Bind::Ready(filter)), _) => (filter.columns().to_vec(), Vec::new()),
            (Some(Bind::Needs(texts)), Some(expr)) => (expr.columns(), texts.clone()),
            _ => (Vec::new(), Vec::new()),
        };
        let mut sections = Vec::new();
        sections.extend(columns.iter().filter_map(|column| self.values(column)).map(|(_, section)| *section));
        sections.extend(dictionaries.iter().filter_map(|column| self.dictionary(column)));
        sections
    }

    /// Notes a section that is missing, as a whole; says whether it is there.
    pub(super) fn want(&self, section: &Section, needs: &mut Needs) -> bool {
        section.range.is_empty() || needs.check(self.file, self.source, section.range)
    }

    fn values(&self, column: &Column) -> Option<(&Field, &Section)> {
        match column {
            Column::Metadata(path) => self.collection.column(path),
            _ => None,
        }
    }

    fn dictionary(&self, column: &Column) -> Option<&Section> {
        match column {
            Column::Id => self.collection.ids(),
            Column::Metadata(path) => self.collection.dictionary(path),
            _ => None,
        }
    }

    /// The rows for which WHERE is true; or `None`, and a note of the documents that it takes to tell.
    pub(super) fn mask(
        &self,
        run: &Run<'_>,
        filter: Option<&Bind>,
        needs: &mut Needs,
    ) -> Result<Option<Masked>> {
        let bound;
        let filter = match (filter, &run.condition) {
            (Some(Bind::Ready(filter)), _) => filter,
            (Some(Bind::Needs(texts)), Some(condition)) => {
                bound = self.bind(condition, texts)?;
                &bound
            }
            _ => return Ok(Some(Masked::default())),
        };
        if filter.constant() == Some(true) {
            return Ok(Some(Masked::default()));
        }
        let (mut words, mut bytes) = (Vec::with_capacity((self.collection.rows() / 64) as usize + 1), 0);
        let mut complete = true;
        for first_row in (0..self.collection.rows()).step_by(FILTER_ROWS as usize) {
            run.check_stop()?;
            match self.mask_block(run, filter, first_row, &mut bytes, needs)? {
                Some(mask) => words.extend_from_slice(mask.words()),
                None => complete = false,
            }
        }
        Ok(complete.then_some(Masked { words: Some(words), bytes }))
    }

    /// Binds the WHERE with the dictionaries of `texts`.
    fn bind(&self, condition: &Condition<'_>, texts: &[Column]) -> Result<Filter> {
        let mut dictionaries = Map::new();
        for column in texts {
            if let Some(section) = self.dictionary(column)
                && let Some(strings) = self.collection.strings(self.source, section)?
            {
                dictionaries.get_or_insert(column.clone(), strings);
            }
        }
        match condition.bind(&Known { schema: self.collection.schema(), dictionaries })? {
            Bind::Ready(filter) => Ok(filter),
            Bind::Needs(columns) => {
                let names: Vec<String> = columns.iter().map(Column::to_string).gather();
                let reason = format!("the collection has no dictionary of {}", names.join(", "));
                Err(malformed("directory", 0, reason).into())
            }
        }
    }

    fn mask_block(
        &self,
        run: &Run<'_>,
        filter: &Filter,
        first_row: u64,
        bytes: &mut u64,
        needs: &mut Needs,
    ) -> Result<Option<Mask>> {
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
        let Some(place) = filter.columns().iter().position(|column| *column == Column::Document) else {
            return filter.evaluate(rows, &blocks).map(Some);
        };
        if run.shape.shows_records && !self.bring(first_row, &filter.possible(rows, &blocks)?, needs)? {
            return Ok(None);
        }
        let wanted = filter.undecided(rows, &blocks)?;
        let read = DocumentBlocks::read(&self.collection, self.source, first_row, &wanted)?;
        if !read.missing.is_empty() {
            read.missing.iter().for_each(|range| needs.want(self.file, *range));
            return Ok(None);
        }
        *bytes += read.bytes;
        let documents = read.documents()?;
        blocks.get_mut(place).into_iter().for_each(|block| *block = documents.block());
        filter.evaluate(rows, &blocks).map(Some)
    }

    /// Notes the records of rows that are missing; says whether none is. Any of them may be in the answer, and to bring
    /// those for which WHERE was certain after the documents of the others would take a fourth wave.
    fn bring(&self, first_row: u64, rows: &Mask, needs: &mut Needs) -> Result<bool> {
        let (mut last, mut complete) = (None, true);
        for place in rows.iter() {
            let range = self.collection.payload_range(first_row + place as u64)?;
            if last != Some(range) {
                complete &= needs.check(self.file, self.source, range);
                last = Some(range);
            }
        }
        Ok(complete)
    }

    fn column_block(
        &self,
        values: (&Field, &Section),
        first_row: u64,
    ) -> Result<ColumnBlock<'_>, SnapshotError> {
        let block = u32::try_from(first_row / FILTER_ROWS).unwrap_or(u32::MAX);
        let found = self.collection.column_block(self.source, values, block)?;
        found.ok_or_else(|| malformed("column", values.1.range.start, "the block is not resident"))
    }
}

/// What came of a WHERE.
#[derive(Debug, Default)]
pub(super) struct Masked {
    /// A bit per row; `None` when every row passes.
    pub(super) words: Option<Vec<u64>>,
    /// How many bytes of documents it took.
    pub(super) bytes: u64,
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
        let codes = (first_row..).take(rows).map(|row| (row as u32).to_le_bytes()).gather();
        let bitmap = rows.div_ceil(8);
        Self { rows, codes, all: vec![0xff; bitmap], none: vec![0; bitmap] }
    }

    fn block(&self) -> ColumnBlock<'_> {
        ColumnBlock { rows: self.rows, valid: &self.all, data: ColumnData::Text(&self.codes) }
    }
}

//! The result: the rows of one answer, where they come from, and the whole of it as JSON.

use engine::router::{Outcome, ResultRow, ResultSet};
use safer_ffi::prelude::*;

use crate::{
    code::Code,
    error::Fault,
    panic::{guard, or_default},
    report::{CollectionView, ReportText, SetView},
    text::{Chars, LazyText, Text},
    value::{to_text, ValueView},
};

/// The answer to one statement. Immutable: threads may share it. It owns all its texts. Free it with
/// `portolan_result_free`.
#[derive_ReprC(rename = "portolan_result")]
#[repr(opaque)]
#[derive(Debug)]
pub struct Answer {
    set: ResultSet,
    columns: Vec<Text>,
    rows: Vec<Row>,
    collections: Vec<ReportText>,
    notes: Vec<Text>,
    cursor: Option<Text>,
    explanation: Option<Text>,
    plan: LazyText,
    json: LazyText,
}

/// The texts of a row.
#[derive(Debug)]
struct Row {
    collection: Option<Text>,
    id: Option<Text>,
    cells: Vec<LazyText>,
}

impl Row {
    fn new(row: &ResultRow) -> Self {
        let cells = row.cells.iter().map(|_| LazyText::default()).collect();
        Self { collection: row.collection.as_ref().map(Text::new), id: row.id.as_ref().map(Text::new), cells }
    }
}

impl Answer {
    /// Keeps a result set, and its texts in C's form.
    pub(crate) fn new(set: ResultSet) -> Self {
        let columns = set.columns.iter().map(Text::new).collect();
        let rows = set.rows.iter().map(Row::new).collect();
        let explanation = set.explanation.as_ref().map(|explanation| Text::new(&explanation.text));
        Self {
            columns,
            rows,
            collections: set.collections.iter().map(ReportText::new).collect(),
            notes: set.notes.iter().map(Text::new).collect(),
            cursor: set.cursor.as_ref().map(Text::new),
            explanation,
            plan: LazyText::default(),
            json: LazyText::default(),
            set,
        }
    }

    fn value(&self, row: usize, column: usize) -> Option<ValueView> {
        let value = self.set.rows.get(row)?.cells.get(column)?;
        let text = self.rows.get(row)?.cells.get(column)?.get(|| to_text(value));
        Some(ValueView::new(value, text))
    }

    fn collection(&self, place: usize) -> Option<CollectionView> {
        Some(CollectionView::new(self.set.collections.get(place)?, self.collections.get(place)?))
    }

    fn count_of(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.set.collections.iter().filter(|report| wanted(&report.outcome)).count()
    }

    fn json(&self) -> &Text {
        self.json.get(|| Text::new(self.set.to_json().to_string()))
    }
}

/// The whole answer as JSON: `columns`, `rows` (an object per row), `row_ids` (null for a group), `collections` (those
/// `asked`, `skipped` and `failed`), `waves`, `notes`; `sets` for a BATCH, `cursor` where there is a next page, `explanation`
/// and `plan` for an EXPLAIN. NULL for NULL. A view: it lives as long as the result.
#[ffi_export]
pub fn portolan_result_json(result: Option<&Answer>) -> *const Chars {
    Pointer::of(|| result.map(|result| result.json().as_ptr()))
}

/// How many rows the answer has; 0 for NULL.
#[ffi_export]
pub fn portolan_result_row_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.rows.len())
}

/// How many columns the statement selected; 0 for NULL.
#[ffi_export]
pub fn portolan_result_column_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.columns.len())
}

/// The name of a column; NULL when there is no such column. A view: it lives as long as the result.
#[ffi_export]
pub fn portolan_result_column_name(result: Option<&Answer>, column: usize) -> *const Chars {
    Pointer::of(|| Some(result?.columns.get(column)?.as_ptr()))
}

/// The id of a row's record, selected or not; NULL when there is no such row, or the row stands for a group. A view:
/// it lives as long as the result.
#[ffi_export]
pub fn portolan_result_row_id(result: Option<&Answer>, row: usize) -> *const Chars {
    Pointer::of(|| Some(result?.rows.get(row)?.id.as_ref()?.as_ptr()))
}

/// The collection that a row comes from; NULL when there is no such row, or the row stands for a group. A view: it lives
/// as long as the result.
#[ffi_export]
pub fn portolan_result_row_collection(result: Option<&Answer>, row: usize) -> *const Chars {
    Pointer::of(|| Some(result?.rows.get(row)?.collection.as_ref()?.as_ptr()))
}

/// A row's distance to the query; NaN when the statement searched for nothing, or there is no such row.
#[ffi_export]
pub fn portolan_result_row_distance(result: Option<&Answer>, row: usize) -> f64 {
    let distance = result.and_then(|result| result.set.rows.get(row)?.distance);
    distance.map_or(f64::NAN, f64::from)
}

/// What RRF or MMR ranked a row by, larger is better; NaN without either, or when there is no such row.
#[ffi_export]
pub fn portolan_result_row_score(result: Option<&Answer>, row: usize) -> f64 {
    result.and_then(|result| result.set.rows.get(row)?.score).unwrap_or(f64::NAN)
}

/// Which item of a BATCH a row answers, from 0; -1 without BATCH, when its items were fused, or when there is no such
/// row.
#[ffi_export]
pub fn portolan_result_row_item(result: Option<&Answer>, row: usize) -> i64 {
    result.and_then(|result| result.set.rows.get(row)?.item).map_or(-1, i64::from)
}

/// How many items of a BATCH the rows answer; 0 without BATCH, when its items were fused, and for NULL.
#[ffi_export]
pub fn portolan_result_set_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.set.sets.len())
}

/// Which rows answer one item of a BATCH.
///
/// @param out    receives the place of the rows on success
/// @return       0, or `PORTOLAN_CODE_NO_SUCH_CELL`, or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_result_set(result: Option<&Answer>, set: usize, out: Option<Out<'_, SetView>>) -> u32 {
    see(result, out, "set", |result| result.set.sets.get(set).map(|set| (*set).into()))
}

/// The value of a row in a column.
///
/// @param out    receives the value on success; its text is a view that lives as long as the result
/// @return       0, or `PORTOLAN_CODE_NO_SUCH_CELL`, or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_result_value(
    result: Option<&Answer>,
    row: usize,
    column: usize,
    out: Option<Out<'_, ValueView>>,
) -> u32 {
    see(result, out, "cell", |result| result.value(row, column))
}

/// How many remarks the answer carries: what a reader of the rows should know. 0 for NULL.
#[ffi_export]
pub fn portolan_result_note_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.notes.len())
}

/// A remark; NULL when there is no such remark. A view: it lives as long as the result.
#[ffi_export]
pub fn portolan_result_note(result: Option<&Answer>, note: usize) -> *const Chars {
    Pointer::of(|| Some(result?.notes.get(note)?.as_ptr()))
}

/// Where the next page begins: the same statement with AFTER and this text gives it. NULL when there is no further page,
/// or the statement cannot be paged. A view: it lives as long as the result.
#[ffi_export]
pub fn portolan_result_cursor(result: Option<&Answer>) -> *const Chars {
    Pointer::of(|| Some(result?.cursor.as_ref()?.as_ptr()))
}

/// The plan for people, when the statement was an EXPLAIN; else NULL. With EXPLAIN ANALYZE it says what was done, beside
/// the rows. A view: it lives as long as the result.
#[ffi_export]
pub fn portolan_result_explanation(result: Option<&Answer>) -> *const Chars {
    Pointer::of(|| Some(result?.explanation.as_ref()?.as_ptr()))
}

/// The plan as JSON, when the statement was an EXPLAIN; else NULL. A view: it lives as long as the result.
#[ffi_export]
pub fn portolan_result_plan(result: Option<&Answer>) -> *const Chars {
    Pointer::of(|| {
        let result = result?;
        let explanation = result.set.explanation.as_ref()?;
        Some(result.plan.get(|| Text::new(explanation.json.to_json().to_string())).as_ptr())
    })
}

/// How many collections FROM names; 0 for NULL.
#[ffi_export]
pub fn portolan_result_collection_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.collections.len())
}

/// What became of a collection that FROM names, in the order of FROM.
///
/// @param out    receives the report on success; its texts are views that live as long as the result
/// @return       0, or `PORTOLAN_CODE_NO_SUCH_CELL`, or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_result_collection(
    result: Option<&Answer>,
    collection: usize,
    out: Option<Out<'_, CollectionView>>,
) -> u32 {
    see(result, out, "collection", |result| result.collection(collection))
}

/// How many collections failed: without `strict` their rows are missing from the answer. 0 for NULL.
#[ffi_export]
pub fn portolan_result_failed_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.count_of(|outcome| matches!(outcome, Outcome::Failed { .. })))
}

/// How many collections were asked; those that provably hold no match are skipped. 0 for NULL.
#[ffi_export]
pub fn portolan_result_asked_count(result: Option<&Answer>) -> usize {
    result.map_or(0, |result| result.count_of(|outcome| matches!(outcome, Outcome::Asked { .. })))
}

/// Frees a result and everything that was seen through it. NULL is fine.
#[ffi_export]
pub fn portolan_result_free(result: Option<repr_c::Box<Answer>>) {
    or_default(|| drop(result));
}

/// Writes what is to be seen into C's place for it.
fn see<T: ReprC>(
    result: Option<&Answer>,
    out: Option<Out<'_, T>>,
    what: &str,
    find: impl FnOnce(&Answer) -> Option<T>,
) -> u32 {
    guard(None, || {
        let result = result.ok_or_else(|| Fault::null("result"))?;
        let out = out.ok_or_else(|| Fault::null("out"))?;
        out.write(find(result).ok_or_else(|| Fault::new(Code::NoSuchCell, format!("no such {what}")))?);
        Ok(())
    })
}

/// A view on its way out; null where there is nothing to see.
struct Pointer(*const Chars);

impl Default for Pointer {
    fn default() -> Self {
        Self(std::ptr::null())
    }
}

impl Pointer {
    fn of(find: impl FnOnce() -> Option<*const Chars>) -> *const Chars {
        or_default(|| find().map_or_else(Self::default, Self)).0
    }
}

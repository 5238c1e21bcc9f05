//! What routing knows of a collection: bounds, few values, sketches of many. Computed while it is written.

use std::cmp::Ordering;

use super::columns;
use crate::{
    filter::{CollectionStats, FieldStats, Sketch, compare, sketch_hash},
    order::{sort_by, sort_unique},
    schema::{Field, FieldType, Record, Schema, Value},
};

/// A field with more distinct values than this has a sketch of them, not a list.
const DISTINCT_LIMIT: usize = 64;
/// Texts longer than this stay out of the statistics, which are read eagerly.
const STATISTIC_TEXT_BYTES: usize = 128;
/// The sketches of a collection take at most this many bytes. Browsers read those of all collections before the first
/// query: 45 collections of WordNet, 117,791 records, have 16 kB of them.
const SKETCH_BYTES: usize = 1024;

/// The statistics of records that are in the order of their ids. There is no sketch of the ids: those of a collection
/// are all different, so a budget that suits browsers would cover only collections that are small anyway.
pub fn statistics(schema: &Schema, records: &[Record]) -> CollectionStats {
    let ids: Vec<Value> =
        [records.first(), records.last()].into_iter().flatten().map(|r| Value::Text(r.id.clone())).collect();
    let mut id = FieldStats { path: "id".into(), ..FieldStats::default() };
    summarize(&mut id, ids.iter());
    id.distinct = None;
    let mut fields = Vec::with_capacity(schema.fields.len());
    let mut hashes = Vec::with_capacity(schema.fields.len());
    for field in &schema.fields {
        let (stats, many) = field_statistics(field, records);
        fields.push(stats);
        hashes.push(many);
    }
    add_sketches(&mut fields, &hashes);
    CollectionStats { rows: records.len() as u64, id: Some(id), fields }
}

/// The statistics of a field, and the hashes of its values if they are many. Of a list they are those of its items; of
/// what has no column there are only the nulls.
fn field_statistics(field: &Field, records: &[Record]) -> (FieldStats, Vec<u64>) {
    let present = records.iter().filter_map(|r| r.metadata.get(&field.path)).filter(|v| **v != Value::Null);
    let nulls = (records.len() - present.clone().count()) as u64;
    let mut stats = FieldStats { path: field.path.clone(), nulls, ..FieldStats::default() };
    if !columns::has_column(&field.kind) {
        return (stats, Vec::new());
    }
    stats.items = matches!(field.kind, FieldType::List(_));
    summarize(&mut stats, present.clone().flat_map(columns::items));
    let mut hashes = Vec::new();
    if stats.distinct.is_none() && matches!(columns::element(&field.kind), FieldType::Text | FieldType::Int) {
        hashes.extend(present.flat_map(columns::items).filter_map(sketch_hash));
        sort_unique(&mut hashes);
    }
    (stats, hashes)
}

/// The small sketches first: they leave out the most for their bytes.
fn add_sketches(fields: &mut [FieldStats], hashes: &[Vec<u64>]) {
    let mut by_size: Vec<(&mut FieldStats, &Vec<u64>)> =
        fields.iter_mut().zip(hashes).filter(|(_, hashes)| !hashes.is_empty()).collect();
    sort_by(&mut by_size, |(_, a), (_, b)| a.len().cmp(&b.len()));
    let mut left = SKETCH_BYTES;
    for (stats, hashes) in by_size {
        if let Some(rest) = left.checked_sub(Sketch::size(hashes.len())) {
            left = rest;
            stats.sketch = Some(Sketch::new(hashes));
        }
    }
}

/// Values of one type, which [`compare`] compares: numbers are finite, and integers among floats widened.
fn order(a: &Value, b: &Value) -> Ordering {
    compare(a, b).unwrap_or(Ordering::Equal)
}

fn summarize<'a>(stats: &mut FieldStats, values: impl Iterator<Item = &'a Value> + Clone) {
    let mut distinct: Vec<&Value> = Vec::new();
    for value in values.clone() {
        if let Err(place) = distinct.binary_search_by(|probe| order(probe, value)) {
            distinct.insert(place, value);
        }
        if distinct.len() > DISTINCT_LIMIT {
            break;
        }
    }
    let short = |value: &&Value| match value {
        Value::Text(text) => text.len() <= STATISTIC_TEXT_BYTES,
        _ => true,
    };
    let few = distinct.len() <= DISTINCT_LIMIT && distinct.iter().all(short);
    stats.min = values.clone().min_by(|a, b| order(a, b)).filter(short).cloned();
    stats.max = values.max_by(|a, b| order(a, b)).filter(short).cloned();
    stats.distinct = few.then(|| distinct.into_iter().cloned().collect());
}

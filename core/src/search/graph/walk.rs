//! The walk, and where it begins.

use super::{pool::Pool, visited::Visited};
use crate::{
    error::{CatalogError, Result},
    gather::Gather as _,
    quant::prefetch,
    search::{
        Measure,
        clusters::{Part, Query, choose, scan},
    },
    snapshot::graph::NO_LINK,
};

/// How wide the bounds of their codes are: only the order of rows matters here.
const ENTRY_BOUND: f32 = 0.5;
/// How many rows a walk begins with for each one that is wanted, and beside those.
const ENTRIES: (usize, usize) = (2, 16);
/// Rows that are left before the caller is asked again whether to stop.
const ROWS_AT_ONCE: usize = 64;
/// How many rows a walk is expected to meet for each that it keeps.
const MET: usize = 16;

/// A file that can be walked.
pub trait GraphFile {
    /// The neighbours of a row, unchecked, [`NO_LINK`] behind the last one; `None` when they are not resident.
    ///
    /// # Errors
    /// Damage, a row that the file does not have.
    fn links(&self, row: u32) -> Result<Option<&[[u8; 4]]>>;

    /// The verified bytes of a row's vector; `None` when they are not resident.
    ///
    /// # Errors
    /// Damage, a row that the file does not have.
    fn vector(&self, row: u32) -> Result<Option<&[u8]>>;
}

/// What a walk begins with.
#[derive(Debug, Default)]
pub struct Entries {
    /// Rows near the query.
    pub rows: Vec<u32>,
    /// How many slots were scanned to find them.
    pub slots: u32,
}

/// What a walk found.
#[derive(Debug)]
pub struct Walked {
    /// The nearest rows that it saw with their distances, nearest first, equal ones by row.
    pub rows: Vec<(f32, u32)>,
    /// How many rows it compared.
    pub looks: usize,
}

/// Rows near the query, by their codes: those that a walk begins with that is to find the `k` nearest, out of the
/// clusters that alone would find them at `recall`. `None`: cells are not resident.
///
/// # Errors
/// Damage, [`CatalogError::Stopped`].
pub fn enter(
    query: &Query,
    part: &Part<'_>,
    (k, recall): (usize, f32),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Entries>> {
    let all = Part { mask: None, relevant: part.file.table().rows, narrow: false, file: part.file };
    let chosen = choose(query, &[all], k, recall);
    let most = k.saturating_mul(ENTRIES.0).saturating_add(ENTRIES.1);
    let found = scan(query, &[all], &chosen, (most, ENTRY_BOUND), stop)?;
    let slots = chosen.iter().map(|chosen| all.slots(chosen.cluster)).sum();
    Ok(found.map(|found| Entries { rows: found.into_rows(most).map(|entry| entry.row).gather(), slots }))
}

/// The nearest rows to the query of `measure` that a walk from `entries` sees, at most `width`. Every row is compared
/// once, whatever the links say. `None`: a row is not resident.
///
/// # Errors
/// Damage, neighbours that the file does not have, [`CatalogError::Stopped`].
pub fn walk(
    file: &dyn GraphFile,
    measure: &Measure,
    entries: &[u32],
    width: usize,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Walked>> {
    let (mut pool, mut visited) = (Pool::new(width), Visited::new(width.saturating_mul(MET).min(1 << 20)));
    let mut fresh: Vec<(u32, &[u8])> = Vec::new();
    if !meet(file, entries.iter().copied(), &mut visited, &mut fresh)? {
        return Ok(None);
    }
    compare(measure, &mut fresh, &mut pool);
    let mut left = 0;
    while let Some(row) = pool.leave() {
        left += 1;
        if left % ROWS_AT_ONCE == 0 && stop() {
            return Err(CatalogError::Stopped.into());
        }
        let Some(links) = file.links(row)? else { return Ok(None) };
        let links = links.iter().map(|link| u32::from_le_bytes(*link)).take_while(|link| *link != NO_LINK);
        if !meet(file, links, &mut visited, &mut fresh)? {
            return Ok(None);
        }
        // They arrive while the vectors are compared. A row that cannot be read is met again, if at all, as an error.
        if let Some(Ok(Some(links))) = pool.next().map(|next| file.links(next)) {
            prefetch(links.as_flattened());
        }
        compare(measure, &mut fresh, &mut pool);
    }
    Ok(Some(Walked { rows: pool.into_rows(), looks: visited.len() }))
}

/// Asks for the vectors of those of `rows` that are new; says whether all are resident.
fn meet<'f>(
    file: &'f dyn GraphFile,
    rows: impl Iterator<Item = u32>,
    visited: &mut Visited,
    fresh: &mut Vec<(u32, &'f [u8])>,
) -> Result<bool> {
    for row in rows {
        if visited.insert(row) {
            let Some(vector) = file.vector(row)? else { return Ok(false) };
            prefetch(vector);
            fresh.push((row, vector));
        }
    }
    Ok(true)
}

fn compare(measure: &Measure, fresh: &mut Vec<(u32, &[u8])>, pool: &mut Pool) {
    for (row, vector) in fresh.drain(..) {
        let distance = measure.distance(vector);
        // Only forged bytes give a NaN; the row counts as infinitely far, as in an exact scan.
        pool.offer(if distance.is_nan() { f32::INFINITY } else { distance }, row);
    }
}

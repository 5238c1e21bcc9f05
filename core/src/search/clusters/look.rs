//! Comparing the rows that may be among the nearest by the best that the files carry of them.

use super::{Entry, Query, file::Part};
use crate::{
    error::{CatalogError, Result},
    quant::ExtendedQuery,
    search::{Measure, Top},
};

/// Rows that are compared before the caller is asked again whether to stop.
const ROWS_AT_ONCE: usize = 256;

/// So many rows before a row is compared, its vector is asked for: the time in which they are compared is about what the
/// memory needs to bring it.
const AHEAD: usize = 8;

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// To the query.
    pub distance: f32,
    /// The place of its file among those that are searched.
    pub part: u32,
    /// The row in the file.
    pub row: u32,
}

/// What rows are compared by.
#[derive(Debug)]
pub enum Yardstick {
    /// Their vectors.
    Vectors(Measure),
    /// Codes of several bits a component, in files without vectors.
    Codes(ExtendedQuery),
    /// Nothing but the codes that were scanned: the estimates stand for distances.
    Estimates,
}

impl Yardstick {
    /// Codes of so many bits; with none, estimates.
    pub fn codes(query: &Query, bits: u8) -> Self {
        if bits == 0 { Self::Estimates } else { Self::Codes(ExtendedQuery::new(&query.rotated, bits)) }
    }

    /// The distance of a row; `None`: what it takes is not resident.
    fn distance(&self, query: &Query, part: &Part<'_>, entry: &Entry) -> Result<Option<f32>> {
        Ok(match self {
            Self::Vectors(measure) => part.file.vector(entry.row)?.map(|vector| measure.distance(vector)),
            Self::Codes(codes) => part.file.extended(entry.row)?.map(|code| {
                let cluster = ExtendedQuery::cluster(code).unwrap_or(u32::MAX);
                codes.distance(code, query.base_of(part.file.table(), cluster))
            }),
            Self::Estimates => Some(entry.estimate),
        })
    }
}

/// The nearest `k` of `rows`, which come least bounds first, and all that are as near as the last of them; in no order.
/// There is a yardstick for each part.
/// Looking ends at the first row whose bound lies beyond the k-th distance, but not before `least` rows. `None`: what that
/// takes is not resident, see [`missing_rows`].
///
/// # Errors
/// Damage, [`CatalogError::Stopped`].
pub fn look(
    (query, yardsticks): (&Query, &[Yardstick]),
    parts: &[Part<'_>],
    rows: impl Iterator<Item = Entry>,
    (k, least): (usize, usize),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Vec<Near>>> {
    let (mut top, mut seen) = (Top::new(k), Vec::new());
    let bounded = !yardsticks.iter().any(|by| matches!(by, Yardstick::Estimates));
    for (number, entry) in Ahead::new(parts, rows).enumerate() {
        if bounded && entry.low > top.bound() && number >= least {
            break;
        }
        if number % ROWS_AT_ONCE == ROWS_AT_ONCE - 1 && stop() {
            return Err(CatalogError::Stopped.into());
        }
        let place = entry.part as usize;
        let (Some(part), Some(by)) = (parts.get(place), yardsticks.get(place)) else { continue };
        let Some(distance) = by.distance(query, part, &entry)? else { return Ok(None) };
        // Only forged bytes give a NaN; the row counts as infinitely far, as in an exact scan.
        let distance = if distance.is_nan() { f32::INFINITY } else { distance };
        if distance > top.bound() {
            continue;
        }
        top.push(distance, entry.row.into());
        seen.push(Near { distance, part: entry.part, row: entry.row });
    }
    let last = top.bound();
    seen.retain(|near| near.distance <= last);
    Ok(Some(seen))
}

/// Rows in their order, [`AHEAD`] of them known before they are needed.
struct Ahead<'a, I> {
    parts: &'a [Part<'a>],
    rows: I,
    ring: [Option<Entry>; AHEAD],
    place: usize,
}

impl<'a, I: Iterator<Item = Entry>> Ahead<'a, I> {
    fn new(parts: &'a [Part<'a>], rows: I) -> Self {
        let mut ahead = Self { parts, rows, ring: [None; AHEAD], place: 0 };
        for _ in 0..AHEAD {
            ahead.turn();
        }
        ahead
    }

    /// The entry that has waited longest; another takes its place.
    fn turn(&mut self) -> Option<Entry> {
        let next = self.rows.next();
        if let Some(entry) = next
            && let Some(part) = self.parts.get(entry.part as usize)
        {
            part.file.prefetch_vector(entry.row);
        }
        self.place = (self.place + 1) % AHEAD;
        self.ring.get_mut(self.place).and_then(|waiting| std::mem::replace(waiting, next))
    }
}

impl<I: Iterator<Item = Entry>> Iterator for Ahead<'_, I> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.turn()
    }
}

/// The rows of which what their file's yardstick takes is not resident: by part.
///
/// # Errors
/// Damage.
pub fn missing_rows(
    (query, yardsticks): (&Query, &[Yardstick]),
    parts: &[Part<'_>],
    rows: impl Iterator<Item = Entry>,
) -> Result<Vec<(u32, u32)>> {
    let mut missing = Vec::new();
    for entry in rows {
        let place = entry.part as usize;
        if let (Some(part), Some(by)) = (parts.get(place), yardsticks.get(place))
            && by.distance(query, part, &entry)?.is_none()
        {
            missing.push((entry.part, entry.row));
        }
    }
    Ok(missing)
}

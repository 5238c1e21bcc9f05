//! Comparing the vectors of the rows that may be among the nearest.

use super::{Entry, file::Part};
use crate::{
    error::Result,
    search::{Measure, Top},
};

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

/// The nearest `k` of `rows`, which come least bounds first, and all that are as near as the last of them; in no order.
/// Looking ends at the first row whose bound lies beyond the k-th distance, but not before `least` rows. Without a `measure` (files that carry no
/// vectors) the estimates stand for distances. `None`: vectors are not resident, see
/// [`missing_vectors`](super::missing_vectors).
///
/// # Errors
/// Damage.
pub fn look(
    measure: Option<&Measure>,
    parts: &[Part<'_>],
    rows: impl Iterator<Item = Entry>,
    (k, least): (usize, usize),
) -> Result<Option<Vec<Near>>> {
    let (mut top, mut seen) = (Top::new(k), Vec::new());
    for entry in rows {
        if measure.is_some() && entry.low > top.bound() && seen.len() >= least {
            break;
        }
        let distance = match (measure, parts.get(entry.part as usize)) {
            (Some(measure), Some(part)) => match part.file.vector(entry.row)? {
                Some(vector) => measure.distance(vector),
                None => return Ok(None),
            },
            _ => entry.estimate,
        };
        top.push(distance, entry.row.into());
        seen.push(Near { distance, part: entry.part, row: entry.row });
    }
    let last = top.bound();
    seen.retain(|near| near.distance <= last);
    Ok(Some(seen))
}

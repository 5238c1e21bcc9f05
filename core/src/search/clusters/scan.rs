//! Scanning the chosen clusters: every slot's code gives an estimate, the few that may be near enough are kept.

use super::{Candidates, Chosen, Query, file::Part};
use crate::{
    error::{CatalogError, Result},
    quant::{Frame, Mask},
};

/// How many cells are scanned before the bound is tightened: until it is set every slot is kept.
const CELLS: usize = 4;

/// Scans `chosen` for rows of `parts` that may be among the `k` nearest, with error bounds `bound` wide. `None`: cells are
/// not resident, see [`missing_cells`](super::missing_cells).
///
/// # Errors
/// Damage, [`CatalogError::Stopped`].
pub fn scan(
    query: &Query,
    parts: &[Part<'_>],
    chosen: &[Chosen],
    (k, bound): (usize, f32),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Candidates>> {
    let soft = parts.iter().any(|part| part.file.table().soft);
    let (mut candidates, mut found) = (Candidates::new(k, soft), Vec::new());
    for cluster in chosen {
        if stop() {
            return Err(CatalogError::Stopped.into());
        }
        let Some(part) = parts.get(cluster.part as usize) else { continue };
        let table = part.file.table();
        let (a_scale, f_scale) = (table.a_scale, table.f_scale);
        let sparse = part.relevant.saturating_mul(100) < table.rows;
        let mask = part.mask.map(|bits| Mask { bits, sparse });
        let frame = Frame { base: cluster.base, a_scale, f_scale, margin: bound * cluster.reach };
        let stride = part.file.stride().max(1);
        for cells in part.cells(cluster.cluster) {
            let Some(bytes) = part.file.cells(cells)? else { return Ok(None) };
            for run in bytes.chunks(stride * CELLS) {
                query.signs.scan_cells(run, stride, &frame, mask, candidates.bound(), &mut found);
                candidates.take(cluster.part, &mut found);
            }
        }
    }
    Ok(Some(candidates))
}

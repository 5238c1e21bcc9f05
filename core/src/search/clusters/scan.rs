//! Scanning the chosen clusters: every slot's code gives an estimate, the few that may be near enough are kept.

use super::{Candidates, Chosen, Query, file::Part};
use crate::{
    error::{CatalogError, Result},
    quant::{Frame, Mask, cell_bytes},
    snapshot::clusters::{EMPTY_SLOT, slot_rows},
};

/// How many cells are scanned before the bound is tightened: until it is set every slot is kept.
const CELLS: usize = 4;
/// One of so many cells is sampled.
const SAMPLED: usize = 4;

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
            let mut rest = bytes;
            while !rest.is_empty() {
                let cells = if candidates.bound().is_finite() { CELLS } else { 1 };
                let run;
                (run, rest) = rest.split_at((stride * cells).min(rest.len()));
                query.signs.scan_cells(run, stride, &frame, mask, candidates.bound(), &mut found);
                candidates.take(cluster.part, &mut found);
            }
        }
    }
    Ok(Some(candidates))
}

/// How many rows that pass stand in a sample of the chosen cells, and how many are in it. `None`: cells are not resident.
///
/// # Errors
/// Damage.
pub fn sample(parts: &[Part<'_>], chosen: &[Chosen]) -> Result<Option<(u32, u32)>> {
    let (mut passing, mut all) = (0, 0);
    for (cluster, part) in
        chosen.iter().filter_map(|cluster| Some((cluster, parts.get(cluster.part as usize)?)))
    {
        let (stride, width) = (part.file.stride().max(1), cell_bytes(part.file.table().code_dimension));
        for cells in part.cells(cluster.cluster) {
            let Some(bytes) = part.file.cells(cells)? else { return Ok(None) };
            for cell in bytes.chunks(stride).step_by(SAMPLED) {
                for row in slot_rows(cell.get(..width).unwrap_or_default()) {
                    all += u32::from(row != EMPTY_SLOT);
                    passing += u32::from(row != EMPTY_SLOT && part.passes(row));
                }
            }
        }
    }
    Ok(Some((passing, all)))
}

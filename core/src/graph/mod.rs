//! The graph of a snapshot file: which rows a search goes on to from each row.
//!
//! [`of_draft`] takes a draft and the clusters that were built over it, and gives the content of the sections graph and
//! links. Use it when a file is written that is searched where it is in memory as a whole; a search never comes here.
//!
//! Each row's neighbours are chosen by the rule of HNSW (Malkov and Yashunin, <https://arxiv.org/abs/1603.09320>,
//! algorithm 4) out of the nearest rows, which the file's own clusters find: the graph that insertion row by row
//! approaches, without its dependence on their order. Layers above it are not needed, because a search is near the query
//! before it begins to walk: the codes of a few clusters say where. Every row is done on its own, so the same rows give
//! the same bytes on every machine and on any number of threads.

mod build;
mod calibrate;
mod select;
#[cfg(test)]
mod tests;

use crate::{
    cluster::{Built, DraftRows, Parallel, Stage},
    error::{Result, SnapshotError},
    quant::cell_bytes,
    snapshot::{ClusterSections, ClusterTable, Draft, GraphSections},
};

/// How many neighbours a row has at most.
pub const DEGREE: usize = 16;

/// Builds the graph of a draft, and measures what searches of it need. Takes about a second for 10,000 rows of 384
/// components on two threads, and a byte of memory for each component of a row.
///
/// # Errors
/// [`SnapshotError::CannotWrite`] when the clusters are not those of the draft.
pub fn of_draft(draft: &Draft, clusters: &ClusterSections, parallel: &dyn Parallel) -> Result<GraphSections> {
    let (dimension, metric) = (draft.dimension(), draft.metric());
    let table = ClusterTable::read(&clusters.centroids, &clusters.info, draft.rows() as u64, dimension);
    let table = table.ok_or_else(|| SnapshotError::CannotWrite {
        reason: "the graph: the clusters are not those of the draft".into(),
    })?;
    parallel.stage(Stage::Link);
    let rows = DraftRows { rows: draft.vectors().collect(), metric };
    let cells = (clusters.codes.as_slice(), cell_bytes(table.code_dimension));
    let file = Built::new(table, cells, &rows, (dimension, metric), parallel);
    let links = build::links(&file, DEGREE, parallel);
    let cost = calibrate::calibrate(&file, &links, DEGREE, parallel);
    Ok(GraphSections { cost, degree: DEGREE, links: links.concat() })
}

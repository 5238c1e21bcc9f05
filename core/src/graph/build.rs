//! The neighbours of all rows.

use super::select::{Near, Space};
use crate::{
    cluster::{Built, Parallel, map, part},
    metric::Encoding,
    quant::Rotation,
    search::{
        Measure,
        clusters::{Part, Query, Settings, Yardstick, choose, look, scan},
    },
    snapshot::graph::NO_LINK,
};

/// How many of the nearest rows a row's neighbours are chosen from.
const CANDIDATES: usize = 96;
/// The recall at which clusters find them.
const RECALL: f32 = 0.9;
/// Of the rows that chose a row, so many of the nearest may become its neighbours as well.
const CHOSEN_BY: usize = 96;
/// Rows that one job does.
const PART: usize = 256;

/// For each row its neighbours, nearest first, filled up with [`NO_LINK`] to `degree`; by parts of the rows.
pub(super) fn links(file: &Built<'_>, degree: usize, parallel: &dyn Parallel) -> Vec<Vec<u32>> {
    let space = Space::of(file);
    let (count, rotation) = (file.rows(), Rotation::new(space.dimension));
    let chosen = map(parallel, count.div_ceil(PART), &|job| {
        let rows = part(job, PART, count);
        rows.map(|row| space.select(&nearest(&space, &rotation, row), degree)).collect::<Vec<_>>()
    })
    .concat();
    let choosers = choosers(&chosen);
    map(parallel, count.div_ceil(PART), &|job| {
        part(job, PART, count).flat_map(|row| both(&space, &chosen[row], &choosers[row], degree)).collect()
    })
}

/// The rows nearest to a row, as the clusters find them, without itself; ascending.
fn nearest(space: &Space<'_>, rotation: &Rotation, row: usize) -> Vec<Near> {
    let (file, vector) = (space.file, space.vector(row as u32));
    let Some(measure) = Measure::new(space.metric, space.metric, Encoding::I8, &vector) else {
        return Vec::new();
    };
    let query = Query::new(space.metric, rotation, &vector);
    let parts = [Part { file, mask: None, relevant: file.rows() as u64, narrow: false }];
    let (wanted, settings) = (CANDIDATES + 1, Settings::new(CANDIDATES + 1, RECALL));
    let chosen = choose(&query, &parts, wanted, RECALL);
    let stop = || false;
    // Neither can fail: all is in memory.
    let Ok(Some(found)) = scan(&query, &parts, &chosen, (wanted, settings.bound), &stop) else {
        return Vec::new();
    };
    let by = [Yardstick::Vectors(measure)];
    let Ok(Some(found)) = look((&query, &by), &parts, found.into_rows(settings.looks), (wanted, 0), &stop)
    else {
        return Vec::new();
    };
    let others = found.into_iter().filter(|near| near.row as usize != row);
    let mut near: Vec<Near> = others.map(|near| Near { distance: near.distance, row: near.row }).collect();
    near.sort_by(Near::order);
    near.truncate(CANDIDATES);
    near
}

/// For each row the nearest of those that chose it.
fn choosers(chosen: &[Vec<Near>]) -> Vec<Vec<Near>> {
    let mut choosers: Vec<Vec<Near>> = vec![Vec::new(); chosen.len()];
    for (row, near) in (0_u32..).zip(chosen) {
        for one in near {
            choosers[one.row as usize].push(Near { distance: one.distance, row });
        }
    }
    for all in &mut choosers {
        all.sort_by(Near::order);
        all.truncate(CHOSEN_BY);
    }
    choosers
}

/// A row's neighbours out of those that it chose and those that chose it.
fn both(space: &Space<'_>, chosen: &[Near], choosers: &[Near], degree: usize) -> Vec<u32> {
    let known = |near: &&Near| chosen.iter().all(|one| one.row != near.row);
    let mut all: Vec<Near> = chosen.iter().chain(choosers.iter().filter(known)).copied().collect();
    all.sort_by(Near::order);
    let kept = if all.len() > degree { space.select(&all, degree) } else { all };
    let links = kept.into_iter().map(|near| near.row).chain(std::iter::repeat(NO_LINK));
    links.take(degree).collect()
}

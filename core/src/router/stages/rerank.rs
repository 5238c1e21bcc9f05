//! Rankings of ranked rows: MMR and RRF.

use super::merge::distinct;
use crate::{
    error::{CatalogError, Result},
    gather::Gather as _,
    metric::{Encoding, Metric, Scorer, normalize},
    plan::{DEFAULT_RRF_K, Mmr},
    rank::{mmr, rrf},
    router::{
        hit::{Hit, sorted},
        run::{Halt, Run},
        target::Opened,
    },
    snapshot::layout::malformed,
};

/// Chooses rows that are near to the query and far from each other. `hits` are the candidates, nearest first.
pub(super) fn diverse<'o>(
    run: &Run<'_>,
    parameters: Mmr,
    metric: Metric,
    mut hits: Vec<Hit>,
    open: &dyn Fn(usize) -> Result<Option<Opened<'o>>>,
) -> Result<Vec<Hit>, Halt> {
    let mut rows = Vec::with_capacity(hits.len());
    let mut last: Option<(usize, Opened<'o>)> = None;
    for hit in &hits {
        if last.as_ref().is_none_or(|(member, _)| *member != hit.member) {
            let opened = open(hit.member).map_err(|error| Halt::of(hit.member, error))?;
            last = opened.map(|opened| (hit.member, opened));
        }
        let Some((_, opened)) = &last else { continue };
        rows.push(vector(run, opened, hit, metric).map_err(|error| Halt::of(hit.member, error))?);
    }
    let distances: Vec<f32> = hits.iter().map(|hit| hit.distance).gather();
    let (mut scorer, mut stopped) = (None::<(usize, Scorer)>, false);
    let mut between = |chosen: usize, candidate: usize| {
        let (Some(of), Some(to)) = (rows.get(chosen), rows.get(candidate)) else { return f32::INFINITY };
        if scorer.as_ref().is_none_or(|(of, _)| *of != chosen) {
            // One row is compared with all candidates before the next one is chosen.
            stopped |= (run.host.stop)();
            scorer = Some((chosen, Scorer::new(metric, Encoding::F32, &of.0)));
        }
        match &scorer {
            Some((_, scorer)) if !stopped => scorer.distance(&to.1),
            _ => 0.0,
        }
    };
    let chosen = mmr(&distances, parameters.lambda, run.shape.depth, &mut between);
    if stopped {
        return Err(crate::Error::from(CatalogError::Stopped).into());
    }
    let take = |(place, score): (usize, f64)| {
        hits.get_mut(place).map(|hit| Hit { score: Some(score), ..std::mem::take(hit) })
    };
    Ok(chosen.into_iter().filter_map(take).gather())
}

/// The vector of a row as the metric ranks it, as numbers and as a stored row of floats.
fn vector(run: &Run<'_>, opened: &Opened<'_>, hit: &Hit, metric: Metric) -> Result<(Vec<f32>, Vec<u8>)> {
    run.check_stop()?;
    let collection = &opened.collection;
    let mut vector = collection
        .vector(opened.source, hit.row)?
        .map_err(|range| malformed("vectors", range.start, "the block is not resident"))?;
    if metric == Metric::Cosine && collection.schema().metric != Metric::Cosine {
        normalize(&mut vector);
    }
    let row = vector.iter().flat_map(|x| x.to_le_bytes()).gather();
    Ok((vector, row))
}

/// One ranking of several, by ranks alone. A row's distance is the smallest of those it has.
pub(super) fn fused(run: &Run<'_>, lists: Vec<Vec<Hit>>) -> Vec<Hit> {
    let keys: Vec<Vec<u64>> = lists.iter().map(|list| list.iter().map(Hit::key).gather()).gather();
    let scores = rrf(&keys, run.plan.fuse.unwrap_or(DEFAULT_RRF_K));
    let all = sorted(lists.into_iter().flatten().gather(), usize::MAX, &|a: &Hit, b| {
        a.key().cmp(&b.key()).then(a.distance.total_cmp(&b.distance))
    });
    let mut nearest: Vec<Hit> = Vec::with_capacity(all.len());
    for hit in all {
        if nearest.last().is_none_or(|last| last.key() != hit.key()) {
            nearest.push(hit);
        }
    }
    for (key, score) in scores {
        let place = nearest.binary_search_by(|hit| hit.key().cmp(&key)).ok();
        place.and_then(|place| nearest.get_mut(place)).into_iter().for_each(|hit| hit.score = Some(score));
    }
    let better = |a: &Hit, b: &Hit| {
        let score = |hit: &Hit| hit.score.unwrap_or_default();
        score(b).total_cmp(&score(a)).then_with(|| a.exact(b, run))
    };
    let mut hits = distinct(run, sorted(nearest, usize::MAX, &better));
    hits.truncate(run.shape.depth);
    hits
}

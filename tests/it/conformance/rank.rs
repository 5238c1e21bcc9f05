//! The oracle's ranking: distances, the nearest rows, MMR and RRF, over every pair that there is.

use std::cmp::Ordering;

use super::data::{Collection, Record};

/// Distances this near to each other, without being equal, could be ordered otherwise in single precision: a case must
/// not depend on them.
const TOO_NEAR: f64 = 2e-6;

/// Sums of reciprocal ranks this near to each other are meant to be equal, but for the order of adding.
const TOO_NEAR_SUMS: f64 = 1e-12;

/// A row on its way into an answer.
#[derive(Clone, Copy)]
pub struct Hit<'w> {
    pub collection: &'w Collection,
    pub record: &'w Record,
    pub item: Option<usize>,
    pub distance: Option<f64>,
    pub score: Option<f64>,
}

impl Hit<'_> {
    fn is(&self, other: &Hit<'_>) -> bool {
        std::ptr::eq(self.record, other.record)
    }

    /// The last resort of every order: by id, then by collection.
    pub fn by_name(&self, other: &Hit<'_>) -> Ordering {
        (&self.record.id, &self.collection.name).cmp(&(&other.record.id, &other.collection.name))
    }

    pub fn by_distance(&self, other: &Hit<'_>) -> Ordering {
        let distance = |hit: &Hit<'_>| hit.distance.unwrap_or(0.0);
        distance(self).total_cmp(&distance(other)).then(self.by_name(other))
    }
}

/// What a probe's ranking is cut and changed by.
pub struct Ranking {
    pub topk: usize,
    pub similarity: Option<String>,
    pub threshold: Option<f64>,
    pub keep_nearest: bool,
    /// Lambda and candidates.
    pub mmr: Option<(f64, usize)>,
    pub rrf_k: f64,
}

/// What cannot be decided, because numbers lie too near to each other.
pub type Doubt = String;

impl Ranking {
    /// The ranked lists of one probe: one, or one for each space if the metrics of the collections `asked` differ.
    pub fn lists<'w>(
        &self,
        asked: &[&Collection],
        rows: &[Hit<'w>],
        probe: &[f64],
    ) -> Result<Vec<Vec<Hit<'w>>>, Doubt> {
        let mut metrics: Vec<&str> = Vec::new();
        for collection in asked {
            if !metrics.contains(&self.metric(collection)) {
                metrics.push(self.metric(collection));
            }
        }
        let of_metric = |metric: &&str| {
            let of = |hit: &&Hit<'w>| self.metric(hit.collection) == *metric;
            self.list(rows.iter().filter(of).copied().collect(), metric, probe)
        };
        metrics.iter().map(of_metric).collect()
    }

    fn metric<'m>(&'m self, collection: &'m Collection) -> &'m str {
        self.similarity.as_deref().unwrap_or(&collection.metric)
    }

    /// All rows by distance; then the cuts in the order of the language.
    fn list<'w>(&self, mut rows: Vec<Hit<'w>>, metric: &str, probe: &[f64]) -> Result<Vec<Hit<'w>>, Doubt> {
        for hit in &mut rows {
            hit.distance = Some(distance(metric, probe, &hit.record.vector));
        }
        rows.sort_by(Hit::by_distance);
        let wanted = self.mmr.map_or(self.topk, |(_, candidates)| candidates.max(self.topk));
        for pair in rows.windows(2).take(wanted) {
            clear(pair[0].distance.unwrap_or(0.0), pair[1].distance.unwrap_or(0.0), "distances")?;
        }
        if let Some(threshold) = self.threshold {
            for hit in &rows {
                clear(hit.distance.unwrap_or(0.0), threshold, "the threshold")?;
            }
            rows.retain(|hit| hit.distance.unwrap_or(0.0) <= threshold);
        }
        if self.keep_nearest {
            rows = first_of_each_id(rows);
        }
        rows.truncate(wanted);
        match self.mmr {
            Some((lambda, _)) => diverse(rows, metric, lambda, self.topk),
            None => Ok(rows),
        }
    }

    /// Reciprocal rank fusion of several lists into one.
    pub fn fuse<'w>(&self, lists: &[Vec<Hit<'w>>]) -> Result<Vec<Hit<'w>>, Doubt> {
        let mut fused: Vec<Hit<'w>> = Vec::new();
        for list in lists {
            for (rank, hit) in (1..).zip(list) {
                let score = 1.0 / (self.rrf_k + f64::from(rank));
                match fused.iter_mut().find(|known| known.is(hit)) {
                    Some(known) => {
                        known.score = known.score.map(|sum| sum + score);
                        known.distance = known.distance.min_by_value(hit.distance);
                    }
                    None => fused.push(Hit { score: Some(score), item: None, ..*hit }),
                }
            }
        }
        let score = |hit: &Hit<'_>| hit.score.unwrap_or(0.0);
        fused.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.by_distance(b)));
        for pair in fused.windows(2) {
            let gap = score(&pair[0]) - score(&pair[1]);
            if gap > 0.0 && gap < TOO_NEAR_SUMS {
                return Err(format!(
                    "fused scores of {} and {} are a rounding apart",
                    pair[0].record.id, pair[1].record.id
                ));
            }
        }
        if self.keep_nearest {
            // Lists may have kept different rows of an id.
            fused = first_of_each_id(fused);
        }
        fused.truncate(self.topk);
        Ok(fused)
    }
}

trait MinByValue {
    fn min_by_value(self, other: Self) -> Self;
}

impl MinByValue for Option<f64> {
    fn min_by_value(self, other: Self) -> Self {
        Some(self?.min(other?))
    }
}

fn clear(a: f64, b: f64, what: &str) -> Result<(), Doubt> {
    let gap = (a - b).abs();
    if gap > 0.0 && gap < TOO_NEAR * a.abs().max(1.0) {
        return Err(format!("{what} {a} and {b} are too near to each other; change the case"));
    }
    Ok(())
}

/// Of rows with the same id only the first.
pub fn first_of_each_id(rows: Vec<Hit<'_>>) -> Vec<Hit<'_>> {
    let mut kept: Vec<Hit<'_>> = Vec::new();
    for hit in rows {
        if kept.iter().all(|known| known.record.id != hit.record.id) {
            kept.push(hit);
        }
    }
    kept
}

/// Maximal marginal relevance: the candidate that is farthest from what is chosen, weighed against its distance to the
/// query, again and again.
fn diverse<'w>(
    mut rows: Vec<Hit<'w>>,
    metric: &str,
    lambda: f64,
    wanted: usize,
) -> Result<Vec<Hit<'w>>, Doubt> {
    let mut chosen: Vec<Hit<'w>> = Vec::new();
    while chosen.len() < wanted && !rows.is_empty() {
        let value = |hit: &Hit<'_>| {
            let away = chosen
                .iter()
                .map(|other| distance(metric, &hit.record.vector, &other.record.vector))
                .min_by(f64::total_cmp);
            // Nothing is chosen yet: the nearest comes first, whatever lambda.
            (1.0 - lambda) * away.unwrap_or(0.0) - lambda * hit.distance.unwrap_or(0.0)
        };
        let mut best = 0;
        if !chosen.is_empty() {
            for at in 1..rows.len() {
                clear(value(&rows[at]), value(&rows[best]), "marginal relevances")?;
                // Rows are in the order that decides ties.
                if value(&rows[at]) > value(&rows[best]) {
                    best = at;
                }
            }
        }
        let score = Some(value(&rows[best]));
        chosen.push(Hit { score, ..rows.remove(best) });
    }
    Ok(chosen)
}

/// Smaller is nearer for all three.
pub fn distance(metric: &str, a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    match metric {
        "l2" => a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum(),
        "ip" => 1.0 - dot(a, b),
        // A vector of zeros has no direction and is orthogonal to everything.
        _ if dot(a, a) == 0.0 || dot(b, b) == 0.0 => 1.0,
        _ => 1.0 - dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt()),
    }
}

/// All records of the collections, in the order of FROM and then of their ids.
pub fn all_rows<'w>(collections: &[&'w Collection]) -> Vec<Hit<'w>> {
    let mut rows = Vec::new();
    for collection in collections {
        let mut records: Vec<&Record> = collection.records.iter().collect();
        records.sort_by(|a, b| a.id.cmp(&b.id));
        rows.extend(records.into_iter().map(|record| Hit {
            collection,
            record,
            item: None,
            distance: None,
            score: None,
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::data::World;

    fn line(points: &[(&str, f64)]) -> World {
        let record = |(id, x): &(&str, f64)| Record {
            id: (*id).to_owned(),
            document: None,
            metadata: Default::default(),
            vector: vec![*x, 0.0],
        };
        let records = points.iter().map(record).collect();
        World {
            collections: vec![Collection {
                name: "line".into(),
                metric: "l2".into(),
                fields: Default::default(),
                records,
            }],
        }
    }

    fn asked(world: &World) -> Vec<&Collection> {
        world.collections.iter().collect()
    }

    fn ids(hits: &[Hit<'_>]) -> Vec<String> {
        hits.iter().map(|hit| hit.record.id.clone()).collect()
    }

    fn ranking() -> Ranking {
        Ranking { topk: 3, similarity: None, threshold: None, keep_nearest: false, mmr: None, rrf_k: 60.0 }
    }

    #[test]
    fn the_nearest_come_first_and_ties_go_by_id() {
        let world = line(&[("d", 5.0), ("c", -1.0), ("b", 1.0), ("a", 2.0)]);
        let rows = all_rows(&asked(&world));
        let lists = ranking().lists(&asked(&world), &rows, &[0.0, 0.0]).unwrap();
        assert_eq!(ids(&lists[0]), ["b", "c", "a"]);
        let near =
            Ranking { threshold: Some(1.0), ..ranking() }.lists(&asked(&world), &rows, &[0.0, 0.0]).unwrap();
        assert_eq!(ids(&near[0]), ["b", "c"]);
    }

    #[test]
    fn mmr_trades_nearness_for_difference() {
        // By hand, lambda 1/2, query 0. First a (distance 0). Then b: (1 - 1)/2 = 0, c: (4 - 4)/2 = 0, and a tie goes to
        // the nearer b. Then c: (min(4, 1) - 4)/2 = -1.5, then d: (min(9, 4, 1) - 9)/2 = -4.
        let world = line(&[("a", 0.0), ("b", 1.0), ("c", 2.0), ("d", 3.0)]);
        let rows = all_rows(&asked(&world));
        let lists = Ranking { mmr: Some((0.5, 4)), topk: 4, ..ranking() }
            .lists(&asked(&world), &rows, &[0.0, 0.0])
            .unwrap();
        assert_eq!(ids(&lists[0]), ["a", "b", "c", "d"]);
        let scores: Vec<f64> = lists[0].iter().map(|hit| hit.score.unwrap()).collect();
        assert_eq!(scores, [0.0, 0.0, -1.5, -4.0]);
        // Diversity alone takes the farthest next.
        let lists =
            Ranking { mmr: Some((0.0, 4)), ..ranking() }.lists(&asked(&world), &rows, &[0.0, 0.0]).unwrap();
        assert_eq!(ids(&lists[0]), ["a", "d", "b"]);
    }

    #[test]
    fn fusion_adds_reciprocal_ranks() {
        let world = line(&[("a", 0.0), ("b", 1.0), ("c", 3.0)]);
        let rows = all_rows(&asked(&world));
        let ranking = Ranking { topk: 2, rrf_k: 1.0, ..ranking() };
        let lists: Vec<_> = [[0.0, 0.0], [1.25, 0.0]]
            .iter()
            .flat_map(|probe| ranking.lists(&asked(&world), &rows, probe).unwrap())
            .collect();
        // a, b and b, a: each 1/2 + 1/3. The smaller distance of a is 0, of b 1/16.
        let fused = ranking.fuse(&lists).unwrap();
        assert_eq!(ids(&fused), ["a", "b"]);
        assert!((fused[0].score.unwrap() - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(fused[1].distance, Some(0.0625));
    }

    #[test]
    fn what_cannot_be_decided_is_refused() {
        let world = line(&[("a", 1.0), ("b", 1.000_000_1)]);
        let rows = all_rows(&asked(&world));
        assert!(ranking().lists(&asked(&world), &rows, &[0.0, 0.0]).is_err());
    }

    #[test]
    fn distances_follow_their_conventions() {
        assert_eq!(distance("l2", &[1.0, 2.0], &[4.0, 6.0]), 25.0);
        assert_eq!(distance("ip", &[1.0, 2.0], &[4.0, 6.0]), -15.0);
        assert_eq!(distance("cosine", &[3.0, 4.0], &[6.0, 8.0]), 0.0);
        assert_eq!(distance("cosine", &[0.0, 0.0], &[6.0, 8.0]), 1.0);
    }
}

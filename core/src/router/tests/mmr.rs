//! RERANK BY MMR, against the definition written out.

use super::world::{World, check_waves, distance, names};
use crate::metric::Metric;

const QUERY: [f32; 4] = [0.5, 1.0, -0.25, 0.0];

#[test]
fn rows_are_chosen_greedily_by_nearness_and_diversity() {
    let world = World::new();
    for lambda in [0.0, 0.3, 0.5, 1.0] {
        let candidates = &world.nearest(&QUERY, None, &|_| true)[..60];
        let mut chosen: Vec<(usize, f64)> = Vec::new();
        while chosen.len() < 12 {
            let score = |place: usize| {
                let near = f64::from(candidates[place].distance);
                let apart = chosen.iter().map(|(other, _)| {
                    let (a, b) = (&candidates[place].record.vector, &candidates[*other].record.vector);
                    f64::from(distance(Metric::L2, b, a))
                });
                let gain = apart.reduce(f64::min).map_or(0.0, |apart| (1.0 - lambda) * apart);
                gain - lambda * near
            };
            let left = (0..candidates.len()).filter(|place| chosen.iter().all(|(other, _)| other != place));
            let best = match chosen.is_empty() {
                true => 0,
                false => left.fold(usize::MAX, |best, place| {
                    if best == usize::MAX || score(place) > score(best) { place } else { best }
                }),
            };
            chosen.push((best, score(best)));
        }
        let sql = format!(
            "SELECT id, score FROM * USING EMBEDDING (VECTOR [0.5, 1, -0.25, 0]) TOPK 12 \
             RERANK BY MMR(lambda = {lambda}, candidates = 60)"
        );
        let result = world.ask(&sql);
        let expected: Vec<_> = chosen
            .iter()
            .map(|(place, _)| (candidates[*place].collection, candidates[*place].id()))
            .collect();
        assert_eq!(names(&result.rows), expected, "{sql}");
        for (row, (_, score)) in result.rows.iter().zip(&chosen) {
            assert_eq!(row.score, Some(*score), "{sql}");
        }
        // The first rows of a longer selection are the shorter selection.
        let page = world.ask(&format!("{sql} LIMIT 4 OFFSET 1"));
        assert_eq!(names(&page.rows), expected[1..5]);
    }
}

#[test]
fn nearness_alone_is_the_search() {
    let world = World::new();
    let search = "SELECT id FROM * USING EMBEDDING (VECTOR [0.5, 1, -0.25, 0]) TOPK 20";
    let (plain, reranked) = (world.ask(search), world.ask(&format!("{search} RERANK BY MMR(1)")));
    assert_eq!(names(&plain.rows), names(&reranked.rows));
}

#[test]
fn diversity_takes_no_wave_of_its_own() {
    let world = World::new();
    check_waves(&world, "SELECT * FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 5 RERANK BY MMR");
}

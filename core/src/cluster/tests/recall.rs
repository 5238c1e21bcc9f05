//! How well clusters serve a search: what is found in them, and how near estimates come.

use super::{super::*, Rows, Threads, reference::first_rows, sections, wanted};
use crate::quant::ExtendedQuery;

/// The ten nearest of each of some questions: how many of them are in the clusters, and how many among the first
/// estimates.
fn recall(
    rows: &Rows,
    questions: &[Vec<f32>],
    clusters: &Clusters,
    probed: usize,
    looked_at: usize,
) -> (f64, f64, usize) {
    let sections = sections(clusters);
    let rotation = Rotation::new(rows.dimension);
    let scales = (clusters.a_scale, clusters.f_scale);
    let (mut in_clusters, mut found, mut slots) = (0, 0, 0);
    for question in questions {
        let product = |row: &[f32]| row.iter().zip(question).map(|(x, q)| x * q).sum::<f32>();
        let apart = |row: &Vec<f32>| match rows.metric {
            Metric::L2 => row.iter().zip(question).map(|(x, q)| (x - q) * (x - q)).sum(),
            _ => 1.0 - product(row),
        };
        let distances: Vec<f32> = rows.rows.iter().map(apart).collect();
        let mut nearest: Vec<u32> = (0..rows.rows.len() as u32).collect();
        nearest.sort_by(|a, b| distances[*a as usize].total_cmp(&distances[*b as usize]));
        let rotated = rotation.rotate(question);
        let base = |c: &[f32]| match rows.metric {
            Metric::L2 => c.iter().zip(&rotated).map(|(c, q)| (c - q) * (c - q)).sum(),
            _ => 1.0 - c.iter().zip(&rotated).map(|(c, q)| c * q).sum::<f32>(),
        };
        let scan = sections.scan(&rotated, probed, scales, &base);
        let first = first_rows(&scan, probed, looked_at);
        slots += scan.len();
        in_clusters += nearest[..10].iter().filter(|row| scan.iter().any(|slot| slot.row == **row)).count();
        found += nearest[..10].iter().filter(|row| first.contains(row)).count();
    }
    (in_clusters as f64 / 1000.0, found as f64 / 1000.0, slots / 100)
}

#[test]
fn estimates_find_what_is_in_the_clusters() {
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
        let mut rows = Rows { metric, ..Rows::clustered(6000, 64, 50, 15) };
        let questions = rows.questions();
        if metric != Metric::Cosine {
            // Lengths matter there.
            rows.rows.iter_mut().enumerate().for_each(|(i, row)| {
                row.iter_mut().for_each(|x| *x *= 0.8 + 0.4 * (i % 7) as f32 / 7.0);
            });
        }
        let clusters = rows.soft(60);
        let (in_clusters, found, slots) = recall(&rows, &questions, &clusters, 12, 100);
        assert!(in_clusters > 0.9, "{metric:?}: {in_clusters} of the nearest are in {slots} slots");
        assert!(found > in_clusters - 0.03, "{metric:?}: {found} of {in_clusters} found");
        let (all, found, _) = recall(&rows, &questions, &clusters, 60, 100);
        assert_eq!(all, 1.0);
        assert!(found > 0.95, "{metric:?}: {found}");
    }
}

#[test]
fn more_bits_tell_distances_better() {
    let rows = Rows::clustered(600, 40, 20, 17);
    let question = Rotation::new(40).rotate(&Rows::clustered(1, 40, 20, 17).rows[0]);
    let mut last = f64::INFINITY;
    for bits in [2, 4, 8] {
        let options = Options { bits: CodeBits::new(bits).unwrap(), ..wanted(10) };
        let clusters = rows.build(options, &Threads(2)).unwrap();
        assert_eq!(clusters.cells, rows.soft(10).cells);
        assert_eq!(clusters.extended.len(), 600 * clusters.extended_bytes);
        let query = ExtendedQuery::new(&question, bits);
        let mut error = 0.0;
        for (row, code) in clusters.extended.chunks(clusters.extended_bytes).enumerate() {
            let cluster = ExtendedQuery::cluster(code).unwrap() as usize;
            assert!(sections(&clusters).rows(cluster).contains(&(row as u32)));
            let base = 1.0 - product(&sections(&clusters).centroid(cluster), &question);
            let x = Rotation::new(40).rotate(&rows.rows[row]);
            let off = query.distance(code, base) - (1.0 - product(&x, &question));
            error += f64::from(off * off) / 600.0;
        }
        assert!(error.sqrt() < last / 2.0, "{bits} bits: {} after {last}", error.sqrt());
        last = error.sqrt();
    }
    assert!(last < 0.005, "{last}");
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn soft_finds_more_than_hard_in_as_many_slots() {
    let mut rows = Rows::uneven(8100, 128);
    let questions = rows.questions();
    let (hard, soft) = (rows.hard(90), rows.soft(90));
    for probed in [4, 8] {
        let (in_hard, _, hard_slots) = recall(&rows, &questions, &hard, 2 * probed, 1);
        let (in_soft, _, soft_slots) = recall(&rows, &questions, &soft, probed, 1);
        assert!(soft_slots <= hard_slots * 105 / 100, "{soft_slots} and {hard_slots}");
        assert!(in_soft > in_hard + 0.005, "{probed} of soft {in_soft}, of hard {in_hard}");
    }
}

#[test]
fn second_clusters_have_the_least_loss() {
    let rows = Rows::clustered(600, 32, 30, 18);
    let (hard, soft) = (rows.hard(20), rows.soft(20));
    let (hard, soft) = (sections(&hard), sections(&soft));
    let rotation = Rotation::new(32);
    let centroids: Vec<Vec<f32>> = (0..20).map(|cluster| soft.centroid(cluster)).collect();
    for (cluster, row) in (0..20).flat_map(|c| hard.rows(c).into_iter().map(move |row| (c, row))) {
        let x = rotation.rotate(&rows.rows[row as usize]);
        let residual = |c: usize| -> Vec<f32> { x.iter().zip(&centroids[c]).map(|(x, c)| x - c).collect() };
        let first = residual(cluster);
        let loss = |c: usize| {
            let second = residual(c);
            let along = product(&first, &second);
            product(&second, &second) + 1.5 * along * along / product(&first, &first)
        };
        let second = (0..20).find(|c| *c != cluster && soft.rows(*c).contains(&row)).unwrap();
        let least = (0..20).filter(|c| *c != cluster).map(loss).fold(f32::INFINITY, f32::min);
        assert!(loss(second) < least + 0.03, "row {row}: {} instead of {least}", loss(second));
    }
}

/// What spreads are for: residuals along the way to a question deviate by about that much.
#[test]
fn spreads_tell_how_far_residuals_reach_towards_questions() {
    let mut rows = Rows::clustered(4000, 64, 50, 15);
    let questions = rows.questions();
    let clusters = rows.soft(60);
    let sections = sections(&clusters);
    let rotation = Rotation::new(64);
    let (mut measured, mut predicted) = (0.0, 0.0);
    for cluster in 0..60 {
        let centroid = sections.centroid(cluster);
        for question in questions.iter().map(|row| rotation.rotate(row)) {
            let way: Vec<f32> = question.iter().zip(&centroid).map(|(q, c)| q - c).collect();
            let length_sq: f32 = way.iter().map(|x| x * x).sum();
            for row in sections.rows(cluster) {
                let x = rotation.rotate(&rows.rows[row as usize]);
                let along: f32 = x.iter().zip(&centroid).zip(&way).map(|((x, c), w)| (x - c) * w).sum();
                measured += f64::from(along * along / length_sq);
                predicted += f64::from(sections.spread(cluster)).powi(2);
            }
        }
    }
    let ratio = (measured / predicted).sqrt();
    assert!((0.6..1.5).contains(&ratio), "{ratio}");
}

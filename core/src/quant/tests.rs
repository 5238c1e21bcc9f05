//! Codes and estimates together, as a build and a search use them, against exact distances.

use super::{testing::Noise, *};
use crate::metric::Metric;

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::InnerProduct, Metric::L2];

/// Rotated vectors near a centroid, and queries.
struct Sample {
    centroid: Vec<f32>,
    rows: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
}

impl Sample {
    /// Residuals are half as long as the centroid. Everything is `scale` times as large as usual.
    fn new(dimension: usize, rows: usize, queries: usize, scale: f32) -> Self {
        let (mut noise, rotation) = (Noise::new(9), Rotation::new(dimension));
        let centroid = noise.vector(dimension);
        let mut near = |spread: f32| -> Vec<f32> {
            let x = centroid.iter().map(|c| scale * (c + spread * noise.normal())).collect::<Vec<_>>();
            rotation.rotate(&x)
        };
        let rows = (0..rows).map(|_| near(0.5)).collect();
        let queries = (0..queries).map(|_| near(0.7)).collect();
        let centroid = rotation.rotate(&centroid.iter().map(|c| scale * c).collect::<Vec<_>>());
        Self { centroid, rows, queries }
    }

    fn residual(&self, row: &[f32]) -> Vec<f32> {
        row.iter().zip(&self.centroid).map(|(x, c)| x - c).collect()
    }

    /// The length of the row's residual times that of the query's: errors are in this unit, over sqrt(P).
    fn unit(&self, row: &[f32], query: &[f32]) -> f64 {
        let sq = |x: &[f32]| dot(&self.residual(x), &self.residual(x));
        (sq(row) * sq(query) / row.len() as f64).sqrt()
    }

    fn base(&self, metric: Metric, query: &[f32]) -> f32 {
        let of = |a, b| dot(a, b) as f32;
        SlotFactors::base(
            metric,
            of(&self.centroid, query),
            of(query, query),
            of(&self.centroid, &self.centroid),
        )
    }

    fn factors(&self, metric: Metric, row: &[f32], factor: f32, offset: f32) -> SlotFactors {
        let (row_sq, centroid_sq) = (dot(row, row) as f32, dot(&self.centroid, &self.centroid) as f32);
        SlotFactors::new(metric, factor, offset, row_sq, centroid_sq)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    match metric {
        Metric::Cosine | Metric::InnerProduct => 1.0 - dot(a, b),
        Metric::L2 => a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum(),
    }
}

/// Mean and root mean square.
fn moments(errors: &[f64]) -> (f64, f64) {
    let count = errors.len() as f64;
    (errors.iter().sum::<f64>() / count, (errors.iter().map(|e| e * e).sum::<f64>() / count).sqrt())
}

/// The errors of the estimates of all pairs, in units of theory, which is twice as large under L2.
fn sign_errors(sample: &Sample, metric: Metric) -> Vec<f64> {
    let dimension = sample.centroid.len();
    let codes: Vec<_> =
        sample.rows.iter().map(|row| encode_signs(&sample.residual(row), &sample.centroid)).collect();
    let factors: Vec<_> = codes
        .iter()
        .zip(&sample.rows)
        .map(|(code, row)| sample.factors(metric, row, code.factor, code.offset))
        .collect();
    let largest =
        |of: fn(&SlotFactors) -> f32| factors.iter().map(of).fold(0.0_f32, |max, x| max.max(x.abs()));
    let scales = FactorScales {
        a_scale: factor_scale(largest(|f| f.offset)),
        f_scale: factor_scale(largest(|f| f.factor)),
    };
    let slots = codes.iter().zip(&factors).enumerate();
    let slots: Vec<_> =
        slots.map(|(row, (code, &factors))| Slot { signs: &code.signs, factors, row: row as u32 }).collect();
    let mut cells = Vec::new();
    for slots in slots.chunks(SLOTS) {
        pack_cell(slots, dimension, scales, &mut cells);
    }
    let mut errors = Vec::new();
    for query in &sample.queries {
        let FactorScales { a_scale, f_scale } = scales;
        let frame = Frame { base: sample.base(metric, query), a_scale, f_scale, margin: 0.0 };
        let mut out = Vec::new();
        SignQuery::new(query).scan_cells(
            &cells,
            cell_bytes(dimension),
            &frame,
            None,
            f32::INFINITY,
            &mut out,
        );
        assert_eq!(out.len(), sample.rows.len());
        for candidate in out {
            let row = &sample.rows[candidate.row as usize];
            let unit = sample.unit(row, query) * if metric == Metric::L2 { 2.0 } else { 1.0 };
            errors.push((f64::from(candidate.estimate) - distance(metric, row, query)) / unit);
        }
    }
    errors
}

/// Theorem 3.2 of RaBitQ: no bias, and for <o,o'> = 0.8 an error of sqrt(1 - 0.64) / 0.8 = 0.75. The query's integers
/// add a little.
#[test]
fn sign_codes_estimate_without_bias_and_as_exactly_as_theory_says() {
    for (dimension, scale) in [(100, 1.0), (384, 1.0), (384, 1e-9), (1536, 1e6)] {
        let sample = Sample::new(dimension, 200, 40, scale);
        for metric in METRICS {
            // 1 - <x,q> of a float has no room for the products of tiny vectors.
            if scale < 1.0 && metric != Metric::L2 {
                continue;
            }
            let (mean, error) = moments(&sign_errors(&sample, metric));
            assert!(mean.abs() < 0.06, "{metric:?} of {dimension}: bias {mean}");
            assert!((0.65..0.85).contains(&error), "{metric:?} of {dimension}: error {error}");
        }
    }
}

fn extended_errors(sample: &Sample, metric: Metric, bits: u8) -> Vec<f64> {
    let mut errors = Vec::new();
    let queries: Vec<_> = sample.queries.iter().map(|query| ExtendedQuery::new(query, bits)).collect();
    for row in &sample.rows {
        let code = encode_extended(&sample.residual(row), &sample.centroid, bits);
        let mut bytes = Vec::new();
        let factors = sample.factors(metric, row, code.factor, code.offset);
        pack_extended(77, factors, &code.codes, &mut bytes);
        assert_eq!(bytes.len(), extended_bytes(row.len(), bits));
        assert_eq!(ExtendedQuery::cluster(&bytes), Some(77));
        for (query, extended) in sample.queries.iter().zip(&queries) {
            let estimate = extended.distance(&bytes, sample.base(metric, query));
            let unit = sample.unit(row, query) * if metric == Metric::L2 { 2.0 } else { 1.0 };
            errors.push((f64::from(estimate) - distance(metric, row, query)) / unit);
        }
    }
    errors
}

/// The paper's bound, 5.75 / 2^B over sqrt(D) for nearly all pairs, is some three times the root mean square.
#[test]
fn every_bit_more_halves_the_error_of_extended_codes() {
    let sample = Sample::new(384, 60, 30, 1.0);
    for metric in METRICS {
        let mut last = 0.75;
        for bits in 2..=8 {
            let (mean, error) = moments(&extended_errors(&sample, metric, bits));
            assert!(mean.abs() < 0.1 * last, "{metric:?}, {bits} bits: bias {mean}");
            assert!(error < 0.65 * last, "{metric:?}, {bits} bits: {error} after {last}");
            assert!(error < 2.0 / f64::from(1_u32 << bits), "{metric:?}, {bits} bits: {error}");
            last = error;
        }
    }
}

#[test]
fn a_row_at_its_centroid_is_exact() {
    let sample = Sample::new(40, 0, 1, 1.0);
    let nothing = vec![0.0; 40];
    let signs = encode_signs(&nothing, &sample.centroid);
    assert_eq!((signs.factor, signs.offset), (0.0, 0.0));
    for bits in 2..=8 {
        let code = encode_extended(&nothing, &sample.centroid, bits);
        assert_eq!((code.factor, code.offset, code.codes.len()), (0.0, 0.0, 5 * usize::from(bits)));
    }
}

#[test]
fn a_cell_holds_what_was_packed() {
    let mut noise = Noise::new(4);
    let scales = FactorScales { a_scale: 0.25, f_scale: 2.0 };
    for (dimension, count) in [(8, 0), (8, 1), (104, 17), (384, 32)] {
        let signs: Vec<Vec<u8>> = (0..count).map(|_| noise.bytes(dimension / 8)).collect();
        let factors = |j: usize| SlotFactors { offset: 0.25 * j as f32, factor: -2.0 * j as f32 };
        let slots = signs.iter().enumerate();
        let slots: Vec<_> = slots
            .into_iter()
            .map(|(j, signs)| Slot { signs, factors: factors(j), row: 7 * j as u32 })
            .collect();
        let mut bytes = Vec::new();
        pack_cell(&slots, dimension, scales, &mut bytes);
        assert_eq!(bytes.len(), cell_bytes(dimension));
        let got = unpack_cell(&bytes, dimension, scales);
        let want: Vec<_> = slots.iter().map(|s| (s.signs.to_vec(), s.factors, s.row)).collect();
        assert_eq!(got, want);
        assert!(unpack_cell(&bytes[1..], dimension, scales).is_empty());
    }
}

#[test]
fn factors_of_any_magnitude_get_a_scale_that_half_floats_can_hold() {
    for largest in [1e-40_f32, 1e-30, 0.1, 1.0, 8191.0, 8192.0, 1e30, f32::MAX] {
        let scale = factor_scale(largest);
        assert_eq!(scale.to_bits() & 0x007f_ffff, 0, "{largest:e}");
        let stored = largest / scale;
        assert!(stored < 16384.0 && (stored >= 8192.0 || largest < 1e-30), "{largest:e} as {stored}");
    }
    assert_eq!(factor_scale(0.0), 1.0);
}

/// Centroids and rows of bytes: the integers are those of the numbers that the bytes mean.
#[test]
fn a_query_of_bytes_approximates_its_products() {
    let mut noise = Noise::new(6);
    let query = noise.vector(136);
    let bytes = ByteQuery::new(&query);
    let rows = noise.bytes(3 * 68);
    let mut dots = [0; 3];
    bytes.dot_nibbles(&rows, &mut dots);
    for (row, dot_of_row) in rows.chunks(68).zip(dots) {
        let numbers = row.iter().flat_map(|byte| [byte & 15, byte >> 4]);
        let numbers: Vec<f32> = numbers.map(|u| 2.0 * f32::from(u) - 15.0).collect();
        assert!((dot(&numbers, &query) - f64::from(bytes.delta) * f64::from(dot_of_row)).abs() < 3.0);
    }
    let row = noise.bytes(136);
    let numbers: Vec<f32> = row.iter().map(|byte| f32::from(byte.cast_signed())).collect();
    let got = f64::from(bytes.delta) * f64::from(bytes.dot_bytes(&row));
    assert!((dot(&numbers, &query) - got).abs() < 20.0);
    let mut two = [0; 2];
    bytes.dot_rows(&[row.as_slice(), &[1; 8], &row, &[2; 8]].concat(), 144, &mut two);
    assert_eq!(two, [bytes.dot_bytes(&row); 2]);
}

/// What comes from a broken file is no cause for a panic.
#[test]
fn bytes_of_the_wrong_length_do_no_harm() {
    let query = [1.0; 16];
    let signs = SignQuery::new(&query);
    let frame = Frame { base: 0.0, a_scale: 1.0, f_scale: f32::NAN, margin: 0.0 };
    let mut out = Vec::new();
    for length in [0, 1, 63, 64, 200, 319] {
        for stride in [0, 1, 320, usize::MAX] {
            signs.scan_cells(&vec![0xff; length], stride, &frame, None, 1.0, &mut out);
        }
        ByteQuery::new(&query).dot_nibbles(&vec![0; length], &mut [0; 3]);
        ByteQuery::new(&query).dot_bytes(&vec![0; length]);
    }
    assert!(out.is_empty());
    assert_eq!(ExtendedQuery::new(&query, 4).distance(&[0; 19], 0.0), f32::INFINITY);
    assert_eq!(ExtendedQuery::new(&[], 4).distance(&[0; 12], 0.5), 0.5);
    ByteQuery::new(&[]).dot_nibbles(&[1, 2], &mut [0; 3]);
}

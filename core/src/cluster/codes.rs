//! The codes of all rows against their centroids.

use super::{
    CodeBits, Parallel,
    cells::Places,
    centroids::Centroids,
    jobs::{map, part},
    rows::Source,
};
use crate::{
    error::{InputError, Result},
    metric::Metric,
    quant::{SignCode, SlotFactors, encode_signs},
};

/// Rows that one job encodes.
const PART: usize = 512;

/// The sign code of a slot, before its factors are cut to 16 bits.
pub(super) struct Slot {
    pub(super) signs: Vec<u8>,
    pub(super) factors: SlotFactors,
}

/// The codes of all rows.
pub(super) struct Codes {
    /// Of row `r` and its first cluster `[r][0]`; of its second `[r][1]`.
    pub(super) slots: Vec<[Option<Slot>; 2]>,
    /// One block for each row.
    pub(super) extended: Vec<u8>,
}

pub(super) fn encode(
    source: &Source<'_>,
    centroids: &Centroids,
    places: &Places<'_>,
    bits: CodeBits,
    parallel: &dyn Parallel,
) -> Result<Codes> {
    let _ = bits;
    let encoder = Encoder { source, centroids, places, norms: norms(centroids) };
    let mut codes = Codes { slots: Vec::with_capacity(source.count), extended: Vec::new() };
    for done in map(parallel, source.count.div_ceil(PART), &|job| encoder.part(job)) {
        let done = done?;
        codes.slots.extend(done.slots);
        codes.extended.extend(done.extended);
    }
    Ok(codes)
}

fn norms(centroids: &Centroids) -> Vec<f32> {
    (0..centroids.count()).map(|c| centroids.norm_sq(c)).collect()
}

struct Encoder<'a> {
    source: &'a Source<'a>,
    centroids: &'a Centroids,
    places: &'a Places<'a>,
    norms: Vec<f32>,
}

impl Encoder<'_> {
    fn part(&self, job: usize) -> Result<Codes, InputError> {
        let rows = part(job, PART, self.source.count);
        let mut codes = Codes { slots: Vec::with_capacity(rows.len()), extended: Vec::new() };
        let mut vector = vec![0.0; self.source.shape.dimension];
        let (mut rotated, mut centroid, mut residual) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            self.source.vectors.read(row, &mut vector);
            self.source.rotation.rotate_into(&vector, &mut rotated);
            let slots = self.places.clusters(row).map(|cluster| {
                let cluster = cluster? as usize;
                self.centroids.decode(cluster, &mut centroid);
                residual.clear();
                residual.extend(rotated.iter().zip(&centroid).map(|(x, c)| x - c));
                Some(self.slot(cluster, &rotated, encode_signs(&residual, &centroid)))
            });
            let fits = |slot: &Slot| slot.factors.offset.is_finite() && slot.factors.factor.is_finite();
            if !slots.iter().flatten().all(fits) {
                return Err(too_large(row, &vector));
            }
            codes.slots.push(slots);
        }
        Ok(codes)
    }

    fn slot(&self, cluster: usize, x: &[f32], code: SignCode) -> Slot {
        let centroid_sq = self.norms.get(cluster).copied().unwrap_or_default();
        let metric = self.source.shape.metric;
        // Only there is it asked for.
        let vector_sq = if metric == Metric::L2 { x.iter().map(|x| x * x).sum() } else { 0.0 };
        let factors = SlotFactors::new(metric, code.factor, code.offset, vector_sq, centroid_sq);
        Slot { signs: code.signs, factors }
    }
}

/// The error of a vector whose factors overflow although its squared length does not. They are sums of at most
/// sqrt(P) squared lengths, so that vectors of a sixteenth have room.
fn too_large(row: usize, vector: &[f32]) -> InputError {
    let largest = vector.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    let (position, value) = largest.map_or((0, 0.0), |(position, value)| (position, *value));
    InputError::OutOfRange { record: format!("row {row}"), position, value, limit: value.abs() / 16.0 }
}

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
    quant::{SlotFactors, encode_extended, encode_signs, pack_extended},
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
    pub(super) bits: CodeBits,
    /// Of row `r` and its first cluster `[r][0]`; of its second `[r][1]`.
    pub(super) slots: Vec<[Option<Slot>; 2]>,
    /// One block for each row.
    pub(super) extended: Vec<u8>,
}

/// The codes of all rows against the centroids of their clusters.
pub(super) fn encode(
    source: &Source<'_>,
    centroids: &Centroids,
    places: &Places<'_>,
    bits: CodeBits,
    parallel: &dyn Parallel,
) -> Result<Codes> {
    let encoder = Encoder { source, centroids, places, bits, norms: norms(centroids) };
    let mut codes = Codes { bits, slots: Vec::with_capacity(source.count), extended: Vec::new() };
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
    bits: CodeBits,
    norms: Vec<f32>,
}

impl Encoder<'_> {
    fn part(&self, job: usize) -> Result<Codes, InputError> {
        let rows = part(job, PART, self.source.count);
        let mut codes =
            Codes { bits: self.bits, slots: Vec::with_capacity(rows.len()), extended: Vec::new() };
        let mut vector = vec![0.0; self.source.shape.dimension];
        let mut rotated = Vec::new();
        for row in rows {
            self.source.vectors.read(row, &mut vector);
            self.source.rotation.rotate_into(&vector, &mut rotated);
            let [first, second] = self.places.clusters(row);
            let fits = self.push(&rotated, first, second, &mut codes);
            fits.ok_or_else(|| too_large(row, &vector))?;
        }
        Ok(codes)
    }

    /// Appends the codes of a rotated vector. None if a factor is infinite.
    fn push(&self, x: &[f32], first: Option<u32>, second: Option<u32>, codes: &mut Codes) -> Option<()> {
        let mut slots = [None, None];
        for (cluster, slot) in [first, second].into_iter().zip(&mut slots) {
            let Some(cluster) = cluster else { continue };
            let (centroid, residual) = self.residual(x, cluster);
            let code = encode_signs(&residual, &centroid);
            let factors = self.factors(x, cluster, code.factor, code.offset)?;
            *slot = Some(Slot { signs: code.signs, factors });
        }
        codes.slots.push(slots);
        if self.bits.get() > 1
            && let Some(cluster) = first
        {
            let (centroid, residual) = self.residual(x, cluster);
            let code = encode_extended(&residual, &centroid, self.bits.get());
            let factors = self.factors(x, cluster, code.factor, code.offset)?;
            pack_extended(cluster, factors, &code.codes, &mut codes.extended);
        }
        Some(())
    }

    /// The centroid of a cluster, and what it leaves of a rotated vector.
    fn residual(&self, x: &[f32], cluster: u32) -> (Vec<f32>, Vec<f32>) {
        let mut centroid = Vec::with_capacity(x.len());
        self.centroids.decode(cluster as usize, &mut centroid);
        let residual = x.iter().zip(&centroid).map(|(x, c)| x - c).collect();
        (centroid, residual)
    }

    fn factors(&self, x: &[f32], cluster: u32, factor: f32, offset: f32) -> Option<SlotFactors> {
        let metric = self.source.shape.metric;
        let centroid_sq = self.norms.get(cluster as usize).copied().unwrap_or_default();
        // Only there is it asked for.
        let vector_sq = if metric == Metric::L2 { x.iter().map(|x| x * x).sum() } else { 0.0 };
        let factors = SlotFactors::new(metric, factor, offset, vector_sq, centroid_sq);
        (factors.offset.is_finite() && factors.factor.is_finite()).then_some(factors)
    }
}

/// The error of a vector whose factors overflow although its squared length does not. They are sums of at most
/// sqrt(P) squared lengths, so that vectors of a sixteenth have room.
fn too_large(row: usize, vector: &[f32]) -> InputError {
    let largest = vector.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    let (position, value) = largest.map_or((0, 0.0), |(position, value)| (position, *value));
    InputError::OutOfRange { record: format!("row {row}"), position, value, limit: value.abs() / 16.0 }
}

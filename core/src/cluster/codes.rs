//! The codes of all rows against their centroids.

use super::{
    CodeBits, Parallel,
    cells::Places,
    centroids::Centroids,
    interim::{SignCode, encode_signs},
    jobs::{map, part},
    rows::Source,
};
use crate::metric::Metric;

/// Rows that one job encodes.
const PART: usize = 512;

/// The sign code of a slot, before its factors are cut to 16 bits.
pub(super) struct Slot {
    pub(super) signs: Vec<u8>,
    pub(super) a: f32,
    pub(super) f: f32,
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
) -> Codes {
    let _ = bits;
    let encoder = Encoder { source, centroids, places, norms: norms(centroids) };
    let mut codes = Codes { slots: Vec::with_capacity(source.count), extended: Vec::new() };
    for done in map(parallel, source.count.div_ceil(PART), &|job| encoder.part(job)) {
        codes.slots.extend(done.slots);
        codes.extended.extend(done.extended);
    }
    codes
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
    fn part(&self, job: usize) -> Codes {
        let rows = part(job, PART, self.source.count);
        let mut codes = Codes { slots: Vec::with_capacity(rows.len()), extended: Vec::new() };
        let mut vector = vec![0.0; self.source.shape.dimension];
        let (mut rotated, mut centroid, mut residual) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            self.source.vectors.read(row, &mut vector);
            self.source.rotation.rotate_into(&vector, &mut rotated);
            codes.slots.push(self.places.clusters(row).map(|cluster| {
                let cluster = cluster? as usize;
                self.centroids.decode(cluster, &mut centroid);
                residual.clear();
                residual.extend(rotated.iter().zip(&centroid).map(|(x, c)| x - c));
                Some(self.slot(cluster, &rotated, encode_signs(&residual, &centroid)))
            }));
        }
        codes
    }

    fn slot(&self, cluster: usize, x: &[f32], code: SignCode) -> Slot {
        let norm_sq = self.norms.get(cluster).copied().unwrap_or_default();
        let (a, f) = match self.source.shape.metric {
            Metric::Cosine | Metric::InnerProduct => (-code.offset, -code.factor),
            Metric::L2 => {
                let x_sq: f32 = x.iter().map(|x| x * x).sum();
                (x_sq - norm_sq - 2.0 * code.offset, -2.0 * code.factor)
            }
        };
        Slot { signs: code.signs, a, f }
    }
}

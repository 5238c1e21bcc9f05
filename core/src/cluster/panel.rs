//! Centroids laid out for the kernels, and the scores of rows against all of them.

use super::{
    centroids::Centroids,
    kernel::{self, GROUP},
    rows::Rows,
};

/// Rows whose sums are kept at once: with a group of centroids they fit in the first-level cache.
const BLOCK: usize = 64;

/// All centroids in groups of [`GROUP`], four components of each side by side; the last group is filled up with zeros.
pub(super) struct Panel {
    width: usize,
    count: usize,
    top: i32,
    bytes: Vec<u8>,
    scales: Vec<f32>,
    /// Half of the squared length of each centroid.
    pub(super) halves: Vec<f32>,
}

impl Panel {
    pub(super) fn new(centroids: &Centroids) -> Self {
        let (width, count) = (centroids.width, centroids.count());
        let padded = count.next_multiple_of(GROUP);
        let mut bytes = vec![0; padded * width];
        for c in 0..count {
            let (group, place) = (c / GROUP, c % GROUP);
            for (quad, code) in centroids.code(c).as_chunks::<4>().0.iter().enumerate() {
                let at = group * GROUP * width + (quad * GROUP + place) * 4;
                bytes.get_mut(at..at + 4).into_iter().for_each(|to| to.copy_from_slice(code));
            }
        }
        let halves = (0..count).map(|c| 0.5 * centroids.norm_sq(c)).collect();
        let top = i32::from(centroids.top);
        Self { width, count, top, bytes, scales: centroids.scales.clone(), halves }
    }

    /// Calls `each` with the number of every row of `rows` and its scores: half of its squared distance to each
    /// centroid less half of its own squared length.
    pub(super) fn score(&self, rows: &Rows, numbers: &[u32], each: &mut dyn FnMut(u32, &[f32])) {
        let stride = self.count.next_multiple_of(GROUP);
        let mut bytes = Vec::with_capacity(BLOCK * self.width);
        let mut sums = vec![0; BLOCK * stride];
        let mut scores = vec![0.0; self.count];
        for numbers in numbers.chunks(BLOCK) {
            bytes.clear();
            numbers.iter().for_each(|row| bytes.extend_from_slice(rows.row(*row as usize)));
            for (group, codes) in self.bytes.chunks_exact(GROUP * self.width).enumerate() {
                let Some(out) = sums.get_mut(group * GROUP..) else { continue };
                kernel::sums(codes, &bytes, self.width, out, stride);
            }
            for (row, sums) in numbers.iter().zip(sums.chunks_exact(stride)) {
                self.finish(rows, *row as usize, sums, &mut scores);
                each(*row, &scores);
            }
        }
    }

    /// The scores of centroid `c` itself.
    pub(super) fn score_centroid(&self, centroids: &Centroids, c: usize) -> Vec<f32> {
        // Levels of four bits are from -15 to 15.
        let bytes = centroids.levels(c).map(|level| level as i8).collect();
        let own = Rows { width: self.width, bytes, scales: vec![centroids.scale(c)], unit: 1.0 };
        let mut own_scores = Vec::new();
        self.score(&own, &[0], &mut |_, scores| own_scores = scores.to_vec());
        own_scores
    }

    /// The scores of a row from its sums of codes times bytes.
    fn finish(&self, rows: &Rows, row: usize, sums: &[i32], scores: &mut [f32]) {
        let offset = self.top * rows.row(row).iter().map(|byte| i32::from(*byte)).sum::<i32>();
        let scale = rows.scale(row);
        let centroids = sums.iter().zip(&self.scales).zip(&self.halves);
        for (score, ((sum, unit), half)) in scores.iter_mut().zip(centroids) {
            *score = half - scale * (unit * (2 * sum - offset) as f32);
        }
    }
}

/// The place of the least score, the first of equal ones.
pub(super) fn least(scores: &[f32]) -> u32 {
    // In lanes, so that comparing takes as many at once as the processor can.
    let mut lanes = [f32::INFINITY; 16];
    let (blocks, rest) = scores.as_chunks::<16>();
    for block in blocks {
        for (least, score) in lanes.iter_mut().zip(block) {
            *least = if score < least { *score } else { *least };
        }
    }
    let least = rest.iter().chain(&lanes).fold(f32::INFINITY, |least, x| if *x < least { *x } else { least });
    scores.iter().position(|score| *score == least).unwrap_or_default() as u32
}

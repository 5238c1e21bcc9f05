//! Sums of floats in one fixed order, for encoders.
//!
//! Component `i` belongs to lane `i % 16`; the lanes are folded in halves. The compiler turns this into vector code of
//! any width, and every machine gets the same bits. Scores over stored rows have kernels of their own.

const LANES: usize = 16;

/// The sum of `term(a_i, b_i)`, without fused operations.
#[inline(always)]
pub(super) fn sum_pairs(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += term(a[i], b[i]);
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += term(a, b);
    }
    fold(lanes)
}

fn fold(lanes: [f32; LANES]) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The product of two vectors of one length.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_pairs(a, b, |a, b| a * b)
}

/// The largest magnitude; 0 for none.
#[inline(always)]
pub(super) fn largest(x: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        for i in 0..LANES {
            lanes[i] = if block[i].abs() > lanes[i] { block[i].abs() } else { lanes[i] };
        }
    }
    rest.iter().chain(&lanes).fold(0.0, |max: f32, x| max.max(x.abs()))
}

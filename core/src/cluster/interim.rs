//! Interim: the rotation and the sign code as the format defines them, until `quant` has them.
#![allow(missing_docs)]

pub struct Rotation {
    dimension: usize,
    width: usize,
    signs: Vec<f32>,
}

const SEED: u64 = 0x706f_7274_6f6c_616e;

fn splitmix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rotation {
    pub fn new(dimension: usize) -> Self {
        let width = dimension.next_multiple_of(8);
        let mut signs = Vec::new();
        for round in 0..4_u64 {
            for i in 0..width as u64 {
                let word = splitmix(SEED.wrapping_add(round << 32).wrapping_add(i / 64));
                signs.push(if word >> (i % 64) & 1 == 1 { -1.0 } else { 1.0 });
            }
        }
        Self { dimension, width, signs }
    }

    pub fn code_dimension(&self) -> usize {
        self.width
    }

    pub fn rotate_into(&self, x: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(&x[..self.dimension]);
        out.resize(self.width, 0.0);
        let p = if self.width == 0 { 0 } else { 1 << self.width.ilog2() };
        for round in 0..4 {
            for (x, sign) in out.iter_mut().zip(&self.signs[round * self.width..]) {
                *x *= sign;
            }
            let start = if round % 2 == 0 { 0 } else { self.width - p };
            hadamard(&mut out[start..start + p]);
            if p < self.width {
                let (low, high) = out.split_at_mut(self.width / 2);
                for (a, b) in low.iter_mut().zip(high) {
                    (*a, *b) = (
                        (*a + *b) * std::f32::consts::FRAC_1_SQRT_2,
                        (*a - *b) * std::f32::consts::FRAC_1_SQRT_2,
                    );
                }
            }
        }
    }
}

fn hadamard(x: &mut [f32]) {
    let mut half = 1;
    while half < x.len() {
        for pair in x.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (x.len() as f32).sqrt();
    x.iter_mut().for_each(|x| *x *= scale);
}

pub struct SignCode {
    pub signs: Vec<u8>,
    pub factor: f32,
    pub offset: f32,
}

pub fn encode_signs(residual: &[f32], centroid: &[f32]) -> SignCode {
    let mut signs = vec![0_u8; residual.len() / 8];
    let mut lanes = [[0.0_f32; 8]; 4];
    for ((sign, r), c) in signs.iter_mut().zip(residual.as_chunks::<8>().0).zip(centroid.as_chunks::<8>().0) {
        for i in 0..8 {
            *sign |= u8::from(r[i] >= 0.0) << i;
            lanes[0][i] += r[i] * r[i];
            lanes[1][i] += r[i].abs();
            lanes[2][i] += r[i] * c[i];
            lanes[3][i] += if r[i] >= 0.0 { c[i] } else { -c[i] };
        }
    }
    let [rr, ra, rc, sc] = lanes.map(|l| ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7])));
    let factor = if ra > 0.0 { rr / ra } else { 0.0 };
    SignCode { signs, factor, offset: rc - factor * sc }
}

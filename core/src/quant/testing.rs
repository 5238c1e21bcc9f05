//! Seeded numbers for the tests of this folder.

/// A small generator: Marsaglia's xorshift.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn byte(&mut self) -> u8 {
        (self.next() >> 32) as u8
    }

    /// A float from -1 to 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// About normally distributed, with variance 1.
    pub(super) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() / 2.0
    }

    pub(super) fn vector(&mut self, dimension: usize) -> Vec<f32> {
        (0..dimension).map(|_| self.normal()).collect()
    }

    /// A float with an exponent from 2^-`spread` to 2^`spread`.
    pub(super) fn wide(&mut self, spread: i32) -> f32 {
        let exponent = (self.next() % (2 * spread as u64 + 1)) as i32 - spread;
        self.unit() * 2.0_f32.powi(exponent)
    }

    /// A finite half float of any magnitude, subnormals and zeros included.
    pub(super) fn half(&mut self) -> u16 {
        let bits = self.next() as u16;
        if bits & 0x7c00 == 0x7c00 { bits & 0x83ff } else { bits }
    }

    /// `count` random bytes, of which the first is not aligned.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

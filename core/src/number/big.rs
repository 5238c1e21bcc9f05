//! Whole numbers of any length, with the few operations that decimals need.

/// The largest power of ten that fits 32 bits, and its exponent.
const CHUNK: (u32, u32) = (1_000_000_000, 9);

/// A whole number: 32-bit digits, the least significant first, without zeros at the end.
pub struct Big(Vec<u32>);

impl Big {
    pub fn new(value: u64) -> Self {
        let mut big = Self(vec![value as u32, (value >> 32) as u32]);
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of bits up to the highest that is set.
    pub fn bits(&self) -> u32 {
        self.0.last().map_or(0, |last| self.0.len() as u32 * 32 - last.leading_zeros())
    }

    /// Times `factor`, plus `more`.
    pub fn multiply_add(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Times `base` to the power of `exponent`; the base is at most ten.
    pub fn multiply_power(&mut self, base: u32, exponent: u32) {
        for _ in 0..exponent / CHUNK.1 {
            self.multiply_add(base.pow(CHUNK.1), 0);
        }
        self.multiply_add(base.pow(exponent % CHUNK.1), 0);
    }

    /// Divided by `divisor`; gives the remainder.
    pub fn divide(&mut self, divisor: u32) -> u32 {
        let mut rest = 0;
        for digit in self.0.iter_mut().rev() {
            rest = rest << 32 | u64::from(*digit);
            *digit = (rest / u64::from(divisor)) as u32;
            rest %= u64::from(divisor);
        }
        self.trim();
        rest as u32
    }

    /// Divided by ten to the power of `exponent`; tells whether there was a remainder.
    pub fn divide_power_of_ten(&mut self, exponent: u32) -> bool {
        let mut rest = 0;
        for _ in 0..exponent / CHUNK.1 {
            rest |= self.divide(CHUNK.0);
        }
        rest |= self.divide(10_u32.pow(exponent % CHUNK.1));
        rest != 0
    }

    /// Times two to the power of 32 for each of `words`.
    pub fn shift_words(&mut self, words: u32) {
        self.0.splice(0..0, std::iter::repeat_n(0, words as usize));
    }

    /// The bits from `from` up, as far as 64 of them go, and whether any bit below is set.
    pub fn bits_from(&self, from: u32) -> (u64, bool) {
        let (word, bit) = ((from / 32) as usize, from % 32);
        let part = |place: usize| u128::from(self.0.get(place).copied().unwrap_or(0));
        let top = part(word) | part(word + 1) << 32 | part(word + 2) << 64;
        let below = self.0.iter().take(word).any(|digit| *digit != 0);
        ((top >> bit) as u64, below || top & ((1 << bit) - 1) != 0)
    }

    /// The decimal digits, as numbers from 0 to 9, the most significant first.
    pub fn into_decimal(mut self) -> Vec<u8> {
        let mut digits = Vec::new();
        while !self.is_zero() {
            let mut chunk = self.divide(CHUNK.0);
            for _ in 0..CHUNK.1 {
                digits.push((chunk % 10) as u8);
                chunk /= 10;
            }
        }
        digits.reverse();
        digits
    }
}

//! Integers of any size, as the reference has them: written in decimal, compared, and added when LIMIT meets OFFSET.
//!
//! Nothing else is ever computed with them, so decimal digits are their simplest exact form.

use std::{cmp::Ordering, fmt};

/// An integer of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integer {
    negative: bool,
    /// Without leading zeros; zero is `0` and not negative.
    digits: String,
}

impl Integer {
    /// Reads an optional sign and decimal digits, leading zeros allowed. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        Some(Self { negative: text.starts_with('-') && digits != "0", digits: String::from(digits) })
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is above zero.
    pub fn is_positive(&self) -> bool {
        !self.negative && self.digits != "0"
    }

    /// The same number in 64 bits, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        self.to_string().parse().ok()
    }

    /// The nearest float; infinite for what is larger than any.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.digits.len().cmp(&other.digits.len()).then_with(|| self.digits.cmp(&other.digits))
    }

    /// The sum of the magnitudes of two integers: of two counts, which are never negative, the sum.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.digits.bytes().rev(), other.digits.bytes().rev());
        let (mut digits, mut carry) = (Vec::new(), 0);
        loop {
            let pair = (left.next(), right.next());
            if pair == (None, None) && carry == 0 {
                break;
            }
            let sum = carry + pair.0.map_or(0, |b| b - b'0') + pair.1.map_or(0, |b| b - b'0');
            digits.push(char::from(b'0' + sum % 10));
            carry = sum / 10;
        }
        Self { negative: false, digits: digits.into_iter().rev().collect() }
    }
}

impl From<u32> for Integer {
    fn from(value: u32) -> Self {
        Self { negative: false, digits: value.to_string() }
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{}", self.digits)
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> Integer {
        Integer::parse(text).expect(text)
    }

    #[test]
    fn zeros_and_signs_are_normalised() {
        for (text, shown) in [("007", "7"), ("+3", "3"), ("-0", "0"), ("-012", "-12"), ("000", "0")] {
            assert_eq!(integer(text).to_string(), shown);
        }
        for text in ["", "+", "1.0", "1e2", "--1", "é"] {
            assert_eq!(Integer::parse(text), None);
        }
    }

    #[test]
    fn sums_and_order_are_exact_beyond_64_bits() {
        let huge = integer("99999999999999999999999");
        assert_eq!(huge.plus(&integer("1")).to_string(), "100000000000000000000000");
        assert_eq!(integer("0").plus(&integer("0")).to_string(), "0");
        assert_eq!(huge.to_i64(), None);
        let mut sorted = ["-100", "-20", "0", "3", "20", "99999999999999999999999"].map(integer);
        let expected = sorted.clone();
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, expected);
        assert_eq!(integer(&"9".repeat(400)).to_f64(), f64::INFINITY);
    }
}

//! Decimal text to the nearest float.

use super::{F32, F64, Format, big::Big};

/// Digits beyond these only tell that there is something: no number between two floats has as many.
const MAX_DIGITS: usize = 800;
/// Exponents are cut here, far beyond every float.
const MAX_EXPONENT: i64 = 1 << 40;

/// The double nearest to `text`: digits with at most one point among, before or after them, optionally a sign before
/// and an exponent behind. Half way between two doubles gives the even one; beyond the largest is infinite.
pub fn parse_f64(text: &str) -> Option<f64> {
    let (negative, bits) = parse(text, F64)?;
    let value = f64::from_bits(bits);
    Some(if negative { -value } else { value })
}

/// The same in single precision.
pub fn parse_f32(text: &str) -> Option<f32> {
    let (negative, bits) = parse(text, F32)?;
    let value = f32::from_bits(bits as u32);
    Some(if negative { -value } else { value })
}

fn parse(text: &str, format: Format) -> Option<(bool, u64)> {
    let mut bytes = text.as_bytes();
    let negative = sign(&mut bytes);
    let mut decimal = Decimal { value: Big::new(0), digits: 0, exponent: 0 };
    let (mut any, mut point) = (false, false);
    while let Some((byte, rest)) = bytes.split_first() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                decimal.exponent -= i64::from(point);
                decimal.push(u32::from(byte - b'0'));
            }
            b'.' if !point => point = true,
            _ => break,
        }
        bytes = rest;
    }
    if let Some((b'e' | b'E', rest)) = bytes.split_first() {
        bytes = rest;
        decimal.exponent += exponent_of(&mut bytes)?;
    }
    (any && bytes.is_empty()).then(|| (negative, decimal.round(format)))
}

/// A number as it is written: `value` times ten to the power of `exponent`.
struct Decimal {
    value: Big,
    /// How many digits `value` has.
    digits: usize,
    exponent: i64,
}

impl Decimal {
    fn push(&mut self, digit: u32) {
        if self.digits < MAX_DIGITS {
            self.value.multiply_add(10, digit);
            self.digits += usize::from(!self.value.is_zero());
        } else if self.digits == MAX_DIGITS && digit != 0 {
            // One digit more stands for all that are cut.
            self.value.multiply_add(10, 1);
            self.digits += 1;
        } else {
            self.exponent += 1;
        }
    }

    /// The bits of the nearest float.
    fn round(self, format: Format) -> u64 {
        let Self { mut value, digits, exponent } = self;
        let magnitude = digits as i64 + exponent;
        let Format { precision, min_exponent } = format;
        let infinite = ((2 * (1 - min_exponent) + 1) as u64) << (precision - 1);
        if value.is_zero() || magnitude < -400 {
            return 0;
        }
        if magnitude > 400 {
            return infinite;
        }
        // Enough bits are put behind the point that a full significand and what decides its rounding remain.
        let power = exponent.unsigned_abs() as u32;
        let words = 3 + if exponent < 0 { power / 9 } else { 0 };
        value.shift_words(words);
        let mut inexact = false;
        if exponent < 0 {
            inexact = value.divide_power_of_ten(power);
        } else {
            value.multiply_power(10, power);
        }
        let top = value.bits() as i32 - 1 - 32 * words as i32;
        let lowest = top.max(min_exponent) - (precision as i32 - 1);
        // One bit below the last is half of it.
        let Ok(from) = u32::try_from(lowest - 1 + 32 * words as i32) else { return 0 };
        let (bits, below) = value.bits_from(from);
        let (mut significand, half) = (bits >> 1, bits & 1 == 1);
        if half && (inexact || below || significand & 1 == 1) {
            significand += 1;
        }
        // A significand that became one bit longer raises the exponent by being added to it.
        let found = significand + (((top.max(min_exponent) - min_exponent) as u64) << (precision - 1));
        found.min(infinite)
    }
}

fn sign(bytes: &mut &[u8]) -> bool {
    match bytes.split_first() {
        Some((sign @ (b'-' | b'+'), rest)) => {
            *bytes = rest;
            *sign == b'-'
        }
        _ => false,
    }
}

fn exponent_of(bytes: &mut &[u8]) -> Option<i64> {
    let negative = sign(bytes);
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (read, rest) = bytes.split_at_checked(digits)?;
    *bytes = rest;
    let value =
        read.iter().fold(0, |value: i64, byte| (value * 10 + i64::from(byte - b'0')).min(MAX_EXPONENT));
    (digits > 0).then_some(if negative { -value } else { value })
}

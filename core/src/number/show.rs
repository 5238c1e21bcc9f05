//! Floats to the shortest decimal text that is read back as the same float.

use crate::gather::Gather as _;
use std::fmt::{Display, Formatter, Result};

use super::{F32, F64, Format, big::Big};

/// A float as text: the digits, and where the point stands.
pub struct Shown {
    negative: bool,
    /// NaN or an infinity, which have no digits.
    word: Option<&'static str>,
    /// From 0 to 9, the most significant first; none for zero.
    digits: Vec<u8>,
    /// How many digits stand before the point. Negative: how many zeros stand behind it before the digits.
    point: i32,
}

impl From<f64> for Shown {
    fn from(value: f64) -> Self {
        Self::new(value, value.to_bits() & (u64::MAX >> 1), F64)
    }
}

impl From<f32> for Shown {
    fn from(value: f32) -> Self {
        Self::new(f64::from(value), u64::from(value.to_bits() & (u32::MAX >> 1)), F32)
    }
}

/// As `{}` of the standard library: all digits, without exponent, and no point in whole numbers.
impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.plain())
    }
}

/// As `{:?}` of the standard library: with a point or an exponent, so that it is read back as a float.
pub fn literal(value: f64) -> String {
    let shown = Shown::from(value);
    if shown.word.is_none() && !shown.digits.is_empty() && !(-3..=16).contains(&shown.point) {
        let (first, rest) = shown.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{}{}{point}{}e{}", shown.sign(), text(first), text(rest), shown.point - 1);
    }
    let mut plain = shown.plain();
    if shown.word.is_none() && !plain.contains('.') {
        plain.push_str(".0");
    }
    plain
}

impl Shown {
    fn new(value: f64, bits: u64, format: Format) -> Self {
        let word = match value {
            _ if value.is_nan() => Some("NaN"),
            _ if value.is_infinite() => Some("inf"),
            _ => None,
        };
        let (digits, point) = if word.is_none() { shortest(bits, format) } else { (Vec::new(), 0) };
        Self { negative: value.is_sign_negative() && !value.is_nan(), word, digits, point }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    fn plain(&self) -> String {
        let mut out = String::from(self.sign());
        out.push_str(self.word.unwrap_or_default());
        if self.word.is_some() {
            return out;
        }
        let before = self.point.max(0) as usize;
        let (whole, fraction) = self.digits.split_at(before.min(self.digits.len()));
        out.push_str(&text(whole));
        out.extend(std::iter::repeat_n('0', if before == 0 { 1 } else { before - whole.len() }));
        if !fraction.is_empty() {
            out.push('.');
            out.extend(std::iter::repeat_n('0', self.point.min(0).unsigned_abs() as usize));
            out.push_str(&text(fraction));
        }
        out
    }
}

fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).gather()
}

/// The shortest digits that lie nearer to this float than to any other, of those the nearest, and where the point
/// stands.
fn shortest(bits: u64, format: Format) -> (Vec<u8>, i32) {
    let Format { precision, min_exponent } = format;
    let hidden = 1 << (precision - 1);
    let (mut significand, field) = (bits & (hidden - 1), (bits >> (precision - 1)) as i32);
    significand |= if field > 0 { hidden } else { 0 };
    if significand == 0 {
        return (Vec::new(), 1);
    }
    // The float and the middles between it and its neighbours, in quarters of its last bit. Below a power of two
    // the neighbours are twice as near.
    let exponent = field.max(1) - 1 + min_exponent - (precision as i32 - 1) - 2;
    let nearer = significand == hidden && field > 1;
    let width = decimal(4 * significand + 2, exponent).len() + 1;
    // As long as the upper middle and a zero before it, into which a digit can be carried.
    let aligned = |quarters| {
        let mut digits = decimal(quarters, exponent);
        digits.splice(0..0, std::iter::repeat_n(0, width - digits.len()));
        digits
    };
    let low = aligned(4 * significand - if nearer { 1 } else { 2 });
    let value = aligned(4 * significand);
    let high = aligned(4 * significand + 2);
    // Text in the middle of two floats is read as the even one.
    let even = significand % 2 == 0;
    let inside =
        |digits: &Vec<u8>| *digits > low && *digits < high || even && (*digits == low || *digits == high);
    let digits = (1..value.len()).find_map(|kept| near(&value, kept, inside)).unwrap_or(value);
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let point = (digits.len() - zeros) as i32 + exponent.min(0);
    let end = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    (digits.get(zeros..end).unwrap_or_default().to_vec(), point)
}

/// The nearest digits to `value` of those that are inside and zero from place `kept` on.
fn near(value: &[u8], kept: usize, inside: impl Fn(&Vec<u8>) -> bool) -> Option<Vec<u8>> {
    let (shown, cut) = value.split_at_checked(kept)?;
    let mut down = shown.to_vec();
    let mut up = shown.to_vec();
    for digit in up.iter_mut().rev() {
        *digit = (*digit + 1) % 10;
        if *digit != 0 {
            break;
        }
    }
    down.resize(value.len(), 0);
    up.resize(value.len(), 0);
    match (inside(&down), inside(&up)) {
        (true, true) => Some(if *cut >= [5][..] { up } else { down }),
        (true, false) => Some(down),
        (false, true) => Some(up),
        (false, false) => None,
    }
}

/// The digits of `significand` times two to the power of `exponent`; for a negative exponent also times ten to the
/// power of its opposite, which makes it whole.
fn decimal(significand: u64, exponent: i32) -> Vec<u8> {
    let mut value = Big::new(significand);
    value.multiply_power(if exponent < 0 { 5 } else { 2 }, exponent.unsigned_abs());
    value.into_decimal()
}

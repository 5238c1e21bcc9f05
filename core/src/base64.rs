//! Base 64 (RFC 4648) without padding: bytes inside JSON and inside statements.
//!
//! For short texts: a digit is found by looking through its alphabet. Reading is strict, so that every text is written in
//! one way only.

/// The 64 digits, by their values.
pub type Alphabet = [u8; 64];

/// The usual digits.
pub const STANDARD: &Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Digits that need no escape in a URL or a file name.
pub const URL_SAFE: &Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The bytes as text.
pub fn encode(bytes: &[u8], alphabet: &Alphabet) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

/// The bytes of a text; `None` unless it is exactly what [`encode`] writes: bits that no byte uses are zero.
pub fn decode(text: &str, alphabet: &Alphabet) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len() * 3 / 4), 0_u32, 0);
    for digit in text.bytes() {
        bits = bits << 6 | alphabet.iter().position(|known| *known == digit)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (held < 6 && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_written_and_read() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes(), STANDARD), text);
            assert_eq!(decode(text, URL_SAFE).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!([STANDARD, URL_SAFE].map(|alphabet| encode(&[0xfb, 0xff], alphabet)), ["+/8", "-_8"]);
    }

    #[test]
    fn what_encode_does_not_write_is_refused() {
        for text in ["A", "AAAAA", "Zh", "Zg==", "Z g", "é", "+/8", "AB"] {
            assert_eq!(decode(text, URL_SAFE), None, "{text}");
        }
        assert_eq!(decode("-_8", STANDARD), None);
    }
}

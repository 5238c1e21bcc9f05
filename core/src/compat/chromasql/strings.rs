//! Strings, decoded as the reference's language decodes its own literals.
//!
//! Escapes are those of the native language. Two surrogate escapes in a row become the character that they mean in
//! JSON; a lone surrogate is no text in Rust and is refused, and so is `\N{name}`, whose table is not carried.

use std::ops::Range;

use crate::query::escape;

/// Why a string token cannot be decoded: which bytes of it, and the reason.
pub(super) type Undecodable = (Range<usize>, &'static str);

/// The length of the string token at the beginning of `bytes`, quotes included, if one begins and ends there.
pub(super) fn token_len(bytes: &[u8]) -> Option<usize> {
    let quote = *bytes.first().filter(|b| matches!(b, b'\'' | b'"'))?;
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => return None,
            b'\\' => at += 2,
            b if *b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The text of a whole string token.
pub(super) fn decode(token: &str) -> Result<String, Undecodable> {
    let end = token.len().saturating_sub(1);
    let mut out = String::with_capacity(end);
    let mut at = 1;
    while let Some(rest) = token.get(at..end).filter(|rest| !rest.is_empty()) {
        let plain = rest.find(['\\', '\n', '\r', '\0']).unwrap_or(rest.len());
        out.push_str(rest.get(..plain).unwrap_or_default());
        at += plain;
        let rest = rest.get(plain..).unwrap_or_default();
        if rest.starts_with('\\') {
            at += special(rest, &mut out).map_err(|why| (at..escape_end(token, at), why))?;
        } else if !rest.is_empty() {
            return Err((at..at + 1, "a string cannot hold a line break or a zero byte"));
        }
    }
    Ok(out)
}

/// Resolves the escape at the beginning of `rest`, or tells what is wrong with it.
fn special(rest: &str, out: &mut String) -> Result<usize, &'static str> {
    if let Some(c) = surrogate_pair(rest) {
        out.push(c);
        return Ok(12);
    }
    if rest.chars().nth(1).is_some_and(|c| matches!(c, '\r' | '\0')) {
        return Err("a string cannot hold a line break or a zero byte");
    }
    escape(rest, out).ok_or("the escape denotes no character")
}

fn surrogate_pair(rest: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
        u16::from_str_radix(digits, 16).ok()
    };
    char::decode_utf16([unit(0)?, unit(6)?]).next()?.ok().filter(|c| u32::from(*c) > 0xffff)
}

fn escape_end(token: &str, at: usize) -> usize {
    let letter = token.get(at + 1..).and_then(|rest| rest.chars().next());
    at + 1 + letter.map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_the_reference() {
        for (token, text) in [
            (r"'it\'s'", "it's"),
            (r#""\"é\"""#, "\"é\""),
            (r"'\d\é\ '", r"\d\é\ "),
            (r"'\x41\101\u00e9\U0001F600\0'", "Aé😀\0".replacen('A', "AA", 1).as_str()),
            (r"'\ud83d\ude00'", "😀"),
            (r"'\777'", "\u{1ff}"),
            ("''", ""),
        ] {
            assert_eq!(token_len(token.as_bytes()), Some(token.len()));
            assert_eq!(decode(token).as_deref(), Ok(text), "{token}");
        }
    }

    #[test]
    fn what_denotes_no_character_is_refused_with_its_place() {
        for (token, place) in [
            (r"'a\x4'", 2..4),
            (r"'\ud800'", 1..3),
            (r"'\ude00\ud83d'", 1..3),
            (r"'\N{BULLET}'", 1..3),
            (r"'\U00110000'", 1..3),
            ("'a\nb'", 2..3),
            ("'a\0b'", 2..3),
        ] {
            assert_eq!(decode(token).map_err(|(range, _)| range), Err(place), "{token}");
        }
    }

    #[test]
    fn a_string_without_its_end_is_no_token() {
        for text in ["", "a", "'", r"'\'", "'a\\\nb'", "\"'"] {
            assert_eq!(token_len(text.as_bytes()), None, "{text}");
        }
        assert_eq!(token_len(b"'it''s'"), Some(4));
    }
}

//! Escapes of strings and quoted names.
//!
//! The reference dialect decodes like Python; the same escapes are read here, except `\N{name}`, which would drag
//! the Unicode name table into the wasm module, and code points that are no characters.

use super::lexer::Token;
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    gather::Gather as _,
};

/// The text of a string token, quotes removed and escapes resolved.
pub(super) fn decode(token: Token<'_>) -> Result<String, QueryError> {
    let quote = token.text.chars().next().unwrap_or('\'');
    let inner = token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains(['\\', quote]) {
        return Ok(String::from(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            chars.next(); // its double
            out.push(quote);
        } else if c == '\\' {
            let rest = inner.get(at..).unwrap_or_default();
            let taken = escape(rest, &mut out).ok_or_else(|| bad_escape(token, rest, at + 1))?;
            chars = skip_to(inner, at + taken, chars);
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

/// `chars` moved forward to byte `to` of `text`.
fn skip_to<'a>(text: &'a str, to: usize, mut chars: std::str::CharIndices<'a>) -> std::str::CharIndices<'a> {
    while chars.offset() < to.min(text.len()) {
        chars.next();
    }
    chars
}

/// Resolves the escape at the beginning of `rest` into `out` and tells its length in bytes.
pub(crate) fn escape(rest: &str, out: &mut String) -> Option<usize> {
    let letter = rest.chars().nth(1)?;
    let plain = match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'v' => '\x0b',
        '\\' | '\'' | '"' => letter,
        'x' => return hex(rest, 2, out),
        'u' => return hex(rest, 4, out),
        'U' => return hex(rest, 8, out),
        'N' => return None,
        '0'..='7' => return octal(rest, out),
        _ => {
            // As in the reference: an unknown escape keeps its backslash, so that '\d' stays \d.
            out.push('\\');
            letter
        }
    };
    out.push(plain);
    Some(1 + letter.len_utf8())
}

fn hex(rest: &str, digits: usize, out: &mut String) -> Option<usize> {
    let text = rest.get(2..2 + digits)?;
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    out.push(char::from_u32(u32::from_str_radix(text, 16).ok()?)?);
    Some(2 + digits)
}

fn octal(rest: &str, out: &mut String) -> Option<usize> {
    let digits = rest.bytes().skip(1).take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    out.push(char::from_u32(u32::from_str_radix(rest.get(1..1 + digits)?, 8).ok()?)?);
    Some(1 + digits)
}

/// An error that points at the escape, `at` bytes into the token. A string never spans lines, so the column is
/// enough.
fn bad_escape(token: Token<'_>, rest: &str, at: usize) -> QueryError {
    let text: String = rest.chars().take(2).gather();
    let before = token.text.get(..at).unwrap_or_default();
    let start = token.span.start + before.len() as u32;
    let span = Span {
        start,
        end: start + text.len() as u32,
        line: token.span.line,
        column: token.span.column + before.chars().count() as u32,
    };
    QueryError::new(QueryErrorKind::BadStringEscape, span, format!("the escape {text} denotes no character"))
        .with_text(&text)
        .with_hint("write \\xHH, \\uHHHH or \\UHHHHHHHH with exactly as many hexadecimal digits, or \\\\ for a backslash")
}

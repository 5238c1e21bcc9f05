//! The cursor over a statement: whatever the parser asks for is looked for at the next byte that is not blank.
//!
//! There are no tokens apart from what the parser can use at a place, and no word boundaries: `5OFFSET` is 5 and then
//! OFFSET because the parser, after a number, asks for OFFSET. Only names run as far as they can.

use super::{CompatError, CompatErrorKind, strings};
use crate::{
    error::Span,
    query::{Name, Places},
};

pub(super) type Parsed<T> = Result<T, CompatError>;

/// The position in a statement.
pub(super) struct Scanner<'a> {
    sql: &'a str,
    at: usize,
    places: Places,
    /// Where what was taken last stood.
    pub last: Span,
}

impl<'a> Scanner<'a> {
    pub fn new(sql: &'a str) -> Self {
        Self { sql, at: 0, places: Places::default(), last: Span::default() }
    }

    /// The text from the next byte that is not blank.
    fn rest(&mut self) -> &'a str {
        let rest = self.sql.get(self.at..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', '\t', '\x0c', '\r', '\n']);
        self.at = self.sql.len() - rest.len();
        rest
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (start, end) = (self.at, self.at + len);
        self.at = end;
        self.last = self.places.span(self.sql, start, end);
        self.sql.get(start..end).unwrap_or_default()
    }

    /// Whether this keyword or symbol comes next; keywords fold case.
    pub fn at(&mut self, what: &str) -> bool {
        self.rest().as_bytes().get(..what.len()).is_some_and(|b| b.eq_ignore_ascii_case(what.as_bytes()))
    }

    /// Takes this keyword or symbol, if it comes next.
    pub fn eat(&mut self, what: &str) -> bool {
        let found = self.at(what);
        if found {
            self.take(what.len());
        }
        found
    }

    pub fn expect(&mut self, what: &str) -> Parsed<()> {
        if self.eat(what) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    pub fn name(&mut self) -> Option<Name> {
        let len = word_len(self.rest());
        (len > 0).then(|| Name { text: String::from(self.take(len)), span: self.last })
    }

    /// A number with neither point nor exponent; of `2.0` it is the 2.
    pub fn integer(&mut self) -> Option<&'a str> {
        let bytes = self.rest().as_bytes();
        let sign = sign_len(bytes);
        let digits = digits_len(bytes, sign);
        (digits > 0).then(|| self.take(sign + digits))
    }

    pub fn number(&mut self) -> Option<&'a str> {
        let len = number_len(self.rest().as_bytes())?;
        Some(self.take(len))
    }

    /// A string, decoded. `None` if none begins here, or it does not end.
    pub fn string(&mut self) -> Parsed<Option<Name>> {
        let Some(len) = strings::token_len(self.rest().as_bytes()) else { return Ok(None) };
        let start = self.at;
        let token = self.take(len);
        match strings::decode(token) {
            Ok(text) => Ok(Some(Name { text, span: self.last })),
            Err((range, why)) => {
                let span = self.places.span(self.sql, start + range.start, start + range.end);
                let hint = "write \\xHH, \\uHHHH or \\UHHHHHHHH with exactly as many hexadecimal digits, \\n for a \
                            line break, or \\\\ for a backslash";
                Err(CompatError::new(CompatErrorKind::BadStringEscape, span, why, hint))
            }
        }
    }

    pub fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// What comes next is not what the grammar wants.
    pub fn unexpected(&mut self, expected: &str) -> CompatError {
        let rest = self.rest();
        let len = match word_len(rest) {
            0 if strange_pair(rest) => 2,
            0 => rest.chars().next().map_or(0, char::len_utf8),
            len => len,
        };
        let span = self.places.span(self.sql, self.at, self.at + len);
        let text: String = rest.get(..len).unwrap_or_default().chars().take(60).collect();
        let message = match text.as_str() {
            "" => format!("the statement ends too early, expected {expected}"),
            "'" | "\"" if strings::token_len(rest.as_bytes()).is_none() => {
                String::from("the string does not end")
            }
            text => format!("unexpected `{text}`, expected {expected}"),
        };
        CompatError::new(CompatErrorKind::Syntax, span, message, hint(&text, expected))
    }
}

fn word_len(text: &str) -> usize {
    let len = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { len }
}

fn sign_len(bytes: &[u8]) -> usize {
    usize::from(matches!(bytes.first(), Some(b'+' | b'-')))
}

fn digits_len(bytes: &[u8], from: usize) -> usize {
    bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
}

/// The length of the number at the beginning of `bytes`, as far as it goes: of `1e` it is 1.
fn number_len(bytes: &[u8]) -> Option<usize> {
    let mut at = sign_len(bytes);
    let whole = digits_len(bytes, at);
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits_len(bytes, at + 1);
        if whole + fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = sign_len(bytes.get(at + 1..).unwrap_or_default());
        let digits = digits_len(bytes, at + 1 + sign);
        at += if digits > 0 { 1 + sign + digits } else { 0 };
    }
    Some(at)
}

/// Pairs that are one thing elsewhere, and are better shown whole.
fn strange_pair(rest: &str) -> bool {
    ["--", "/*", "<>", "=="].iter().any(|pair| rest.starts_with(pair))
}

/// What to write instead of `found`.
fn hint(found: &str, expected: &str) -> String {
    let known = match found.to_ascii_uppercase().as_str() {
        "--" | "/*" | "#" => "this dialect has no comments; remove it",
        "?" | ":" | "$" => "this dialect has no parameters; write the value itself",
        "<>" | "!" | ">" => "inequality is written !=",
        "==" | "=" => "equality is written with one =, a field on its left and a constant on its right",
        "NOT" => "NOT stands only right before IN, LIKE, REGEX and CONTAINS",
        "'" | "\"" => "close the string with the quote it began with; names take no quotes",
        "USING" | "WHERE" | "WHERE_DOCUMENT" | "SIMILARITY" | "TOPK" | "ORDER" | "RERANK" | "LIMIT"
        | "OFFSET" | "WITH" => {
            "clauses have one order, each at most once: USING EMBEDDING, WHERE, WHERE_DOCUMENT, SIMILARITY, TOPK, \
             ORDER BY, RERANK BY, LIMIT, OFFSET, WITH SCORE THRESHOLD"
        }
        _ => return format!("write {expected} here, or leave out --compat to use the native dialect"),
    };
    String::from(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_as_far_as_they_are_numbers() {
        for (text, taken) in [
            ("5OFFSET", "5"),
            ("1e", "1"),
            ("1e+", "1"),
            ("1.e5x", "1.e5"),
            ("-.5.", "-.5"),
            ("4.AND", "4."),
            ("+2E-3", "+2E-3"),
        ] {
            assert_eq!(Scanner::new(text).number(), Some(taken));
        }
        for text in [".", "-", "+.", "e5", "- 1", ""] {
            assert_eq!(Scanner::new(text).number(), None, "{text}");
        }
        assert_eq!(Scanner::new("2.0").integer(), Some("2"));
    }
}

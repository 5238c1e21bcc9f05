//! The lexer: bytes to tokens, one at a time, each with its place.
//!
//! Tokens borrow the statement. Escapes are resolved later, by `strings`, and only where a string is really used.

use super::places::Places;
use crate::error::{QueryError, QueryErrorKind, Span, escaped};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word: keyword or name.
    Word,
    /// A string in single quotes, quotes included.
    Single,
    /// A string or name in double quotes, quotes included.
    Double,
    /// A number with neither point nor exponent, sign included.
    Integer,
    /// Any other number, sign included.
    Decimal,
    /// Punctuation or an operator.
    Symbol,
    /// A bind parameter: `?` or `:name`.
    Parameter,
    /// The end of the statement.
    End,
}

/// A piece of the statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub span: Span,
}

/// The position in a statement.
pub(super) struct Lexer<'a> {
    sql: &'a str,
    at: usize,
    places: Places,
}

impl<'a> Lexer<'a> {
    /// A lexer at the beginning of `sql`, which must be shorter than 4 GiB.
    pub(super) fn new(sql: &'a str) -> Self {
        Self { sql, at: 0, places: Places::default() }
    }

    /// The next token; [`Kind::End`] again and again at the end.
    pub(super) fn next(&mut self) -> Result<Token<'a>, QueryError> {
        self.skip_blanks()?;
        let start = self.at;
        let kind = match self.peek(0) {
            None => Kind::End,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word(),
            Some(quote @ (b'\'' | b'"')) => self.string(quote)?,
            Some(b'0'..=b'9') => self.number()?,
            Some(b'+' | b'-') if self.digit_follows(1) => self.number()?,
            Some(b'.') if self.digit(1) && !self.after_name() => self.number()?,
            Some(b'?' | b':') => self.parameter()?,
            Some(first) => self.symbol(first)?,
        };
        Ok(Token { kind, text: self.slice(start, self.at), span: self.span(start, self.at) })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.as_bytes().get(self.at + ahead).copied()
    }

    fn digit(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|b| b.is_ascii_digit())
    }

    fn digit_follows(&self, ahead: usize) -> bool {
        self.digit(ahead) || (self.peek(ahead) == Some(b'.') && self.digit(ahead + 1))
    }

    /// Whether the byte before belongs to a name, so that a point here separates path keys.
    fn after_name(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|i| self.sql.as_bytes().get(i));
        before.is_some_and(|b| is_word_byte(*b) || matches!(b, b'"' | b']'))
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.sql.get(start..end).unwrap_or_default()
    }

    /// The span of `start..end`, where `start` is not before any earlier span's start.
    fn span(&mut self, start: usize, end: usize) -> Span {
        self.places.span(self.sql, start, end)
    }

    fn error(&mut self, kind: QueryErrorKind, start: usize, message: &str) -> QueryError {
        let end = self.at.min(self.sql.len());
        QueryError::new(kind, self.span(start, end), message).with_text(self.slice(start, end))
    }

    fn skip_blanks(&mut self) -> Result<(), QueryError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b' ' | b'\t' | b'\r' | b'\n' | 0x0c), _) => self.at += 1,
                (Some(b'-'), Some(b'-')) => self.at = self.find(b"\n").unwrap_or(self.sql.len()),
                (Some(b'/'), Some(b'*')) => match self.find(b"*/") {
                    Some(end) => self.at = end + 2,
                    None => return Err(self.open_comment()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn open_comment(&mut self) -> QueryError {
        let start = self.at;
        self.at += 2;
        self.error(QueryErrorKind::UnterminatedComment, start, "the comment does not end")
            .with_hint("close it with */")
    }

    /// Where `what` begins, at least two bytes on. A plain scan: the library's searcher is kilobytes of wasm.
    fn find(&self, what: &[u8]) -> Option<usize> {
        let from = self.at + 2;
        let found = self.sql.as_bytes().get(from..)?.windows(what.len()).position(|bytes| bytes == what);
        found.map(|found| from + found)
    }

    fn word(&mut self) -> Kind {
        while self.peek(0).is_some_and(is_word_byte) {
            self.at += 1;
        }
        Kind::Word
    }

    fn string(&mut self, quote: u8) -> Result<Kind, QueryError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                Some(b) if b == quote && self.peek(1) == Some(quote) => self.at += 2,
                Some(b) if b == quote => break,
                Some(b'\\') if !matches!(self.peek(1), None | Some(b'\n' | b'\r' | 0)) => {
                    self.at += self.escaped_len()
                }
                None | Some(b'\n' | b'\r' | 0) => return Err(self.open_string(start)),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(if quote == b'"' { Kind::Double } else { Kind::Single })
    }

    /// The length of a backslash with the character after it, which may take several bytes.
    fn escaped_len(&self) -> usize {
        1 + self.sql.get(self.at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }

    fn open_string(&mut self, start: usize) -> QueryError {
        self.error(QueryErrorKind::UnterminatedString, start, "the string does not end on this line")
            .with_hint("close it with the quote it began with; write a line break as \\n")
    }

    fn number(&mut self) -> Result<Kind, QueryError> {
        let start = self.at;
        let mut kind = Kind::Integer;
        self.at += usize::from(matches!(self.peek(0), Some(b'+' | b'-')));
        self.digits();
        if self.peek(0) == Some(b'.') {
            kind = Kind::Decimal;
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.digit(1 + sign) {
                kind = Kind::Decimal;
                self.at += 1 + sign;
                self.digits();
            }
        }
        match self.peek(0) {
            Some(b) if is_word_byte(b) || b == b'.' || b >= 0x80 => Err(self.glued_number(start)),
            _ => Ok(kind),
        }
    }

    fn digits(&mut self) {
        while self.digit(0) {
            self.at += 1;
        }
    }

    fn glued_number(&mut self, start: usize) -> QueryError {
        while self.peek(0).is_some_and(|b| is_word_byte(b) || b == b'.' || b >= 0x80) {
            self.at += 1;
        }
        self.error(QueryErrorKind::BadNumber, start, "this is not a number")
            .with_hint("put a blank between a number and a word; quote a name that begins with a digit")
    }

    fn parameter(&mut self) -> Result<Kind, QueryError> {
        let named = self.peek(0) == Some(b':');
        if named && !self.peek(1).is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') {
            return Err(self.bad_character());
        }
        self.at += 1;
        if named {
            self.word();
        }
        Ok(Kind::Parameter)
    }

    fn symbol(&mut self, first: u8) -> Result<Kind, QueryError> {
        let pair = (first, self.peek(1).unwrap_or(0));
        self.at += match pair {
            (b'<', b'=' | b'>') | (b'>' | b'!' | b'=', b'=') => 2,
            (b'*' | b'/' | b'+' | b'-' | b'(' | b')' | b'[' | b']', _) => 1,
            (b',' | b'.' | b';' | b'=' | b'<' | b'>', _) => 1,
            _ => return Err(self.bad_character()),
        };
        Ok(Kind::Symbol)
    }

    fn bad_character(&mut self) -> QueryError {
        let start = self.at;
        let c = self.sql.get(start..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        self.at += c.len_utf8();
        self.error(
            QueryErrorKind::UnexpectedCharacter,
            start,
            &format!("unexpected character '{}'", escaped(c)),
        )
        .with_hint(match c {
            ':' | '$' | '@' => "parameters are written ? or :name",
            '#' => "comments are written -- to the end of the line, or /* */",
            '!' => "write != or NOT",
            '`' => "names are quoted with double quotes",
            _ => "put names with such characters in double quotes and texts in single quotes",
        })
    }
}

pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

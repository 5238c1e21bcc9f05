//! Text to [`Value`]: all of RFC 8259, nothing beyond it.

use std::fmt::{Display, Formatter};

use crate::{
    number::parse_f64,
    schema::{Object, Value},
};

/// How deep lists and objects may nest: enough for any metadata, too little to exhaust a stack.
const MAX_DEPTH: u32 = 128;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    what: &'static str,
    line: usize,
    column: usize,
}

impl Display for JsonError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at line {} column {}", self.what, self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

/// The value of a JSON text. Whole numbers that fit become integers; of equal keys the last counts.
///
/// # Errors
/// [`JsonError`] when the text is not JSON, nests deeper than 128 levels, or holds a number beyond a double.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(MAX_DEPTH).and_then(|value| {
        reader.skip_space();
        if reader.at == text.len() { Ok(value) } else { Err("something after the value") }
    });
    value.map_err(|what| reader.error(what))
}

type Parsed<T> = Result<T, &'static str>;

struct Reader<'t> {
    text: &'t str,
    /// The byte to read next.
    at: usize,
}

impl<'t> Reader<'t> {
    fn error(&self, what: &'static str) -> JsonError {
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        JsonError { what, line: lines + 1, column: before.len() - line + 1 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The text from `start` to the cursor.
    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn skip_space(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn value(&mut self, depth: u32) -> Parsed<Value> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z') => self.word(),
            Some(_) => Err("expected a value"),
            None => Err(ENDS),
        }
    }

    fn word(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_lowercase());
        match self.since(start) {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("expected a value"),
        }
    }

    fn list(&mut self, depth: u32) -> Parsed<Value> {
        let mut items = Vec::new();
        self.entries(b']', depth, |reader, depth| {
            items.push(reader.value(depth)?);
            Ok(())
        })?;
        Ok(Value::List(items))
    }

    fn object(&mut self, depth: u32) -> Parsed<Value> {
        let mut entries = Vec::new();
        self.entries(b'}', depth, |reader, depth| {
            reader.skip_space();
            if reader.peek() != Some(b'"') {
                return Err("expected a key in quotes");
            }
            let key = reader.string()?;
            reader.skip_space();
            if !reader.take(b':') {
                return Err("expected a colon");
            }
            entries.push((key, reader.value(depth)?));
            Ok(())
        })?;
        Ok(Value::Object(Object::from_entries(entries)))
    }

    /// What stands between brackets, with commas between; the cursor is at the opening one.
    fn entries(
        &mut self,
        close: u8,
        depth: u32,
        mut entry: impl FnMut(&mut Self, u32) -> Parsed<()>,
    ) -> Parsed<()> {
        let depth = depth.checked_sub(1).ok_or("lists and objects nest too deeply")?;
        self.at += 1;
        self.skip_space();
        if self.take(close) {
            return Ok(());
        }
        loop {
            entry(self, depth)?;
            self.skip_space();
            if self.take(close) {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(if self.peek().is_none() {
                    ENDS
                } else {
                    "expected a comma or the closing bracket"
                });
            }
        }
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.take(b'-');
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return Err("a number begins with 0");
        }
        let mut integer = true;
        if self.take(b'.') {
            integer = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        let text = self.since(start);
        if let (true, Ok(value)) = (integer, text.parse()) {
            return Ok(Value::Int(value));
        }
        let value = parse_f64(text).filter(|value| value.is_finite());
        value.map(Value::Float).ok_or("a number is too large")
    }

    fn digits(&mut self) -> Parsed<&'t str> {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_digit());
        if self.at == start { Err("expected a digit") } else { Ok(self.since(start)) }
    }

    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            self.skip_while(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            text.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err("a control character in a string"),
                None => return Err(ENDS),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        self.at += 1;
        let byte = self.peek().ok_or(ENDS)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err("an unknown escape"),
        })
    }

    /// The four digits after `\u`, and the second half of a pair.
    fn unicode_escape(&mut self) -> Parsed<char> {
        let lone = "an escape that denotes no character";
        let mut code = self.four_hex()?;
        if (0xd800..0xdc00).contains(&code) {
            if !(self.take(b'\\') && self.take(b'u')) {
                return Err(lone);
            }
            let low = self.four_hex()?.wrapping_sub(0xdc00);
            if low >= 0x400 {
                return Err(lone);
            }
            code = 0x10000 + ((code - 0xd800) << 10 | low);
        }
        char::from_u32(code).ok_or(lone)
    }

    fn four_hex(&mut self) -> Parsed<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code << 4 | digit.ok_or("expected four hexadecimal digits")?;
            self.at += 1;
        }
        Ok(code)
    }
}

const ENDS: &str = "the text ends too early";

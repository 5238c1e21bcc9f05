//! Byte positions to lines and columns, counted once on the way through a statement.

use crate::error::Span;

/// How far a statement has been counted.
///
/// Line and column are known for one byte; they only ever move forward, so that all tokens together cost one pass.
pub(crate) struct Places {
    counted: usize,
    line: u32,
    column: u32,
}

impl Default for Places {
    fn default() -> Self {
        Self { counted: 0, line: 1, column: 1 }
    }
}

impl Places {
    /// The span of `start..end`, where `start` is not before any earlier span's start and `sql` is the same text.
    pub(crate) fn span(&mut self, sql: &str, start: usize, end: usize) -> Span {
        for byte in sql.as_bytes().get(self.counted..start).unwrap_or_default() {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                0x80..=0xbf => {} // continues a character
                _ => self.column += 1,
            }
        }
        self.counted = self.counted.max(start);
        Span { start: start as u32, end: end as u32, line: self.line, column: self.column }
    }
}

//! A text in segments whose tokens are counted once, so that every cut costs the counting of a part of one segment.
//!
//! A segment is a word with the white space before it (long runs without any are divided at characters that stand alone in
//! most tokenizers). Tokens of segments add up to those of the text in all tokenizers that split at white space, and nearly
//! so in the others: what is made of it is counted again as a whole by the caller.

use crate::native::embed::Tokenizer;

/// From this many characters on, a segment may end before a character that stands alone.
const LONG_SEGMENT: usize = 32;

/// The beginning of a segment, and what lies before it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    byte: usize,
    chars: usize,
    tokens: usize,
}

/// A counted text.
pub struct Segments<'t> {
    text: &'t str,
    tokenizer: &'t dyn Tokenizer,
    overhead: usize,
    /// One for each segment, and one for the end.
    marks: Vec<Mark>,
}

impl<'t> Segments<'t> {
    /// Counts the tokens of each segment.
    pub fn new(tokenizer: &'t dyn Tokenizer, text: &'t str) -> Self {
        let overhead = tokenizer.count("");
        let mut segments = Self { text, tokenizer, overhead, marks: Vec::new() };
        let (mut tokens, mut chars, mut start) = (0, 0, 0);
        for (end, length) in boundaries(text) {
            segments.marks.push(Mark { byte: start, chars, tokens });
            tokens += segments.count(start, end);
            chars += length;
            start = end;
        }
        segments.marks.push(Mark { byte: text.len(), chars, tokens });
        segments
    }

    /// The tokens that the tokenizer adds to every text.
    pub fn overhead(&self) -> usize {
        self.overhead
    }

    /// The number of characters.
    pub fn chars(&self) -> usize {
        self.marks.last().map_or(0, |mark| mark.chars)
    }

    /// The ends of all segments, in bytes.
    pub fn ends(&self) -> impl Iterator<Item = usize> {
        self.marks.iter().skip(1).map(|mark| mark.byte)
    }

    /// The tokens of the text between two bytes at which characters begin, without the overhead.
    pub fn count(&self, from: usize, to: usize) -> usize {
        let part = self.text.get(from..to).unwrap_or_default();
        self.tokenizer.count(part).saturating_sub(self.overhead)
    }

    /// The byte at which the character of that number begins.
    pub fn byte_of(&self, char: usize) -> usize {
        let mark = self.mark_before(|mark| mark.chars <= char);
        let rest = self.text.get(mark.byte..).unwrap_or_default();
        rest.char_indices().nth(char - mark.chars).map_or(self.text.len(), |(at, _)| mark.byte + at)
    }

    /// The tokens before a byte.
    pub fn head(&self, byte: usize) -> usize {
        let mark = self.mark_before(|mark| mark.byte <= byte);
        mark.tokens + self.count(mark.byte, byte)
    }

    /// The tokens from a byte on.
    pub fn tail(&self, byte: usize) -> usize {
        let at = self.marks.partition_point(|mark| mark.byte < byte);
        let total = self.marks.last().map_or(0, |mark| mark.tokens);
        match self.marks.get(at) {
            Some(mark) => total - mark.tokens + self.count(byte, mark.byte),
            None => 0,
        }
    }

    /// The largest number of characters up to `most` that is right; `right(0)` counts as true, and what is right for a number
    /// should be right for all below it.
    pub fn most_chars(most: usize, right: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if right(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// The longest beginning of at most `room` tokens, in bytes.
    pub fn longest_head(&self, room: usize) -> usize {
        self.byte_of(Self::most_chars(self.chars(), |chars| self.head(self.byte_of(chars)) <= room))
    }

    /// Where the longest end of at most `room` tokens begins.
    pub fn longest_tail(&self, room: usize) -> usize {
        let all = self.chars();
        self.byte_of(all - Self::most_chars(all, |chars| self.tail(self.byte_of(all - chars)) <= room))
    }

    fn mark_before(&self, holds: impl Fn(&Mark) -> bool) -> Mark {
        let at = self.marks.partition_point(holds);
        self.marks.get(at.saturating_sub(1)).copied().unwrap_or(Mark { byte: 0, chars: 0, tokens: 0 })
    }
}

/// Where segments end, in bytes, and how many characters each has.
fn boundaries(text: &str) -> Vec<(usize, usize)> {
    let mut ends = Vec::new();
    let (mut chars, mut in_word) = (0, false);
    for (at, c) in text.char_indices() {
        let alone = chars >= LONG_SEGMENT && (c.is_ascii_punctuation() || c >= '\u{2e80}');
        if in_word && (c.is_whitespace() || alone) {
            ends.push((at, chars));
            chars = 0;
        }
        in_word = !c.is_whitespace();
        chars += 1;
    }
    if chars > 0 {
        ends.push((text.len(), chars));
    }
    ends
}

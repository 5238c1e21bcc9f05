//! Cutting a text to a number of tokens.
//!
//! Every strategy is deterministic, cuts between characters, and gives at most the tokens allowed by the tokenizer's count of
//! the whole result. A text costs three or four passes of the tokenizer.

use super::Strategy;
use super::segments::Segments;
use super::sentences;
use crate::native::embed::Tokenizer;

/// Put where a text was cut.
const MARKER: &str = "[... truncated ...]";

/// What is left of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// The text.
    pub text: String,
    /// Its tokens.
    pub tokens: usize,
    /// The strategy that made it: a text without sentences cannot be cut by sentences.
    pub strategy: Strategy,
}

/// At most `max_tokens` of a text that has more.
pub fn truncate(tokenizer: &dyn Tokenizer, text: &str, max_tokens: usize, strategy: Strategy) -> Kept {
    let segments = Segments::new(tokenizer, text);
    let cutter = Cutter { tokenizer, text, segments: &segments };
    let room = max_tokens.saturating_sub(segments.overhead());
    if strategy == Strategy::Sentences
        && let Some(text) = sentences::cut(&cutter, room)
    {
        let tokens = tokenizer.count(&text);
        if tokens <= max_tokens {
            return Kept { text, tokens, strategy };
        }
    }
    let strategy = if strategy == Strategy::Sentences { Strategy::MiddleOut } else { strategy };
    cutter.fit(room, max_tokens, strategy)
}

/// A text on its way to be cut.
pub struct Cutter<'t> {
    /// Counts tokens.
    pub tokenizer: &'t dyn Tokenizer,
    /// The text.
    pub text: &'t str,
    /// Its counted segments.
    pub segments: &'t Segments<'t>,
}

impl Cutter<'_> {
    /// The tokens of a piece of text, without the overhead.
    pub fn count(&self, text: &str) -> usize {
        self.tokenizer.count(text).saturating_sub(self.segments.overhead())
    }

    /// The marker with what surrounds it, and the room that it leaves; `None` when it leaves none.
    pub fn marker(&self, before: &str, after: &str, room: usize) -> Option<(String, usize)> {
        let marker = format!("{before}{MARKER}{after}");
        let left = room.checked_sub(self.count(&marker)).filter(|&left| left > 0)?;
        Some((marker, left))
    }

    /// Tokens of parts need not add up to those of the whole; then the room is made smaller in proportion, and tried again.
    fn fit(&self, room: usize, max_tokens: usize, strategy: Strategy) -> Kept {
        let mut room = room;
        loop {
            let text = self.cut(room, strategy);
            let tokens = self.tokenizer.count(&text);
            if tokens <= max_tokens {
                return Kept { text, tokens, strategy };
            }
            if room == 0 {
                return Kept { text: String::new(), tokens: self.tokenizer.count(""), strategy };
            }
            room = (room.saturating_mul(max_tokens) / tokens).min(room - 1);
        }
    }

    fn cut(&self, room: usize, strategy: Strategy) -> String {
        match strategy {
            Strategy::End => self.end(room),
            Strategy::Start => self.start(room),
            Strategy::MiddleOut | Strategy::Sentences | Strategy::Auto => self.middle_out(room),
        }
    }

    fn end(&self, room: usize) -> String {
        let head = |room| self.text.get(..self.segments.longest_head(room)).unwrap_or_default();
        match self.marker("\n\n", "", room) {
            Some((marker, room)) => format!("{}{marker}", head(room)),
            None => head(room).into(),
        }
    }

    fn start(&self, room: usize) -> String {
        let tail = |room| self.text.get(self.segments.longest_tail(room)..).unwrap_or_default();
        match self.marker("", "\n\n", room) {
            Some((marker, room)) => format!("{marker}{}", tail(room)),
            None => tail(room).into(),
        }
    }

    fn middle_out(&self, room: usize) -> String {
        let Some((marker, room)) = self.marker("\n\n", "\n\n", room) else { return self.end(room) };
        let (segments, all) = (self.segments, self.segments.chars());
        let ends = |chars| (segments.byte_of(chars), segments.byte_of(all - chars));
        let fits = |chars| {
            let (head, tail) = ends(chars);
            segments.head(head) + segments.tail(tail) <= room
        };
        let (head, tail) = ends(Segments::most_chars(all / 2, fits));
        let (head, tail) = (self.text.get(..head), self.text.get(tail..));
        format!("{}{marker}{}", head.unwrap_or_default(), tail.unwrap_or_default())
    }
}

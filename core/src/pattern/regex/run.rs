//! Running a program: all its threads at once, one character after the other.

use super::{Position, Regex, Step};
use crate::pattern::fold::is_word;

/// Memory that is reused from text to text.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Threads to be followed at this place.
    open: Vec<usize>,
    /// Threads that consumed the character and go on behind it.
    moved: Vec<usize>,
    /// Per instruction the place where a thread was last seen at it.
    seen: Vec<u32>,
    /// The number of this place.
    place: u32,
}

impl Regex {
    /// Whether the pattern is found anywhere in the text. Takes time in proportion to text times program at worst.
    pub fn is_match(&self, text: &str, scratch: &mut Scratch) -> bool {
        scratch.start(self.program.len());
        let anchored = self.program.first() == Some(&Step::At(Position::TextStart));
        let (mut before, mut rest) = (None, text);
        loop {
            if scratch.moved.is_empty() {
                if anchored && before.is_some() {
                    return false;
                }
                if let Some(first) = &self.first {
                    let Some(skip) = rest.bytes().position(|byte| first.holds(byte)) else { return false };
                    let (skipped, next) = rest.split_at_checked(skip).unwrap_or((rest, ""));
                    before = skipped.chars().next_back().or(before);
                    rest = next;
                }
            }
            let mut chars = rest.chars();
            let next = chars.next();
            if self.step(before, next, scratch) {
                return true;
            }
            if next.is_none() {
                return false;
            }
            (before, rest) = (next, chars.as_str());
        }
    }

    /// Follows all threads at the place between two characters; true when one has found the pattern.
    fn step(&self, before: Option<char>, next: Option<char>, scratch: &mut Scratch) -> bool {
        scratch.place += 1;
        scratch.open.append(&mut scratch.moved);
        scratch.open.push(0);
        while let Some(at) = scratch.open.pop() {
            let (Some(step), Some(seen)) = (self.program.get(at), scratch.seen.get_mut(at)) else { continue };
            if std::mem::replace(seen, scratch.place) == scratch.place {
                continue;
            }
            match *step {
                Step::Found => return true,
                Step::Jump(by) => scratch.open.push(at.wrapping_add_signed(by)),
                Step::Fork(by) => scratch.open.extend([at + 1, at.wrapping_add_signed(by)]),
                Step::At(position) => {
                    if position.is_here(before, next) {
                        scratch.open.push(at + 1);
                    }
                }
                step => {
                    if next.is_some_and(|next| self.accepts(step, next)) {
                        scratch.moved.push(at + 1);
                    }
                }
            }
        }
        false
    }
}

impl Scratch {
    fn start(&mut self, steps: usize) {
        self.open.clear();
        self.moved.clear();
        // No text has as many places as the upper half of the numbers; another program's places mean nothing here.
        if self.seen.len() != steps || self.place > u32::MAX / 2 {
            self.seen.clear();
            self.seen.resize(steps, 0);
            self.place = 0;
        }
    }
}

impl Position {
    fn is_here(self, before: Option<char>, next: Option<char>) -> bool {
        let at_edge = before.is_some_and(is_word) != next.is_some_and(is_word);
        match self {
            Self::TextStart => before.is_none(),
            Self::TextEnd => next.is_none(),
            Self::LineStart => before.is_none_or(|c| c == '\n'),
            Self::LineEnd => next.is_none_or(|c| c == '\n'),
            Self::WordEdge => at_edge,
            Self::NoWordEdge => !at_edge,
        }
    }
}

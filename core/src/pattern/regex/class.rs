//! Sets of characters: `[a-z]`, `\d`.

use crate::pattern::fold::any_case;

/// Ranges of characters, or all others.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Class {
    /// First and last, in any order.
    pub ranges: Vec<(u32, u32)>,
    /// Whether the class is what the ranges leave out.
    negated: bool,
    /// Whether a character counts as in a range if it is there in another case.
    folded: bool,
    /// The verdicts on ASCII, once [`finish`](Self::finish) was called.
    ascii: u128,
}

impl Class {
    /// A class without any range.
    pub fn new(negated: bool, folded: bool) -> Self {
        Self { negated, folded, ..Self::default() }
    }

    /// Adds what a sorted table holds, or what it leaves out.
    pub fn add(&mut self, table: &[(u32, u32)], negated: bool) {
        if !negated {
            self.ranges.extend_from_slice(table);
            return;
        }
        let mut next = 0;
        for (first, last) in table {
            if *first > next {
                self.ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        self.ranges.push((next, u32::from(char::MAX)));
    }

    /// Prepares the class for use.
    pub fn finish(mut self) -> Self {
        self.ascii =
            (0..128_u8).filter(|byte| self.search(char::from(*byte))).fold(0, |bits, byte| bits | 1 << byte);
        self
    }

    /// Whether the character is in the class.
    pub fn holds(&self, c: char) -> bool {
        if c.is_ascii() { self.ascii >> u32::from(c) & 1 == 1 } else { self.search(c) }
    }

    fn search(&self, c: char) -> bool {
        let inside = |number: u32| self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number));
        let found = if self.folded { any_case(c, &inside) } else { inside(c.into()) };
        found != self.negated
    }
}

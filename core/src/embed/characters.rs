//! What BERT's uncased normalization makes of each character: cleaning, spacing of ideographs, canonical decomposition
//! without nonspacing marks, lower case, and the split at punctuation, all in one look-up.
//!
//! The steps can be joined because each works on single characters, but for one thing: decomposition also sorts the
//! marks that follow each other, which [`rank`] is for. The data ([`super::unicode_tables`]) is taken from the
//! `tokenizers` crate, whose tables mix several Unicode versions; following the newest version here would give other
//! tokens. Costs 100 kB of memory once a process. Not for general Unicode work.

use std::sync::OnceLock;

use super::unicode_tables::{MARKS, RUNS, SEQUENCES};

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word, as the target.
    Letter = 0,
    /// Dropped without a trace.
    Gone = 1,
    /// Dropped, but marks before and after it are not sorted across it.
    Barrier = 2,
    /// Ends a word.
    Space = 3,
    /// A word of its own, as the target.
    Ideograph = 4,
    /// A word of its own, as the target.
    Punctuation = 5,
    /// A Korean syllable: two or three letters, by arithmetic; see [`hangul`].
    Hangul = 6,
    /// Several letters: the target is a position in the table of sequences; see [`sequence`].
    Sequence = 7,
}

const CLASSES: [Class; 8] = [
    Class::Letter,
    Class::Gone,
    Class::Barrier,
    Class::Space,
    Class::Ideograph,
    Class::Punctuation,
    Class::Hangul,
    Class::Sequence,
];

const PAGE: usize = 256;
/// Targets are stored as differences to the character, modulo this: enough for every character.
const SPAN: u32 = 1 << 21;

/// The look-up table: pages of 256 characters, equal pages of uniform content shared.
#[derive(Debug)]
pub(super) struct Characters {
    /// The page of each 256 characters.
    pages: Vec<u16>,
    /// `class << 21 | difference to the target`, page after page.
    entries: Vec<u32>,
    /// The shared pages, by the one entry they hold.
    uniform: Vec<(u32, u16)>,
}

impl Characters {
    /// The table, built at the first use in well under a millisecond.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Characters> = OnceLock::new();
        TABLE.get_or_init(Self::build)
    }

    /// The class of `c` and its target.
    #[inline]
    pub(super) fn look_up(&self, c: char) -> (Class, u32) {
        let code = c as u32;
        let page = usize::from(self.pages[code as usize / PAGE]);
        let entry = self.entries[page * PAGE + code as usize % PAGE];
        (CLASSES[(entry / SPAN) as usize & 7], code.wrapping_add(entry) % SPAN)
    }

    fn build() -> Self {
        let pages = vec![0; (char::MAX as usize + 1) / PAGE];
        let mut table = Self { pages, entries: vec![0; PAGE], uniform: vec![(0, 0)] };
        let (mut stream, mut at) = (Stream(RUNS), 0);
        while let Some(gap) = stream.number() {
            at += gap;
            at = table.read_run(&mut stream, at);
        }
        table
    }

    /// Enters the run that begins at `at` and returns where it ends.
    fn read_run(&mut self, stream: &mut Stream, at: u32) -> u32 {
        let head = stream.number().unwrap_or(0);
        let (class, shape, count) = (head & 7, head >> 3 & 3, (head >> 5) + 1);
        match shape {
            0 => self.fill(at, at + count, class * SPAN),
            1 | 2 => {
                let entry = class * SPAN + stream.difference() % SPAN;
                (0..count).for_each(|i| self.fill(at + i * shape, at + i * shape + 1, entry));
                return at + (count - 1) * shape + 1;
            }
            _ => {
                let mut target = at;
                for code in at..at + count {
                    target = target.wrapping_add(stream.difference());
                    self.fill(code, code + 1, class * SPAN + target.wrapping_sub(code) % SPAN);
                }
            }
        }
        at + count
    }

    /// Enters `entry` for the characters from `start` to before `end`.
    fn fill(&mut self, start: u32, end: u32, entry: u32) {
        let (mut start, end) = (start as usize, end as usize);
        while start < end {
            let stop = end.min((start / PAGE + 1) * PAGE);
            if stop - start == PAGE {
                self.pages[start / PAGE] = self.uniform_page(entry);
            } else {
                let page = usize::from(self.own_page(start / PAGE));
                self.entries[page * PAGE + start % PAGE..][..stop - start].fill(entry);
            }
            start = stop;
        }
    }

    fn uniform_page(&mut self, entry: u32) -> u16 {
        if let Some((_, page)) = self.uniform.iter().find(|(content, _)| *content == entry) {
            return *page;
        }
        let page = self.new_page([entry; PAGE]);
        self.uniform.push((entry, page));
        page
    }

    /// A page for `index` that is not shared, with the content it had.
    fn own_page(&mut self, index: usize) -> u16 {
        let page = self.pages[index];
        let shared = self.uniform.iter().find(|(_, shared)| *shared == page);
        if let Some((content, _)) = shared {
            self.pages[index] = self.new_page([*content; PAGE]);
        }
        self.pages[index]
    }

    fn new_page(&mut self, content: [u32; PAGE]) -> u16 {
        let page = self.entries.len() / PAGE;
        self.entries.extend(content);
        page as u16
    }
}

/// The rest of [`RUNS`].
struct Stream(&'static [u8]);

impl Stream {
    fn number(&mut self) -> Option<u32> {
        let (mut number, mut shift) = (0, 0);
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
        None
    }

    /// A zigzag coded difference, modulo 2^32.
    fn difference(&mut self) -> u32 {
        let number = self.number().unwrap_or(0);
        (number >> 1) ^ (number & 1).wrapping_neg()
    }
}

/// The place of a kept mark among marks that follow each other; 0 for every character that is not sorted.
#[inline]
pub(super) fn rank(c: char) -> u8 {
    if c < MARKS[0].0 {
        return 0;
    }
    MARKS.iter().find(|(first, last, _)| (*first..=*last).contains(&c)).map_or(0, |(_, _, rank)| *rank)
}

/// The letters of a target of [`Class::Sequence`].
pub(super) fn sequence(target: u32) -> impl Iterator<Item = char> {
    let letters = SEQUENCES.get(target as usize).copied().unwrap_or_default();
    letters.into_iter().take_while(|&c| c != '\0')
}

/// The letters of a Korean syllable, by the arithmetic of the Unicode standard, section 3.12.
pub(super) fn hangul(syllable: char) -> impl Iterator<Item = char> {
    const VOWELS: u32 = 21;
    const TAILS: u32 = 28;
    let index = (syllable as u32).wrapping_sub(0xac00);
    let tail = index % TAILS;
    [
        Some(0x1100 + index / (VOWELS * TAILS)),
        Some(0x1161 + index / TAILS % VOWELS),
        (tail > 0).then_some(0x11a7 + tail),
    ]
    .into_iter()
    .flatten()
    .filter_map(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(c: char) -> (Class, Option<char>) {
        let (class, target) = Characters::get().look_up(c);
        (class, char::from_u32(target))
    }

    #[test]
    fn letters_lose_case_and_accents() {
        for (c, target) in
            [('a', 'a'), ('Z', 'z'), ('É', 'e'), ('ß', 'ß'), ('İ', 'i'), ('Σ', 'σ'), ('ệ', 'e')]
        {
            assert_eq!(look_up(c), (Class::Letter, Some(target)), "{c}");
        }
    }

    #[test]
    fn marks_and_controls_are_dropped_and_spaces_divide() {
        assert_eq!(look_up('\u{301}').0, Class::Gone);
        assert_eq!(look_up('\u{0}').0, Class::Gone);
        assert_eq!(look_up('\u{e000}').0, Class::Gone);
        assert_eq!(look_up('\u{10fffd}').0, Class::Gone);
        assert_eq!(look_up('\t').0, Class::Space);
        assert_eq!(look_up('\u{3000}').0, Class::Space);
    }

    #[test]
    fn punctuation_and_ideographs_stand_alone() {
        assert_eq!(look_up('$'), (Class::Punctuation, Some('$')));
        assert_eq!(look_up('\u{37e}'), (Class::Punctuation, Some(';')));
        assert_eq!(look_up('中'), (Class::Ideograph, Some('中')));
        assert_eq!(look_up('\u{f900}'), (Class::Ideograph, Some('豈')));
    }

    #[test]
    fn korean_syllables_fall_into_letters() {
        assert_eq!(look_up('한').0, Class::Hangul);
        assert_eq!(hangul('한').collect::<String>(), "\u{1112}\u{1161}\u{11ab}");
        assert_eq!(hangul('하').collect::<String>(), "\u{1112}\u{1161}");
    }

    #[test]
    fn composed_vowel_signs_fall_into_sequences() {
        let (class, target) = Characters::get().look_up('\u{9cb}');
        assert_eq!(class, Class::Sequence);
        assert_eq!(sequence(target).collect::<String>(), "\u{9c7}\u{9be}");
    }

    #[test]
    fn only_kept_marks_have_a_rank() {
        assert!(rank('\u{1d165}') > 0 && rank('\u{1d165}') < rank('\u{1d16d}'));
        assert_eq!(rank('a'), 0);
        assert_eq!(rank('\u{10ffff}'), 0);
    }
}

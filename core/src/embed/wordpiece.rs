//! Text to tokens, as BERT's uncased tokenizer does it.
//!
//! The same tokens as the `tokenizers` crate gives for a BERT uncased `tokenizer.json` without adding special tokens,
//! except that `[UNK]` is left out. Use it in front of a [`super::StaticEmbedder`]. It keeps no offsets, does not
//! truncate, and cannot be configured.

use super::{
    characters::{Characters, Class, hangul, rank, sequence},
    vocabulary::Vocabulary,
};
use crate::{error::InputError, gather::Gather as _};

/// The names that stand for themselves when a text contains them literally, in this case and without other
/// characters between. `[UNK]` too: it splits a text, and is then dropped as any unknown word.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const UNKNOWN: &str = "[UNK]";

/// Longer words are unknown, as in BERT.
const MAX_CHARS: usize = 100;

/// A tokenizer over one vocabulary.
#[derive(Debug, Clone)]
pub struct WordPiece {
    vocabulary: Vocabulary,
    /// The special names that the vocabulary has, with their tokens.
    special: Vec<(&'static str, u32)>,
}

impl WordPiece {
    /// A tokenizer over the text of a `vocab.txt`: one token a line, numbered from 0; tokens that continue a word begin
    /// with `##`. O(text).
    ///
    /// # Errors
    /// [`InputError::BadEmbedder`] for a text over 4 GiB.
    pub fn from_vocab(vocab_txt: &str) -> Result<Self, InputError> {
        let vocabulary = Vocabulary::new(vocab_txt)?;
        let special =
            SPECIAL.iter().filter_map(|&name| Some((name, vocabulary.token(name)?))).gather::<Vec<_>>();
        Ok(Self { vocabulary, special })
    }

    /// The number of tokens of the vocabulary; every token is below it.
    pub fn vocab_len(&self) -> u32 {
        self.vocabulary.len()
    }

    /// The vocabulary's text, as it was given.
    pub fn vocab(&self) -> &str {
        self.vocabulary.text()
    }

    /// Appends the tokens of `text` to `out`. Words that the vocabulary cannot spell, or of over 100 characters, give
    /// none. O(text) for ordinary words; a word of n characters may cost n squared look-ups, n up to 100.
    pub fn encode(&self, text: &str, out: &mut Vec<u32>) {
        let mut words = Words { vocabulary: &self.vocabulary, word: Word::new(), hashes: Vec::new(), out };
        let mut rest = text;
        while let Some((start, name, token)) = self.find_special(rest) {
            words.read(rest.get(..start).unwrap_or_default());
            if name != UNKNOWN {
                words.out.push(token);
            }
            rest = rest.get(start + name.len()..).unwrap_or_default();
        }
        words.read(rest);
    }

    fn find_special(&self, text: &str) -> Option<(usize, &'static str, u32)> {
        text.match_indices('[').find_map(|(at, _)| {
            let rest = text.get(at..)?;
            let (name, token) = self.special.iter().find(|(name, _)| rest.starts_with(name))?;
            Some((at, *name, *token))
        })
    }
}

/// Splits a text into words and these into tokens.
struct Words<'a> {
    vocabulary: &'a Vocabulary,
    word: Word,
    hashes: Vec<u64>,
    out: &'a mut Vec<u32>,
}

impl Words<'_> {
    fn read(&mut self, text: &str) {
        let characters = Characters::get();
        for c in text.chars() {
            let (class, target) = characters.look_up(c);
            match class {
                Class::Letter => self.word.push(char::from_u32(target).unwrap_or(c)),
                Class::Gone => {}
                Class::Barrier => self.word.stop_sorting(),
                Class::Space => self.finish_word(),
                Class::Ideograph | Class::Punctuation => {
                    self.finish_word();
                    self.word.push(char::from_u32(target).unwrap_or(c));
                    self.finish_word();
                }
                Class::Hangul => hangul(c).for_each(|c| self.word.push(c)),
                Class::Sequence => sequence(target).for_each(|c| self.word.push(c)),
            }
        }
        self.finish_word();
    }

    /// Greedily takes the longest token from the front; a word with a rest is unknown as a whole.
    fn finish_word(&mut self) {
        let word = self.word.content();
        let (before, mut start) = (self.out.len(), 0);
        while start < word.len() {
            match self.vocabulary.longest(&word[start..], start > 0, &mut self.hashes) {
                Some((token, len)) => {
                    self.out.push(token);
                    start += len;
                }
                None => {
                    self.out.truncate(before);
                    break;
                }
            }
        }
        self.word.clear();
    }
}

/// The word being read, normalized.
struct Word {
    bytes: [u8; 4 * MAX_CHARS],
    len: usize,
    chars: usize,
    /// Where the marks begin that still may change places.
    sorting_from: usize,
}

impl Word {
    fn new() -> Self {
        Self { bytes: [0; 4 * MAX_CHARS], len: 0, chars: 0, sorting_from: 0 }
    }

    fn clear(&mut self) {
        (self.len, self.chars, self.sorting_from) = (0, 0, 0);
    }

    /// The bytes of the word; none if it is too long to be known.
    fn content(&self) -> &[u8] {
        if self.chars > MAX_CHARS { &[] } else { &self.bytes[..self.len] }
    }

    fn stop_sorting(&mut self) {
        self.sorting_from = self.len;
    }

    #[inline]
    fn push(&mut self, c: char) {
        self.chars += 1;
        if self.chars > MAX_CHARS {
            return;
        }
        let start = self.len;
        self.len += c.encode_utf8(&mut self.bytes[start..]).len();
        match rank(c) {
            0 => self.stop_sorting(),
            rank => self.sort_last(start, rank),
        }
    }

    /// Moves the mark at `start`, the last one, before all marks of higher rank; equal ones keep their order.
    fn sort_last(&mut self, start: usize, last_rank: u8) {
        let earlier = str::from_utf8(&self.bytes[self.sorting_from..start]).unwrap_or("");
        let higher: usize =
            earlier.chars().rev().take_while(|&c| rank(c) > last_rank).map(char::len_utf8).sum();
        let mark_bytes = self.len - start;
        self.bytes[start - higher..self.len].rotate_right(mark_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\nun\n##aff\n##able\nhello\n,\nworld\n中\ncafe\n[\n]\ncls\n##c\n";

    fn tokens(text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        WordPiece::from_vocab(VOCAB).unwrap().encode(text, &mut out);
        out
    }

    #[test]
    fn words_fall_into_their_longest_pieces() {
        assert_eq!(tokens("unaffable"), [3, 4, 5]);
        assert_eq!(tokens("  Hello,WORLD\n"), [6, 7, 8]);
        assert_eq!(tokens("hello中world"), [6, 9, 8]);
        assert_eq!(tokens("Café cafe\u{301}"), [10, 10]);
    }

    #[test]
    fn a_word_that_cannot_be_spelled_gives_nothing() {
        assert_eq!(tokens("unaffablex hello"), [6]);
        assert!(tokens("").is_empty());
        assert!(tokens("\u{0}\u{200b}").is_empty());
    }

    #[test]
    fn words_of_over_a_hundred_characters_give_nothing() {
        let hundred = format!("un{}", "c".repeat(98));
        assert_eq!(tokens(&hundred).len(), 99);
        assert_eq!(tokens(&format!("{hundred}c hello")), [6]);
    }

    #[test]
    fn special_names_written_out_are_tokens_and_unk_is_dropped() {
        assert_eq!(tokens("hello[CLS]world"), [6, 2, 8]);
        assert_eq!(tokens("hel[UNK]lo hello"), [6]);
        assert_eq!(tokens("[cls]"), [11, 13, 12]);
    }

    #[test]
    fn marks_that_are_kept_are_sorted_by_rank_up_to_a_barrier() {
        let sorted = WordPiece::from_vocab("\u{1d165}\n##\u{1d16d}\n").unwrap();
        let count = |text: &str| {
            let mut out = Vec::new();
            sorted.encode(text, &mut out);
            out.len()
        };
        assert_eq!(count("\u{1d165}\u{1d16d}"), 2);
        assert_eq!(count("\u{1d16d}\u{1d165}"), 2);
        assert_eq!(count("\u{1d16d}\u{301}\u{1d165}"), 2);
        assert_eq!(count("\u{1d16d}\u{34f}\u{1d165}"), 0);
    }
}

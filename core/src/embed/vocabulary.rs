//! A vocabulary: the tokens of a `vocab.txt`, found by the longest beginning of some bytes.
//!
//! An own hash table over the file's text: no copy of a token, no allocation in a search, and the hashes of all
//! beginnings of a word come out of one pass over it. It does not know what a word is; see [`super::WordPiece`].

use crate::{error::InputError, gather::Gather as _};

/// The tokens of a vocabulary and where they stand in its text.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    text: String,
    /// Start and end of each token in `text`, in bytes.
    spans: Vec<(u32, u32)>,
    /// Open addressing, at most half full: the upper half of the hash, and the token plus one; 0 is empty.
    slots: Vec<(u32, u32)>,
    longest_bytes: usize,
}

/// What a token that continues a word begins with.
pub(super) const CONTINUATION: &str = "##";

impl Vocabulary {
    /// Reads one token a line; the line's number from 0 is the token. Of equal lines the last one counts.
    pub(super) fn new(text: &str) -> Result<Self, InputError> {
        if u32::try_from(text.len()).is_err() {
            return Err(InputError::BadEmbedder { reason: String::from("the vocabulary is over 4 GiB") });
        }
        let mut end = 0;
        let spans: Vec<(u32, u32)> = text
            .split_inclusive('\n')
            .map(|line| {
                let start = end;
                end += line.len();
                let content = line.strip_suffix('\n').unwrap_or(line);
                let content = content.strip_suffix('\r').unwrap_or(content);
                (start as u32, (start + content.len()) as u32)
            })
            .gather();
        let longest_bytes = spans.iter().map(|(start, end)| (end - start) as usize).max().unwrap_or(0);
        let slots = vec![(0, 0); (2 * spans.len() + 1).next_power_of_two()];
        let mut vocabulary = Self { text: String::from(text), spans, slots, longest_bytes };
        (0..vocabulary.len()).for_each(|token| vocabulary.insert(token));
        Ok(vocabulary)
    }

    /// The file's text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The number of tokens.
    pub(super) fn len(&self) -> u32 {
        self.spans.len() as u32
    }

    /// The token that is exactly `content`.
    pub(super) fn token(&self, content: &str) -> Option<u32> {
        let hash = content.bytes().fold(SEED, step);
        let slot = self.find(hash, "", content.as_bytes()).ok()?;
        Some(self.slots[slot].1 - 1)
    }

    /// The longest token that `word` begins with and its length there in bytes; with `continuing` the tokens that
    /// begin with [`CONTINUATION`], which is not in `word`. `hashes` is scratch space.
    pub(super) fn longest(
        &self,
        word: &[u8],
        continuing: bool,
        hashes: &mut Vec<u64>,
    ) -> Option<(u32, usize)> {
        let prefix = if continuing { CONTINUATION } else { "" };
        let mut hash = prefix.bytes().fold(SEED, step);
        hashes.clear();
        hashes.extend(word.iter().take(self.longest_bytes).map(|&byte| {
            hash = step(hash, byte);
            hash
        }));
        hashes.iter().enumerate().rev().find_map(|(last, &hash)| {
            let slot = self.find(hash, prefix, &word[..=last]).ok()?;
            Some((self.slots[slot].1 - 1, last + 1))
        })
    }

    fn insert(&mut self, token: u32) {
        let content = self.content(token);
        let hash = content.bytes().fold(SEED, step);
        let (Ok(slot) | Err(slot)) = self.find(hash, "", content.as_bytes());
        self.slots[slot] = (tag(hash), token + 1);
    }

    /// The slot of the token that is `prefix` and `rest`, or else the free slot where its search ended. `hash` is
    /// over both. Ends, because half of the slots are free.
    fn find(&self, hash: u64, prefix: &str, rest: &[u8]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => return Err(slot),
                (stored, token) if stored == tag(hash) => {
                    let content = self.content(token - 1);
                    if content.strip_prefix(prefix).is_some_and(|content| content.as_bytes() == rest) {
                        return Ok(slot);
                    }
                }
                _ => {}
            }
            slot = (slot + 1) & mask;
        }
    }

    fn content(&self, token: u32) -> &str {
        let span = self.spans.get(token as usize);
        span.and_then(|&(start, end)| self.text.get(start as usize..end as usize)).unwrap_or("")
    }
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

#[inline]
fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(vocabulary: &Vocabulary, word: &str, continuing: bool) -> Option<(u32, usize)> {
        vocabulary.longest(word.as_bytes(), continuing, &mut Vec::new())
    }

    #[test]
    fn the_longest_beginning_is_found() {
        let vocabulary = Vocabulary::new("a\nab\n##ab\nabc\nabcde\n").unwrap();
        assert_eq!(vocabulary.len(), 5);
        assert_eq!(longest(&vocabulary, "abcd", false), Some((3, 3)));
        assert_eq!(longest(&vocabulary, "abcd", true), Some((2, 2)));
        assert_eq!(longest(&vocabulary, "x", false), None);
        assert_eq!(longest(&vocabulary, "", false), None);
    }

    #[test]
    fn of_equal_lines_the_last_one_counts() {
        let vocabulary = Vocabulary::new("a\r\nb\r\na\r\n").unwrap();
        assert_eq!((vocabulary.token("a"), vocabulary.token("b")), (Some(2), Some(1)));
    }

    #[test]
    fn an_empty_vocabulary_finds_nothing() {
        let vocabulary = Vocabulary::new("").unwrap();
        assert_eq!((vocabulary.len(), longest(&vocabulary, "a", false)), (0, None));
    }
}

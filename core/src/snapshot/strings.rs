//! A sorted table of texts, read in place: dictionaries of text columns, and the ids.
//!
//! Layout: `u32 count`, `u32 ends[count]` (where each text ends, counted from the first), then the texts' UTF-8. Texts
//! are sorted by bytes and distinct, so that a comparison of texts is a comparison of their places.

use super::{assemble::narrow, layout::malformed};
use crate::{error::SnapshotError, filter::TextDictionary};

/// The bytes of a table of `texts`, which are sorted and distinct.
pub fn encode_strings<'a>(
    texts: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Result<Vec<u8>, SnapshotError> {
    let mut out = Vec::new();
    out.extend_from_slice(&narrow(texts.len(), "texts in a dictionary")?.to_le_bytes());
    let mut end = 0;
    for text in texts.clone() {
        end += text.len();
        out.extend_from_slice(&narrow(end, "bytes in a dictionary")?.to_le_bytes());
    }
    texts.for_each(|text| out.extend_from_slice(text.as_bytes()));
    Ok(out)
}

/// A table of texts lent by a file. Every place is checked when it is read, none when the table is opened.
#[derive(Debug, Clone, Copy)]
pub struct Strings<'a> {
    ends: &'a [[u8; 4]],
    texts: &'a [u8],
}

impl<'a> Strings<'a> {
    /// Opens the table of a section named `section` that begins at `offset` of the file. O(1).
    pub fn open(bytes: &'a [u8], section: &str, offset: u64) -> Result<Self, SnapshotError> {
        let opened = bytes.split_first_chunk::<4>().and_then(|(count, rest)| {
            let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
            let (ends, texts) = rest.split_at_checked(count.checked_mul(4)?)?;
            Some(Self { ends: ends.as_chunks().0, texts })
        });
        opened.ok_or_else(|| malformed(section, offset, "the table of texts is shorter than its count"))
    }

    /// The number of texts.
    pub fn count(&self) -> u32 {
        self.ends.len() as u32
    }

    /// The text at a place.
    pub fn text(&self, place: u32) -> Option<&'a str> {
        let end = |place: usize| self.ends.get(place).map(|end| u32::from_le_bytes(*end) as usize);
        let place = place as usize;
        let start = if place == 0 { 0 } else { end(place - 1)? };
        std::str::from_utf8(self.texts.get(start..end(place)?)?).ok()
    }

    /// Whether the texts are UTF-8, sorted and distinct, as all who search the table rely on. O(bytes).
    pub fn is_sorted(&self) -> bool {
        let mut before = None;
        (0..self.count()).all(|place| {
            let text = self.text(place);
            let rises = text.is_some() && (before.is_none() || before < text);
            before = text;
            rises
        })
    }
}

impl TextDictionary for Strings<'_> {
    fn len(&self) -> u32 {
        self.count()
    }

    fn get(&self, code: u32) -> Option<&str> {
        self.text(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_by_place() {
        let texts = ["", "a", "ab", "zebra"];
        let bytes = encode_strings(texts.into_iter()).unwrap();
        let table = Strings::open(&bytes, "dictionary", 0).unwrap();
        assert_eq!((0..4).map(|i| table.text(i).unwrap()).collect::<Vec<_>>(), texts);
        assert_eq!(table.text(4), None);
        assert!(table.is_sorted());
    }

    #[test]
    fn a_forged_table_gives_no_text_and_no_panic() {
        let bytes = encode_strings(["a", "b"].into_iter()).unwrap();
        for cut in 0..bytes.len() {
            if let Ok(table) = Strings::open(&bytes[..cut], "dictionary", 0) {
                assert!((0..4).filter_map(|place| table.text(place)).all(|text| text.len() <= 2));
            }
        }
        let mut forged = bytes.clone();
        forged[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        let table = Strings::open(&forged, "dictionary", 0).unwrap();
        assert_eq!((table.text(0), table.text(1)), (None, None));
        assert!(!table.is_sorted());
    }
}

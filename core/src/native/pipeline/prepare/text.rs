//! The lines of a text file in any encoding, decoded, with the bytes of the file they stand in.
//!
//! Use it under the readers of CSV and JSON lines. A byte-order mark says the encoding before anything declared does; without
//! either it is UTF-8. Bytes that the encoding does not have are marked, never silently replaced. It holds one line at a time.
//! Gzip is known by its first bytes; positions are then those of the unpacked file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::bufread::MultiGzDecoder;

use super::super::lines::MAX_LINE_BYTES;

/// One line with its end-of-line characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// The decoded text.
    pub text: String,
    /// Its first byte in the file.
    pub start: u64,
    /// The byte after its last one.
    pub end: u64,
    /// Why the text is not what the file says, if it is not.
    pub wrong: Option<String>,
}

/// A text file that is read line by line.
pub struct TextLines {
    input: Box<dyn BufRead + Send>,
    encoding: &'static Encoding,
    /// The byte that ends a line: `\r` in files that have no `\n`.
    ends: u8,
    at: u64,
    consumed: Arc<AtomicU64>,
}

impl TextLines {
    /// Opens a file; `declared` is the encoding of files without a byte-order mark.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path, declared: Option<&'static Encoding>) -> io::Result<Self> {
        let consumed = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: File::open(path)?, consumed: consumed.clone() };
        let mut file = BufReader::with_capacity(1 << 16, counted);
        let gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let mut input: Box<dyn BufRead + Send> = if gzip {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        let head = input.fill_buf()?;
        let (encoding, mark) = Encoding::for_bom(head).unwrap_or((declared.unwrap_or(UTF_8), 0));
        let ends = if head.contains(&b'\r') && !head.contains(&b'\n') { b'\r' } else { b'\n' };
        input.consume(mark);
        Ok(Self { input, encoding, ends, at: mark as u64, consumed })
    }

    /// How many bytes of the file itself have been read.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// The next line, blank ones too.
    ///
    /// # Errors
    /// What the operating system says, or a damaged gzip stream.
    pub fn next(&mut self) -> io::Result<Option<TextLine>> {
        let mut bytes = Vec::new();
        let whole = loop {
            let room = (MAX_LINE_BYTES + 1).saturating_sub(bytes.len());
            let count = self.input.by_ref().take(room as u64).read_until(self.ends, &mut bytes)?;
            if count == 0 {
                break room > 0;
            }
            if self.ended(&mut bytes)? {
                break true;
            }
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let start = self.at;
        self.at += bytes.len() as u64;
        if !whole {
            self.at += self.skip_line()?;
        }
        let (text, wrong) = self.decode(bytes, whole);
        Ok(Some(TextLine { text, start, end: self.at, wrong }))
    }

    /// Whether the byte that ends the buffer is an end of line, and not half of another character of UTF-16.
    fn ended(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        if bytes.last() != Some(&self.ends) {
            return Ok(false);
        }
        let odd = bytes.len() % 2 == 1;
        if self.encoding == UTF_16LE {
            self.input.by_ref().take(1).read_to_end(bytes)?;
            return Ok(odd && bytes.last() == Some(&0));
        }
        let high = bytes.len().checked_sub(2).and_then(|at| bytes.get(at));
        Ok(self.encoding != UTF_16BE || (!odd && high == Some(&0)))
    }

    fn decode(&self, bytes: Vec<u8>, whole: bool) -> (String, Option<String>) {
        let (text, wrong) = if self.encoding == UTF_8 {
            match String::from_utf8(bytes) {
                Ok(text) => (text, false),
                Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
            }
        } else {
            let (text, wrong) = self.encoding.decode_without_bom_handling(&bytes);
            (text.into_owned(), wrong)
        };
        let reason = match (whole, wrong) {
            (false, _) => Some(format!("the line has more than {MAX_LINE_BYTES} bytes")),
            (true, true) => Some(format!("it holds bytes that are not {}", self.encoding.name())),
            (true, false) => None,
        };
        (text, reason)
    }

    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            let (used, done) = match buffer.iter().position(|&byte| byte == self.ends) {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.input.consume(used);
            skipped += used as u64;
            if done {
                return Ok(skipped);
            }
        }
    }
}

struct Counted<R> {
    inner: R,
    consumed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.consumed.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8], declared: Option<&'static Encoding>) -> Vec<TextLine> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut lines = TextLines::open(file.path(), declared).unwrap();
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    #[test]
    fn every_encoding_keeps_its_text_and_its_place() {
        let text = "naïve,ਊ\nsecond\r\n";
        let utf16 = |big: bool| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        // The second character is U+0A0A, whose halves look like ends of lines.
        for (bytes, first) in [
            (text.as_bytes().to_vec(), 0..11),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), 3..14),
            (utf16(true), 2..18),
            (utf16(false), 2..18),
        ] {
            let found = lines(&bytes, None);
            assert_eq!(found.len(), 2, "{found:?}");
            assert_eq!((found[0].text.as_str(), found[1].text.as_str()), ("naïve,ਊ\n", "second\r\n"));
            assert_eq!((found[0].start..found[0].end, found[1].end), (first, bytes.len() as u64));
        }
        let latin = lines(b"na\xefve\n", Some(encoding_rs::WINDOWS_1252));
        assert_eq!((latin[0].text.as_str(), &latin[0].wrong), ("naïve\n", &None));
    }

    #[test]
    fn wrong_bytes_and_old_line_ends_are_noticed() {
        let found = lines(b"a\rb\xff\rc", None);
        assert_eq!(found.iter().map(|line| line.wrong.is_some()).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!((found[2].start, found[2].end), (5, 6));
        let long = [vec![b'x'; MAX_LINE_BYTES + 5], b"\nnext\n".to_vec()].concat();
        let found = lines(&long, None);
        assert!(found[0].wrong.as_ref().unwrap().contains("more than"));
        assert_eq!(found[1].text, "next\n");
    }
}

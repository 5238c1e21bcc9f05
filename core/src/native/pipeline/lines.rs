//! The lines of a plain or gzipped file, one at a time, in bounded memory.
//!
//! A line is what stands between newlines, without them; a byte-order mark at the start is dropped. Blank lines are
//! skipped but counted, so that numbers agree with an editor's. It does not look inside lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// The longest line that is read. A longer one is reported with its beginning.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// A line with its number, from 1.
pub struct Line {
    /// Its number.
    pub number: u64,
    /// Its bytes, at most [`MAX_LINE_BYTES`] of them.
    pub bytes: Vec<u8>,
    /// Whether there was more.
    pub too_long: bool,
}

impl Line {
    /// The bytes, if they are all.
    ///
    /// # Errors
    /// Why they are not.
    pub fn whole(&self) -> Result<&[u8], String> {
        match self.too_long {
            true => Err(format!("the line has more than {MAX_LINE_BYTES} bytes")),
            false => Ok(&self.bytes),
        }
    }
}

/// A file that is read line by line.
pub struct Lines {
    input: Box<dyn BufRead + Send>,
    number: u64,
    consumed: Arc<AtomicU64>,
}

impl Lines {
    /// Opens a file. A gzipped one is known by its first bytes, whatever its name.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let consumed = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: File::open(path)?, consumed: consumed.clone() };
        let mut file = BufReader::with_capacity(1 << 16, counted);
        let gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let mut input: Box<dyn BufRead + Send> = if gzip {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            input.consume(3);
        }
        Ok(Self { input, number: 0, consumed })
    }

    /// How many bytes of the file itself have been read.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// The next line that is not blank.
    ///
    /// # Errors
    /// What the operating system says, or a damaged gzip stream.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut bytes = Vec::new();
            let limit = MAX_LINE_BYTES as u64 + 1;
            if self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let too_long = bytes.len() > MAX_LINE_BYTES && bytes.last() != Some(&b'\n');
            if too_long {
                bytes.truncate(MAX_LINE_BYTES);
                self.skip_line()?;
            }
            bytes.truncate(bytes.trim_ascii_end().len());
            if !bytes.trim_ascii_start().is_empty() {
                return Ok(Some(Line { number: self.number, bytes, too_long }));
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let (used, done) = match buffer.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.input.consume(used);
            if done {
                return Ok(());
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

//! Files on the local disk, mapped into memory: wholly resident, paged in by the operating system.

#![allow(unsafe_code, reason = "mapping a file is unsafe: see the one block below")]

use std::{fs::File, io, path::Path};

use memmap2::Mmap;

use super::{ByteRange, ByteSource};

/// A memory-mapped, read-only file.
///
/// Release files are immutable: they are written under another name, synced and renamed, never changed in place. A
/// program that truncates one while it is mapped makes the operating system stop the reader (SIGBUS).
#[derive(Debug)]
pub struct MappedFile {
    map: Option<Mmap>,
}

impl MappedFile {
    /// Maps a file. Reads nothing yet.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: the map is read-only and private to this value, and the file is a release file, which nobody
        // writes to after it was put in place (see the type's documentation).
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self { map: Some(map) })
    }

    /// Tells the operating system how a range of the file will be read. Does nothing where it takes no such advice, and
    /// for ranges that the file does not have.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn advise(&self, range: ByteRange, advice: MapAdvice) -> io::Result<()> {
        let inside = range.end <= self.len() && !range.is_empty();
        match (&self.map, usize::try_from(range.start), usize::try_from(range.len())) {
            (Some(map), Ok(start), Ok(length)) if inside => tell(map, advice, start, length),
            _ => Ok(()),
        }
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

/// How a range of a mapped file will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapAdvice {
    /// Nobody knows.
    Normal,
    /// Soon, and all of it.
    WillNeed,
    /// A few bytes here and there.
    Random,
}

#[cfg(unix)]
fn tell(map: &Mmap, advice: MapAdvice, start: usize, length: usize) -> io::Result<()> {
    let advice = match advice {
        MapAdvice::Normal => memmap2::Advice::Normal,
        MapAdvice::WillNeed => memmap2::Advice::WillNeed,
        MapAdvice::Random => memmap2::Advice::Random,
    };
    map.advise_range(advice, start, length)
}

#[cfg(not(unix))]
fn tell(_map: &Mmap, _advice: MapAdvice, _start: usize, _length: usize) -> io::Result<()> {
    Ok(())
}

impl ByteSource for MappedFile {
    fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn get(&self, range: ByteRange) -> Option<&[u8]> {
        super::slice(self.bytes(), range)
    }
}

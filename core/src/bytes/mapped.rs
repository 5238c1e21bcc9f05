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

    /// All bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

impl ByteSource for MappedFile {
    fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn get(&self, range: ByteRange) -> Option<&[u8]> {
        super::slice(self.bytes(), range)
    }
}

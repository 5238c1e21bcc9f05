//! Byte sources: which ranges of a file are resident, and a loan of them.
//!
//! The engine never reads a file. It asks a [`ByteSource`] for a range and gets the bytes, or `None`: not here yet.
//! Then the host brings the range (a disk read, an HTTP request) and steps again. Nothing here does I/O.

#[cfg(feature = "mmap")]
mod mapped;

#[cfg(feature = "mmap")]
pub use mapped::{MapAdvice, MappedFile};

/// A half-open range of byte offsets in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl ByteRange {
    /// The range of `len` bytes from `start`. Saturates at the end of the address space.
    pub fn at(start: u64, len: u64) -> Self {
        Self { start, end: start.saturating_add(len) }
    }

    /// The number of bytes.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the range holds no byte.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }
}

/// A file whose bytes may be partly resident. Several threads may read one at once.
pub trait ByteSource: Sync {
    /// The length of the whole file in bytes, resident or not.
    fn len(&self) -> u64;

    /// The bytes of `range` if all of them are resident. A range past the end of the file is never resident.
    fn get(&self, range: ByteRange) -> Option<&[u8]>;

    /// Whether the file is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A wholly resident file: a memory map, or bytes in memory.
#[derive(Debug, Clone)]
pub struct Resident<T>(pub T);

impl<T: AsRef<[u8]> + Sync> ByteSource for Resident<T> {
    fn len(&self) -> u64 {
        self.0.as_ref().len() as u64
    }

    fn get(&self, range: ByteRange) -> Option<&[u8]> {
        slice(self.0.as_ref(), range)
    }
}

/// The part of a whole file that a range names.
fn slice(file: &[u8], range: ByteRange) -> Option<&[u8]> {
    file.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

/// A file of known length whose ranges arrive one by one. What has arrived is kept.
///
/// Ranges that overlap or touch are merged when they arrive, so that a later read across both succeeds.
#[derive(Debug, Default, Clone)]
pub struct RangeCache {
    len: u64,
    /// Runs of bytes and where they begin, ascending. No two overlap or touch.
    pieces: Vec<(u64, Vec<u8>)>,
}

impl RangeCache {
    /// An empty cache of a file with `len` bytes.
    pub fn new(len: u64) -> Self {
        Self { len, pieces: Vec::new() }
    }

    /// Keeps `bytes`, which begin at offset `start` of the file. O(pieces) plus the copy of merged neighbours.
    /// Bytes past the end of the file are dropped.
    pub fn insert(&mut self, start: u64, mut bytes: Vec<u8>) {
        bytes.truncate(usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX));
        if bytes.is_empty() {
            return;
        }
        let end = start + bytes.len() as u64;
        let from = self.pieces.partition_point(|(at, piece)| at + (piece.len() as u64) < start);
        let to = self.pieces.partition_point(|(at, _)| *at <= end);
        let mut pieces = vec![(start, bytes)];
        pieces.extend(self.pieces.drain(from..to));
        let first = pieces.iter().map(|(at, _)| *at).min().unwrap_or(start);
        self.pieces.insert(from, (first, join(first, pieces)));
    }

    /// The number of bytes held.
    pub fn resident_bytes(&self) -> u64 {
        self.pieces.iter().map(|(_, piece)| piece.len() as u64).sum()
    }
}

/// One run of bytes from `first` on, made of pieces that together leave no gap.
fn join(first: u64, mut pieces: Vec<(u64, Vec<u8>)>) -> Vec<u8> {
    if let [(_, only)] = pieces.as_mut_slice() {
        return std::mem::take(only);
    }
    let end = pieces.iter().map(|(start, piece)| start + piece.len() as u64).max().unwrap_or(first);
    let mut run = vec![0; (end - first) as usize];
    // The newest piece is the first, and is copied last: fetching a damaged range again repairs it.
    for (start, piece) in pieces.iter().rev() {
        let at = (start - first) as usize;
        run[at..at + piece.len()].copy_from_slice(piece);
    }
    run
}

impl ByteSource for RangeCache {
    fn len(&self) -> u64 {
        self.len
    }

    fn get(&self, range: ByteRange) -> Option<&[u8]> {
        if range.is_empty() {
            return (range.start <= self.len).then_some(&[]);
        }
        let after = self.pieces.partition_point(|(at, _)| *at <= range.start);
        let (start, piece) = self.pieces.get(after.checked_sub(1)?)?;
        let from = usize::try_from(range.start - start).ok()?;
        let to = usize::try_from(range.end - start).ok()?;
        piece.get(from..to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_touch_are_read_as_one() {
        let file: Vec<u8> = (0..100).collect();
        let mut cache = RangeCache::new(100);
        for (start, end) in [(10, 20), (30, 40), (20, 30), (5, 12), (38, 200), (0, 3)] {
            cache.insert(start, file[start as usize..(end as usize).min(100)].to_vec());
        }
        assert_eq!(cache.get(ByteRange { start: 5, end: 100 }), Some(&file[5..100]));
        assert_eq!(cache.get(ByteRange { start: 0, end: 6 }), None);
        assert_eq!(cache.get(ByteRange { start: 90, end: 101 }), None);
        assert_eq!(cache.resident_bytes(), 98);
    }

    #[test]
    fn bytes_that_arrive_again_replace_the_old_ones() {
        let mut cache = RangeCache::new(10);
        cache.insert(0, vec![0; 10]);
        cache.insert(3, vec![7, 7]);
        assert_eq!(cache.get(ByteRange { start: 2, end: 6 }), Some(&[0, 7, 7, 0][..]));
    }

    #[test]
    fn a_piece_inside_another_changes_nothing() {
        let mut cache = RangeCache::new(10);
        cache.insert(0, (0..10).collect());
        cache.insert(3, (3..5).collect());
        assert_eq!(cache.get(ByteRange { start: 0, end: 10 }).map(<[u8]>::len), Some(10));
    }
}

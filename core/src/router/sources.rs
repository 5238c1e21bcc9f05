//! The files of a release as the host lends them, and the list of ranges that a step found missing.

use crate::{
    bytes::{ByteRange, ByteSource},
    order::sort_by,
};

/// The files of one release, by their number in [`ReleaseIndex::files`](crate::release::ReleaseIndex::files).
pub trait Sources: Sync {
    /// The file of that number, if the host has it at all.
    fn file(&self, number: usize) -> Option<&dyn ByteSource>;
}

impl<S: ByteSource> Sources for [S] {
    fn file(&self, number: usize) -> Option<&dyn ByteSource> {
        self.get(number).map(|source| source as &dyn ByteSource)
    }
}

impl<S: ByteSource> Sources for Vec<S> {
    fn file(&self, number: usize) -> Option<&dyn ByteSource> {
        self.as_slice().file(number)
    }
}

/// A range of one file of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileRange {
    /// The file's number.
    pub file: usize,
    /// The bytes.
    pub range: ByteRange,
}

/// Ranges of the same file that are nearer than this are asked for as one: a request costs about as much as this
/// many bytes.
const COALESCE_GAP: u64 = 1024;

/// The ranges that a step lacks.
#[derive(Debug, Default)]
pub struct Needs {
    ranges: Vec<FileRange>,
}

impl Needs {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Notes that a range is missing.
    pub fn want(&mut self, file: usize, range: ByteRange) {
        self.ranges.push(FileRange { file, range });
    }

    /// Adds what another list holds.
    pub(super) fn extend(&mut self, other: Needs) {
        self.ranges.extend(other.ranges);
    }

    /// Notes that a range is missing unless the source has it; says whether it has.
    pub fn check(&mut self, file: usize, source: &dyn ByteSource, range: ByteRange) -> bool {
        let resident = source.get(range).is_some();
        if !resident {
            self.want(file, range);
        }
        resident
    }

    /// The missing ranges, sorted, each byte once, near neighbours joined.
    pub fn into_ranges(mut self) -> Vec<FileRange> {
        sort_by(&mut self.ranges, FileRange::cmp);
        let mut joined: Vec<FileRange> = Vec::with_capacity(self.ranges.len());
        for next in self.ranges {
            match joined.last_mut() {
                Some(last)
                    if last.file == next.file
                        && next.range.start <= last.range.end.saturating_add(COALESCE_GAP) =>
                {
                    last.range.end = last.range.end.max(next.range.end);
                }
                _ => joined.push(next),
            }
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_of_a_file_become_one_request() {
        let mut needs = Needs::default();
        for (file, start, end) in
            [(1, 0, 10), (0, 2000, 2100), (0, 0, 100), (0, 50, 1000), (0, 20_000, 20_001)]
        {
            needs.want(file, ByteRange { start, end });
        }
        let joined: Vec<_> =
            needs.into_ranges().iter().map(|n| (n.file, n.range.start, n.range.end)).collect();
        assert_eq!(joined, [(0, 0, 2100), (0, 20_000, 20_001), (1, 0, 10)]);
    }
}

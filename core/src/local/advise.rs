//! Telling the operating system which parts of a release will be read.
//!
//! Use it after opening, when the first statements must not wait for the disk, or when the files are larger than the
//! memory. It changes no answer. Where the operating system takes no advice on maps, it does nothing.

use super::LocalRelease;
use crate::{
    bytes::{ByteRange, MapAdvice, MappedFile},
    error::{Result, StoreError},
    snapshot::{SnapshotFile, layout::SectionKind},
};

/// What a program is going to do with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing in particular: how a release is opened.
    #[default]
    Normal,
    /// Search it. What every search reads is brought now, in the background: heads, centroids, codes, columns, ids. Of
    /// vectors and records a search reads a few far from each other: they are brought one by one, without their
    /// neighbours, so that memory smaller than the files is not spent on what nobody asked for.
    Search,
    /// Search it without ever waiting: all of it is brought now, in the background.
    All,
}

impl LocalRelease {
    /// Tells the operating system what the release is opened for. O(files); does not wait for the disk.
    ///
    /// # Errors
    /// Damage of a file's head; [`StoreError::File`] when the operating system refuses.
    pub fn advise(&self, advice: Advice) -> Result<()> {
        let index = self.catalog().index();
        let snapshots = 1..=index.snapshots.len();
        for (number, file) in index.files().enumerate() {
            let Some(map) = self.files.0.get(number).and_then(Option::as_ref) else { continue };
            let told = match advice {
                Advice::Search if snapshots.contains(&number) => self.advise_search(number, map)?,
                Advice::Normal => vec![(whole(map), MapAdvice::Normal)],
                Advice::Search | Advice::All => vec![(whole(map), MapAdvice::WillNeed)],
            };
            for (range, advice) in told {
                map.advise(range, advice).map_err(|source| StoreError::File {
                    action: "advise on",
                    path: self.folder().join(&file.name),
                    source,
                })?;
            }
        }
        Ok(())
    }

    fn advise_search(&self, number: usize, map: &MappedFile) -> Result<Vec<(ByteRange, MapAdvice)>> {
        let bytes = map.bytes();
        let opened = SnapshotFile::open(bytes, bytes.len() as u64);
        let opened = opened.map_err(|error| self.catalog().blame_any(number, error.into()))?;
        let head = ByteRange::at(0, opened.head().header().head_bytes);
        let sections = opened.head().sections().map(|section| (section.range, of_section(section.kind)));
        Ok([(head, MapAdvice::WillNeed)].into_iter().chain(sections).collect())
    }
}

fn whole(map: &MappedFile) -> ByteRange {
    ByteRange::at(0, map.bytes().len() as u64)
}

fn of_section(kind: SectionKind) -> MapAdvice {
    match kind {
        SectionKind::Vectors | SectionKind::Payload | SectionKind::Extended => MapAdvice::Random,
        _ => MapAdvice::WillNeed,
    }
}

//! An opened release: its description, and the heads that were read so far, kept for later queries.

use std::sync::{Arc, OnceLock};

use super::{Needs, Sources};
use crate::{
    bytes::ByteSource,
    embed::WordPiece,
    error::{CatalogError, Error, Result, SnapshotError},
    gather::Gather as _,
    release::{ClusterSummary, Place, ReleaseIndex},
    snapshot::{Clusters, Collection, EmbedderFile, SnapshotFile},
};

/// The file number of the heads file.
const HEADS: usize = 0;

/// A release that can be asked. Cheap to share: all that is in it is immutable or written once.
///
/// A catalog goes with one set of files: which blocks matched their checksums is remembered for all statements, so
/// other bytes in another statement's sources would not be checked again.
#[derive(Debug)]
pub struct Catalog {
    index: Arc<ReleaseIndex>,
    snapshots: Vec<OnceLock<Arc<SnapshotFile>>>,
    collections: Vec<OnceLock<Arc<Collection>>>,
    embedders: Vec<OnceLock<Arc<Encoder>>>,
}

/// An embedder whose vocabulary was read.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) file: EmbedderFile,
    pub(super) tokenizer: WordPiece,
}

impl Catalog {
    /// Opens a release from its description. Reads no snapshot yet.
    ///
    /// # Errors
    /// [`SnapshotError::BadRelease`], [`SnapshotError::TooNew`].
    pub fn open(release_json: &[u8]) -> Result<Self> {
        Ok(Self::new(ReleaseIndex::parse(release_json)?))
    }

    /// Opens a release that was described in this process.
    pub fn new(index: ReleaseIndex) -> Self {
        Self::of(Arc::new(index))
    }

    /// The same release with nothing opened yet, for other sources of its files.
    pub fn fresh(&self) -> Self {
        Self::of(self.index.clone())
    }

    fn of(index: Arc<ReleaseIndex>) -> Self {
        let snapshots = index.snapshots.iter().map(|_| OnceLock::new()).gather();
        let collections = index.collections.iter().map(|_| OnceLock::new()).gather();
        let embedders = index.embedders.iter().map(|_| OnceLock::new()).gather();
        Self { index, snapshots, collections, embedders }
    }

    /// The description.
    pub fn index(&self) -> &ReleaseIndex {
        &self.index
    }

    /// The number of the file that holds collection `place` of the description.
    pub(super) fn collection_file(&self, place: usize) -> usize {
        1 + self.index.collections.get(place).map_or(0, |entry| entry.snapshot)
    }

    /// The number of the file that holds embedder `place` of the description.
    pub(super) fn embedder_file(&self, place: usize) -> usize {
        1 + self.index.snapshots.len() + place
    }

    /// The opened collection, or a note in `needs` of what is missing to open it.
    pub(super) fn collection(
        &self,
        place: usize,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<Arc<Collection>>> {
        let (Some(slot), Some(entry)) = (self.collections.get(place), self.index.collections.get(place))
        else {
            return Err(CatalogError::EmptyRelease.into());
        };
        if let Some(open) = slot.get() {
            return Ok(Some(open.clone()));
        }
        let Some(file) = self.snapshot(entry.snapshot, sources, needs)? else { return Ok(None) };
        let found = file
            .collection(entry.number)
            .filter(|found| *found.schema() == entry.schema && found.rows() == entry.statistics.rows);
        let collection = found.ok_or_else(|| self.not_described(entry.snapshot))?;
        Ok(Some(slot.get_or_init(|| Arc::new(collection)).clone()))
    }

    /// The opened file of collections at `place` of the description, or a note in `needs`.
    fn snapshot(
        &self,
        place: usize,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<Arc<SnapshotFile>>> {
        let (Some(slot), Some(entry)) = (self.snapshots.get(place), self.index.snapshots.get(place)) else {
            return Err(CatalogError::EmptyRelease.into());
        };
        if let Some(open) = slot.get() {
            return Ok(Some(open.clone()));
        }
        let Some(head) = self.copy(entry.head, sources, needs)? else { return Ok(None) };
        let file =
            SnapshotFile::open(head, entry.file.bytes).map_err(|error| self.blame_copy(place, error))?;
        let described = (ClusterSummary::of(&file), file.encoding()) == (entry.clusters, entry.encoding);
        if !described || !file.eager().into_iter().map(Place::from).eq(entry.eager.iter().copied()) {
            return Err(self.not_described(place).into());
        }
        Ok(Some(slot.get_or_init(|| file).clone()))
    }

    /// The clusters of the file that holds collection `place`, or a note in `needs`: head and centroids come in one
    /// range. `None` also for a file without clusters, which notes nothing.
    pub(super) fn clusters(
        &self,
        place: usize,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<Arc<Clusters>>> {
        let entry = self.index.collections.get(place).ok_or(CatalogError::EmptyRelease)?;
        let snapshot = self.index.snapshots.get(entry.snapshot).ok_or(CatalogError::EmptyRelease)?;
        let (head, opening) = (snapshot.head.range(), snapshot.opening().range());
        let eager = Place { offset: head.end, bytes: opening.end.saturating_sub(head.end) };
        let copy = if eager.bytes > 0 { self.copy(eager, sources, needs)? } else { Some(&[][..]) };
        let Some(file) = self.snapshot(entry.snapshot, sources, needs)? else { return Ok(None) };
        match copy {
            Some(copy) => file.open_clusters(copy).map_err(|e| self.blame_copy(entry.snapshot, e).into()),
            None => Ok(None),
        }
    }

    /// Opens the clusters of the file that holds collection `place`; `narrow`: and brings the list of the collection's slots
    /// in the same wave. Says whether all is there.
    pub(super) fn open_clusters(
        &self,
        place: usize,
        narrow: bool,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<bool> {
        let open = self.clusters(place, sources, needs)?.is_some();
        let entry = self.index.collections.get(place).ok_or(CatalogError::EmptyRelease)?;
        let number = self.collection_file(place);
        let source = self.file(number, sources)?;
        let list = entry.members.filter(|_| narrow);
        Ok(list.is_none_or(|list| needs.check(number, source, list.range())) && open)
    }

    fn not_described(&self, snapshot: usize) -> SnapshotError {
        let name = self.index.snapshots.get(snapshot).map_or("a file", |entry| &entry.file.name);
        SnapshotError::BadRelease { reason: format!("{name} is not the file that release.json describes") }
    }

    /// An error of what the heads file holds of a snapshot.
    fn blame_copy(&self, snapshot: usize, error: SnapshotError) -> SnapshotError {
        error.in_file(&self.index.heads.name, self.only_collection(snapshot))
    }

    /// The name of the collection of a file that holds one.
    fn only_collection(&self, snapshot: usize) -> Option<&str> {
        let mut own = self.index.collections.iter().filter(|entry| entry.snapshot == snapshot);
        let first = own.next()?;
        own.next().is_none().then_some(first.schema.collection.as_str())
    }

    /// The opened embedder with its tokenizer, or a note in `needs`. Head and vocabulary are asked for in one wave.
    pub(super) fn encoder(
        &self,
        place: usize,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<Arc<Encoder>>> {
        let (Some(slot), Some(entry)) = (self.embedders.get(place), self.index.embedders.get(place)) else {
            return Err(CatalogError::EmptyRelease.into());
        };
        if let Some(open) = slot.get() {
            return Ok(Some(open.clone()));
        }
        let number = self.embedder_file(place);
        let source = self.file(number, sources)?;
        let vocabulary = needs.check(number, source, entry.vocabulary.range());
        let Some(head) = self.copy(entry.head, sources, needs)? else { return Ok(None) };
        let blame = |error: SnapshotError| error.in_file(&self.index.heads.name, None);
        let file = EmbedderFile::open(head, entry.file.bytes).map_err(blame)?;
        let tokenizer = file.tokenizer(source).map_err(|error| self.blame_any(number, error))?;
        let Some(tokenizer) = tokenizer else {
            let elsewhere = file.vocabulary_range().filter(|_| vocabulary);
            elsewhere.into_iter().for_each(|range| needs.want(number, range));
            return Ok(None);
        };
        Ok(Some(slot.get_or_init(|| Arc::new(Encoder { file, tokenizer })).clone()))
    }

    /// A part of the heads file.
    fn copy<'s>(
        &self,
        place: Place,
        sources: &'s dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<&'s [u8]>> {
        let range = place.range();
        let copy = self.file(HEADS, sources)?.get(range);
        if copy.is_none() {
            needs.want(HEADS, range);
        }
        Ok(copy)
    }

    /// A file as the host lends it: there, and as long as the release says. A longer or shorter file would be asked
    /// for ranges that never arrive.
    pub(super) fn file<'s>(&self, number: usize, sources: &'s dyn Sources) -> Result<&'s dyn ByteSource> {
        let Some(file) = self.index.file(number) else {
            return Err(CatalogError::EmptyRelease.into());
        };
        let missing = || CatalogError::MissingFile { name: file.name.clone() };
        let source = sources.file(number).ok_or_else(missing)?;
        if source.len() != file.bytes {
            let error = SnapshotError::WrongLength { expected: file.bytes, got: source.len() };
            return Err(self.blame(number, error).into());
        }
        Ok(source)
    }

    /// An error of a file with the file's name, and its collection's if there is one alone.
    pub(crate) fn blame(&self, number: usize, error: SnapshotError) -> SnapshotError {
        let name = self.index.file(number).map_or("a file", |file| &file.name);
        error.in_file(name, number.checked_sub(1).and_then(|place| self.only_collection(place)))
    }

    /// The same of any error: those that are not about a file stay as they are.
    pub(crate) fn blame_any(&self, number: usize, error: Error) -> Error {
        match error {
            Error::Snapshot(error) => self.blame(number, error).into(),
            other => other,
        }
    }

    /// An error that was met while a collection was read, with the names of its file and of itself.
    pub(super) fn blame_collection(&self, place: usize, error: Error) -> Error {
        match (error, self.index.collections.get(place)) {
            (Error::Snapshot(error), Some(entry)) => {
                let name = self.index.file(1 + entry.snapshot).map_or("a file", |file| &file.name);
                error.in_file(name, Some(&entry.schema.collection)).into()
            }
            (other, _) => other,
        }
    }
}

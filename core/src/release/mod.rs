//! A release: a set of snapshot files that is carried together, described by `release.json`.
//!
//! This is the pure side: what the description says, and making one from files. Copying, staging and publishing
//! files is `native`'s matter; searching is the router's.

mod read;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::{
    bytes::ByteRange,
    error::{Quoted, Result, SnapshotError},
    filter::CollectionStats,
    json::{self, Node},
    schema::{EmbedderId, Schema},
    snapshot::{Collection, EmbedderFile},
};

/// The name of the description inside a release.
pub const INDEX_NAME: &str = "release.json";
/// The version of `release.json`'s layout.
const LAYOUT: u32 = 0;

/// The content of `release.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseIndex {
    /// The version of this layout.
    pub layout: u32,
    /// The hexadecimal blake3 of the names and hashes of all files: equal ids, equal releases.
    pub id: String,
    /// The file with all heads, collections first, in the order below.
    pub heads: ReleaseFile,
    /// The collections, sorted by name.
    pub collections: Vec<CollectionEntry>,
    /// The embedders, sorted by fingerprint.
    pub embedders: Vec<EmbedderEntry>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseFile {
    /// Its name inside the release's folder: no folder parts.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its hexadecimal blake3.
    pub blake3: String,
}

/// Where a part of a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Where it begins.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}

impl Place {
    /// The same as a range.
    pub fn range(self) -> ByteRange {
        ByteRange::at(self.offset, self.bytes)
    }
}

impl From<ByteRange> for Place {
    fn from(range: ByteRange) -> Self {
        Self { offset: range.start, bytes: range.len() }
    }
}

/// A collection of a release, with what routing needs: no snapshot has to be opened to decide that it is not asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CollectionEntry {
    /// Its snapshot.
    pub file: ReleaseFile,
    /// The copy of the snapshot's head.
    pub head: Place,
    /// What the records share.
    pub schema: Schema,
    /// How many records, and the bounds and values of their fields.
    pub statistics: CollectionStats,
}

/// An embedder that travels with a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EmbedderEntry {
    /// Its file.
    pub file: ReleaseFile,
    /// The copy of the file's head.
    pub head: Place,
    /// Where the vocabulary lies in the file: with it a reader fetches heads and vocabulary in one wave.
    pub vocabulary: Place,
    /// Name, fingerprint, dimension.
    pub id: EmbedderId,
}

impl ReleaseIndex {
    /// Reads `release.json`.
    ///
    /// # Errors
    /// [`SnapshotError::BadRelease`] when it is not what [`ReleaseBuilder`] writes, or names files outside its folder.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |reason: String| SnapshotError::BadRelease { reason };
        let text = str::from_utf8(bytes).map_err(|_| bad("cannot be read: it is not UTF-8".into()))?;
        let tree = json::parse(text).map_err(|e| bad(format!("cannot be read: {e}")))?;
        let root = Node::root(&tree);
        // The layout first: another one may have other fields.
        let layout = root.get("layout").and_then(|node| node.count());
        let layout = layout.map_err(|reason| bad(format!("cannot be read: {reason}")))?;
        if layout > u64::from(LAYOUT) {
            let needed = u16::try_from(layout).unwrap_or(u16::MAX);
            return Err(SnapshotError::TooNew { needed, supported: LAYOUT as u16 }.into());
        }
        let index = read::index(&root).map_err(|reason| bad(format!("cannot be read: {reason}")))?;
        let names = index.collections.iter().map(|entry| &entry.schema.collection);
        if !names.is_sorted_by(|a, b| a < b) {
            return Err(bad("the collections are not sorted by name, each once".into()).into());
        }
        for file in index.files() {
            if file.name.is_empty()
                || file.name.starts_with('.')
                || file.name.contains(['/', '\\', ':', '\0'])
            {
                return Err(
                    bad(format!("the file name {} leaves the release's folder", Quoted(&file.name))).into()
                );
            }
        }
        Ok(index)
    }

    /// What [`id`](Self::id) has to be: the hash of the names and hashes of all files.
    pub(crate) fn compute_id(&self) -> String {
        let listing: String = self.files().map(|file| format!("{} {}\n", file.blake3, file.name)).collect();
        blake3::hash(listing.as_bytes()).to_hex().to_string()
    }

    /// The file of that number, as [`files`](Self::files) counts. O(1).
    pub fn file(&self, number: usize) -> Option<&ReleaseFile> {
        let Some(place) = number.checked_sub(1) else { return Some(&self.heads) };
        match place.checked_sub(self.collections.len()) {
            None => self.collections.get(place).map(|entry| &entry.file),
            Some(place) => self.embedders.get(place).map(|entry| &entry.file),
        }
    }

    /// All files: the heads, the collections' snapshots, the embedders. A file's place here is its number.
    pub fn files(&self) -> impl Iterator<Item = &ReleaseFile> {
        let collections = self.collections.iter().map(|entry| &entry.file);
        std::iter::once(&self.heads).chain(collections).chain(self.embedders.iter().map(|entry| &entry.file))
    }
}

/// Describes snapshot files as a release.
#[derive(Debug, Default)]
pub struct ReleaseBuilder {
    collections: Vec<(CollectionEntry, Vec<u8>)>,
    embedders: Vec<(EmbedderEntry, Vec<u8>)>,
}

/// What [`ReleaseBuilder`] makes beside the snapshots themselves.
#[derive(Debug)]
pub struct BuiltRelease {
    /// The description, also as the bytes of `release.json`.
    pub index: ReleaseIndex,
    /// The content of `release.json`.
    pub json: Vec<u8>,
    /// The content of the heads file.
    pub heads: Vec<u8>,
}

impl ReleaseBuilder {
    /// An empty release.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a collection's snapshot under a file name.
    pub fn add_collection(&mut self, name: &str, file: &[u8]) -> Result<()> {
        let collection = Collection::open(file, file.len() as u64)?;
        let head = file[..collection.head().header().head_bytes as usize].to_vec();
        let entry = CollectionEntry {
            file: describe(name, file),
            head: Place { offset: 0, bytes: head.len() as u64 },
            schema: collection.schema().clone(),
            statistics: collection.statistics().clone(),
        };
        self.collections.push((entry, head));
        Ok(())
    }

    /// Adds an embedder's file under a file name.
    pub fn add_embedder(&mut self, name: &str, file: &[u8]) -> Result<()> {
        let embedder = EmbedderFile::open(file, file.len() as u64)?;
        let head = file[..embedder.head().header().head_bytes as usize].to_vec();
        let entry = EmbedderEntry {
            file: describe(name, file),
            head: Place { offset: 0, bytes: head.len() as u64 },
            vocabulary: embedder.vocabulary_range().map_or(Place { offset: 0, bytes: 0 }, Place::from),
            id: embedder.id().clone(),
        };
        self.embedders.push((entry, head));
        Ok(())
    }

    /// The description. The order of adding does not matter.
    ///
    /// # Errors
    /// [`SnapshotError::CannotWrite`] when two collections have one name.
    pub fn finish(mut self) -> Result<BuiltRelease> {
        self.collections.sort_by(|(a, _), (b, _)| a.schema.collection.cmp(&b.schema.collection));
        self.embedders.sort_by(|(a, _), (b, _)| a.id.fingerprint.cmp(&b.id.fingerprint));
        let mut pairs = self.collections.windows(2);
        if let Some([(entry, _), _]) =
            pairs.find(|pair| pair[0].0.schema.collection == pair[1].0.schema.collection)
        {
            let reason = format!("two collections are called {:?}", entry.schema.collection);
            return Err(SnapshotError::CannotWrite { reason }.into());
        }
        let mut heads = Vec::new();
        let collections = self.collections.iter_mut().map(|(entry, head)| (&mut entry.head, head));
        for (place, head) in
            collections.chain(self.embedders.iter_mut().map(|(entry, head)| (&mut entry.head, head)))
        {
            place.offset = heads.len() as u64;
            heads.append(head);
        }
        let mut index = ReleaseIndex {
            layout: LAYOUT,
            id: String::new(),
            heads: describe(&format!("heads-{}.portolan", &blake3::hash(&heads).to_hex()[..16]), &heads),
            collections: self.collections.into_iter().map(|(entry, _)| entry).collect(),
            embedders: self.embedders.into_iter().map(|(entry, _)| entry).collect(),
        };
        index.id = index.compute_id();
        let json = serde_json::to_vec_pretty(&index)
            .map_err(|e| SnapshotError::CannotWrite { reason: e.to_string() })?;
        Ok(BuiltRelease { index, json, heads })
    }
}

fn describe(name: &str, file: &[u8]) -> ReleaseFile {
    ReleaseFile {
        name: name.into(),
        bytes: file.len() as u64,
        blake3: blake3::hash(file).to_hex().to_string(),
    }
}

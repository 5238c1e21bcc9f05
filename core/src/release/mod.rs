//! A release: a set of snapshot files that is carried together, described by `release.json`.
//!
//! This is the pure side: what the description says, and making one from files. Copying, staging and publishing
//! files is `native`'s matter; searching is the router's.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use crate::{
    bytes::{ByteRange, Resident},
    error::{Quoted, Result, SnapshotError},
    filter::CollectionStats,
    json::{self, Fault, Node},
    metric::Encoding,
    schema::{EmbedderId, Schema},
    snapshot::{ClusterInfo, EmbedderFile, SnapshotFile, layout::malformed},
};

/// The name of the description inside a release.
pub const INDEX_NAME: &str = "release.json";
/// The version of `release.json`'s layout.
const LAYOUT: u32 = 1;

/// The content of `release.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseIndex {
    /// The version of this layout.
    pub layout: u32,
    /// The hexadecimal blake3 of the names and hashes of all files: equal ids, equal releases.
    pub id: String,
    /// The file with the heads of all others, in the order below.
    pub heads: ReleaseFile,
    /// The files of collections, sorted by the names of their first ones.
    pub snapshots: Vec<SnapshotEntry>,
    /// The collections, sorted by name.
    pub collections: Vec<CollectionEntry>,
    /// The embedders, sorted by fingerprint.
    pub embedders: Vec<EmbedderEntry>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its name inside the release's folder: no folder parts.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its hexadecimal blake3.
    pub blake3: String,
}

/// Where a part of a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A file of one collection, or of several packed together.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotEntry {
    /// The file.
    pub file: ReleaseFile,
    /// The copy of its head in the heads file.
    pub head: Place,
    /// What every search in its clusters needs, as places in the file. Copies stand behind that of the head, in this
    /// order, without gaps: one range of the heads file opens the file for a search.
    pub eager: Vec<Place>,
    /// How vectors are stored.
    pub encoding: Encoding,
    /// Its clusters, if it has any.
    pub clusters: Option<ClusterSummary>,
    /// The number of its collections' records. Not written: it follows from theirs.
    pub rows: u64,
}

/// What a plan needs to know of a file's clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterSummary {
    /// How many there are.
    pub count: u32,
    /// Whether a row may stand in two of them.
    pub soft: bool,
    /// The bits a component of the extended codes; 0 when there are none.
    pub extended_bits: u8,
}

impl ClusterSummary {
    /// What there is to know of a file's clusters, if it has any.
    pub(crate) fn of(file: &SnapshotFile) -> Option<Self> {
        let ClusterInfo { count, soft, extended_bits, .. } = file.description().clusters?;
        Some(Self { count, soft, extended_bits })
    }
}

/// A collection of a release, with what routing needs: no snapshot has to be opened to decide that it is not asked.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionEntry {
    /// The place of its file in [`snapshots`](ReleaseIndex::snapshots).
    pub snapshot: usize,
    /// Which collection of the file it is. Not written: the collections of a file are in the order of their names.
    pub number: usize,
    /// Where the list lies, in the file, of the slots that belong to the collection; `None` where all slots do.
    pub members: Option<Place>,
    /// What the records share.
    pub schema: Schema,
    /// How many records, and the bounds and values of their fields.
    pub statistics: CollectionStats,
}

/// An embedder that travels with a release.
#[derive(Debug, Clone, PartialEq)]
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
        let fault = Fault::default();
        let check = || fault.check().map_err(|reason| bad(format!("cannot be read: {reason}")));
        let root = Node::root(&tree, &fault);
        // The layout first: another one may have other fields.
        let layout = root.get("layout").count();
        check()?;
        if layout > u64::from(LAYOUT) {
            let needed = u16::try_from(layout).unwrap_or(u16::MAX);
            return Err(SnapshotError::TooNew { needed, supported: LAYOUT as u16 }.into());
        }
        if layout < u64::from(LAYOUT) {
            return Err(SnapshotError::TooOld { found: layout as u16, oldest: LAYOUT as u16 }.into());
        }
        let index = read::index(&root);
        check()?;
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

    /// The text of `release.json`.
    pub fn to_json(&self) -> String {
        write::index(self)
    }

    /// What [`id`](Self::id) has to be: the hash of the names and hashes of all files.
    pub(crate) fn compute_id(&self) -> String {
        let listing: String = self.files().map(|file| format!("{} {}\n", file.blake3, file.name)).collect();
        blake3::hash(listing.as_bytes()).to_hex().to_string()
    }

    /// The file of that number, as [`files`](Self::files) counts. O(1).
    pub fn file(&self, number: usize) -> Option<&ReleaseFile> {
        let Some(place) = number.checked_sub(1) else { return Some(&self.heads) };
        match place.checked_sub(self.snapshots.len()) {
            None => self.snapshots.get(place).map(|entry| &entry.file),
            Some(place) => self.embedders.get(place).map(|entry| &entry.file),
        }
    }

    /// All files: the heads, the collections' snapshots, the embedders. A file's place here is its number.
    pub fn files(&self) -> impl Iterator<Item = &ReleaseFile> {
        let snapshots = self.snapshots.iter().map(|entry| &entry.file);
        std::iter::once(&self.heads).chain(snapshots).chain(self.embedders.iter().map(|entry| &entry.file))
    }

    /// About how many bytes of its file belong to a collection of this release: its share by rows.
    pub(crate) fn share(&self, collection: &CollectionEntry) -> u64 {
        let Some(entry) = self.snapshots.get(collection.snapshot) else { return 0 };
        let part = u128::from(entry.file.bytes) * u128::from(collection.statistics.rows);
        (part / u128::from(entry.rows.max(1))) as u64
    }
}

impl SnapshotEntry {
    /// The copies of the head and of what searches need, in the heads file.
    pub fn opening(&self) -> Place {
        let eager: u64 = self.eager.iter().fold(0, |sum, place| sum.saturating_add(place.bytes));
        Place { offset: self.head.offset, bytes: self.head.bytes.saturating_add(eager) }
    }
}

/// Describes snapshot files as a release.
#[derive(Debug, Default)]
pub struct ReleaseBuilder {
    snapshots: Vec<Added>,
    embedders: Vec<(EmbedderEntry, Vec<u8>)>,
}

/// A file of collections, and what stands of it in the heads file.
#[derive(Debug)]
struct Added {
    entry: SnapshotEntry,
    collections: Vec<CollectionEntry>,
    opening: Vec<u8>,
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

    /// Adds a snapshot of one collection, or of several, under a file name.
    pub fn add_collection(&mut self, name: &str, file: &[u8]) -> Result<()> {
        let opened = SnapshotFile::open(file, file.len() as u64)?;
        let mut opening = file[..opened.head().header().head_bytes as usize].to_vec();
        let head = Place { offset: 0, bytes: opening.len() as u64 };
        let eager = opened.eager();
        for range in &eager {
            opening.extend_from_slice(&file[range.start as usize..range.end as usize]);
        }
        let collections =
            (0..opened.collections().len()).map(|number| describe_collection(&opened, number, file));
        let entry = SnapshotEntry {
            file: describe(name, file),
            head,
            eager: eager.into_iter().map(Place::from).collect(),
            encoding: opened.encoding(),
            clusters: ClusterSummary::of(&opened),
            rows: opened.rows(),
        };
        let collections = collections.collect::<Result<_, SnapshotError>>()?;
        self.snapshots.push(Added { entry, collections, opening });
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
        self.snapshots.sort_by(|a, b| first_name(a).cmp(first_name(b)));
        self.embedders.sort_by(|(a, _), (b, _)| a.id.fingerprint.cmp(&b.id.fingerprint));
        let (mut heads, mut snapshots, mut collections) = (Vec::new(), Vec::new(), Vec::new());
        for (place, mut added) in self.snapshots.into_iter().enumerate() {
            added.entry.head.offset = heads.len() as u64;
            heads.append(&mut added.opening);
            snapshots.push(added.entry);
            collections.extend(
                added.collections.into_iter().map(|entry| CollectionEntry { snapshot: place, ..entry }),
            );
        }
        for (entry, head) in &mut self.embedders {
            entry.head.offset = heads.len() as u64;
            heads.append(head);
        }
        collections.sort_by(|a, b| a.schema.collection.cmp(&b.schema.collection));
        let same = |pair: &&[CollectionEntry]| pair[0].schema.collection == pair[1].schema.collection;
        if let Some([entry, _]) = collections.windows(2).find(same) {
            let reason = format!("two collections are called {:?}", entry.schema.collection);
            return Err(SnapshotError::CannotWrite { reason }.into());
        }
        let mut index = ReleaseIndex {
            layout: LAYOUT,
            id: String::new(),
            heads: describe(&format!("heads-{}.portolan", &blake3::hash(&heads).to_hex()[..16]), &heads),
            snapshots,
            collections,
            embedders: self.embedders.into_iter().map(|(entry, _)| entry).collect(),
        };
        index.id = index.compute_id();
        let json = index.to_json().into_bytes();
        Ok(BuiltRelease { index, json, heads })
    }
}

fn first_name(added: &Added) -> &str {
    added.collections.first().map_or("", |entry| entry.schema.collection.as_str())
}

/// Collection `number` of a file that is wholly there.
fn describe_collection(
    opened: &Arc<SnapshotFile>,
    number: usize,
    file: &[u8],
) -> Result<CollectionEntry, SnapshotError> {
    let gone = || malformed("description", 0, "a collection or its statistics are missing");
    let collection = opened.collection(number).ok_or_else(gone)?;
    Ok(CollectionEntry {
        snapshot: 0,
        number,
        members: collection.members_range().map(Place::from),
        schema: collection.schema().clone(),
        statistics: collection.statistics(&Resident(file))?.ok_or_else(gone)?,
    })
}

fn describe(name: &str, file: &[u8]) -> ReleaseFile {
    ReleaseFile {
        name: name.into(),
        bytes: file.len() as u64,
        blake3: blake3::hash(file).to_hex().to_string(),
    }
}

//! Exporting a store as a release folder.
//!
//! Files are named after their content, so an unchanged collection is not written again, and a reader of the old
//! release keeps its files until the new `release.json` stands. A kill leaves the old release.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{files, kept_embedder};
use crate::{
    cluster,
    error::{Result, StoreError},
    graph,
    local::Threads,
    metric::Encoding,
    native::store::Store,
    release::{INDEX_NAME, ReleaseBuilder, ReleaseIndex},
    schema::{Record, Schema},
    snapshot::{Draft, EmbedderFile, SnapshotFile},
};

/// The ending of all files of a release but `release.json`.
const SUFFIX: &str = ".portolan";
/// Files of so many records get clusters unless something else is asked.
const LEAST_ROWS: usize = 256;

/// How a store is exported.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// How vectors are stored. Without one each collection gets its [`default_encoding`].
    pub encoding: Option<Encoding>,
    /// Whether collections that go together share a file: those of one dimension, metric, embedder and encoding whose
    /// common fields have one type. All collections of a file are in memory at once while it is written.
    pub pack: bool,
    /// The clusters of files that are large enough for some.
    pub clusters: Clustering,
    /// Whether files with clusters and vectors get a graph too, for readers that hold them in memory: 64 bytes a record, and
    /// three to five times the time that clusters take.
    pub graph: bool,
}

/// Which files get clusters, and what they are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clustering {
    /// Files of fewer records get none: comparing all of them is as fast. 0: no file gets any.
    pub least_rows: usize,
    /// How they are built.
    pub options: cluster::Options,
    /// On how many threads. The bytes are the same for any number.
    pub threads: usize,
}

impl Default for Clustering {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { least_rows: LEAST_ROWS, options: cluster::Options::default(), threads }
    }
}

/// How far an export is.
#[derive(Debug, Clone)]
pub struct ExportProgress<'a> {
    /// The collection that was just written.
    pub collection: &'a str,
    /// How many collections are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// What an export made.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The description.
    pub index: ReleaseIndex,
    /// How many files were written; the others were there already.
    pub written: usize,
    /// Collections without a single vector: they are left out.
    pub empty: Vec<String>,
    /// How long files were built: clusters, codes and their bytes, without reading the store and writing to disk.
    pub building: Duration,
}

/// Writes every collection of `store` that has vectors as a release into `folder`, the collections of one file in memory
/// at a time.
///
/// # Errors
/// [`StoreError::NothingToExport`] before anything was embedded, [`StoreError::NotARelease`] when the folder holds
/// something else, [`StoreError::File`], and what the store says.
pub async fn export(
    store: &Store,
    folder: &Path,
    options: &ExportOptions,
    mut progress: impl FnMut(ExportProgress<'_>),
) -> Result<Exported> {
    let (names, empty) = by_vectors(store).await?;
    if names.is_empty() {
        return Err(StoreError::NothingToExport { store: store.dir().into() }.into());
    }
    let packs = packs(store, &names, options)?;
    claim_folder(folder)?;
    let (mut builder, mut written, mut done) = (ReleaseBuilder::new(), 0, 0);
    let (mut fingerprints, mut building) = (BTreeSet::new(), Duration::ZERO);
    for pack in &packs {
        fingerprints.extend(pack.first.embedder.as_ref().map(|id| id.fingerprint.clone()));
        let mut collections = Vec::with_capacity(pack.names.len());
        for name in &pack.names {
            collections.push(read(store, name).await?);
            done += 1;
            progress(ExportProgress { collection: name, done, total: names.len() });
        }
        let start = Instant::now();
        let file = write(&Draft::new(collections, pack.encoding)?, options)?;
        building += start.elapsed();
        let id = SnapshotFile::open(&file, file.len() as u64)?.head().content_id();
        let file_name = file_name(pack.name(), &id);
        written += put(folder, &file_name, &file)?;
        builder.add_collection(&file_name, &file)?;
    }
    for fingerprint in fingerprints {
        if let Some(file) = kept_embedder(store.dir(), &fingerprint)? {
            let id = EmbedderFile::open(&file, file.len() as u64)?.head().content_id();
            let file_name = file_name("embedder", &id);
            written += put(folder, &file_name, &file)?;
            builder.add_embedder(&file_name, &file)?;
        }
    }
    let built = builder.finish()?;
    written += put(folder, &built.index.heads.name, &built.heads)?;
    files::write_durably(&folder.join(INDEX_NAME), &built.json)?;
    remove_left_overs(folder, &built.index)?;
    Ok(Exported { index: built.index, written, empty, building })
}

/// The bytes of a file, with clusters and a graph where it is large enough for them.
fn write(draft: &Draft, asked: &ExportOptions) -> Result<Vec<u8>> {
    let Clustering { least_rows, options, threads } = asked.clusters;
    if least_rows == 0 || draft.rows() < least_rows {
        return draft.write(None);
    }
    let clusters = cluster::of_draft(draft, options, &Threads(threads))?;
    let walked = asked.graph && draft.rows() > 1 && draft.encoding() != Encoding::None;
    let graph = walked.then(|| graph::of_draft(draft, &clusters, &Threads(threads))).transpose()?;
    draft.write_with(Some(&clusters), graph.as_ref())
}

/// Collections that share a file.
#[derive(Debug)]
struct Pack {
    /// The schema of the first, with the fields of all.
    first: Schema,
    names: Vec<String>,
    encoding: Encoding,
}

impl Pack {
    /// What people recognise the file by.
    fn name(&self) -> &str {
        match self.names.as_slice() {
            [one] => one,
            _ => "pack",
        }
    }

    /// Takes the collection in if it fits.
    fn take(&mut self, schema: &Schema, encoding: Encoding) -> bool {
        let first = &mut self.first;
        let agree = |field: &&crate::schema::Field| {
            first.fields.iter().all(|known| known.path != field.path || known.kind == field.kind)
        };
        let fits = (first.dimension, first.metric, self.encoding)
            == (schema.dimension, schema.metric, encoding)
            && first.embedder == schema.embedder
            && schema.fields.iter().all(|field| agree(&field));
        if fits {
            let new = schema.fields.iter().filter(|field| !first.fields.contains(field)).cloned();
            let new: Vec<_> = new.collect();
            first.fields.extend(new);
            self.names.push(schema.collection.clone());
        }
        fits
    }
}

/// Which collections share a file: each goes into the first that it fits.
fn packs(store: &Store, names: &[String], options: &ExportOptions) -> Result<Vec<Pack>> {
    let mut packs: Vec<Pack> = Vec::new();
    for name in names {
        let schema = store.schema(name)?;
        let encoding = options.encoding.unwrap_or_else(|| default_encoding(&schema));
        if !options.pack || !packs.iter_mut().any(|pack| pack.take(&schema, encoding)) {
            packs.push(Pack { first: schema, names: vec![name.clone()], encoding });
        }
    }
    Ok(packs)
}

/// The collections with a vector to serve, and those without: an embedder may have run and failed on every text, or been
/// killed before its first commit.
async fn by_vectors(store: &Store) -> Result<(Vec<String>, Vec<String>)> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for name in store.collections() {
        let ready = store.counts(&name, None).await?.ready;
        if ready > 0 { with.push(name) } else { without.push(name) }
    }
    Ok((with, without))
}

/// The ready records of a collection, and their schema.
async fn read(store: &Store, collection: &str) -> Result<(Schema, Vec<Record>)> {
    let mut reader = store.read(collection, None).await?;
    let records = reader.read_all().await?;
    Ok((reader.schema().clone(), records))
}

/// The ready records of a collection as a snapshot, and their schema.
pub(super) async fn snapshot(
    store: &Store,
    collection: &str,
    encoding: Option<Encoding>,
) -> Result<(Schema, Vec<u8>)> {
    let (schema, records) = read(store, collection).await?;
    let encoding = encoding.unwrap_or_else(|| default_encoding(&schema));
    let file = Draft::new(vec![(schema.clone(), records)], encoding)?.write(None)?;
    Ok((schema, file))
}

/// How the vectors of a collection are stored unless something else is asked: imported ones exactly, because nobody can
/// make them again and their numbers may be of any size; those of an embedder in half the bytes.
pub fn default_encoding(schema: &Schema) -> Encoding {
    if schema.embedder.is_none() { Encoding::F32 } else { Encoding::F16 }
}

/// Makes the folder, or checks that what is in it is a release.
fn claim_folder(folder: &Path) -> Result<(), StoreError> {
    files::make_folder(folder)?;
    let foreign = |path: &PathBuf| !is_ours(&path.file_name().unwrap_or_default().to_string_lossy());
    match list(folder)?.into_iter().find(foreign) {
        None => Ok(()),
        Some(file) => Err(StoreError::NotARelease { folder: folder.into(), file }),
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::File { action: "read", path: folder.into(), source };
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}

/// Writes a file unless it is there byte for byte: a damaged one is replaced. Says how many files it wrote.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<usize, StoreError> {
    let path = folder.join(name);
    if fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(0);
    }
    files::write_durably(&path, bytes).map(|()| 1)
}

/// The file's name: what people recognise, and enough of the content id.
fn file_name(name: &str, content_id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.trim_start_matches('.').chars().take(64).map(plain).collect();
    format!("{name}-{}{SUFFIX}", content_id.get(..16).unwrap_or(content_id))
}

/// Removes the files of the release that stood here before, and what killed exports left.
fn remove_left_overs(folder: &Path, index: &ReleaseIndex) -> Result<(), StoreError> {
    let kept: BTreeSet<&str> = index.files().map(|file| file.name.as_str()).chain([INDEX_NAME]).collect();
    for path in list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_ours(&name) && !kept.contains(name.as_ref()) {
            fs::remove_file(&path).map_err(|source| StoreError::File { action: "remove", path, source })?;
        }
    }
    Ok(())
}

/// Whether an export writes files of that name, or leaves them when it is killed. Nothing else is ever removed.
fn is_ours(name: &str) -> bool {
    let written = |name: &str| name == INDEX_NAME || is_snapshot(name);
    let Some(hidden) = name.strip_prefix('.') else { return written(name) };
    let temporary = hidden.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once('.'));
    temporary.is_some_and(|(name, _)| written(name))
}

/// Whether a name is of the kind that [`file_name`] makes.
fn is_snapshot(name: &str) -> bool {
    let parts = name.strip_suffix(SUFFIX).and_then(|rest| rest.rsplit_once('-'));
    parts.is_some_and(|(_, id)| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store's folder of embedders holds `.portolan` files too, and must survive an export that names it by mistake.
    #[test]
    fn only_files_that_an_export_makes_are_removed() {
        let id = "0123456789abcdef".repeat(4);
        let name = file_name("noun.animal", &id);
        assert_eq!(name, "noun.animal-0123456789abcdef.portolan");
        for ours in [INDEX_NAME, &name, &format!(".{name}.77.tmp"), ".release.json.77.tmp"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in
            [&format!("{id}.portolan"), "notes.tmp", ".tmp", ".git", "a-b.portolan", "release.json.bak"]
        {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_damaged_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("a"), b"damaged").unwrap();
        assert_eq!(put(folder, "a", b"written").unwrap(), 1);
        assert_eq!(put(folder, "a", b"written").unwrap(), 0);
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"written");
    }
}

//! Releases in a local folder, opened through memory maps.
//!
//! Use this where there is a file system: programs in Rust, the C library, the command. It reads nothing when it
//! opens but `release.json`; the operating system pages in what queries touch. One handle serves all threads.

mod advise;
mod threads;

use std::{
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub use advise::Advice;
pub(crate) use threads::Threads;

use crate::{
    bytes::{ByteRange, ByteSource, MappedFile, Resident},
    error::{CatalogError, Error, Result, SnapshotError, StoreError},
    plan::Plan,
    release::{ClusterSummary, INDEX_NAME, Place, ReleaseFile},
    router::{Catalog, Fanout, Host, OneByOne, Options, ResultSet, Sources, Spread},
    snapshot::{EmbedderFile, SnapshotFile, Verified, verify},
};

/// An opened release.
#[derive(Debug)]
pub struct LocalRelease {
    folder: PathBuf,
    catalog: Arc<Catalog>,
    files: Files,
}

/// The release's files by their number; `None` for one that could not be opened.
#[derive(Debug)]
struct Files(Vec<Option<MappedFile>>);

impl Sources for Files {
    fn file(&self, number: usize) -> Option<&dyn ByteSource> {
        self.0.get(number)?.as_ref().map(|file| file as &dyn ByteSource)
    }
}

/// How a statement is run here. Of these only `options` can change an answer, and the two ways to stop it can end it.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// The engine's own. Default: strict, with a clock.
    pub options: Options,
    /// The most threads to search with, the caller's included. Default: as many as there are processors, up to 16.
    /// Small statements take one whatever is said here.
    pub threads: usize,
    /// The longest a statement may take, from the call on. Default: no limit.
    pub timeout: Option<Duration>,
    /// Whoever sets it ends the statement. Default: nobody.
    pub cancel: Option<Arc<AtomicBool>>,
}

/// More threads than this do not make reading memory faster.
const MOST_THREADS: usize = 16;

impl Default for LocalOptions {
    fn default() -> Self {
        let options = Options { clock: Some(microseconds), ..Options::default() };
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Self { options, threads: processors.min(MOST_THREADS), timeout: None, cancel: None }
    }
}

/// Microseconds since the first call.
fn microseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Answers a plan over resident files, with threads and limits.
pub(crate) fn run(
    catalog: &Arc<Catalog>,
    files: &dyn Sources,
    plan: Plan,
    options: &LocalOptions,
) -> Result<ResultSet> {
    let deadline = options.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let cancelled = || options.cancel.as_ref().is_some_and(|cancel| cancel.load(Ordering::Relaxed));
    let late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let threads = Threads(options.threads);
    let spread: &dyn Spread = if options.threads > 1 { &threads } else { &OneByOne };
    let host = Host { spread, stop: &|| cancelled() || late() };
    let fanout = Fanout::with(catalog.clone(), plan, options.options.clone())?;
    fanout.run_with(files, &host).map_err(|error| match (error, options.timeout) {
        (Error::Catalog(CatalogError::Stopped), Some(timeout)) if !cancelled() => {
            let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            CatalogError::TimedOut { millis }.into()
        }
        (error, _) => error,
    })
}

impl LocalRelease {
    /// Opens the release in `folder`.
    ///
    /// # Errors
    /// [`StoreError::File`] when a file cannot be opened, [`SnapshotError`] when `release.json` or a file's length is
    /// not what it should be.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        Self::open_described(folder, || read_description(folder), false)
    }

    /// Opens what there is of the release in `folder`: files that are missing or damaged fail the statements that need
    /// them, or only their collections if the statement's options are not strict.
    ///
    /// # Errors
    /// [`StoreError::File`], [`SnapshotError`] for `release.json` alone.
    pub fn open_partial(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        Self::open_described(folder, || read_description(folder), true)
    }

    /// An export may replace the release between reading its description and opening its files: then files are
    /// missing, and there is another description to start again from.
    fn open_described(folder: &Path, read: impl Fn() -> Result<Vec<u8>>, partial: bool) -> Result<Self> {
        let mut json = read()?;
        loop {
            let catalog = Catalog::open(&json)?;
            let files: Vec<Result<MappedFile>> = catalog
                .index()
                .files()
                .enumerate()
                .map(|(number, _)| map(folder, &catalog, number))
                .collect();
            let whole = files.iter().all(Result::is_ok);
            let newer = if whole { None } else { Some(read()?).filter(|newer| *newer != json) };
            if let Some(newer) = newer {
                json = newer;
                continue;
            }
            let files = match partial {
                // One of another length is told from one that is missing when it is asked.
                true => catalog.index().files().map(|file| open(folder, &file.name).ok()).collect(),
                false => files.into_iter().map(|file| file.map(Some)).collect::<Result<_>>()?,
            };
            return Ok(Self { folder: folder.into(), catalog: Arc::new(catalog), files: Files(files) });
        }
    }

    /// The release's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the release holds.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The bytes of its files, for a search that is stepped by hand.
    pub fn sources(&self) -> &dyn Sources {
        &self.files
    }

    /// Answers a statement.
    ///
    /// # Errors
    /// `QueryError` for a wrong statement, [`CatalogError`] for names that are not there, [`SnapshotError`] for damage.
    pub fn query(&self, sql: &str) -> Result<ResultSet> {
        self.run(Plan::parse(sql)?)
    }

    /// Answers a plan.
    ///
    /// # Errors
    /// As [`query`](Self::query), without the statement's own.
    pub fn run(&self, plan: Plan) -> Result<ResultSet> {
        self.run_with(plan, &LocalOptions::default())
    }

    /// Answers a plan, with options.
    ///
    /// TOPK, LIMIT and the candidates of MMR never cost more than the rows there are; MMR compares at most
    /// [`MAX_MMR_CANDIDATES`](crate::plan::MAX_MMR_CANDIDATES) rows with as many. Beyond that a statement reads each
    /// byte of its collections at most once for each item of a BATCH, and sorts each row at most once a key.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`CatalogError::TimedOut`] and [`CatalogError::Stopped`] soon after the time is up or
    /// somebody cancels.
    pub fn run_with(&self, plan: Plan, options: &LocalOptions) -> Result<ResultSet> {
        run(&self.catalog, &self.files, plan, options)
    }

    /// Reads every byte and checks it: lengths and hashes against `release.json`, and each file within itself.
    /// Calls `seen` after each file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, mut seen: impl FnMut(&ReleaseFile, Option<&Verified>)) -> Result<()> {
        for (number, file) in self.catalog.index().files().enumerate() {
            let map = self.whole(number)?;
            let verify = |bytes| verify(bytes).map_err(|error| self.catalog.blame_any(number, error));
            if blake3::hash(map.bytes()).to_hex().as_str() != file.blake3 {
                // The file's own checks say where it is damaged; if they find nothing, it is another file.
                if number > 0 {
                    verify(map.bytes())?;
                }
                let reason = format!("{} is not the file that was exported: its hash differs", file.name);
                return Err(SnapshotError::BadRelease { reason }.into());
            }
            let verified = if number > 0 { Some(verify(map.bytes())?) } else { None };
            seen(file, verified.as_ref());
        }
        self.verify_description()
    }

    /// A file that has to be there.
    fn whole(&self, number: usize) -> Result<&MappedFile> {
        let missing = || {
            let name = self.catalog.index().file(number).map(|file| file.name.clone());
            CatalogError::MissingFile { name: name.unwrap_or_default() }
        };
        Ok(self.files.0.get(number).and_then(Option::as_ref).ok_or_else(missing)?)
    }

    /// `release.json` repeats what the files say of themselves, and decides by it what is read.
    fn verify_description(&self) -> Result<()> {
        let index = self.catalog.index();
        let differs =
            |what: &str| SnapshotError::BadRelease { reason: format!("{what} differs; export again") };
        if index.compute_id() != index.id {
            return Err(differs("the id").into());
        }
        let heads = self.whole(0)?.bytes();
        for (number, entry) in (1..).zip(&index.snapshots) {
            let map = self.whole(number)?;
            let file = SnapshotFile::open(map.bytes(), map.len())?;
            let eager = file.eager();
            let copied =
                [ByteRange::at(0, file.head().header().head_bytes)].into_iter().chain(eager.iter().copied());
            let same = eager.iter().copied().map(Place::from).eq(entry.eager.iter().copied())
                && file.encoding() == entry.encoding
                && ClusterSummary::of(&file) == entry.clusters
                && is_copy(heads, entry.opening(), map, copied);
            if !same || !self.describes(number, &file)? {
                return Err(differs(&format!("what is said of {}", entry.file.name)).into());
            }
        }
        for (number, entry) in (1 + index.snapshots.len()..).zip(&index.embedders) {
            let map = self.whole(number)?;
            let embedder = EmbedderFile::open(map.bytes(), map.len())?;
            let same = *embedder.id() == entry.id
                && embedder.vocabulary_range().is_some_and(|range| range == entry.vocabulary.range());
            let head = ByteRange::at(0, embedder.head().header().head_bytes);
            if !same || !is_copy(heads, entry.head, map, [head]) {
                return Err(differs(&format!("what is said of {}", entry.file.name)).into());
            }
        }
        Ok(())
    }

    /// Whether the description says of the collections of a file what the file says.
    fn describes(&self, number: usize, file: &Arc<SnapshotFile>) -> Result<bool> {
        let index = self.catalog.index();
        let own: Vec<_> = index.collections.iter().filter(|entry| entry.snapshot + 1 == number).collect();
        let map = self.whole(number)?;
        for (place, entry) in own.iter().enumerate() {
            let Some(collection) = file.collection(place) else { return Ok(false) };
            if *collection.schema() != entry.schema
                || collection.members_range().map(Place::from) != entry.members
                || collection.statistics(map)?.as_ref() != Some(&entry.statistics)
            {
                return Ok(false);
            }
        }
        Ok(own.len() == file.collections().len())
    }
}

/// Whether the heads file holds, at `place`, copies of parts of a file, one behind the other.
fn is_copy(
    heads: &[u8],
    place: Place,
    file: &MappedFile,
    parts: impl IntoIterator<Item = ByteRange>,
) -> bool {
    let parts: Option<Vec<&[u8]>> = parts.into_iter().map(|part| file.get(part)).collect();
    parts.is_some_and(|parts| Resident(heads).get(place.range()) == Some(parts.concat().as_slice()))
}

fn read_description(folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join(INDEX_NAME);
    fs::read(&path).map_err(|source| StoreError::File { action: "read", path, source }.into())
}

fn open(folder: &Path, name: &str) -> Result<MappedFile> {
    let path = folder.join(name);
    MappedFile::open(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => CatalogError::MissingFile { name: name.into() }.into(),
        _ => StoreError::File { action: "open", path, source }.into(),
    })
}

fn map(folder: &Path, catalog: &Catalog, number: usize) -> Result<MappedFile> {
    let Some(file) = catalog.index().file(number) else { return Err(CatalogError::EmptyRelease.into()) };
    let map = open(folder, &file.name)?;
    if map.len() != file.bytes {
        let error = SnapshotError::WrongLength { expected: file.bytes, got: map.len() };
        return Err(catalog.blame(number, error).into());
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        metric::{Encoding, Metric},
        release::ReleaseBuilder,
        schema::{Record, Schema},
        snapshot::write_collection,
    };

    /// Writes a release of one record into the folder; gives its description.
    fn write(folder: &Path, id: &str) -> Vec<u8> {
        let schema = Schema {
            collection: "c".into(),
            dimension: 1,
            metric: Metric::L2,
            embedder: None,
            fields: vec![],
        };
        let record =
            Record { id: id.into(), document: None, metadata: Default::default(), vector: vec![1.0] };
        let file = write_collection(&schema, Encoding::F32, vec![record]).unwrap();
        let (name, mut builder) = (format!("{id}.portolan"), ReleaseBuilder::new());
        builder.add_collection(&name, &file).unwrap();
        let built = builder.finish().unwrap();
        fs::write(folder.join(name), &file).unwrap();
        fs::write(folder.join(&built.index.heads.name), &built.heads).unwrap();
        fs::write(folder.join(INDEX_NAME), &built.json).unwrap();
        built.json
    }

    #[test]
    fn a_release_that_is_replaced_while_it_is_opened_opens_as_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = write(folder.path(), "old");
        let new = write(folder.path(), "new");
        fs::remove_file(folder.path().join("old.portolan")).unwrap();
        let reads = Cell::new(0);
        let release = LocalRelease::open_described(
            folder.path(),
            || {
                reads.set(reads.get() + 1);
                Ok(if reads.get() == 1 { old.clone() } else { new.clone() })
            },
            false,
        );
        assert_eq!(release.unwrap().query("SELECT id FROM c").unwrap().rows[0].id.as_deref(), Some("new"));
        let missing = LocalRelease::open_described(folder.path(), || Ok(old.clone()), false);
        assert!(matches!(missing, Err(crate::Error::Catalog(CatalogError::MissingFile { .. }))));
    }

    fn plan() -> Plan {
        Plan::parse("SELECT id FROM c USING EMBEDDING (VECTOR [1])").unwrap()
    }

    #[test]
    fn a_statement_ends_when_its_time_is_up_or_somebody_cancels() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "only");
        let release = LocalRelease::open(folder.path()).unwrap();
        let code = |options: LocalOptions| release.run_with(plan(), &options).map_err(|error| error.code());
        let late = LocalOptions { timeout: Some(Duration::ZERO), ..LocalOptions::default() };
        assert_eq!(code(late.clone()), Err(2013));
        let cancel = Some(Arc::new(AtomicBool::new(true)));
        assert_eq!(code(LocalOptions { cancel: cancel.clone(), ..LocalOptions::default() }), Err(2014));
        assert_eq!(code(LocalOptions { cancel, ..late }), Err(2014));
        let time = LocalOptions { timeout: Some(Duration::from_secs(600)), ..LocalOptions::default() };
        assert_eq!(code(time).unwrap().rows.len(), 1);
    }

    /// What is left of a release can be asked, and what is not says which file it misses.
    #[test]
    fn a_release_with_missing_or_cut_files_opens_in_part() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "only");
        let path = folder.path().join("only.portolan");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[1..]).unwrap();
        let opened = LocalRelease::open(folder.path());
        assert!(
            opened.is_err_and(|error| error.code() == 4005 && error.to_string().contains("only.portolan"))
        );
        for (code, cut) in [(4005, true), (2004, false)] {
            if !cut {
                fs::remove_file(&path).unwrap();
            }
            let release = LocalRelease::open_partial(folder.path()).unwrap();
            let error = release.run(plan()).unwrap_err();
            assert!(error.code() == code && error.to_string().contains("only.portolan"), "{error}");
            assert_eq!(release.verify(|_, _| ()).unwrap_err().code(), if cut { 4001 } else { 2004 });
        }
    }

    /// The statistics in release.json decide which collections are asked; its id covers names and hashes only.
    #[test]
    fn verify_compares_the_description_with_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let json = String::from_utf8(write(folder.path(), "only")).unwrap();
        LocalRelease::open(folder.path()).unwrap().verify(|_, _| ()).unwrap();
        let least = json.replacen("\"id\":[\"only\"", "\"id\":[\"nobody\"", 1);
        let id = format!("\"id\":\"{}\"", "0".repeat(64));
        let start = json.find("\"id\":\"").unwrap();
        let other_id = json.replacen(&json[start..start + id.len()], &id, 1);
        for forged in [least, other_id] {
            assert_ne!(forged, json);
            fs::write(folder.path().join(INDEX_NAME), forged).unwrap();
            let result = LocalRelease::open(folder.path()).unwrap().verify(|_, _| ());
            assert!(
                matches!(result, Err(crate::Error::Snapshot(SnapshotError::BadRelease { .. }))),
                "{result:?}"
            );
        }
    }
}

//! The files that are measured: those of a release folder, or one alone, which becomes a release in memory.

use std::{path::Path, sync::Arc};

use portolan::{
    bytes::{ByteSource, MappedFile, Resident},
    error::StoreError,
    local::LocalRelease,
    release::{INDEX_NAME, ReleaseBuilder, ReleaseIndex},
    router::{Catalog, Sources},
};

use crate::outcome::Failure;

/// Opened files with their description.
pub struct Opened {
    /// What they hold; remembers what it has read.
    pub catalog: Arc<Catalog>,
    /// The files by their number.
    pub files: Files,
    /// The length of `release.json`; 0 for a file alone, whose reader needs none.
    pub description_bytes: u64,
}

/// Wholly resident files.
pub struct Files(Vec<Bytes>);

enum Bytes {
    Mapped(MappedFile),
    Held(Resident<Vec<u8>>),
}

impl Sources for Files {
    fn file(&self, number: usize) -> Option<&dyn ByteSource> {
        Some(match self.0.get(number)? {
            Bytes::Mapped(file) => file,
            Bytes::Held(file) => file,
        })
    }
}

impl Opened {
    /// Opens a release folder or a file.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() { Self::folder(path) } else { Self::alone(path) }
    }

    fn folder(path: &Path) -> Result<Self, Failure> {
        // Says what is wrong with a release, and checks the lengths of its files.
        let release = LocalRelease::open(path)?;
        let index = release.catalog().index();
        let files = index.files().map(|file| map(&path.join(&file.name)).map(Bytes::Mapped));
        let files = Files(files.collect::<Result<_, _>>()?);
        let description_bytes = map(&path.join(INDEX_NAME))?.len();
        Ok(Self { catalog: Arc::new(release.catalog().fresh()), files, description_bytes })
    }

    fn alone(path: &Path) -> Result<Self, Failure> {
        let file = map(path)?;
        let mut builder = ReleaseBuilder::new();
        builder.add_collection("alone.portolan", file.bytes())?;
        let built = builder.finish()?;
        let files = Files(vec![Bytes::Held(Resident(built.heads)), Bytes::Mapped(file)]);
        Ok(Self { catalog: Arc::new(Catalog::new(built.index)), files, description_bytes: 0 })
    }

    /// The description.
    pub fn index(&self) -> &ReleaseIndex {
        self.catalog.index()
    }

    /// How many records there are.
    pub fn rows(&self) -> u64 {
        self.index().collections.iter().map(|entry| entry.statistics.rows).sum()
    }

    /// The bytes of the files that hold records.
    pub fn snapshot_bytes(&self) -> u64 {
        self.index().snapshots.iter().map(|entry| entry.file.bytes).sum()
    }
}

fn map(path: &Path) -> Result<MappedFile, Failure> {
    let map = MappedFile::open(path);
    let map = map.map_err(|source| StoreError::File { action: "open", path: path.into(), source });
    Ok(map.map_err(portolan::Error::from)?)
}

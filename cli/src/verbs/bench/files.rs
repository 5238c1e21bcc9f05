//! The files that are measured: those of a release folder, or one alone, which becomes a release in memory.

use std::{path::Path, sync::Arc};

use portolan::{
    bytes::{ByteSource, MappedFile, Resident},
    error::StoreError,
    local::{Advice, LocalRelease},
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
pub enum Files {
    Release(LocalRelease),
    /// A file, and the heads that a release would have beside it.
    Alone {
        heads: Resident<Vec<u8>>,
        file: MappedFile,
    },
}

impl Sources for Files {
    fn file(&self, number: usize) -> Option<&dyn ByteSource> {
        match (self, number) {
            (Self::Release(release), _) => release.sources().file(number),
            (Self::Alone { heads, .. }, 0) => Some(heads),
            (Self::Alone { file, .. }, 1) => Some(file),
            (Self::Alone { .. }, _) => None,
        }
    }
}

impl Opened {
    /// Opens a release folder or a file.
    pub fn open(path: &Path, advice: Advice) -> Result<Self, Failure> {
        match path.is_dir() {
            true => Self::folder(path, advice),
            false if advice == Advice::Normal => Self::alone(path),
            false => Err(Failure::wrong_use("--advise takes a release folder")),
        }
    }

    fn folder(path: &Path, advice: Advice) -> Result<Self, Failure> {
        let release = LocalRelease::open(path)?;
        release.advise(advice)?;
        let description_bytes = map(&path.join(INDEX_NAME))?.len();
        let catalog = Arc::new(release.catalog().fresh());
        Ok(Self { catalog, files: Files::Release(release), description_bytes })
    }

    fn alone(path: &Path) -> Result<Self, Failure> {
        let file = map(path)?;
        let mut builder = ReleaseBuilder::new();
        builder.add_collection("alone.portolan", file.bytes())?;
        let built = builder.finish()?;
        let files = Files::Alone { heads: Resident(built.heads), file };
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

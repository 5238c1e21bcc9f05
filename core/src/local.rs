//! Releases in a local folder, opened through memory maps.
//!
//! Use this where there is a file system: programs in Rust, the C library, the command. It reads nothing when it
//! opens but `release.json`; the operating system pages in what queries touch. One handle serves all threads.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    bytes::{ByteSource, MappedFile},
    error::{CatalogError, Result, SnapshotError, StoreError},
    plan::Plan,
    release::{INDEX_NAME, ReleaseFile},
    router::{Catalog, Fanout, ResultSet},
    snapshot::{Verified, verify},
};

/// An opened release.
#[derive(Debug)]
pub struct LocalRelease {
    folder: PathBuf,
    catalog: Arc<Catalog>,
    files: Vec<MappedFile>,
}

impl LocalRelease {
    /// Opens the release in `folder`.
    ///
    /// # Errors
    /// [`StoreError::File`] when a file cannot be opened, [`SnapshotError`] when `release.json` or a file's length is
    /// not what it should be.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(INDEX_NAME);
        let json = fs::read(&path).map_err(|source| StoreError::File { action: "read", path, source })?;
        let catalog = Catalog::open(&json)?;
        let files = catalog.index().files().map(|file| map(folder, file)).collect::<Result<_>>()?;
        Ok(Self { folder: folder.into(), catalog: Arc::new(catalog), files })
    }

    /// The release's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the release holds.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
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
        Fanout::new(self.catalog.clone(), plan)?.run(&self.files)
    }

    /// Reads every byte and checks it: lengths and hashes against `release.json`, and each file within itself.
    /// Calls `seen` after each file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, mut seen: impl FnMut(&ReleaseFile, Option<&Verified>)) -> Result<()> {
        for (number, (file, map)) in self.catalog.index().files().zip(&self.files).enumerate() {
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
        Ok(())
    }
}

fn map(folder: &Path, file: &ReleaseFile) -> Result<MappedFile> {
    let path = folder.join(&file.name);
    let map = MappedFile::open(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => CatalogError::MissingFile { name: file.name.clone() }.into(),
        _ => crate::Error::from(StoreError::File { action: "open", path, source }),
    })?;
    if map.len() != file.bytes {
        return Err(SnapshotError::WrongLength { expected: file.bytes, got: map.len() }.into());
    }
    Ok(map)
}

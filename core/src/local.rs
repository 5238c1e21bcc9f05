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
    bytes::{ByteRange, ByteSource, MappedFile, Resident},
    error::{CatalogError, Result, SnapshotError, StoreError},
    plan::Plan,
    release::{INDEX_NAME, Place, ReleaseFile},
    router::{Catalog, Fanout, ResultSet},
    snapshot::{Collection, EmbedderFile, Head, Verified, verify},
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
        let read = || {
            let path = folder.join(INDEX_NAME);
            fs::read(&path).map_err(|source| StoreError::File { action: "read", path, source }.into())
        };
        Self::open_described(folder, read)
    }

    /// An export may replace the release between reading its description and opening its files: then files are
    /// missing, and there is another description to start again from.
    fn open_described(folder: &Path, read: impl Fn() -> Result<Vec<u8>>) -> Result<Self> {
        let mut json = read()?;
        loop {
            let catalog = Catalog::open(&json)?;
            match catalog.index().files().map(|file| map(folder, file)).collect::<Result<_>>() {
                Ok(files) => return Ok(Self { folder: folder.into(), catalog: Arc::new(catalog), files }),
                Err(error) => {
                    let newer = read()?;
                    if newer == json {
                        return Err(error);
                    }
                    json = newer;
                }
            }
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
        self.verify_description()
    }

    /// `release.json` repeats what the files say of themselves, and decides by it what is read.
    fn verify_description(&self) -> Result<()> {
        let index = self.catalog.index();
        let differs =
            |what: &str| SnapshotError::BadRelease { reason: format!("{what} differs; export again") };
        if index.compute_id() != index.id {
            return Err(differs("the id").into());
        }
        let heads = self.files.first().map(MappedFile::bytes).unwrap_or_default();
        let (collections, embedders) =
            self.files.get(1..).unwrap_or_default().split_at(index.collections.len());
        for (entry, map) in index.collections.iter().zip(collections) {
            let collection = Collection::open(map.bytes(), map.len())?;
            let same = *collection.schema() == entry.schema && *collection.statistics() == entry.statistics;
            if !same || !is_copy(heads, entry.head, map, collection.head()) {
                return Err(differs(&format!("what is said of {}", entry.file.name)).into());
            }
        }
        for (entry, map) in index.embedders.iter().zip(embedders) {
            let embedder = EmbedderFile::open(map.bytes(), map.len())?;
            let same = *embedder.id() == entry.id
                && embedder.vocabulary_range().is_some_and(|range| range == entry.vocabulary.range());
            if !same || !is_copy(heads, entry.head, map, embedder.head()) {
                return Err(differs(&format!("what is said of {}", entry.file.name)).into());
            }
        }
        Ok(())
    }
}

/// Whether the heads file holds a copy of a file's head at `place`.
fn is_copy(heads: &[u8], place: Place, file: &MappedFile, head: &Head) -> bool {
    let copy = Resident(heads).get(place.range()).map(<[u8]>::to_vec);
    copy.as_deref() == file.get(ByteRange::at(0, head.header().head_bytes))
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
        let release = LocalRelease::open_described(folder.path(), || {
            reads.set(reads.get() + 1);
            Ok(if reads.get() == 1 { old.clone() } else { new.clone() })
        });
        assert_eq!(release.unwrap().query("SELECT id FROM c").unwrap().rows[0].id.as_deref(), Some("new"));
        let missing = LocalRelease::open_described(folder.path(), || Ok(old.clone()));
        assert!(matches!(missing, Err(crate::Error::Catalog(CatalogError::MissingFile { .. }))));
    }

    /// The statistics in release.json decide which collections are asked; its id covers names and hashes only.
    #[test]
    fn verify_compares_the_description_with_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let json = String::from_utf8(write(folder.path(), "only")).unwrap();
        LocalRelease::open(folder.path()).unwrap().verify(|_, _| ()).unwrap();
        let least = json.replacen("\"min\": \"only\"", "\"min\": \"zzzz\"", 1);
        let id = format!("\"id\": \"{}\"", "0".repeat(64));
        let start = json.find("\"id\": \"").unwrap();
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

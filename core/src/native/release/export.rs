//! Exporting a store as a release folder.
//!
//! Files are named after their content, so an unchanged collection is not written again, and a reader of the old
//! release keeps its files until the new `release.json` stands. A kill leaves the old release.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{files, kept_embedder};
use crate::{
    error::{Result, StoreError},
    metric::Encoding,
    native::store::Store,
    release::{INDEX_NAME, ReleaseBuilder, ReleaseIndex},
    snapshot::{Collection, EmbedderFile, write_collection},
};

/// The ending of all files of a release but `release.json`.
const SUFFIX: &str = ".portolan";

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
}

/// Writes every collection of `store` that has vectors as a release into `folder`, one collection in memory at a time.
///
/// # Errors
/// [`StoreError::NotARelease`] when the folder holds something else, [`StoreError::File`], and what the store says.
pub async fn export(
    store: &Store,
    folder: &Path,
    encoding: Encoding,
    mut progress: impl FnMut(ExportProgress<'_>),
) -> Result<Exported> {
    claim_folder(folder)?;
    let (mut builder, mut written, mut empty) = (ReleaseBuilder::new(), 0, Vec::new());
    let mut fingerprints = BTreeSet::new();
    let names = store.collections();
    for (done, name) in names.iter().enumerate() {
        if store.config(name)?.active.is_none() {
            empty.push(name.clone());
            continue;
        }
        let mut reader = store.read(name, None).await?;
        let records = reader.read_all().await?;
        let schema = reader.schema().clone();
        fingerprints.extend(schema.embedder.as_ref().map(|id| id.fingerprint.clone()));
        let file = write_collection(&schema, encoding, records)?;
        let id = Collection::open(&file, file.len() as u64)?.head().content_id();
        let file_name = file_name(name, &id);
        written += put(folder, &file_name, &file)?;
        builder.add_collection(&file_name, &file)?;
        progress(ExportProgress { collection: name, done: done + 1, total: names.len() });
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
    Ok(Exported { index: built.index, written, empty })
}

/// Makes the folder, or checks that what is in it is a release.
fn claim_folder(folder: &Path) -> Result<(), StoreError> {
    files::make_folder(folder)?;
    let foreign = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name != INDEX_NAME && !name.ends_with(SUFFIX) && !name.ends_with(".tmp")
    };
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

/// Writes a file unless it is there with that length: its name says its content. Says how many files it wrote.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<usize, StoreError> {
    let path = folder.join(name);
    if fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64) {
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
        if !kept.contains(name.as_ref()) {
            fs::remove_file(&path).map_err(|source| StoreError::File { action: "remove", path, source })?;
        }
    }
    Ok(())
}

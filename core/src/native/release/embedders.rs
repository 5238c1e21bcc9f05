//! The static embedders that a store keeps, so that exporting and asking need no registry file.

use std::path::{Path, PathBuf};

use super::files;
use crate::{
    embed::{Embedder, StaticEmbedder},
    error::Result,
    snapshot::write_embedder,
};

/// Keeps an embedder in the store's folder. Does nothing if it is there already.
///
/// # Errors
/// `StoreError::File`.
pub fn keep_embedder(store: &Path, embedder: &StaticEmbedder) -> Result<()> {
    let path = path(store, &embedder.id().fingerprint);
    if path.exists() {
        return Ok(());
    }
    files::make_folder(path.parent().unwrap_or(store))?;
    Ok(files::write_durably(&path, &write_embedder(embedder)?)?)
}

/// The bytes of the embedder file with that fingerprint; `None` if the store keeps none.
///
/// # Errors
/// `StoreError::File`.
pub fn kept_embedder(store: &Path, fingerprint: &str) -> Result<Option<Vec<u8>>> {
    let path = path(store, fingerprint);
    Ok(if path.exists() { Some(files::read(&path)?) } else { None })
}

fn path(store: &Path, fingerprint: &str) -> PathBuf {
    store.join("embedders").join(format!("{fingerprint}.portolan"))
}

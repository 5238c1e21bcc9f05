//! Writing files so that a kill leaves the old file or the new one, never a part.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::error::StoreError;

/// Writes a file under a temporary name, syncs it, renames it into place and syncs the folder.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| {
        // Best effort: the error that is reported matters more than the left-over.
        let _ = fs::remove_file(&temporary);
        StoreError::File { action: "write", path: path.into(), source }
    })
}

/// Makes a folder and its parents.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(|source| StoreError::File {
        action: "create",
        path: path.into(),
        source,
    })
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    fs::read(path).map_err(|source| StoreError::File { action: "read", path: path.into(), source })
}

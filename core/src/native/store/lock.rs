//! The writer lock: one process writes to a store at a time.
//!
//! The lock is the operating system's, so it ends with its process however that ends. The file's text is only for
//! people. It is not meant for network file systems that do not lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::StoreError;

/// The lock file inside the store.
pub const LOCK_FILE: &str = "writer.lock";

/// How often and how far apart the name of a holder is looked for.
const HOLDER_READS: u32 = 20;
const HOLDER_PAUSE: Duration = Duration::from_millis(10);

/// A held lock. Dropping it lets the next writer in.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of the store in `dir` and writes into it who holds it and what for.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder when another process (or another handle) has it.
    pub fn take(dir: &Path, purpose: &str) -> Result<Self, StoreError> {
        let path = dir.join(LOCK_FILE);
        let fail = |action| {
            let path = path.clone();
            move |source| StoreError::File { action, path, source }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(fail("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { dir: dir.to_path_buf(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(fail("lock")(source)),
        }
        file.set_len(0).map_err(fail("write"))?;
        writeln!(file, "process {} ({purpose})", std::process::id()).map_err(fail("write"))?;
        Ok(Self { _file: file })
    }
}

/// Who holds the lock. The holder writes its name just after it took the lock, so an empty file is read again for a
/// moment.
fn holder(file: &mut File) -> String {
    for _ in 0..HOLDER_READS {
        let mut text = String::new();
        let read = file.rewind().and_then(|()| Read::by_ref(file).take(1000).read_to_string(&mut text));
        if read.is_ok() && text.ends_with('\n') {
            return String::from(text.trim());
        }
        thread::sleep(HOLDER_PAUSE);
    }
    String::from("another process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_writer_learns_who_holds_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::take(dir.path(), "ingest").unwrap();
        match WriterLock::take(dir.path(), "embed") {
            Err(StoreError::Locked { holder, .. }) => {
                assert_eq!(holder, format!("process {} (ingest)", std::process::id()));
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        WriterLock::take(dir.path(), "embed").unwrap();
    }
}

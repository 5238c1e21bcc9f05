//! The keys of prepared rows on disk: which partition holds the newest version of a record, and which version that is.
//!
//! Beside each partition stands a file of entries of 32 bytes, sorted: 16 bytes of the hash of the key, 16 of the hash of the
//! record. Of each file, memory holds a Bloom filter of 10 bits a key and the first key of each page of 128, together 1.4 bytes a key
//! (28 MB for 20 million rows); a look-up reads at most one page of 4 KiB, and of a hundred files that do not have the key about
//! one is read in vain. It decides nothing: `prepare` and `apply` do.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::manifest::{KeyFile, Manifest, number};
use crate::error::StoreError;

/// The length of an entry.
const ENTRY_BYTES: usize = 32;
const PAGE_ENTRIES: usize = 128;
/// Words of 64 bits in a block of the Bloom filter: one cache line.
const BLOCK_WORDS: usize = 8;
const BITS_PER_KEY: usize = 10;
/// Bits that a key sets in its block.
const BITS_SET: u32 = 6;

/// The digest under which a dropped key stands.
pub const DROPPED: u128 = 0;

/// The keys of some rows and the digests of their newest versions.
pub type Digests = HashMap<u128, u128>;

/// Writes a sorted file of keys.
///
/// # Errors
/// [`StoreError::File`].
pub fn write(dir: &Path, name: &str, digests: &Digests) -> Result<KeyFile, StoreError> {
    let path = dir.join(name);
    let mut entries: Vec<(u128, u128)> = digests.iter().map(|(key, digest)| (*key, *digest)).collect();
    entries.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    let mut write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&path)?);
        for (key, digest) in &entries {
            let mut entry = [0; ENTRY_BYTES];
            entry[..16].copy_from_slice(&key.to_be_bytes());
            entry[16..].copy_from_slice(&digest.to_be_bytes());
            hasher.update(&entry);
            file.write_all(&entry)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    };
    write().map_err(|source| StoreError::File { action: "write", path: path.clone(), source })?;
    let blake3 = hasher.finalize().to_hex().to_string();
    Ok(KeyFile { file: name.into(), count: entries.len() as u64, blake3 })
}

/// One file of keys, open.
#[derive(Debug)]
struct KeyRun {
    file: File,
    count: usize,
    fences: Vec<u64>,
    bloom: Vec<[u64; BLOCK_WORDS]>,
}

impl KeyRun {
    /// Reads the file once, and checks it.
    fn open(dir: &Path, held: &KeyFile) -> Result<Self, StoreError> {
        let path = dir.join(&held.file);
        let fail = |source| StoreError::File { action: "read", path: path.clone(), source };
        let bad = |reason: &str| StoreError::BadManifest { path: path.clone(), reason: reason.into() };
        let file = File::open(&path).map_err(fail)?;
        let bytes = file.metadata().map_err(fail)?.len();
        if held.count.checked_mul(ENTRY_BYTES as u64) != Some(bytes) {
            return Err(bad("its length is not what the manifest says"));
        }
        let count = usize::try_from(held.count).map_err(|_| bad("it is too large"))?;
        let blocks = (count * BITS_PER_KEY).div_ceil(64 * BLOCK_WORDS).max(1);
        let mut run = Self { file, count, fences: Vec::new(), bloom: vec![[0; BLOCK_WORDS]; blocks] };
        let mut hasher = blake3::Hasher::new();
        let mut input = BufReader::with_capacity(1 << 16, File::open(&path).map_err(fail)?);
        for at in 0..count {
            let mut entry = [0; ENTRY_BYTES];
            input.read_exact(&mut entry).map_err(fail)?;
            hasher.update(&entry);
            let (key, _) = parse(&entry);
            if at % PAGE_ENTRIES == 0 {
                run.fences.push((key >> 64) as u64);
            }
            let (block, bits) = run.place(key);
            for (word, bits) in run.bloom[block].iter_mut().zip(bits) {
                *word |= bits;
            }
        }
        if hasher.finalize().to_hex().as_str() != held.blake3 {
            return Err(bad("its content is not what the manifest says"));
        }
        Ok(run)
    }

    /// The block of a key, and its bits there.
    fn place(&self, key: u128) -> (usize, [u64; BLOCK_WORDS]) {
        let mut low = key as u64;
        let block = (u128::from((key >> 64) as u64) * self.bloom.len() as u128) >> 64;
        let mut bits = [0; BLOCK_WORDS];
        for _ in 0..BITS_SET {
            bits[(low >> 6) as usize % BLOCK_WORDS] |= 1 << (low % 64);
            low >>= 9;
        }
        (block as usize, bits)
    }

    fn find(&self, key: u128) -> io::Result<Option<u128>> {
        let (block, bits) = self.place(key);
        if self.bloom[block].iter().zip(bits).any(|(word, bits)| word & bits != bits) {
            return Ok(None);
        }
        let high = (key >> 64) as u64;
        // Keys that begin with the same 64 bits may stand on both sides of a fence.
        let first = self.fences.partition_point(|fence| *fence < high).saturating_sub(1);
        let last = self.fences.partition_point(|fence| *fence <= high);
        for page in first..last {
            let start = page * PAGE_ENTRIES;
            let entries = PAGE_ENTRIES.min(self.count - start);
            let mut bytes = [0; PAGE_ENTRIES * ENTRY_BYTES];
            let bytes = &mut bytes[..entries * ENTRY_BYTES];
            self.file.read_exact_at(bytes, (start * ENTRY_BYTES) as u64)?;
            let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
            if let Ok(at) = entries.binary_search_by(|entry| parse(entry).0.cmp(&key)) {
                return Ok(entries.get(at).map(|entry| parse(entry).1));
            }
        }
        Ok(None)
    }
}

/// The key and the digest of an entry.
fn parse(entry: &[u8; ENTRY_BYTES]) -> (u128, u128) {
    let (mut key, mut digest) = ([0; 16], [0; 16]);
    key.copy_from_slice(&entry[..16]);
    digest.copy_from_slice(&entry[16..]);
    (u128::from_be_bytes(key), u128::from_be_bytes(digest))
}

/// Calls `each` with every key of a file and its digest, in order.
///
/// # Errors
/// [`StoreError::File`], and what `each` says.
pub fn each(
    dir: &Path,
    held: &KeyFile,
    mut each: impl FnMut(u128, u128) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let path = dir.join(&held.file);
    let fail = |source| StoreError::File { action: "read", path: path.clone(), source };
    let mut file = BufReader::with_capacity(1 << 16, File::open(&path).map_err(fail)?);
    for _ in 0..held.count {
        let mut entry = [0; ENTRY_BYTES];
        file.read_exact(&mut entry).map_err(fail)?;
        let (key, digest) = parse(&entry);
        each(key, digest)?;
    }
    Ok(())
}

/// Which of several versions is newer: the number of the partition it first stood in, then drops after rows.
pub type Rank = (u64, bool);

/// The newest version of each record of one model.
#[derive(Debug, Default)]
pub struct KeyIndex {
    /// Newest first.
    runs: Vec<(Rank, KeyRun)>,
}

impl KeyIndex {
    /// Of what counts in the manifest of the store in `dir`.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::BadManifest`] for a damaged file.
    pub fn open(dir: &Path, manifest: &Manifest, model: &str) -> Result<Self, StoreError> {
        let mut index = Self::default();
        for (_, held) in manifest.live(model) {
            index.add(dir, (number(&held.origin), false), &held.keys)?;
        }
        for dropped in manifest.dropped_keys(model) {
            index.add(dir, (number(&dropped.up_to), true), &dropped.keys)?;
        }
        Ok(index)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn add(&mut self, dir: &Path, rank: Rank, file: &KeyFile) -> Result<(), StoreError> {
        let run = KeyRun::open(dir, file)?;
        let place = self.runs.partition_point(|(held, _)| *held > rank);
        self.runs.insert(place, (rank, run));
        Ok(())
    }

    /// Whether it has no file.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The newest version of a record, and where it stands.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn newest(&self, key: u128) -> Result<Option<(Rank, u128)>, StoreError> {
        self.newest_below(key, (u64::MAX, true))
    }

    /// The newest version before a rank.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn newest_below(&self, key: u128, below: Rank) -> Result<Option<(Rank, u128)>, StoreError> {
        for (rank, run) in self.runs.iter().filter(|(rank, _)| *rank < below) {
            let found = run.find(key);
            let found = found.map_err(|source| StoreError::File {
                action: "read",
                path: "a file of keys".into(),
                source,
            })?;
            if let Some(digest) = found {
                return Ok(Some((*rank, digest)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u64) -> u128 {
        crate::native::store::key_hash(&seed.to_string())
    }

    #[test]
    fn every_key_is_found_in_its_newest_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = KeyIndex { runs: Vec::new() };
        for run in 0..3u64 {
            let digests: Digests =
                (run * 1000..run * 1000 + 2000).map(|n| (key(n), u128::from(run))).collect();
            let file = write(dir.path(), &format!("{run}.keys"), &digests).unwrap();
            index.add(dir.path(), (run, false), &file).unwrap();
        }
        for n in 0..4000 {
            let newest = (n / 1000).min(2);
            let found = index.newest(key(n)).unwrap();
            assert_eq!(found, Some(((newest, false), u128::from(newest))), "{n}");
        }
        assert_eq!(index.newest_below(key(1500), (1, false)).unwrap(), Some(((0, false), 0)));
        assert!((4000..14_000).all(|n| index.newest(key(n)).unwrap().is_none()));
        let vain = (4000..14_000).filter(|n| {
            let (block, bits) = index.runs[0].1.place(key(*n));
            index.runs[0].1.bloom[block].iter().zip(bits).all(|(word, bits)| word & bits == bits)
        });
        assert!(vain.count() < 300, "the filter lets too much through");
    }

    #[test]
    fn a_damaged_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), "keys", &(0..300).map(|n| (key(n), 1)).collect()).unwrap();
        let path = dir.path().join("keys");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[5000] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(KeyRun::open(dir.path(), &file), Err(StoreError::BadManifest { .. })));
        std::fs::write(&path, &bytes[..64]).unwrap();
        assert!(matches!(KeyRun::open(dir.path(), &file), Err(StoreError::BadManifest { .. })));
    }
}

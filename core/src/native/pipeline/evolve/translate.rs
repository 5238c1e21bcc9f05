//! Dropped records under a changed key: they stay dropped by the keys that the changed model makes of them.
//!
//! The old key file of a partition says which records (digests) were dropped; reading these by the changed model says how they are called
//! now. A drop whose records are called as before is left as it is.

use std::collections::HashSet;
use std::path::Path;

use crate::error::StoreError;
use crate::native::pipeline::drop::FOLDER;
use crate::native::pipeline::manifest::{Held, Manifest, number};
use crate::native::pipeline::prepare::file_name;
use crate::native::pipeline::prepare::keys::{self, DROPPED, Digests, KeyIndex};

/// One drop of single records of a model.
pub struct Translation {
    drop: String,
    up_to: u64,
    dropped: KeyIndex,
    records: HashSet<u128>,
    keys: Digests,
    changed: bool,
}

impl Translation {
    /// Those of the drops that hold.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::BadManifest`].
    pub fn all(dir: &Path, manifest: &Manifest, model: &str) -> Result<Vec<Self>, StoreError> {
        let mut all = Vec::new();
        for drop in manifest.drops.iter().filter(|drop| drop.undone_at.is_none()) {
            let Some(held) = drop.keys.get(model) else { continue };
            let (up_to, mut dropped) = (number(&held.up_to), KeyIndex::default());
            dropped.add(dir, (up_to, true), &held.keys)?;
            let (records, keys) = Default::default();
            all.push(Self { drop: drop.id.clone(), up_to, dropped, records, keys, changed: false });
        }
        Ok(all)
    }

    /// Notes the dropped records of a partition by its key file.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn note(&mut self, dir: &Path, held: &Held) -> Result<(), StoreError> {
        if self.up_to < number(&held.origin) {
            return Ok(());
        }
        keys::each(dir, &held.keys, |key, digest| {
            if self.dropped.newest(key)?.is_some() {
                self.records.insert(digest);
            }
            Ok(())
        })
    }

    /// A record as the changed model reads it.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn read(&mut self, key: u128, digest: u128) -> Result<(), StoreError> {
        if self.records.contains(&digest) {
            self.keys.insert(key, DROPPED);
            self.changed |= self.dropped.newest(key)?.is_none();
        }
        Ok(())
    }

    /// Puts the new keys into the manifest, in memory only.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn finish(self, dir: &Path, manifest: &mut Manifest, model: &str) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        // Never the name of a file that a saved manifest refers to: partitions are only ever added.
        let count = manifest.partitions.len();
        let name = format!("{FOLDER}/{}.{}.{count}.keys", self.drop, file_name(model));
        let file = keys::write(dir, &name, &self.keys)?;
        let drop = manifest.drops.iter_mut().find(|drop| drop.id == self.drop);
        if let Some(held) = drop.and_then(|drop| drop.keys.get_mut(model)) {
            held.keys = file;
        }
        Ok(())
    }
}

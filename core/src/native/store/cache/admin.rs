//! Looking after the cache: what is in it, throwing out a part of it, carrying it to another store.
//!
//! The cache is worth as much as the calls that filled it. An exported file is Arrow IPC with the columns of the table; what
//! is imported is checked row by row, because a wrong vector would be served for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use arrow_array::{
    Array, BinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray, cast::AsArray,
    types::TimestampMicrosecondType,
};
use arrow_ipc::{reader::FileReader, writer::FileWriter};
use futures::TryStreamExt;
use lancedb::{Table, table::OptimizeAction};

use super::select::{CacheSelector, fingerprints};
use super::{from_bytes, maintain, schema};
use crate::error::StoreError;
use crate::native::store::columns::{self, Columns};
use crate::native::store::handle::Store;
use crate::native::store::lance;
use crate::native::store::names::CACHE;

/// What the cache holds of one embedder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedEmbedder {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its name, if a collection has vectors of it.
    pub name: Option<String>,
    /// The collections that have vectors of it.
    pub collections: Vec<String>,
    /// Texts.
    pub entries: u64,
    /// The length of its vectors, if a collection knows it.
    pub dimension: Option<u32>,
    /// When the first entry was made, in microseconds since 1970.
    pub oldest: i64,
    /// When the last entry was made, in microseconds since 1970.
    pub newest: i64,
}

/// What the cache holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Texts, counted once for each embedder.
    pub entries: u64,
    /// Bytes on disk, older versions that were not cleaned up yet included.
    pub bytes: u64,
    /// Whether its key has an index; small caches need none.
    pub indexed: bool,
    /// By embedder.
    pub embedders: Vec<CachedEmbedder>,
}

/// What an import of cached vectors did. The last two add up to the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheImport {
    /// Rows of the file.
    pub read: u64,
    /// New ones.
    pub added: u64,
    /// Those that the cache had.
    pub held: u64,
}

impl Store {
    /// What the cache holds. Reads no vector.
    ///
    /// # Errors
    /// What Lance says.
    pub async fn cache_stats(&self) -> crate::Result<CacheStats> {
        let Some(table) = self.tables().open_pinned(CACHE).await? else { return Ok(CacheStats::default()) };
        let mut found: BTreeMap<String, (u64, i64, i64)> = BTreeMap::new();
        let mut batches = lance::scan(&table, &["embedder", "created_at"], None, false).await?;
        while let Some(batch) = batches.try_next().await? {
            let (embedders, times) = (Columns::of(&batch, CACHE).text("embedder")?, times(&batch)?);
            for (embedder, time) in embedders.iter().flatten().zip(times.values()) {
                match found.get_mut(embedder) {
                    Some(held) => *held = (held.0 + 1, held.1.min(*time), held.2.max(*time)),
                    None => drop(found.insert(embedder.into(), (1, *time, *time))),
                }
            }
        }
        let indices = table.list_indices().await.map_err(lance::failed("open", CACHE))?;
        let embedders = found.into_iter().map(|(fingerprint, counts)| self.describe(fingerprint, counts));
        let embedders: Vec<CachedEmbedder> = embedders.collect();
        Ok(CacheStats {
            entries: embedders.iter().map(|embedder| embedder.entries).sum(),
            bytes: folder_bytes(&self.dir().join(format!("{CACHE}.lance"))),
            indexed: !indices.is_empty(),
            embedders,
        })
    }

    fn describe(&self, fingerprint: String, (entries, oldest, newest): (u64, i64, i64)) -> CachedEmbedder {
        let known = fingerprints(self.configs()).find(|(known, _)| *known == fingerprint).map(|(_, id)| id);
        let uses = self
            .configs()
            .values()
            .filter(|config| config.embedders.iter().any(|embedder| embedder.fingerprint == fingerprint));
        CachedEmbedder {
            name: known.map(|id| id.name.clone()),
            dimension: known.map(|id| id.dimension),
            collections: uses.map(|config| config.collection.clone()).collect(),
            fingerprint,
            entries,
            oldest,
            newest,
        }
    }

    /// How many entries the selector means. With `apply` they are removed, and their bytes freed: records that have their
    /// vector keep it.
    ///
    /// # Errors
    /// [`StoreError::BadSelector`] for an empty selector, or one that cannot be read; [`StoreError::ReadOnly`]; what Lance
    /// says.
    pub async fn cache_prune(&mut self, selector: &CacheSelector, apply: bool) -> crate::Result<u64> {
        if selector.is_empty() {
            let reason = "it names nothing, which does not mean everything; say which entries".into();
            return Err(StoreError::BadSelector { reason }.into());
        }
        self.require_writable()?;
        let Some(table) = self.tables().open(CACHE).await? else { return Ok(0) };
        let predicate = selector.predicate(&held(&table).await?, self.configs())?;
        let Some(predicate) = predicate else { return Ok(0) };
        let count = table.count_rows(Some(predicate.clone())).await.map_err(lance::failed("count", CACHE))?;
        if apply && count > 0 {
            table.delete(&predicate).await.map_err(lance::failed("delete from", CACHE))?;
            free(&table).await?;
            maintain(&table).await?;
        }
        Ok(count as u64)
    }

    /// Writes the entries that the selector means (all, if it names nothing) into an Arrow IPC file; says how many.
    ///
    /// # Errors
    /// [`StoreError::BadSelector`]; [`StoreError::File`]; what Lance says.
    pub async fn cache_export(&self, path: &Path, selector: &CacheSelector) -> crate::Result<u64> {
        let temporary = path.with_extension("tmp");
        let fail = |source| StoreError::File { action: "write", path: path.into(), source };
        let file = File::create(&temporary).map_err(fail)?;
        let mut writer = FileWriter::try_new(BufWriter::new(file), &schema())
            .map_err(|error| fail(io::Error::other(error)))?;
        let mut count = 0;
        if let Some(table) = self.tables().open_pinned(CACHE).await? {
            let predicate = selector.predicate(&held(&table).await?, self.configs())?;
            let names = ["content_hash", "embedder", "vector", "created_at"];
            let mut batches = lance::scan(&table, &names, predicate, false).await?;
            while let Some(batch) = batches.try_next().await? {
                count += batch.num_rows() as u64;
                let batch =
                    batch.project(&columns_in_order(&batch)).and_then(|batch| batch.with_schema(schema()));
                batch
                    .and_then(|batch| writer.write(&batch))
                    .map_err(|error| fail(io::Error::other(error)))?;
            }
        }
        let written = writer.into_inner().map_err(io::Error::other);
        let written = written.and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error));
        written.and_then(|file| file.sync_all()).and_then(|()| fs::rename(&temporary, path)).map_err(fail)?;
        Ok(count)
    }

    /// Adds the entries of an exported file that the cache does not have. Checked whole before anything is written.
    ///
    /// # Errors
    /// [`StoreError::BadCacheFile`] with the row that is wrong; [`StoreError::ReadOnly`]; what Lance says.
    pub async fn cache_import(&mut self, path: &Path) -> crate::Result<CacheImport> {
        self.require_writable()?;
        let mut check = Check::new(path, self);
        for batch in batches(path)? {
            check.batch(&batch.map_err(|error| check.wrong(error.to_string()))?)?;
        }
        let mut import = CacheImport::default();
        let mut seen = HashSet::new();
        for batch in batches(path)? {
            let batch = batch.map_err(|error| check.wrong(error.to_string()))?;
            import.read += batch.num_rows() as u64;
            let new = self.new_rows(&batch, &mut seen).await?;
            import.added += new.len() as u64;
            let rows = select(&batch, &new).map_err(lance::failed("write", CACHE))?;
            self.tables().append(CACHE, vec![rows]).await?;
        }
        import.held = import.read - import.added;
        if let Some(table) = self.tables().open(CACHE).await?.filter(|_| import.added > 0) {
            maintain(&table).await?;
        }
        Ok(import)
    }

    /// The rows of a batch that neither the cache nor an earlier batch has.
    async fn new_rows(
        &self,
        batch: &RecordBatch,
        seen: &mut HashSet<u128>,
    ) -> Result<Vec<usize>, StoreError> {
        let columns = Columns::of(batch, CACHE);
        let (hashes, embedders) = (columns.text("content_hash")?, columns.text("embedder")?);
        let key = |hash: &str, embedder: &str| columns::key_hash(&format!("{hash} {embedder}"));
        if let Some(table) = self.tables().open_pinned(CACHE).await? {
            let keys: Vec<&str> = hashes.iter().flatten().collect();
            let mut batches = lance::find(&table, &keys, &["content_hash", "embedder"], None).await?;
            while let Some(batch) = batches.try_next().await? {
                let columns = Columns::of(&batch, CACHE);
                let pairs = columns.text("content_hash")?.iter().flatten().zip(columns.text("embedder")?);
                seen.extend(pairs.map(|(hash, embedder)| key(hash, embedder.unwrap_or_default())));
            }
        }
        let new = |row: &usize| seen.insert(key(hashes.value(*row), embedders.value(*row)));
        Ok((0..batch.num_rows()).filter(new).collect())
    }
}

/// Checks the rows of a file of cached vectors.
struct Check<'a> {
    path: &'a Path,
    /// The dimension of each embedder: what collections know, then what the file says first.
    dimensions: HashMap<String, usize>,
    row: u64,
}

impl<'a> Check<'a> {
    fn new(path: &'a Path, store: &Store) -> Self {
        let known = fingerprints(store.configs());
        let dimensions =
            known.map(|(fingerprint, id)| (fingerprint.to_owned(), id.dimension as usize)).collect();
        Self { path, dimensions, row: 0 }
    }

    fn wrong(&self, reason: String) -> StoreError {
        StoreError::BadCacheFile { path: self.path.into(), reason }
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let columns = Columns::of(batch, CACHE);
        let (hashes, embedders) = (columns.text("content_hash")?, columns.text("embedder")?);
        let Some(vectors) = columns.any("vector")?.as_binary_opt::<i32>() else {
            return Err(self.wrong("its vectors are not binary".into()));
        };
        for row in 0..batch.num_rows() {
            self.row += 1;
            let whole = hashes.is_valid(row) && embedders.is_valid(row) && vectors.is_valid(row);
            let checked = match whole {
                true => self.entry(hashes.value(row), embedders.value(row), vectors.value(row)),
                false => Err("it has a null".into()),
            };
            checked.map_err(|reason| self.wrong(format!("row {}: {reason}", self.row)))?;
        }
        Ok(())
    }

    fn entry(&mut self, hash: &str, embedder: &str, vector: &[u8]) -> Result<(), String> {
        let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if hash.len() != 64 || !hash.bytes().all(hexadecimal) {
            return Err("its content_hash is not 64 hexadecimal digits".into());
        }
        if embedder.is_empty() {
            return Err("it names no embedder".into());
        }
        let dimension = vector.len() / 4;
        let held = match self.dimensions.get(embedder) {
            Some(held) => *held,
            None => *self.dimensions.entry(embedder.into()).or_insert(dimension),
        };
        let numbers = u32::try_from(held).ok().and_then(|held| from_bytes(vector, held));
        match numbers {
            Some(numbers) if held > 0 && numbers.iter().all(|number| number.is_finite()) => Ok(()),
            Some(_) if held > 0 => Err("its vector has a number that is not finite".into()),
            _ => Err(format!(
                "its vector has {} bytes, the others of its embedder have {}",
                vector.len(),
                4 * held
            )),
        }
    }
}

/// The batches of a file of cached vectors, with its columns in their order.
fn batches(
    path: &Path,
) -> Result<impl Iterator<Item = Result<RecordBatch, arrow_schema::ArrowError>>, StoreError> {
    let wrong = |reason: String| StoreError::BadCacheFile { path: path.into(), reason };
    let file =
        File::open(path).map_err(|source| StoreError::File { action: "read", path: path.into(), source })?;
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(|error| wrong(error.to_string()))?;
    let (expected, found) = (schema(), reader.schema());
    let same = found.fields().len() == expected.fields().len()
        && found.fields().iter().zip(expected.fields()).all(|(found, expected)| {
            found.name() == expected.name() && found.data_type() == expected.data_type()
        });
    match same {
        true => Ok(reader),
        false => Err(wrong("it is not a file that `portolan cache export` wrote: its columns differ".into())),
    }
}

fn select(batch: &RecordBatch, rows: &[usize]) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let column = |at: usize| batch.column(at);
    let text = |at| -> StringArray {
        rows.iter().map(|row| Some(column(at).as_string::<i32>().value(*row))).collect()
    };
    let vectors: BinaryArray =
        rows.iter().map(|row| Some(column(2).as_binary::<i32>().value(*row))).collect();
    let times = column(3).as_primitive::<TimestampMicrosecondType>();
    let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(times.value(*row))).collect();
    RecordBatch::try_new(
        schema(),
        vec![
            std::sync::Arc::new(text(0)),
            std::sync::Arc::new(text(1)),
            std::sync::Arc::new(vectors),
            std::sync::Arc::new(times.with_timezone("UTC")),
        ],
    )
}

fn columns_in_order(batch: &RecordBatch) -> Vec<usize> {
    schema().fields().iter().filter_map(|field| batch.schema().index_of(field.name()).ok()).collect()
}

fn times(batch: &RecordBatch) -> Result<&TimestampMicrosecondArray, StoreError> {
    let times = Columns::of(batch, CACHE).any("created_at")?.as_primitive_opt::<TimestampMicrosecondType>();
    times.ok_or_else(|| StoreError::Corrupt { table: CACHE.into(), reason: "created_at is no time".into() })
}

/// The fingerprints in the cache.
async fn held(table: &Table) -> Result<BTreeSet<String>, StoreError> {
    let mut held = BTreeSet::new();
    let mut batches = lance::scan(table, &["embedder"], None, false).await?;
    while let Some(batch) = batches.try_next().await? {
        for embedder in Columns::of(&batch, CACHE).text("embedder")?.iter().flatten() {
            if !held.contains(embedder) {
                held.insert(embedder.to_owned());
            }
        }
    }
    Ok(held)
}

/// Rewrites what deletions have thinned out, and removes what only older versions need. The writer lock is held, and nobody
/// else reads the cache for longer than a statistic.
async fn free(table: &Table) -> Result<(), StoreError> {
    lance::rewrite(table).await?;
    let action = OptimizeAction::Prune {
        older_than: Some(lancedb::table::Duration::zero()),
        delete_unverified: Some(true),
        error_if_tagged_old_versions: None,
    };
    table.optimize(action).await.map(|_| ()).map_err(lance::failed("clean up", CACHE))
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let bytes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => folder_bytes(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    bytes.sum()
}

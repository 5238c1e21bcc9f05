//! The writing side of ingestion and import: records are collected by collection up to a budget of memory and written
//! in few large commits.
//!
//! It takes what a [`Source`](super::source::Source) reads. It decides neither what a record is nor what its collection
//! must be like: the caller brings the [`Claim`]s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::import::Positions;
use super::ingest::IngestReport;
use super::progress::{Phase, Progress, ProgressFn};
use super::source::Chunk;
use crate::native::store::{Claim, Row, Store};

/// Memory for records that wait to be written. When it is full, the largest collections are written until half of
/// it is free.
const BUDGET_BYTES: usize = 64 << 20;
/// Refused lines that the report shows.
const REPORTED: usize = 20;

/// Records of one collection that wait to be written, one for each key.
#[derive(Default)]
struct Pending {
    rows: Vec<Row>,
    at: HashMap<String, usize>,
    /// Into how many pieces the last record of each key was divided.
    pieces: HashMap<Arc<str>, u32>,
    bytes: usize,
}

/// What a collection must be like to take the records of this run; `None` for one that gets none.
pub type ClaimFor<'a> = dyn Fn(&str) -> Option<Claim<'a>> + Send + Sync + 'a;

/// The writing side.
pub struct Intake<'a> {
    store: &'a mut Store,
    claim: &'a ClaimFor<'a>,
    positions: Option<Positions>,
    pending: BTreeMap<String, Pending>,
    bytes: usize,
    written: BTreeSet<String>,
    /// What was done so far.
    pub report: IngestReport,
}

impl<'a> Intake<'a> {
    /// Nothing taken yet. With `positions`, records are numbered as they are written.
    pub fn new(store: &'a mut Store, claim: &'a ClaimFor<'a>, positions: Option<Positions>) -> Self {
        let (pending, written, report) = Default::default();
        Self { store, claim, positions, pending, bytes: 0, written, report }
    }

    /// Takes all that a source sends.
    ///
    /// # Errors
    /// What the store says.
    pub async fn drain(
        &mut self,
        receiver: &mut mpsc::Receiver<Chunk>,
        progress: &ProgressFn<'_>,
    ) -> crate::Result<()> {
        while let Some(chunk) = receiver.recv().await {
            progress(Progress {
                phase: Phase::Read,
                subject: &chunk.file.display().to_string(),
                done: chunk.done,
                total: chunk.total,
            });
            self.take(chunk).await?;
        }
        Ok(())
    }

    async fn take(&mut self, chunk: Chunk) -> crate::Result<()> {
        self.report.read += chunk.lines;
        self.report.quarantined += chunk.refused.len() as u64;
        let room = REPORTED.saturating_sub(self.report.refused.len());
        self.report.refused.extend(chunk.refused.into_iter().take(room));
        self.accept(chunk.rows).await
    }

    /// Takes rows, each with its collection.
    ///
    /// # Errors
    /// What the store says.
    pub async fn accept(&mut self, rows: Vec<(String, Row)>) -> crate::Result<()> {
        for (collection, row) in rows {
            self.keep(collection, row);
        }
        if self.bytes > BUDGET_BYTES {
            let collections = self.largest();
            self.write(&collections, None).await?;
        }
        Ok(())
    }

    /// The last record of a key wins.
    fn keep(&mut self, collection: String, row: Row) {
        let pending = self.pending.entry(collection).or_default();
        self.report.truncated += u64::from(row.cut);
        if let Some(piece) = &row.piece {
            self.report.chunks += u64::from(piece.number > 0);
            pending.pieces.insert(piece.parent.clone(), piece.of);
        }
        let bytes = weight(&row);
        pending.bytes += bytes;
        self.bytes += bytes;
        match pending.at.get(&row.id) {
            Some(&at) => {
                self.report.duplicates += 1;
                pending.rows[at] = row;
            }
            None => {
                pending.at.insert(row.id.clone(), pending.rows.len());
                pending.rows.push(row);
            }
        }
    }

    /// The largest collections that together free half of the budget.
    fn largest(&self) -> Vec<String> {
        let mut sizes: Vec<(usize, &String)> = self.pending.iter().map(|(name, p)| (p.bytes, name)).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let mut left = self.bytes;
        let enough = sizes.iter().take_while(|(bytes, _)| {
            let needed = left > BUDGET_BYTES / 2;
            left -= bytes;
            needed
        });
        enough.map(|(_, name)| (*name).clone()).collect()
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// What the store says.
    pub async fn finish(&mut self, progress: &ProgressFn<'_>) -> crate::Result<()> {
        let collections: Vec<String> = self.pending.keys().cloned().collect();
        self.write(&collections, Some(progress)).await
    }

    async fn write<'n>(
        &mut self,
        collections: &'n [String],
        progress: Option<&ProgressFn<'_>>,
    ) -> crate::Result<()> {
        let claimed = |name: &'n String| Some((name.as_str(), (self.claim)(name)?));
        let claims: Vec<(&str, Claim<'_>)> = collections.iter().filter_map(claimed).collect();
        self.store.admit(&claims).await?;
        let total =
            collections.iter().filter_map(|name| self.pending.get(name)).map(|p| p.rows.len() as u64).sum();
        let mut done = 0;
        for (name, claim) in claims {
            done += self.write_collection(name, claim.model).await?;
            if let Some(progress) = progress {
                progress(Progress { phase: Phase::Write, subject: name, done, total: Some(total) });
            }
        }
        Ok(())
    }

    async fn write_collection(&mut self, name: &str, model: &str) -> crate::Result<u64> {
        let Some(mut pending) = self.pending.remove(name) else { return Ok(0) };
        self.bytes -= pending.bytes;
        let rows = pending.rows.len() as u64;
        // Pieces of an earlier record of the same key, which had more.
        let pieces = &pending.pieces;
        pending.rows.retain(|row| match &row.piece {
            Some(piece) => pieces.get(&piece.parent).is_none_or(|of| piece.number < *of),
            None => true,
        });
        self.report.duplicates += rows - pending.rows.len() as u64;
        if let Some(positions) = &mut self.positions {
            positions.place(self.store, name, model, &mut pending.rows).await?;
        }
        let counts = self.store.upsert(name, model, pending.rows).await?;
        self.report.inserted += counts.inserted;
        self.report.updated += counts.updated;
        self.report.unchanged += counts.unchanged;
        self.report.removed += counts.removed;
        if counts.inserted + counts.updated + counts.removed > 0 {
            self.written.insert(name.to_owned());
            self.report.collections = self.written.len() as u64;
            self.store.compact(name).await?;
        }
        Ok(rows)
    }
}

/// About how many bytes of memory a row takes. Allocations are counted by their length, with a little for each.
fn weight(row: &Row) -> usize {
    let texts = row.content.document.as_ref().map_or(0, String::len)
        + row.content.text.as_ref().map_or(0, String::len);
    let values: usize = row.values.iter().map(|(_, value)| value_weight(value)).sum();
    let vector = row.vector.as_ref().map_or(0, |vector| 4 * vector.len());
    // The key stands in the row and in the map of keys.
    size_of::<Row>() + 2 * (row.id.len() + 32) + texts + values + vector + 64
}

fn value_weight(value: &crate::schema::Value) -> usize {
    use crate::schema::Value;
    let inner = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(value_weight).sum(),
        _ => 0,
    };
    size_of::<(Arc<str>, Value)>() + inner + 16
}

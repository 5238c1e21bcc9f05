//! Embedding: a vector for every record whose present text has none.
//!
//! Use it after ingestion, and again at any time: what is ready is not touched, and texts an embedder has seen
//! before come from the cache. It can be killed at any moment. It neither loads embedders nor retries within a run:
//! a text that failed is tried again by the next run, three times in all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt;

use super::progress::{Phase, Progress, ProgressFn};
use super::slab::{Item, Worker};
use crate::embed::Embedder;
use crate::error::StoreError;
use crate::native::store::{self, Batches, Cache, Columns, Ledger, State, Store};
use crate::schema::EmbedderId;

/// A text that failed this often is left alone until it changes.
const MAX_ATTEMPTS: i32 = 3;
/// Records in the first slab, and in the largest. A slab grows while it takes less than [`SLAB_TIME`], so that a
/// kill costs seconds of work with a slow embedder and a fast one writes few commits.
const SLAB_ROWS: (usize, usize) = (4096, 32_768);
/// Bytes of vectors in the largest slab.
const SLAB_BYTES: usize = 48 << 20;
/// See [`SLAB_ROWS`].
const SLAB_TIME: Duration = Duration::from_secs(5);

/// What embedding did to one collection. The fields after the name add up to its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EmbedSummary {
    /// The collection.
    pub collection: String,
    /// Records that had their vector already.
    pub ready: u64,
    /// Records whose text was in the cache.
    pub from_cache: u64,
    /// Records that the embedder made a vector for (texts that occur twice were embedded once).
    pub embedded: u64,
    /// Records whose text failed now.
    pub errors: u64,
    /// Records whose text failed three times before.
    pub skipped: u64,
}

/// What embedding did to several collections.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EmbedReport {
    /// One summary a collection.
    pub collections: Vec<EmbedSummary>,
}

impl EmbedReport {
    /// The sums over all collections, with an empty name.
    pub fn total(&self) -> EmbedSummary {
        self.collections.iter().fold(EmbedSummary::default(), |sum, one| EmbedSummary {
            collection: String::new(),
            ready: sum.ready + one.ready,
            from_cache: sum.from_cache + one.from_cache,
            embedded: sum.embedded + one.embedded,
            errors: sum.errors + one.errors,
            skipped: sum.skipped + one.skipped,
        })
    }
}

/// Embeds the named collections (all, if none is named), each with the embedder its models name. `load` gets an
/// embedder by its name in the registry; it is called once for each name.
///
/// # Errors
/// Unknown collections; what `load` says; [`StoreError::EmbedderFailed`]; [`StoreError::ReadOnly`]; what Lance says.
pub async fn embed_all(
    store: &mut Store,
    collections: &[String],
    load: &(dyn Fn(&str) -> crate::Result<Arc<dyn Embedder>> + Send + Sync),
    progress: &ProgressFn<'_>,
) -> crate::Result<EmbedReport> {
    let all = collections.is_empty().then(|| store.collections());
    let names: BTreeSet<String> = all.unwrap_or_else(|| collections.to_vec()).into_iter().collect();
    let mut by_embedder: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut report = EmbedReport::default();
    for name in names {
        let config = store.config(&name)?;
        if config.imported {
            let ready = store.counts(&name, None).await?.ready;
            report.collections.push(EmbedSummary { collection: name, ready, ..Default::default() });
        } else {
            by_embedder.entry(config.embedder.clone()).or_default().push(name);
        }
    }
    for (embedder, names) in by_embedder {
        report.collections.extend(run(store, &names, load(&embedder)?, progress).await?);
    }
    report.collections.sort_by(|a, b| a.collection.cmp(&b.collection));
    Ok(report)
}

/// Embeds one collection with the given embedder, whichever its models name. When a collection already serves
/// another embedder's vectors, it goes on serving them until this one is done.
///
/// # Errors
/// Like [`embed_all`].
pub async fn embed_collection(
    store: &mut Store,
    collection: &str,
    embedder: Arc<dyn Embedder>,
    progress: &ProgressFn<'_>,
) -> crate::Result<EmbedSummary> {
    let summaries = run(store, &[collection.to_owned()], embedder, progress).await?;
    Ok(summaries.into_iter().next().unwrap_or_default())
}

async fn run(
    store: &mut Store,
    collections: &[String],
    embedder: Arc<dyn Embedder>,
    progress: &ProgressFn<'_>,
) -> crate::Result<Vec<EmbedSummary>> {
    store.require_writable()?;
    let id = embedder.id().clone();
    serve(store, collections, &id, false).await?;
    let mut cache = Cache::open(store.tables(), &id).await?;
    let mut pace = Pace::new(&id);
    let mut summaries = Vec::with_capacity(collections.len());
    for collection in collections {
        let job = Job { store, collection, embedder: &embedder, progress };
        let summary = job.run(&mut cache, &mut pace).await?;
        if summary.embedded + summary.from_cache > 0 {
            store.compact(collection).await?;
        }
        summaries.push(summary);
    }
    serve(store, collections, &id, true).await?;
    if summaries.iter().any(|summary| summary.embedded > 0) {
        cache.maintain().await?;
    }
    Ok(summaries)
}

/// Before the run, makes the embedder known, and served where none is yet; after it (`finished`), served.
async fn serve(
    store: &mut Store,
    collections: &[String],
    id: &EmbedderId,
    finished: bool,
) -> crate::Result<()> {
    let mut changed = Vec::new();
    for name in collections {
        let held = store.config(name)?;
        let mut config = held.clone();
        if finished || config.active.is_none() {
            config.activate(id);
        } else {
            config.know(id);
        }
        if config != *held {
            changed.push(config);
        }
    }
    Ok(store.save(changed).await?)
}

/// How many records the next slab takes.
struct Pace {
    rows: usize,
    most: usize,
}

impl Pace {
    fn new(embedder: &EmbedderId) -> Self {
        let row_bytes = 4 * (embedder.dimension as usize).max(1);
        let most = (SLAB_BYTES / row_bytes).clamp(64, SLAB_ROWS.1);
        Self { rows: SLAB_ROWS.0.min(most), most }
    }

    fn took(&mut self, time: Duration) {
        self.rows = if time < SLAB_TIME { self.rows * 2 } else { self.rows / 2 };
        self.rows = self.rows.clamp(64, self.most);
    }
}

/// One collection's turn.
struct Job<'a> {
    store: &'a Store,
    collection: &'a str,
    embedder: &'a Arc<dyn Embedder>,
    progress: &'a ProgressFn<'a>,
}

/// What is to be done in a collection.
#[derive(Default)]
struct Work {
    row_ids: Vec<u64>,
    ready: u64,
    skipped: u64,
}

impl Job<'_> {
    async fn run(&self, cache: &mut Cache, pace: &mut Pace) -> crate::Result<EmbedSummary> {
        let mut summary = EmbedSummary { collection: self.collection.into(), ..Default::default() };
        let Some(documents) = self.store.documents(self.collection).await? else { return Ok(summary) };
        let embeddings = self.store.embeddings(self.collection, self.embedder.id()).await?;
        let ledger = Ledger::load(embeddings.as_ref()).await?;
        let work =
            select(store::scan(&documents, &["id", "content_hash"], None, true).await?, &ledger).await?;
        (summary.ready, summary.skipped) = (work.ready, work.skipped);
        let done = AtomicU64::new(0);
        let total = work.row_ids.len() as u64;
        let tick = |count| self.report(done.fetch_add(count, Ordering::Relaxed) + count, total);
        let worker = Worker {
            tables: self.store.tables(),
            collection: self.collection,
            metric: self.store.config(self.collection)?.metric,
            embedder: self.embedder,
            tick: &tick,
        };
        let mut rest = work.row_ids.as_slice();
        while !rest.is_empty() {
            let started = Instant::now();
            let (slab, after) = rest.split_at(pace.rows.min(rest.len()));
            let columns = ["id", "content_hash", "document", "text"];
            let items = items(store::take(&documents, slab.to_vec(), &columns).await?, &ledger).await?;
            let outcome = worker.process(items, cache).await?;
            summary.from_cache += outcome.from_cache;
            summary.embedded += outcome.embedded;
            summary.errors += outcome.errors;
            rest = after;
            // Records that needed no call have not ticked.
            done.store(total - rest.len() as u64, Ordering::Relaxed);
            self.report(total - rest.len() as u64, total);
            pace.took(started.elapsed());
        }
        Ok(summary)
    }

    fn report(&self, done: u64, total: u64) {
        let total = Some(total);
        (self.progress)(Progress { phase: Phase::Embed, subject: self.collection, done, total });
    }
}

/// Which records need a vector. Reads no text and no vector.
async fn select(mut batches: Batches, ledger: &Ledger) -> Result<Work, StoreError> {
    let mut work = Work::default();
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, "documents");
        let row_ids = columns.row_ids()?.values();
        let keys = columns.text("id")?.iter().zip(columns.text("content_hash")?);
        for ((id, hash), row_id) in keys.zip(row_ids) {
            match ledger.state(id.unwrap_or_default(), hash.unwrap_or_default()) {
                State::Ready(_) => work.ready += 1,
                State::Error(attempts) if attempts >= MAX_ATTEMPTS => work.skipped += 1,
                State::New | State::Stale | State::Error(_) => work.row_ids.push(*row_id),
            }
        }
    }
    Ok(work)
}

async fn items(mut batches: Batches, ledger: &Ledger) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        items.extend(store::texts(&batch, "documents")?.into_iter().map(|(id, hash, text)| Item {
            id: id.into(),
            hash: hash.into(),
            text: text.into(),
            attempts: match ledger.state(id, hash) {
                State::Error(attempts) => attempts,
                _ => 0,
            },
            replaces: ledger.has(id),
        }));
    }
    Ok(items)
}

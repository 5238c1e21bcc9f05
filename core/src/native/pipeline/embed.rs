//! Embedding: a vector for every record whose present text has none.
//!
//! Use it after ingestion, and again at any time: what is ready is not touched, and texts an embedder has seen
//! before come from the cache. It can be killed at any moment, and the next run goes on where it was. It loads no embedders.
//!
//! **Several collections at once**, each in slabs that share one budget of memory. A slab is one commit; how its texts are
//! sent, tried again and blamed is in `deliver`. A text that failed is tried again by the next run, three times in all. When
//! the embedder is away, the collection keeps what it has and waits for the next run, and the others go on.
//!
//! **There are no leases**, because there is no status "in progress" that could be left behind: status is derived from the
//! rows (see [`store`](crate::native::store)), the operating system lets one process write at a time and ends its lock with
//! it, and within a run each record belongs to one slab of one collection. A second worker is refused before it can do
//! anything twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use lancedb::Table;
use tokio::sync::Mutex;

use super::failures::{self, Standing};
use super::pace::{BatchSize, Clock, SystemClock};
use super::progress::{Phase, Progress, ProgressFn};
use super::report::{EmbedReport, EmbedSummary};
use super::slab::{Done, Item, Worker};
use crate::error::StoreError;
use crate::native::embed::Provider;
use crate::native::store::{self, Batches, Cache, Columns, Ledger, Part, State, Store};
use crate::schema::EmbedderId;

/// A text that failed this often is left alone until it changes.
const MAX_ATTEMPTS: i32 = 3;
/// Records in the first slab, and in the largest. A slab grows while it takes less than [`SLAB_TIME`], so that a
/// kill costs seconds of work with a slow embedder and a fast one writes few commits.
const SLAB_ROWS: (usize, usize) = (4096, 32_768);
/// Bytes of vectors in the largest slabs of all collections together.
const SLAB_BYTES: usize = 48 << 20;
/// See [`SLAB_ROWS`].
const SLAB_TIME: Duration = Duration::from_secs(5);

/// Memory for what is known of the records, unless said otherwise: 2.5 million records at once.
const MEMORY: usize = 192 << 20;

/// How to embed.
#[derive(Clone)]
pub struct EmbedOptions {
    /// Collections at once; 0 is one for each processor.
    pub parallel: usize,
    /// The most texts in one call; `None` is what the embedder allows.
    pub batch: Option<usize>,
    /// The most records in one commit, which is what a kill can cost; `None` lets it grow with the embedder's speed.
    pub commit: Option<usize>,
    /// Bytes of memory for what is known of the records, over all collections at once. A collection that needs more is gone
    /// through in parts.
    pub memory: usize,
    /// Waits between tries.
    pub clock: Arc<dyn Clock>,
}

impl Default for EmbedOptions {
    fn default() -> Self {
        Self { parallel: 0, batch: None, commit: None, memory: MEMORY, clock: Arc::new(SystemClock) }
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
    load: &(dyn Fn(&str) -> crate::Result<Arc<dyn Provider>> + Send + Sync),
    options: &EmbedOptions,
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
        report.collections.extend(run(store, &names, load(&embedder)?, options, progress).await?);
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
    embedder: Arc<dyn Provider>,
    options: &EmbedOptions,
    progress: &ProgressFn<'_>,
) -> crate::Result<EmbedSummary> {
    let summaries = run(store, &[collection.to_owned()], embedder, options, progress).await?;
    Ok(summaries.into_iter().next().unwrap_or_default())
}

async fn run(
    store: &mut Store,
    collections: &[String],
    provider: Arc<dyn Provider>,
    options: &EmbedOptions,
    progress: &ProgressFn<'_>,
) -> crate::Result<Vec<EmbedSummary>> {
    store.require_writable()?;
    let id = provider.id().clone();
    serve(store, collections, &id, false).await?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = if options.parallel == 0 { processors } else { options.parallel };
    let parallel = wanted.clamp(1, collections.len().max(1));
    let run = Run {
        store,
        provider: &provider,
        cache: Mutex::new(Cache::new(store.tables(), &id)),
        size: BatchSize::new(options.batch.unwrap_or(usize::MAX).min(provider.limits().texts)),
        options,
        parallel,
        lanes: processors.div_ceil(parallel),
        progress,
    };
    // Collected first: a stream over borrowing closures would not be Send.
    let turns: Vec<_> = collections.iter().map(|collection| run.turn(collection)).collect();
    let turns: Vec<crate::Result<EmbedSummary>> =
        futures::stream::iter(turns).buffer_unordered(parallel).collect().await;
    let cache = run.cache.into_inner();
    if turns.iter().flatten().any(|summary| summary.embedded > 0) {
        cache.maintain().await?;
    }
    let summaries = turns.into_iter().collect::<crate::Result<Vec<_>>>()?;
    // With records still waiting, another embedder's complete vectors are the better ones to serve.
    let whole = summaries.iter().filter(|summary| summary.waiting == 0);
    let whole: Vec<String> = whole.map(|summary| summary.collection.clone()).collect();
    serve(store, &whole, &id, true).await?;
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
    fn new(dimension: u32, parallel: usize, commit: Option<usize>) -> Self {
        let row_bytes = 4 * (dimension as usize).max(1) * parallel;
        let most = (SLAB_BYTES / row_bytes).clamp(64, SLAB_ROWS.1).min(commit.unwrap_or(usize::MAX)).max(1);
        Self { rows: SLAB_ROWS.0.min(most), most }
    }

    fn took(&mut self, time: Duration) {
        self.rows = if time < SLAB_TIME { self.rows * 2 } else { self.rows / 2 };
        self.rows = self.rows.clamp(64.min(self.most), self.most);
    }
}

/// What the turns of all collections share.
struct Run<'a> {
    store: &'a Store,
    provider: &'a Arc<dyn Provider>,
    cache: Mutex<Cache>,
    size: BatchSize,
    options: &'a EmbedOptions,
    /// Collections at once.
    parallel: usize,
    /// Calls at once for each.
    lanes: usize,
    progress: &'a ProgressFn<'a>,
}

/// What is to be done in a collection.
#[derive(Default)]
struct Work {
    row_ids: Vec<u64>,
    ready: u64,
    skipped: u64,
}

impl Run<'_> {
    /// One collection's turn.
    async fn turn(&self, collection: &str) -> crate::Result<EmbedSummary> {
        let mut summary = EmbedSummary { collection: collection.into(), ..Default::default() };
        let Some(documents) = self.store.documents(collection).await? else { return Ok(summary) };
        let rows = documents.count_rows(None).await;
        let rows = rows.map_err(|source| StoreError::Table {
            action: "count",
            table: documents.name().into(),
            source: Box::new(source),
        })?;
        let mut pace = Pace::new(self.provider.id().dimension, self.parallel, self.options.commit);
        let mut before = 0;
        for part in parts(rows, self.options.memory / self.parallel) {
            before += self.turn_part(&documents, part, before, &mut pace, &mut summary).await?;
        }
        if summary.embedded + summary.from_cache > 0 {
            self.store.compact(collection).await?;
        }
        Ok(summary)
    }

    /// Embeds one part of a collection, `before` records having needed a vector in the parts before; says how many did in this.
    async fn turn_part(
        &self,
        documents: &Table,
        part: Part,
        before: u64,
        pace: &mut Pace,
        summary: &mut EmbedSummary,
    ) -> crate::Result<u64> {
        let collection = summary.collection.clone();
        let embeddings = self.store.embeddings(&collection, self.provider.id()).await?;
        let ledger = Ledger::load_part(embeddings.as_ref(), part).await?;
        let batches = store::scan(documents, &["id", "content_hash"], None, true).await?;
        let work = select(batches, &ledger, part).await?;
        summary.ready += work.ready;
        summary.skipped += work.skipped;
        let needed = work.row_ids.len() as u64;
        if summary.away.is_some() {
            summary.waiting += needed;
            return Ok(needed);
        }
        let done = AtomicU64::new(before);
        let total = before + needed;
        let tick = |count| self.tell(&collection, done.fetch_add(count, Ordering::Relaxed) + count, total);
        let worker = Worker {
            tables: self.store.tables(),
            collection: &collection,
            metric: self.store.config(&collection)?.metric,
            provider: self.provider,
            cache: &self.cache,
            clock: &*self.options.clock,
            size: &self.size,
            lanes: self.lanes,
            tick: &tick,
        };
        let mut rest = work.row_ids.as_slice();
        while !rest.is_empty() {
            let started = Instant::now();
            let (slab, after) = rest.split_at(pace.rows.min(rest.len()));
            let columns = ["id", "content_hash", "document", "text", "model"];
            let items = items(store::take(documents, slab.to_vec(), &columns).await?, &ledger).await?;
            let slab = worker.process(items).await?;
            rest = after;
            let settled = total - rest.len() as u64;
            self.account(summary, slab, settled, total)?;
            // Records that needed no call have not ticked.
            done.store(settled, Ordering::Relaxed);
            self.tell(&collection, settled, total);
            pace.took(started.elapsed());
            if summary.away.is_some() {
                summary.waiting += rest.len() as u64;
                break;
            }
        }
        Ok(needed)
    }

    /// Adds what became of a slab, and leaves a file about what failed.
    ///
    /// # Errors
    /// [`StoreError::EmbedderFailed`] when the embedder broke its contract or says that nothing will work.
    fn account(
        &self,
        summary: &mut EmbedSummary,
        slab: Done,
        done: u64,
        total: u64,
    ) -> Result<(), StoreError> {
        let [calls, retries, sent] = slab.calls;
        summary.calls += calls;
        summary.retries += retries;
        summary.sent += sent;
        summary.from_cache += slab.from_cache;
        summary.embedded += slab.embedded;
        summary.errors += slab.failed.len() as u64;
        summary.waiting += slab.waiting;
        let standing = Standing {
            collection: &summary.collection,
            embedder: &self.provider.id().name,
            fingerprint: &self.provider.id().fingerprint,
            done: done - slab.waiting,
            total,
            stopped: slab.stopped.as_deref().or(slab.away.as_deref()),
        };
        let files = failures::write(self.store.dir(), &standing, &slab.failed)?;
        summary.error_files.extend(files);
        summary.away = slab.away;
        match slab.stopped {
            None => Ok(()),
            Some(reason) => Err(StoreError::EmbedderFailed {
                embedder: self.provider.id().name.clone(),
                collection: summary.collection.clone(),
                reason,
            }),
        }
    }

    fn tell(&self, collection: &str, done: u64, total: u64) {
        let total = Some(total);
        (self.progress)(Progress { phase: Phase::Embed, subject: collection, done, total });
    }
}

/// The parts in which so many records fit into so many bytes.
fn parts(rows: usize, bytes: usize) -> impl Iterator<Item = Part> {
    // A record is known by its row in the ledger and, if it needs a vector, by the number of its row.
    let fitting = (bytes / (Ledger::ROW_BYTES + size_of::<u64>())).max(1);
    let of = u32::try_from(rows.div_ceil(fitting)).unwrap_or(u32::MAX).max(1);
    (0..of).map(move |number| Part { number, of })
}

/// Which records of a part need a vector. Reads no text and no vector.
async fn select(mut batches: Batches, ledger: &Ledger, part: Part) -> Result<Work, StoreError> {
    let mut work = Work::default();
    while let Some(batch) = batches.try_next().await? {
        let columns = Columns::of(&batch, "documents");
        let row_ids = columns.row_ids()?.values();
        let keys = columns.text("id")?.iter().zip(columns.text("content_hash")?);
        for ((id, hash), row_id) in keys.zip(row_ids) {
            if !part.holds(id.unwrap_or_default()) {
                continue;
            }
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
        let models = Columns::of(&batch, "documents").text("model")?.iter();
        let texts = store::texts(&batch, "documents")?.into_iter().zip(models);
        items.extend(texts.map(|((id, hash, text), model)| Item {
            id: id.into(),
            model: model.unwrap_or_default().into(),
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

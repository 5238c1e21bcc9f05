//! The pipeline against a real store in a temporary directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use super::*;
use crate::embed::Embedder;
use crate::error::{CatalogError, Error, InputError, StoreError};
use crate::native::embed::Provider;
use crate::native::store::{Counts, Mode, Store};
use crate::schema::{EmbedderId, Record, Value};

mod budget;
mod delivery;
mod embed;
mod import;
mod imported;
mod ingest;
mod registry;

const REGISTRY: &str = r#"
[embedder.fake]
provider = "static"
path = "nowhere"

[[model]]
name = "word"
key = ["id"]
collection = { field = "topic" }
embedder = "fake"
template = "{text}"
metadata = ["n", "tags", "author", "at", "ratio", "ok"]

[model.fields]
id = "text"
topic = "text"
text = "text"
n = "int"
tags = ["text"]
author = { name = "text", born = "time" }
at = "time"
ratio = "float"
ok = "bool"
"#;

/// Counts what it is asked; fails on texts with "bad"; panics at a chosen call.
struct Fake {
    id: EmbedderId,
    texts: AtomicUsize,
    calls: AtomicUsize,
    panic_at: usize,
}

impl Fake {
    fn new(fingerprint: &str) -> Arc<Self> {
        Self::panicking(fingerprint, usize::MAX)
    }

    fn panicking(fingerprint: &str, panic_at: usize) -> Arc<Self> {
        let id = EmbedderId { name: "fake".into(), fingerprint: fingerprint.into(), dimension: 4 };
        Arc::new(Self { id, texts: AtomicUsize::new(0), calls: AtomicUsize::new(0), panic_at })
    }

    fn texts(&self) -> usize {
        self.texts.load(Ordering::SeqCst)
    }
}

impl Embedder for Fake {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>> {
        assert!(self.calls.fetch_add(1, Ordering::SeqCst) != self.panic_at, "as the test wants");
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        let embed = |text: &&str| {
            if text.contains("bad") {
                return Err(InputError::NothingToEmbed { record: String::new(), embedder: "fake".into() });
            }
            let hash = blake3::hash(format!("{}{text}", self.id.fingerprint).as_bytes());
            Ok(hash.as_bytes()[..4].iter().map(|&byte| f32::from(byte) + 1.0).collect())
        };
        texts.iter().map(embed).collect()
    }
}

impl Provider for Fake {}

/// A folder with a registry, source files and a store.
struct Bench {
    dir: tempfile::TempDir,
    registry: Registry,
}

impl Bench {
    fn new() -> Self {
        Self::with_registry(REGISTRY)
    }

    fn with_registry(registry: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portolan.toml");
        std::fs::write(&path, registry).unwrap();
        Self { registry: Registry::load(&path).unwrap(), dir }
    }

    /// Loads the registry again, with one line changed.
    fn change(&mut self, from: &str, to: &str) {
        let path = self.dir.path().join("portolan.toml");
        std::fs::write(&path, REGISTRY.replace(from, to)).unwrap();
        self.registry = Registry::load(&path).unwrap();
    }

    fn store_dir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    async fn writer(&self) -> Store {
        Store::open(&self.store_dir(), Mode::Write("test")).await.unwrap()
    }

    async fn reader(&self) -> Store {
        Store::open(&self.store_dir(), Mode::Read).await.unwrap()
    }

    fn source(&self, lines: &[&str]) -> PathBuf {
        let path = self.dir.path().join("source.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        path
    }

    async fn ingest(&self, lines: &[&str]) -> IngestReport {
        self.try_ingest(lines).await.unwrap()
    }

    async fn try_ingest(&self, lines: &[&str]) -> crate::Result<IngestReport> {
        let model = self.registry.models().next().unwrap();
        let report = ingest(&mut self.writer().await, model, &[self.source(lines)], &|_| {}).await?;
        let parts =
            report.inserted + report.updated + report.unchanged + report.duplicates + report.quarantined;
        assert_eq!(report.read, parts, "{report:?}");
        Ok(report)
    }

    async fn embed(&self, embedder: &Arc<Fake>) -> crate::Result<EmbedSummary> {
        let load = |_: &str| Ok(embedder.clone() as Arc<dyn Provider>);
        Ok(embed_all(&mut self.writer().await, &[], &load, &EmbedOptions::default(), &|_| {}).await?.total())
    }

    async fn records(&self, collection: &str) -> BTreeMap<String, Record> {
        let mut reader = self.reader().await.read(collection, None).await.unwrap();
        let all = reader.read_all().await.unwrap();
        let count = all.len();
        let by_id: BTreeMap<_, _> = all.into_iter().map(|record| (record.id.clone(), record)).collect();
        assert_eq!(by_id.len(), count, "a record was read twice");
        by_id
    }

    async fn counts(&self, collection: &str) -> Counts {
        self.reader().await.counts(collection, None).await.unwrap()
    }
}

fn words(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!(r#"{{"id":"w{n}","topic":"t","text":"word {n}"}}"#)).collect()
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

/// Stops the future after some polls, as a process that is stopped would, only between awaits.
async fn stopped_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

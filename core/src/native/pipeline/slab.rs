//! One slab of records through the embedder: cache first, duplicates once, cache before embeddings.
//!
//! A slab is what one commit writes, and so what a kill can lose. It decides nothing about which records need a
//! vector (`embed` does).

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;

use crate::embed::Embedder;
use crate::error::{InputError, StoreError};
use crate::metric::{Metric, check_vector};
use crate::native::store::{self, Cache, Embedded, Tables};

/// Texts in one call of the embedder.
const CALL_TEXTS: usize = 512;

/// A record that needs a vector.
pub struct Item {
    /// Its id.
    pub id: String,
    /// The hash of its text.
    pub hash: String,
    /// The text.
    pub text: String,
    /// How often this very text has failed before.
    pub attempts: i32,
    /// Whether it has a row already.
    pub replaces: bool,
}

/// What became of a slab.
#[derive(Debug, Default, Clone, Copy)]
pub struct Done {
    /// Records whose text was in the cache.
    pub from_cache: u64,
    /// Records whose vector the embedder made in this slab.
    pub embedded: u64,
    /// Records whose text failed.
    pub errors: u64,
}

/// What all slabs of one collection share.
pub struct Worker<'a> {
    /// The store's tables.
    pub tables: &'a Tables,
    /// The collection.
    pub collection: &'a str,
    /// How its vectors are compared.
    pub metric: Metric,
    /// Makes the vectors.
    pub embedder: &'a Arc<dyn Embedder>,
    /// Called with the number of texts each time some are embedded.
    pub tick: &'a (dyn Fn(u64) + Send + Sync),
}

/// The vectors or errors of texts by their hash. The errors name no record: several may have the same text.
type Vectors = HashMap<String, Result<Arc<[f32]>, InputError>>;

impl Worker<'_> {
    /// Embeds and writes one slab. Must not repeat an id.
    ///
    /// # Errors
    /// [`StoreError::EmbedderFailed`] when the embedder panics or miscounts; what it made before is in the cache
    /// then. What Lance says.
    pub async fn process(&self, items: Vec<Item>, cache: &mut Cache) -> Result<Done, StoreError> {
        let mut seen = HashSet::new();
        let unique: Vec<&Item> = items.iter().filter(|item| seen.insert(item.hash.as_str())).collect();
        let hashes: Vec<&str> = unique.iter().map(|item| item.hash.as_str()).collect();
        let cached = cache.get(&hashes).await?;
        let missing: Vec<&Item> =
            unique.into_iter().filter(|item| !cached.contains_key(&item.hash)).collect();
        let (made, failure) = self.embed(&missing).await;
        let new: Vec<(&str, &Arc<[f32]>)> =
            made.iter().filter_map(|(hash, vector)| Some((hash.as_str(), vector.as_ref().ok()?))).collect();
        cache.put(&new).await?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        self.write(items, &cached, &made).await
    }

    async fn write(
        &self,
        items: Vec<Item>,
        cached: &HashMap<String, Arc<[f32]>>,
        made: &Vectors,
    ) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let replaces = items.iter().any(|item| item.replaces);
        let rows: Vec<Embedded> = items
            .into_iter()
            .map(|item| {
                let from_cache = cached.get(&item.hash);
                let outcome = match from_cache {
                    Some(vector) => Some(self.check(vector.clone())),
                    None => made.get(&item.hash).cloned(),
                };
                let outcome = match outcome {
                    Some(outcome) => outcome.map_err(|error| error.for_record(&item.id).to_string()),
                    None => Err("no vector was made".into()),
                };
                let failed = outcome.is_err();
                done.errors += u64::from(failed);
                done.from_cache += u64::from(!failed && from_cache.is_some());
                done.embedded += u64::from(!failed && from_cache.is_none());
                let attempts = if failed { item.attempts.saturating_add(1) } else { 0 };
                Embedded { id: item.id, content_hash: item.hash, outcome, attempts }
            })
            .collect();
        let id = self.embedder.id();
        store::write_embeddings(self.tables, self.collection, id, &rows, replaces).await?;
        Ok(done)
    }

    /// The vectors or errors of texts by hash, and what stopped the embedder, if anything did.
    async fn embed(&self, items: &[&Item]) -> (Vectors, Option<StoreError>) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let calls = items.chunks(CALL_TEXTS).map(|items| {
            let texts: Vec<String> = items.iter().map(|item| item.text.clone()).collect();
            let embedder = self.embedder.clone();
            async move { (items, tokio::task::spawn_blocking(move || call(&*embedder, &texts)).await) }
        });
        // Collected first: a stream over borrowing closures would not be Send.
        let calls: Vec<_> = calls.collect();
        let mut results = futures::stream::iter(calls).buffered(threads);
        let (mut vectors, mut failure) = (Vectors::new(), None);
        while let Some((items, result)) = results.next().await {
            match result {
                Ok(Ok(results)) => {
                    (self.tick)(items.len() as u64);
                    vectors.extend(items.iter().zip(results).map(|(item, result)| {
                        (item.hash.clone(), result.and_then(|vector| self.check(vector.into())))
                    }));
                }
                Ok(Err(reason)) => failure = Some(self.failed(reason)),
                Err(error) => failure = Some(self.failed(panic_reason(error.try_into_panic().ok()))),
            }
        }
        (vectors, failure)
    }

    fn check(&self, vector: Arc<[f32]>) -> Result<Arc<[f32]>, InputError> {
        let dimension = self.embedder.id().dimension as usize;
        check_vector("", &vector, dimension, self.metric).map(|()| vector)
    }

    fn failed(&self, reason: String) -> StoreError {
        StoreError::EmbedderFailed {
            embedder: self.embedder.id().name.clone(),
            collection: self.collection.into(),
            reason,
        }
    }
}

fn call(embedder: &dyn Embedder, texts: &[String]) -> Result<Vec<Result<Vec<f32>, InputError>>, String> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let results = embedder.embed(&texts);
    if results.len() != texts.len() {
        return Err(format!("it gave {} results for {} texts", results.len(), texts.len()));
    }
    Ok(results)
}

/// What a panic of another thread said.
pub fn panic_reason(panic: Option<Box<dyn Any + Send>>) -> String {
    let message = panic.as_ref().and_then(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied())
    });
    match message {
        Some(message) => format!("it panicked: {message}"),
        None => "it was stopped".into(),
    }
}

//! One slab of records through the embedder: cache first, duplicates once, cache before embeddings.
//!
//! A slab is what one commit writes, and so what a kill can lose. It decides nothing about which records need a
//! vector (`embed` does), nor how texts are sent (`deliver` does).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::deliver::{Asked, Delivered, Delivery, Results};
use super::failures::FailedRow;
use super::pace::{BatchSize, Clock};
use crate::error::StoreError;
use crate::metric::{Metric, check_vector};
use crate::native::embed::Provider;
use crate::native::store::{self, Cache, Embedded, Tables};

/// A record that needs a vector.
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its model.
    pub model: String,
    /// The hash of its text.
    pub hash: String,
    /// The text.
    pub text: Arc<str>,
    /// How often this very text has failed before.
    pub attempts: i32,
    /// Whether it has a row already.
    pub replaces: bool,
}

/// What became of a slab.
#[derive(Debug, Default)]
pub struct Done {
    /// Records whose text was in the cache.
    pub from_cache: u64,
    /// Records whose vector the embedder made in this slab.
    pub embedded: u64,
    /// The records whose text failed.
    pub failed: Vec<FailedRow>,
    /// Records that wait for another run, because the embedder was away.
    pub waiting: u64,
    /// Why the embedder is away.
    pub away: Option<String>,
    /// Why the embedder cannot be used any more.
    pub stopped: Option<String>,
    /// Calls of the embedder, those that repeated one, and texts sent.
    pub calls: [u64; 3],
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
    pub provider: &'a Arc<dyn Provider>,
    /// The vectors of texts that were embedded before, shared by all collections.
    pub cache: &'a Mutex<Cache>,
    /// Waits.
    pub clock: &'a dyn Clock,
    /// How many texts a call has.
    pub size: &'a BatchSize,
    /// Calls at once.
    pub lanes: usize,
    /// Called with the number of texts each time some are settled.
    pub tick: &'a (dyn Fn(u64) + Send + Sync),
}

impl Worker<'_> {
    /// Embeds and writes one slab. Must not repeat an id. When the embedder is away or stops, what there is of vectors is
    /// written all the same.
    ///
    /// # Errors
    /// What Lance says.
    pub async fn process(&self, items: Vec<Item>) -> Result<Done, StoreError> {
        let mut seen = HashSet::new();
        let unique: Vec<&Item> = items.iter().filter(|item| seen.insert(item.hash.as_str())).collect();
        let hashes: Vec<&str> = unique.iter().map(|item| item.hash.as_str()).collect();
        let cached = self.cache.lock().await.get(&hashes).await?;
        let missing = unique.into_iter().filter(|item| !cached.contains_key(&item.hash));
        let missing: Vec<Asked> =
            missing.map(|item| Asked { hash: item.hash.clone(), text: item.text.clone() }).collect();
        let (missing, too_long) = self.divide(missing);
        let mut made = self.deliver(missing).await;
        made.results.extend(too_long);
        let new: Vec<(&str, &Arc<[f32]>)> = made
            .results
            .iter()
            .filter_map(|(hash, vector)| Some((hash.as_str(), vector.as_ref().ok()?)))
            .collect();
        self.cache.lock().await.put(&new).await?;
        self.write(items, &cached, made).await
    }

    /// The texts to send, and those of which the embedder would silently leave out a part.
    fn divide(&self, texts: Vec<Asked>) -> (Vec<Asked>, Results) {
        let Some(limit) = self.provider.token_limit() else { return (texts, Results::new()) };
        let (mut send, mut too_long) = (Vec::with_capacity(texts.len()), Results::new());
        for asked in texts {
            match self.provider.count_tokens(&asked.text).filter(|tokens| *tokens > limit) {
                None => send.push(asked),
                Some(tokens) => {
                    let reason = format!(
                        "the text has {tokens} tokens and the embedder reads {limit}; give its model \"max_tokens\" or \"chunk\""
                    );
                    too_long.insert(asked.hash, Err(reason));
                }
            }
        }
        (send, too_long)
    }

    async fn deliver(&self, texts: Vec<Asked>) -> Delivered {
        let dimension = self.provider.id().dimension as usize;
        let check = |vector: &[f32]| check_vector("", vector, dimension, self.metric);
        let delivery = Delivery {
            provider: self.provider,
            clock: self.clock,
            size: self.size,
            lanes: self.lanes,
            check: &check,
            tick: self.tick,
        };
        delivery.deliver(texts).await
    }

    async fn write(
        &self,
        items: Vec<Item>,
        cached: &HashMap<String, Arc<[f32]>>,
        made: Delivered,
    ) -> Result<Done, StoreError> {
        let calls = [made.calls, made.retries, made.sent];
        let mut done = Done { away: made.away, stopped: made.stopped, calls, ..Done::default() };
        let replaces = items.iter().any(|item| item.replaces);
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            let from_cache = cached.get(&item.hash);
            let outcome = match (from_cache, made.results.get(&item.hash)) {
                // Made for a collection with another metric, perhaps.
                (Some(vector), _) => self.check(&item.id, vector).map(|()| vector.clone()),
                (None, Some(Ok(vector))) => Ok(vector.clone()),
                (None, Some(Err(reason))) => Err(format!("{}: {reason}", item.id)),
                (None, None) => {
                    done.waiting += 1;
                    continue;
                }
            };
            match &outcome {
                Ok(_) if from_cache.is_some() => done.from_cache += 1,
                Ok(_) => done.embedded += 1,
                Err(reason) => done.failed.push(FailedRow {
                    id: item.id.clone(),
                    model: item.model,
                    text: item.text.clone(),
                    tokens: self.provider.count_tokens(&item.text),
                    attempts: item.attempts.saturating_add(1),
                    reason: reason.clone(),
                }),
            }
            let attempts = if outcome.is_err() { item.attempts.saturating_add(1) } else { 0 };
            rows.push(Embedded { id: item.id, content_hash: item.hash, outcome, attempts });
        }
        store::write_embeddings(self.tables, self.collection, self.provider.id(), &rows, replaces).await?;
        Ok(done)
    }

    fn check(&self, id: &str, vector: &[f32]) -> Result<(), String> {
        let dimension = self.provider.id().dimension as usize;
        check_vector(id, vector, dimension, self.metric).map_err(|error| error.to_string())
    }
}

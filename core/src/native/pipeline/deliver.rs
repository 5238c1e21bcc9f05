//! Texts to an embedder and back: batches within its limits, retries, and finding out which text is to blame.
//!
//! A call that fails for a while is tried again, later each time. A call that goes on failing is divided: what still fails
//! alone, again and again, while others succeed is a bad text, and when nothing succeeds the embedder is away. It writes nothing; `slab` keeps
//! what comes back.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pace::{BatchSize, Clock, backoff};
use crate::error::InputError;
use crate::native::embed::{Failure, FailureKind, Provider};

/// Tries of one call, and of one text, that fails for a while.
const TRIES: u32 = 6;

/// A text to embed, once for all records that have it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The hash of the text.
    pub hash: String,
    /// The text.
    pub text: Arc<str>,
}

/// The vector of each text, or why it has none, by hash.
pub type Results = HashMap<String, Result<Arc<[f32]>, String>>;

/// What came back.
#[derive(Debug, Default)]
pub struct Delivered {
    /// The vector of each text, or why it has none, by hash.
    pub results: Results,
    /// Why the embedder is away: the texts without a result have to wait for another run.
    pub away: Option<String>,
    /// Why the embedder cannot be used any more.
    pub stopped: Option<String>,
    /// Calls of the embedder.
    pub calls: u64,
    /// Those that repeated an earlier one.
    pub retries: u64,
    /// Texts sent, repeated ones each time.
    pub sent: u64,
}

/// Checks a vector.
pub type CheckFn<'a> = dyn Fn(&[f32]) -> Result<(), InputError> + Send + Sync + 'a;

/// Delivers texts.
pub struct Delivery<'a> {
    /// Makes the vectors.
    pub provider: &'a Arc<dyn Provider>,
    /// Waits.
    pub clock: &'a dyn Clock,
    /// How many texts a call has.
    pub size: &'a BatchSize,
    /// Calls at once.
    pub lanes: usize,
    /// Refuses vectors that cannot be stored.
    pub check: &'a CheckFn<'a>,
    /// Called with the number of texts each time some are settled.
    pub tick: &'a (dyn Fn(u64) + Send + Sync),
}

/// A call to be made.
struct Job {
    texts: Vec<Asked>,
    /// How often these texts have been tried.
    tried: u32,
    why: Why,
}

/// Why a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// To have vectors.
    Usual,
    /// To find the bad text of a call that failed too often: not repeated.
    Probe,
    /// Because its text failed alone: the last chance before it is blamed.
    Last,
}

/// The answer to a call.
type Answer = Result<Vec<Result<Vec<f32>, Failure>>, Failure>;

impl Delivery<'_> {
    /// Embeds the texts, which must not repeat a hash.
    pub async fn deliver(&self, texts: Vec<Asked>) -> Delivered {
        let queue = Mutex::new(VecDeque::from(texts));
        let out = Mutex::new(Delivered::default());
        // Collected first: a stream over borrowing closures would not be Send.
        let lanes: Vec<_> = (0..self.lanes.max(1)).map(|_| self.lane(&queue, &out)).collect();
        futures::future::join_all(lanes).await;
        out.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lane(&self, queue: &Mutex<VecDeque<Asked>>, out: &Mutex<Delivered>) {
        loop {
            if over(out) {
                return;
            }
            let batch = self.next_batch(&mut lock(queue));
            if batch.is_empty() {
                return;
            }
            self.settle(batch, out).await;
        }
    }

    /// The next texts that one call may have; a text beyond the limits goes alone.
    fn next_batch(&self, queue: &mut VecDeque<Asked>) -> Vec<Asked> {
        let limits = self.provider.limits();
        let most = limits.texts.min(self.size.now());
        let (mut batch, mut bytes, mut tokens) = (Vec::new(), 0, 0);
        while let Some(next) = queue.front() {
            bytes += next.text.len();
            tokens += match limits.tokens {
                Some(_) => self.provider.count_tokens(&next.text).unwrap_or(0),
                None => 0,
            };
            let full = bytes > limits.bytes || limits.tokens.is_some_and(|limit| tokens > limit);
            if !batch.is_empty() && (full || batch.len() >= most) {
                break;
            }
            batch.extend(queue.pop_front());
        }
        batch
    }

    /// Calls until every text of the batch has its result, or the embedder is known to be away.
    async fn settle(&self, batch: Vec<Asked>, out: &Mutex<Delivered>) {
        // A chain of halves down to one text fails so often even when all other texts are good.
        let patience = batch.len().ilog2() as usize + 2;
        let (mut stack, mut suspects) = (vec![Job { texts: batch, tried: 0, why: Why::Usual }], Vec::new());
        let (mut failed, mut succeeded) = (0, false);
        let last = |texts| Job { texts, tried: 0, why: Why::Last };
        // Suspects come last: then it is known that the embedder answers.
        while let Some(job) = stack.pop().or_else(|| suspects.pop().map(last)) {
            if lock(out).stopped.is_some() {
                return;
            }
            let (job, answer) = self.ask(job, out).await;
            let failure = match answer {
                None => return,
                Some(Ok(answers)) => {
                    succeeded = true;
                    stack.extend(self.take(job, answers, out).await);
                    continue;
                }
                Some(Err(failure)) => failure,
            };
            // Whoever finds a text bad is not away.
            succeeded |= failure.kind == FailureKind::BadText;
            match (failure.kind, job.texts.len()) {
                (FailureKind::Refused, _) => return lock(out).stopped = Some(failure.reason),
                (FailureKind::BadText, 1) => self.fail(&job.texts, &failure.reason, out),
                (FailureKind::BadText, _) => stack.extend(halves(job.texts, Why::Usual)),
                (FailureKind::Overloaded { .. }, 2..) => {
                    self.size.shrink(job.texts.len());
                    stack.extend(halves(job.texts, Why::Usual));
                }
                (_, _) if job.why == Why::Last => self.fail(&job.texts, &failure.reason, out),
                (_, length) => {
                    failed += 1;
                    if !succeeded && (failed > patience || (length == 1 && stack.is_empty())) {
                        return lock(out).away = Some(failure.reason);
                    }
                    match length {
                        1 => suspects.push(job.texts),
                        _ => stack.extend(halves(job.texts, Why::Probe)),
                    }
                }
            }
        }
    }

    /// One call, repeated while it fails for a while; `None` when the embedder broke its contract.
    async fn ask(&self, mut job: Job, out: &Mutex<Delivered>) -> (Job, Option<Answer>) {
        loop {
            let answer = self.call(&job.texts, job.tried > 0 || job.why != Why::Usual, out).await;
            job.tried += 1;
            let failure = match answer {
                Ok(Err(failure)) => failure,
                Ok(Ok(answers)) => {
                    self.size.succeeded();
                    return (job, Some(Ok(answers)));
                }
                Err(reason) => {
                    lock(out).stopped = Some(reason);
                    return (job, None);
                }
            };
            let (again, wait) = match failure.kind {
                FailureKind::Transient { .. } => (job.why != Why::Probe && job.tried < TRIES, true),
                // A smaller call, not the same one, unless it cannot be smaller; but not before the time asked for.
                FailureKind::Overloaded { .. } => {
                    (job.texts.len() == 1 && job.why != Why::Probe && job.tried < TRIES, true)
                }
                FailureKind::BadText | FailureKind::Refused => (false, false),
            };
            let overloaded = matches!(failure.kind, FailureKind::Overloaded { .. });
            if wait && (again || overloaded) {
                let text = job.texts.first().map_or("", |asked| &asked.text);
                self.clock.sleep(backoff(text, job.tried, failure.after())).await;
            }
            if !again {
                return (job, Some(Err(failure)));
            }
        }
    }

    /// One call on a thread that may block.
    ///
    /// # Errors
    /// What the embedder did that none may do: a panic, or too few results.
    async fn call(&self, texts: &[Asked], again: bool, out: &Mutex<Delivered>) -> Result<Answer, String> {
        {
            let mut out = lock(out);
            out.calls += 1;
            out.sent += texts.len() as u64;
            out.retries += u64::from(again);
        }
        let provider = self.provider.clone();
        let texts: Vec<Arc<str>> = texts.iter().map(|asked| asked.text.clone()).collect();
        let called = tokio::task::spawn_blocking(move || {
            let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
            (provider.embed_batch(&texts), texts.len())
        });
        match called.await {
            Ok((Ok(answers), count)) if answers.len() != count => {
                Err(format!("it gave {} results for {count} texts", answers.len()))
            }
            Ok((answer, _)) => Ok(answer),
            Err(error) => Err(panic_reason(error.try_into_panic().ok())),
        }
    }

    /// Keeps the results; gives the call for those texts that are worth another try.
    async fn take(
        &self,
        job: Job,
        answers: Vec<Result<Vec<f32>, Failure>>,
        out: &Mutex<Delivered>,
    ) -> Option<Job> {
        let (mut again, mut hint, mut settled) = (Vec::new(), None, 0);
        for (asked, answer) in job.texts.into_iter().zip(answers) {
            let result = match answer {
                Ok(vector) => (self.check)(&vector).map(|()| vector.into()).map_err(|error| said(&error)),
                Err(failure) => match failure.kind {
                    FailureKind::Refused => {
                        lock(out).stopped = Some(failure.reason);
                        return None;
                    }
                    FailureKind::Transient { .. } | FailureKind::Overloaded { .. } if job.tried < TRIES => {
                        hint = hint.max(failure.after());
                        again.push(asked);
                        continue;
                    }
                    _ => Err(failure.reason),
                },
            };
            settled += 1;
            lock(out).results.insert(asked.hash, result);
        }
        (self.tick)(settled);
        let first = again.first()?.text.clone();
        self.clock.sleep(backoff(&first, job.tried, hint)).await;
        Some(Job { texts: again, tried: job.tried, why: job.why })
    }

    fn fail(&self, texts: &[Asked], reason: &str, out: &Mutex<Delivered>) {
        let failed = texts.iter().map(|asked| (asked.hash.clone(), Err(String::from(reason))));
        lock(out).results.extend(failed);
        (self.tick)(texts.len() as u64);
    }
}

/// What is wrong with a vector, without the record that it is not known of which it is.
fn said(error: &InputError) -> String {
    String::from(error.to_string().trim_start_matches(": "))
}

/// Two calls instead of one; the first half is on top.
fn halves(mut texts: Vec<Asked>, why: Why) -> [Job; 2] {
    let second = texts.split_off(texts.len().div_ceil(2));
    [second, texts].map(|texts| Job { texts, tried: 0, why })
}

fn over(out: &Mutex<Delivered>) -> bool {
    let out = lock(out);
    out.away.is_some() || out.stopped.is_some()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

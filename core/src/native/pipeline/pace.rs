//! When to ask an embedder again, and how many texts at once.
//!
//! Pure arithmetic but for [`SystemClock`]: tests bring a clock that does not wait. It calls no embedder.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

/// The first wait, doubled for each further try.
const BASE: Duration = Duration::from_millis(500);
/// The longest wait of our own.
const CAP: Duration = Duration::from_secs(30);
/// The longest wait that a provider may ask for.
const HINT_CAP: Duration = Duration::from_secs(300);
/// Calls that must succeed before batches grow again.
const CALLS_TO_GROW: usize = 4;

/// Waits.
pub trait Clock: Send + Sync {
    /// Is ready after that time.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Fails only when the runtime ends, and then nobody waits.
            let _ = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
        })
    }
}

/// How long to wait before try number `attempt`, the first retry being 1. What the provider asks for is honoured; a part of
/// the wait depends on the text, so that batches that failed together do not return together, and a run is reproducible.
pub fn backoff(text: &str, attempt: u32, hint: Option<Duration>) -> Duration {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes()).update(&attempt.to_le_bytes());
    let [low, high, ..] = *hasher.finalize().as_bytes();
    let jitter = f64::from(u16::from_le_bytes([low, high])) / 65_536.0;
    match hint {
        Some(hint) => hint.min(HINT_CAP).mul_f64(1.0 + jitter / 4.0),
        None => {
            let doubled = BASE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(CAP);
            doubled.mul_f64(0.5 + jitter / 2.0)
        }
    }
}

/// The number of texts in a call: halved when the embedder is overloaded, doubled again after some calls that succeeded.
#[derive(Debug)]
pub struct BatchSize {
    most: usize,
    state: Mutex<(usize, usize)>,
}

impl BatchSize {
    /// At most so many, and so many to begin with.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most, state: Mutex::new((most, 0)) }
    }

    /// How many the next call may have.
    pub fn now(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// A call of so many texts was too much.
    pub fn shrink(&self, texts: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (state.0.min(texts.div_ceil(2)).max(1), 0);
    }

    /// A call succeeded.
    pub fn succeeded(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, calls) = *state;
        *state = match calls + 1 >= CALLS_TO_GROW {
            true => (size.saturating_mul(2).min(self.most), 0),
            false => (size, calls + 1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a11_waits_grow_to_a_cap_differ_by_text_and_honour_the_hint() {
        let wait = |attempt| backoff("text", attempt, None);
        for attempt in 1..40 {
            let full = BASE.saturating_mul(1 << (attempt - 1).min(16)).min(CAP);
            assert!(wait(attempt) >= full / 2 && wait(attempt) <= full, "{attempt}: {:?}", wait(attempt));
        }
        assert_eq!(wait(3), wait(3));
        let waits: std::collections::BTreeSet<_> =
            (0..50).map(|n| backoff(&n.to_string(), 5, None)).collect();
        assert!(waits.len() > 45, "jitter spreads");
        let hint = Duration::from_secs(20);
        let hinted = backoff("text", 1, Some(hint));
        assert!(hinted >= hint && hinted <= hint * 5 / 4, "never earlier than asked");
        assert!(backoff("text", 1, Some(Duration::from_secs(86_400))) <= HINT_CAP * 5 / 4);
    }

    #[test]
    fn a11_batches_shrink_on_overload_and_recover() {
        let size = BatchSize::new(100);
        size.shrink(100);
        size.shrink(50);
        assert_eq!(size.now(), 25);
        size.shrink(80);
        assert_eq!(size.now(), 25, "an older, larger call says nothing new");
        (0..3).for_each(|_| size.succeeded());
        assert_eq!(size.now(), 25);
        (0..13).for_each(|_| size.succeeded());
        assert_eq!(size.now(), 100);
        (0..10).for_each(|_| size.shrink(1));
        assert_eq!(size.now(), 1);
    }
}

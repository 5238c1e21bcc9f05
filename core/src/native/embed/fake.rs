//! An embedder for tests: vectors from a hash, failures on demand, a log of its calls. Never for real data.
//!
//! Words of a text make it fail: `fake:bad` always, as a bad text; `fake:poison` as the whole call it stands in;
//! `fake:flaky` as the whole call, the first two times that a process asks; `fake:down` as the whole call, always, as if no
//! server answered; `fake:nan`, `fake:zero` and `fake:short` give vectors that must be refused. Its fingerprints begin
//! with `fake-`, so that its vectors are never taken for those of another embedder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::identity::{Identity, Mode};
use super::provider::{Failure, FailureKind, Limits, Provider};
use super::tokens::{Tokenizer, Words};
use crate::embed::Embedder;
use crate::error::InputError;
use crate::schema::EmbedderId;

/// The name that it goes by.
const FAKE_NAME: &str = "fake";
/// How often a call with `fake:flaky` fails.
const FLAKY_FAILURES: u32 = 2;
/// What it asks to wait.
const HINT: Duration = Duration::from_millis(1);

/// An embedder for tests.
#[derive(Debug)]
pub struct Fake {
    id: EmbedderId,
    log: Option<PathBuf>,
    pause: Duration,
    limits: Limits,
    flaky: AtomicU32,
}

impl Fake {
    /// One that makes vectors of that dimension. `seed` tells several apart.
    pub fn new(dimension: u32, seed: &str) -> Self {
        let identity = Identity {
            provider: FAKE_NAME.into(),
            model: FAKE_NAME.into(),
            revision: seed.into(),
            dimension,
            mode: Mode::Fake,
            ..Identity::default()
        };
        let (id, flaky) = (identity.id(), AtomicU32::new(0));
        Self { id, log: None, pause: Duration::ZERO, limits: Limits::default(), flaky }
    }

    /// Appends the number of texts of each call to a file, a line a call, before it answers: a test can count what killed
    /// processes asked.
    pub fn with_log(mut self, path: PathBuf) -> Self {
        self.log = Some(path);
        self
    }

    /// Takes so long for each call.
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How large one call may be; a larger one is answered as overloaded.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn write_log(&self, texts: usize) -> Result<(), Failure> {
        let Some(path) = &self.log else { return Ok(()) };
        let written = OpenOptions::new().create(true).append(true).open(path);
        let written = written.and_then(|mut file| file.write_all(format!("{texts}\n").as_bytes()));
        written.map_err(|error| Failure::new(FailureKind::Refused, format!("cannot write {path:?}: {error}")))
    }

    fn vector(&self, text: &str) -> Result<Vec<f32>, InputError> {
        let dimension = self.id.dimension as usize;
        let has = |word: &str| text.split_whitespace().any(|found| found == word);
        if text.trim().is_empty() || has("fake:bad") {
            return Err(InputError::NothingToEmbed { record: String::new(), embedder: self.id.name.clone() });
        }
        let mut numbers = vec![0; 4 * dimension];
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.id.fingerprint.as_bytes()).update(text.as_bytes());
        hasher.finalize_xof().fill(&mut numbers);
        let (numbers, _) = numbers.as_chunks::<4>();
        let mut vector: Vec<f32> = numbers.iter().map(|bytes| i32::from_le_bytes(*bytes) as f32).collect();
        match vector.first_mut() {
            Some(first) if has("fake:nan") => *first = f32::NAN,
            _ if has("fake:zero") => vector.fill(0.0),
            _ if has("fake:short") => drop(vector.pop()),
            _ => crate::metric::normalize(&mut vector),
        }
        Ok(vector)
    }
}

impl Embedder for Fake {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>> {
        texts.iter().map(|text| self.vector(text)).collect()
    }
}

impl Provider for Fake {
    fn tokenizer(&self) -> Option<&dyn Tokenizer> {
        Some(&Words)
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Result<Vec<f32>, Failure>>, Failure> {
        self.write_log(texts.len())?;
        if !self.pause.is_zero() {
            std::thread::sleep(self.pause);
        }
        let any = |word: &str| texts.iter().any(|text| text.split_whitespace().any(|found| found == word));
        if any("fake:down") {
            return Err(Failure::transient("no answer, as the test wants", Some(HINT)));
        }
        if any("fake:poison") {
            return Err(Failure::bad_text("the call is refused, as the test wants"));
        }
        if any("fake:flaky") && self.flaky.fetch_add(1, Ordering::SeqCst) < FLAKY_FAILURES {
            return Err(Failure::transient("try again, as the test wants", Some(HINT)));
        }
        Ok(self.embed(texts).into_iter().map(|result| result.map_err(Failure::from)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_made_up_but_always_the_same() {
        let fake = Fake::new(3, "a");
        let once = fake.embed(&["one", "two"]);
        assert_eq!(once, Fake::new(3, "a").embed(&["one", "two"]));
        assert_ne!(once[0], once[1]);
        assert_ne!(once, Fake::new(3, "b").embed(&["one", "two"]));
        assert!(fake.embed(&["a fake:bad text"])[0].is_err());
        assert_eq!(fake.count_tokens("three short words"), Some(3));
    }
}

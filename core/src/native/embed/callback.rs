//! An embedder that is a closure of the host: for models that run elsewhere, behind whatever client the host has.
//!
//! The closure is called from several threads at once. It says by its [`Failure`]s what is to be tried again and when; it
//! should not wait and retry itself.

use std::sync::Arc;

use super::identity::{Identity, Mode};
use super::provider::{Failure, Limits, Provider};
use super::tokens::Tokenizer;
use crate::embed::Embedder;
use crate::error::InputError;
use crate::schema::EmbedderId;

type Call = dyn Fn(&[&str]) -> Result<Vec<Result<Vec<f32>, Failure>>, Failure> + Send + Sync;

/// An embedder from a closure.
pub struct Callback {
    id: EmbedderId,
    limits: Limits,
    token_limit: Option<usize>,
    tokenizer: Option<Arc<dyn Tokenizer>>,
    call: Box<Call>,
}

impl Callback {
    /// An embedder of that identity. The closure gives one vector or failure per text, in order, or says why the whole call
    /// failed.
    pub fn new(
        identity: &Identity,
        call: impl Fn(&[&str]) -> Result<Vec<Result<Vec<f32>, Failure>>, Failure> + Send + Sync + 'static,
    ) -> Self {
        // A host's closure is real, whatever it was told: only the fake embedder is fake.
        let id = Identity { mode: Mode::Real, ..identity.clone() }.id();
        let token_limit = identity.max_tokens.and_then(|tokens| usize::try_from(tokens).ok());
        Self { id, limits: Limits::default(), token_limit, tokenizer: None, call: Box::new(call) }
    }

    /// How large one call may be.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Counts its tokens.
    pub fn with_tokenizer(mut self, tokenizer: Arc<dyn Tokenizer>) -> Self {
        self.tokenizer = Some(tokenizer);
        self
    }
}

impl Embedder for Callback {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>> {
        let refuse = |failure: &Failure| InputError::BadEmbedder { reason: failure.reason.clone() };
        match (self.call)(texts) {
            Ok(results) => results.into_iter().map(|result| result.map_err(|e| refuse(&e))).collect(),
            Err(failure) => texts.iter().map(|_| Err(refuse(&failure))).collect(),
        }
    }
}

impl Provider for Callback {
    fn tokenizer(&self) -> Option<&dyn Tokenizer> {
        self.tokenizer.as_deref()
    }

    fn token_limit(&self) -> Option<usize> {
        self.token_limit
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Result<Vec<f32>, Failure>>, Failure> {
        (self.call)(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_is_an_embedder_and_its_failures_keep_their_kind() {
        let identity = Identity { model: "mine".into(), dimension: 1, ..Identity::default() };
        let callback = Callback::new(&identity, |texts| match texts {
            ["down"] => Err(Failure::transient("no answer", Some(std::time::Duration::from_secs(7)))),
            texts => Ok(texts.iter().map(|text| Ok(vec![text.len() as f32])).collect()),
        });
        assert_eq!(callback.embed(&["a", "bb"]), [Ok(vec![1.0]), Ok(vec![2.0])]);
        let failure = callback.embed_batch(&["down"]).unwrap_err();
        assert_eq!(failure.after(), Some(std::time::Duration::from_secs(7)));
        assert!(callback.embed(&["down"]).iter().all(Result::is_err));
    }

    #[test]
    fn c4_a_closure_cannot_pass_for_the_fake() {
        let fake = Identity { mode: Mode::Fake, ..Identity::default() };
        assert_ne!(Callback::new(&fake, |_| Ok(Vec::new())).id(), &fake.id());
    }
}

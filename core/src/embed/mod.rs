//! Embedders: what turns text into vectors.

use crate::{error::InputError, schema::EmbedderId};

/// Turns texts into vectors. Implementations are deterministic: the same text gives the same bits.
pub trait Embedder: Send + Sync {
    /// Name, fingerprint and dimension.
    fn id(&self) -> &EmbedderId;

    /// One vector or error per text, in order. A bad text never fails its neighbours. The `record` of an error is
    /// left empty: the caller knows the ids.
    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>>;
}

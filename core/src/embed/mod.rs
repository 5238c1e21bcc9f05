//! Embedders: what turns text into vectors.
//!
//! [`StaticEmbedder`] is the one that runs everywhere, the browser included. Embedders that need a model runtime or a
//! network live with the store. Vectors of embedders with different fingerprints are never compared.

mod characters;
mod static_embedder;
mod unicode_tables;
mod vocabulary;
mod wordpiece;

pub use static_embedder::{Pooled, StaticEmbedder, TokenRows, fingerprint, pool};
pub use wordpiece::WordPiece;

use crate::{error::InputError, schema::EmbedderId};

/// Turns texts into vectors. Implementations are deterministic: the same text gives the same bits.
pub trait Embedder: Send + Sync {
    /// Name, fingerprint and dimension.
    fn id(&self) -> &EmbedderId;

    /// One vector or error per text, in order. A bad text never fails its neighbours. The `record` of an error is
    /// left empty: the caller knows the ids.
    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>>;
}

//! Embedders that need files, a model runtime, a host's code or a network: one file each, and what they share.
//!
//! Backfill and budgets know an embedder as a [`Provider`]. [`load_static`] gives the one that runs everywhere,
//! [`Callback`] wraps a host's closure, [`Fake`] is for tests. Nothing here retries, caches or writes.

mod callback;
mod fake;
mod identity;
mod provider;
mod static_folder;
mod tokens;

pub use callback::Callback;
pub use fake::Fake;
pub use identity::{Identity, Mode, Pooling};
pub use provider::{Failure, FailureKind, Limits, Provider};
pub use static_folder::{load_static, load_tokenizer};
pub use tokens::{Tokenizer, Words};

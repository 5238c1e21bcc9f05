//! The snapshot file: one immutable, checksummed file per collection, and one per static embedder.
//!
//! [`write_collection`] and [`write_embedder`] make the bytes, [`Collection`] and [`EmbedderFile`] read them through
//! a [`ByteSource`](crate::bytes::ByteSource), [`verify`] checks all of them. docs/format.md describes every byte.
//! Nothing here searches, and nothing here does I/O.

mod assemble;
mod collection;
mod columns;
mod description;
mod embedder;
mod head;
pub mod layout;
mod payload;
mod statistics;
mod strings;
mod verify;
mod vocabulary;
mod wire;

pub(crate) use collection::decode_row;
pub use collection::{Collection, write_collection};
pub(crate) use columns::ROWS_PER_BLOCK as COLUMN_ROWS;
pub use embedder::{EmbedderFile, write_embedder};
pub use head::Head;
pub use payload::{PayloadBlock, PayloadRow};
pub use strings::Strings;
pub use verify::{Verified, verify};

#[cfg(test)]
mod tests;

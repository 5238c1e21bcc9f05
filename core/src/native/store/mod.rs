//! The store: a directory of Lance tables that holds collections while they grow.
//!
//! Use it to keep records and their vectors, and to read back what is ready to be exported or queried. It does not
//! read source files (that is `pipeline`), turn text into vectors (`embed`), or search (snapshots do).
//!
//! | table | one row per | columns |
//! |---|---|---|
//! | `documents.<collection>` | record | `id`, `document`, `text` (when it differs from `document`), `content_hash`, `row_hash`, `model`, `ingested_at`, and one typed column per metadata field |
//! | `embeddings.<embedder>.<collection>` | record | `id`, `content_hash`, `vector` or `error`, `attempts`, `embedded_at` |
//! | `emb_cache` | distinct text and embedder | `content_hash`, `embedder`, `vector` (f32 little-endian), `created_at` |
//! | `meta` | setting | `key`, `value`, `updated_at`: the store's version and each collection's [`CollectionConfig`] |
//!
//! **Names.** A collection may have any name; in a table's name, letters `a` to `z`, digits, `_` and `.` stand for
//! themselves and every other byte is `-` and two hexadecimal digits (capitals too, because some file systems fold
//! case). Long names end in `-h` and their hash. A metadata column is `m_` and its dotted path, in which every
//! byte other than a letter, a digit or `_` is `$` and two hexadecimal digits; the path itself stands in the
//! column's Arrow metadata as `portolan.path`. A column of JSON is text with `portolan.type` = `json` there.
//!
//! **Status is derived, never stored.** A record is *new* when it has no row in `embeddings`, *stale* when that
//! row's `content_hash` is not the document's, *error* when the row has an error, and else *ready*. With one writer
//! at a time there is nothing "in progress" that a kill could leave behind, and a reader that sees a document newer
//! than its vector sees "stale", never a wrong pair.
//! Divided records are rows `KEY#N` that say so in their metadata (`parent`, `chunk_no`); an upsert removes those that their
//! record no longer has.
//! The hash is of the text to embed; of a record that brings its vector, it is of the text and that vector.
//!
//! **Keys.** Tables are written by upsert on their key. What comes in is de-duplicated first, because Lance refuses
//! (or before some versions multiplied) duplicate keys in one merge. Rows that would not change are not written.
//!
//! **One writer.** `writer.lock` is locked by the operating system, so it cannot outlive its process. Readers take
//! no lock and write no file; each reader is pinned to one version of each table.

mod cache;
mod columns;
mod config;
mod documents;
mod embeddings;
mod handle;
mod lance;
mod lock;
mod meta;
mod names;
mod pieces;
mod reader;
mod retire;

pub(crate) use cache::Cache;
pub use cache::{CacheImport, CacheSelector, CacheStats, CachedEmbedder};
pub(crate) use columns::{Columns, key_hash};
pub(crate) use config::Claim;
pub use config::CollectionConfig;
pub use documents::UpsertCounts;
pub(crate) use documents::{Content, Piece, Row, row_hash, texts};
pub(crate) use embeddings::{Embedded, Ledger, Part, State, write as write_embeddings};
pub use handle::{Mode, Store};
pub(crate) use lance::{Batches, Tables, has_column, scan, take};
pub(crate) use names::{check as check_name, column as column_name};
pub(crate) use pieces::{columns as piece_columns, keys as record_keys};
pub use reader::{Counts, Reader};
pub(crate) use retire::PARTITION;

#[cfg(test)]
mod tests;

//! The snapshot file: one immutable, checksummed file for one or several collections, and one for a static embedder.
//!
//! [`write_collection`], [`Draft`] and [`write_embedder`] make the bytes. [`SnapshotFile`], its [`Collection`]s and
//! [`Clusters`], and [`EmbedderFile`] read them through a [`ByteSource`](crate::bytes::ByteSource), [`verify`] checks all
//! of them. docs/format.md describes every byte. Nothing here searches, and nothing here does I/O.

mod assemble;
pub mod clusters;
mod collection;
mod columns;
mod description;
mod draft;
mod embedder;
mod file;
pub mod graph;
mod head;
pub mod layout;
mod members;
pub mod ondisk;
mod payload;
mod statistics;
mod strings;
mod table;
mod values;
mod verify;
mod vocabulary;
mod wire;

pub use clusters::{ClusterSections, Clusters};
pub use collection::Collection;
pub(crate) use columns::ROWS_PER_BLOCK as COLUMN_ROWS;
pub use description::{ClusterInfo, Description, Part};
pub use draft::{Draft, write_collection};
pub use embedder::{EmbedderFile, write_embedder};
pub use file::SnapshotFile;
pub use graph::{Graph, GraphCost, GraphSections};
pub use head::{Head, Section};
pub use members::{Member, Members};
pub use payload::{PayloadBlock, PayloadRow};
pub use strings::Strings;
pub use table::{Calibration, ClusterTable};
pub(crate) use table::{between, log2};
pub use verify::{Verified, verify};

#[cfg(test)]
mod tests;

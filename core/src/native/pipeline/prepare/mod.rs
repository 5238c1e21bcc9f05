//! Preparing: source files become typed, checked partitions without duplicates, and a manifest that says so.
//!
//! Use [`prepare`] before `apply`. Every record of every file is taken, repaired, a duplicate, dropped or quarantined, and the numbers
//! add up or the run fails. A record is a duplicate when the newest version that the store has of its key is the same, so one
//! that changes and changes back is taken both times. A run counts as a whole: killed before the manifest names its partitions, it leaves
//! files that do not count and that the next run removes.
//!
//! Memory: one batch of a source, one batch of rows, 48 bytes for each row of the partition that is being written, and 1.4 bytes for
//! each row that is there already (see [`keys`]). It writes no table.

mod cells;
mod columnar;
mod found;
mod jsonl;
pub(super) mod keys;
mod log;
mod mapping;
mod open;
pub(super) mod rows;
mod run;
mod sample;
mod spec;
mod table;
mod text;

pub use log::Fate;
pub(super) use run::{FOLDER, clean, file_name, sync_folders};
pub use run::{Noticed, PrepareOptions, PrepareReport, Prepared, prepare};
pub(super) use sample::{Sample, sample};
pub use spec::{HeaderPolicy, SourceFormat, SourceSpec};

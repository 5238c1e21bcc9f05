//! End-to-end and conformance tests: one binary, a module per promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop where it fails")]

mod bench;
mod command;
mod conformance;
mod doors;
mod execution;
mod golden;
mod import;
mod import_vectors;
mod kill;
mod language;
mod pipeline;
mod tokenizer;
mod tool;

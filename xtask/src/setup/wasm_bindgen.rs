//! wasm-bindgen's command, in exactly the version of the library: the two speak a format that changes with each.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::cargo_tool::CargoTool;
use crate::context::Context;
use crate::lockfile;

/// Installs the command into the target directory if that version is not there; says where it is.
pub fn ensure(context: &Context) -> Result<PathBuf> {
    let text = fs::read_to_string(context.root.join("Cargo.lock")).context("reading Cargo.lock")?;
    let version = lockfile::version_of(&text, "wasm-bindgen")?;
    CargoTool { package: "wasm-bindgen-cli", program: "wasm-bindgen" }.ensure(context, &version)
}

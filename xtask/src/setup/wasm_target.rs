//! Rust's standard library for wasm32, which rustup installs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::process;

/// The target of the wasm module.
pub const TRIPLE: &str = "wasm32-unknown-unknown";

/// Installs the target if it is missing.
pub fn ensure(context: &Context) -> Result<()> {
    if is_installed(context)? {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&context.root).args(["target", "add", TRIPLE]);
    process::run(&mut rustup).with_context(|| {
        format!("Rust's standard library for {TRIPLE} is missing; with rustup: rustup target add {TRIPLE}")
    })
}

/// Asks the compiler and not rustup: distributions package the target too.
fn is_installed(context: &Context) -> Result<bool> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(&context.root).args(["--print", "target-libdir", "--target", TRIPLE]);
    let printed = process::output(&mut rustc)?;
    let Ok(files) = Path::new(printed.trim()).read_dir() else {
        return Ok(false);
    };
    let names = files.flatten().map(|file| file.file_name());
    Ok(names.into_iter().any(|name| name.to_string_lossy().starts_with("libstd-")))
}

//! `cargo xtask wasm`: the module that browsers, workers and node load, with its JavaScript glue.
//!
//! One output serves all: wasm-bindgen's `web` target, which a browser starts from a URL and node from bytes.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::context::Context;
use crate::{process, setup};

/// Where the output goes, relative to the root. Not committed.
pub const PACKAGE: &str = "bindings/js/pkg";

/// What a page may have to load before the first query: 200 kB, compressed as a server sends it.
pub const GOAL_GZIP_BYTES: u64 = 200_000;

/// Builds the module and its glue; says how large it is compressed, and fails if that is too large.
pub fn run(context: &Context) -> Result<u64> {
    let bytes = build(context)?;
    println!("wasm module: {bytes} bytes gzipped, goal at most {GOAL_GZIP_BYTES}");
    if bytes > GOAL_GZIP_BYTES {
        bail!("the wasm module is too large; `cargo tree -p portolan-wasm` shows what it carries");
    }
    Ok(bytes)
}

/// Builds the module and its glue; says how large it is compressed.
pub fn build(context: &Context) -> Result<u64> {
    setup::wasm_target::ensure(context)?;
    let bindgen = setup::wasm_bindgen::ensure(context)?;
    let triple = setup::wasm_target::TRIPLE;
    process::run(&mut context.cargo(&[
        "build",
        "-p",
        "portolan-wasm",
        "--target",
        triple,
        "--profile",
        "wasm",
    ]))?;
    let module = context.target_dir.join(triple).join("wasm/portolan_wasm.wasm");
    let package = context.root.join(PACKAGE);
    write_glue(context, &bindgen, &module, &package)?;
    gzipped_len(&package.join("portolan_bg.wasm"))
}

fn write_glue(context: &Context, bindgen: &Path, module: &Path, package: &Path) -> Result<()> {
    let mut command = Command::new(bindgen);
    // Names of functions are for debuggers, and the glue's types are written by hand: a page should load neither.
    let lean = [
        "--no-typescript",
        "--omit-default-module-path",
        "--remove-name-section",
        "--remove-producers-section",
    ];
    command.current_dir(&context.root).args(["--target", "web", "--out-name", "portolan"]).args(lean);
    command.arg("--out-dir").arg(package).arg(module);
    process::run(&mut command)?;
    // Without it, node 18 takes the glue for a CommonJS file.
    let manifest = package.join("package.json");
    fs::write(&manifest, "{ \"type\": \"module\" }\n")
        .with_context(|| format!("writing {}", manifest.display()))
}

fn gzipped_len(path: &Path) -> Result<u64> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    Ok(encoder.finish()?.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_a_gzip_file() {
        let path = std::env::temp_dir().join(format!("portolan-xtask-gzip-{}", std::process::id()));
        fs::write(&path, [7; 100_000]).unwrap();
        let bytes = gzipped_len(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!((50..500).contains(&bytes), "{bytes}");
    }
}

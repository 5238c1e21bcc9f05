//! wasm-bindgen's command, in exactly the version of the library: the two speak a format that changes with each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::{lockfile, process};

/// Installs the command into the target directory if that version is not there; says where it is.
pub fn ensure(context: &Context) -> Result<PathBuf> {
    let text = fs::read_to_string(context.root.join("Cargo.lock")).context("reading Cargo.lock")?;
    let version = lockfile::version_of(&text, "wasm-bindgen")?;
    let tools = context.target_dir.join("tools");
    let program = tools.join("bin").join(format!("wasm-bindgen{}", std::env::consts::EXE_SUFFIX));
    if !is_version(&program, &version) {
        install(context, &tools, &version)?;
    }
    Ok(program)
}

fn is_version(program: &Path, version: &str) -> bool {
    let printed = process::output(Command::new(program).arg("--version"));
    printed.is_ok_and(|printed| names_version(&printed, version))
}

fn names_version(printed: &str, version: &str) -> bool {
    printed.split_whitespace().take(2).eq(["wasm-bindgen", version])
}

/// With the versions of its own lock file first. A mirror of crates.io that runs behind may lack one of them; then
/// the newest compatible ones do as well, because only the command's own version has to match.
fn install(context: &Context, tools: &Path, version: &str) -> Result<()> {
    let build = tools.join("build");
    let install = |locked: &[&str]| {
        let exact = format!("={version}");
        let mut command = context.cargo(&["install", "--force", "--version", &exact, "--root"]);
        command.arg(tools).args(["wasm-bindgen-cli", "--bin", "wasm-bindgen"]).args(locked);
        // It runs for a second: compiling it fast is worth more than having it fast.
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_TARGET_DIR", &build);
        process::run(&mut command)
    };
    if let Err(error) = install(&["--locked"]) {
        println!("{error:#}\ntrying again without the tool's lock file");
        install(&[]).with_context(|| format!("installing wasm-bindgen-cli {version} from crates.io"))?;
    }
    fs::remove_dir_all(&build).with_context(|| format!("removing {}", build.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_version_will_do() {
        assert!(names_version("wasm-bindgen 0.2.130\n", "0.2.130"));
        assert!(!names_version("wasm-bindgen 0.2.13\n", "0.2.130"));
        assert!(!names_version("wasm-bindgen 0.2.130 (4f1d2a)\n", "0.2.131"));
        assert!(!is_version(Path::new("/nowhere/wasm-bindgen"), "0.2.130"));
    }
}

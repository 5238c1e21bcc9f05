//! Where things are, and how cargo is called: the same for every command, so that nothing is compiled twice.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::policy::Policy;
use crate::{process, setup};

/// The packages of every native build. Cargo merges the features of exactly the packages that are named, and a
/// dependency with other features is compiled again: demo, test and bench name the same ones, so that Lance is
/// compiled once.
pub const NATIVE: [&str; 6] = ["-p", "portolan", "-p", "portolan-cli", "-p", "portolan-tests"];

/// The folder of the sample data, relative to the root.
pub const SAMPLE: &str = "examples/wordnet";

/// What every command needs to know.
pub struct Context {
    /// The root of the workspace.
    pub root: PathBuf,
    /// Cargo's target directory, absolute.
    pub target_dir: PathBuf,
    /// The protobuf compiler that Lance's build scripts call.
    pub protoc: PathBuf,
    /// How to treat what is missing.
    pub policy: Policy,
}

impl Context {
    /// Finds the workspace, its target directory and protoc.
    pub fn from_env() -> Result<Self> {
        let policy = Policy::from_env();
        let root = root()?;
        let target_dir = target_dir(&root, policy)?;
        Ok(Self { root, target_dir, protoc: setup::protoc::find()?, policy })
    }

    /// A cargo command in the root.
    pub fn cargo<Word: AsRef<str>>(&self, words: &[Word]) -> Command {
        let mut command = cargo_in(&self.root);
        command.args(words.iter().map(AsRef::as_ref));
        command.env("CARGO_TARGET_DIR", &self.target_dir).env("PROTOC", &self.protoc);
        command
    }

    /// A file that the dev profile made, such as `portolan` or `libportolan.a`.
    pub fn built(&self, name: &str) -> PathBuf {
        self.target_dir.join("debug").join(name)
    }

    /// A path for people: relative to the root where it is inside.
    pub fn shown<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.parent().unwrap_or(manifest);
    if !root.join("Cargo.lock").is_file() {
        bail!("{} holds no Cargo.lock; run `cargo xtask` inside a clone of the repository", root.display());
    }
    Ok(root.to_owned())
}

fn target_dir(root: &Path, policy: Policy) -> Result<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
    let cache =
        variable("XDG_CACHE_HOME").or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache").into()));
    match target_dir_from(variable("CARGO_TARGET_DIR"), cache, policy.strict) {
        Some(dir) => std::path::absolute(&dir).with_context(|| format!("resolving {}", dir.display())),
        None => configured_target_dir(root),
    }
}

/// The directory that the environment asks for. In CI the default lies outside the clone, which is thrown away.
fn target_dir_from(set: Option<OsString>, cache: Option<OsString>, ci: bool) -> Option<PathBuf> {
    match (set, cache) {
        (Some(dir), _) => Some(dir.into()),
        (None, Some(cache)) if ci => Some(Path::new(&cache).join("portolan/target")),
        _ => None,
    }
}

/// Cargo's own answer, which knows its configuration files.
fn configured_target_dir(root: &Path) -> Result<PathBuf> {
    let mut command = cargo_in(root);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&process::output(&mut command)?)
        .context("reading the output of `cargo metadata`")?;
    let dir = metadata["target_directory"].as_str().context("`cargo metadata` named no target directory")?;
    Ok(PathBuf::from(dir))
}

fn cargo_in(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        if describes_xtask(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

/// Variables that cargo sets for the package it runs, which is xtask. Some build scripts (ring's) watch them: left
/// in place, each switch between `cargo` and `cargo xtask` would compile a part of Lance again.
fn describes_xtask(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_target_directory_always_wins() {
        let chosen = target_dir_from(Some("mine".into()), Some("cache".into()), true);
        assert_eq!(chosen, Some(PathBuf::from("mine")));
    }

    #[test]
    fn ci_builds_in_the_cache_and_people_in_the_clone() {
        let chosen = |ci| target_dir_from(None, Some("/home/me/.cache".into()), ci);
        assert_eq!(chosen(true), Some(PathBuf::from("/home/me/.cache/portolan/target")));
        assert_eq!(chosen(false), None);
    }

    #[test]
    fn children_do_not_see_the_package_that_runs_them() {
        assert!(describes_xtask("CARGO_PKG_NAME") && describes_xtask("CARGO_MANIFEST_DIR"));
        assert!(!describes_xtask("CARGO_TARGET_DIR") && !describes_xtask("CARGO_HOME"));
    }
}

//! Node.js, for the tests of the wasm module outside a browser.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Program;
use crate::process;

/// The first release with `fetch`; the oldest that a supported Debian has.
const OLDEST: u32 = 18;

/// The node command.
pub const NODE: Program = Program {
    name: "Node.js",
    purpose: "tests of the wasm module in node",
    variable: "PORTOLAN_NODE",
    candidates: &["node", "nodejs"],
    version_argument: "--version",
    check: is_recent,
    debian: "nodejs",
    fedora: "nodejs",
    macos: "brew install node",
};

fn is_recent(path: &Path) -> Result<()> {
    let printed = process::output(Command::new(path).arg("--version"))?;
    let major = major_of(&printed)?;
    if major < OLDEST {
        bail!("node {major} is too old; {OLDEST} or newer is needed");
    }
    Ok(())
}

fn major_of(printed: &str) -> Result<u32> {
    let number = printed.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    number.parse().with_context(|| format!("node gave its version as {:?}", printed.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major_of("v20.20.2\n").unwrap(), 20);
        assert!(major_of("Welcome to Node").is_err());
    }
}

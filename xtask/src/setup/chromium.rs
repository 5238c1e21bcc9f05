//! Chromium, for the tests of the wasm module in a browser. It is only taken if it renders a page without a screen.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Program;
use crate::process;

/// Chromium, or Chrome under one of its names.
pub const CHROMIUM: Program = Program {
    name: "Chromium",
    purpose: "tests of the wasm module in a browser",
    variable: "PORTOLAN_CHROMIUM",
    candidates: &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
    version_argument: "--version",
    check: renders,
    debian: "chromium",
    fedora: "chromium",
    macos: "brew install --cask chromium, then name the binary inside the app",
};

/// Without a screen, a network or a profile. The sandbox refuses to work for root, as which CI often runs.
/// Containers often have little shared memory.
const QUIET: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

fn renders(path: &Path) -> Result<()> {
    let profile = std::env::temp_dir().join(format!("portolan-chromium-{}", std::process::id()));
    let mut command = Command::new(path);
    command.args(QUIET).arg(format!("--user-data-dir={}", profile.display()));
    command.args(["--dump-dom", "data:text/html,<script>document.write('6 x 7 is ' + 6 * 7)</script>"]);
    let page = process::output_within(&mut command, Duration::from_secs(60));
    // The profile holds nothing; a rest of it in the temporary folder does no harm.
    let _ = std::fs::remove_dir_all(&profile);
    if !page?.contains("6 x 7 is 42") {
        bail!("it starts, but does not run the script of a page");
    }
    Ok(())
}

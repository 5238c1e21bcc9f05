//! Go, for the cgo module. Nothing asks for it yet, so nothing installs it.

use super::Program;

/// The go command.
pub const GO: Program = Program {
    name: "Go",
    purpose: "tests of the Go module",
    variable: "PORTOLAN_GO",
    candidates: &["go"],
    version_argument: "version",
    check: |_| Ok(()),
    debian: "golang-go",
    fedora: "golang",
    macos: "brew install go",
};

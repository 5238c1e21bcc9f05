//! The C compiler, for the tests of the C library.

use super::Program;

/// Any C compiler that takes gcc's arguments.
pub const CC: Program = Program {
    name: "a C compiler",
    purpose: "tests of the C library",
    variable: "PORTOLAN_CC",
    candidates: &["cc", "gcc", "clang"],
    version_argument: "--version",
    check: |_| Ok(()),
    debian: "gcc",
    fedora: "gcc",
    macos: "xcode-select --install",
};

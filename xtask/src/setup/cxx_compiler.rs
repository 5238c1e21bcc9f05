//! The C++ compiler, for the tests that the C header also serves C++.

use super::Program;

/// Any C++ compiler that takes gcc's arguments.
pub const CXX: Program = Program {
    name: "a C++ compiler",
    purpose: "tests of the header in C++",
    variable: "PORTOLAN_CXX",
    candidates: &["c++", "g++", "clang++"],
    version_argument: "--version",
    check: |_| Ok(()),
    debian: "g++",
    fedora: "gcc-c++",
    macos: "xcode-select --install",
};

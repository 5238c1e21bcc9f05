//! cargo-fuzz, and the nightly compiler that it drives: libFuzzer's hooks are not in the stable one.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::cargo_tool::CargoTool;
use crate::context::Context;
use crate::process;

/// The version that the options of `cargo xtask fuzz` were tried with.
const VERSION: &str = "0.13.2";

/// Installs cargo-fuzz into the target directory if it is not there; says where it is.
pub fn ensure(context: &Context) -> Result<PathBuf> {
    nightly()?;
    CargoTool { package: "cargo-fuzz", program: "cargo-fuzz" }.ensure(context, VERSION)
}

/// Fails with what to install if there is no nightly compiler. Installing one is left to people: it is half a gigabyte
/// that nothing but the fuzzers uses.
fn nightly() -> Result<()> {
    if !process::succeeds(Command::new("rustup").args(["run", "nightly", "cargo", "--version"])) {
        bail!(
            "the fuzzers need a nightly compiler beside the stable one, which nothing else uses; install it: \
             rustup toolchain install nightly --profile minimal"
        );
    }
    Ok(())
}

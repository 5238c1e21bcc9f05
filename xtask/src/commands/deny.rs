//! `cargo xtask deny`: licences, advisories, bans and sources of all dependencies, by the rules of `deny.toml`.

use anyhow::Result;

use crate::context::Context;
use crate::process;
use crate::steps::Outcome;

/// Runs cargo-deny where it is installed. It needs the network for the list of advisories.
pub fn run(context: &Context) -> Result<Outcome> {
    if !process::succeeds(&mut context.cargo(&["deny", "--version"])) {
        return context.policy.skip(
            "check of dependencies",
            "cargo-deny is not installed; install it: cargo install --locked cargo-deny",
        );
    }
    process::run(&mut context.cargo(&["deny", "check"]))?;
    Ok(Outcome::Done)
}

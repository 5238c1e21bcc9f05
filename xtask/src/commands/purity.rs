//! Proves that what goes into a browser stays pure: none of the crates that need an operating system.

use anyhow::{Result, bail};

use crate::context::Context;
use crate::process;
use crate::setup::wasm_target;

/// Crates that must not be in the module's tree, nor any whose name starts so and goes on with `-`.
const FORBIDDEN: [&str; 8] =
    ["tokio", "lance", "lancedb", "arrow", "datafusion", "rayon", "memmap2", "getrandom"];

/// Fails if the wasm module depends on one of them.
pub fn check(context: &Context) -> Result<()> {
    let words =
        ["tree", "-p", "portolan-wasm", "--target", wasm_target::TRIPLE, "-e", "normal", "--prefix", "none"];
    let found = forbidden(&process::output(&mut context.cargo(&words))?);
    if found.is_empty() {
        return Ok(());
    }
    let first = &found[0];
    let triple = wasm_target::TRIPLE;
    bail!(
        "the wasm module depends on {}; `cargo tree -p portolan-wasm --target {triple} -i {first}` says through whom",
        found.join(", ")
    )
}

fn forbidden(tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<String> = names.filter(|name| is_forbidden(name)).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

fn is_forbidden(name: &str) -> bool {
    FORBIDDEN
        .iter()
        .any(|&bad| name == bad || name.strip_prefix(bad).is_some_and(|rest| rest.starts_with('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_crate_and_its_family_once() {
        let tree = "portolan-wasm v0.1.0\narrow-array v58.0.0\nserde v1.0.0\narrow-array v58.0.0 (*)\nrayon v1.0.0\n";
        assert_eq!(forbidden(tree), ["arrow-array", "rayon"]);
    }

    #[test]
    fn a_crate_that_only_sounds_alike_is_fine() {
        assert!(forbidden("arrowhead v1.0.0\nbalance v1.0.0\nmemmap2x v1.0.0\n").is_empty());
    }
}

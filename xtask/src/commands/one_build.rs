//! Proves that the tests' own dependencies do not change how Lance is compiled.
//!
//! A dev-dependency that turns on one more feature of a crate in Lance's tree makes `cargo xtask test` compile that
//! crate, and everything above it, a second time: many minutes that no error ever mentions.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::context::{Context, NATIVE};
use crate::process;

/// Fails if a dependency of the demo has other features in the tests.
pub fn check(context: &Context) -> Result<()> {
    let demo = tree(context, "normal,build")?;
    let test = tree(context, "normal,build,dev")?;
    let changed = changed(&demo, &test);
    if changed.is_empty() {
        return Ok(());
    }
    bail!(
        "dev-dependencies change the features of {}; give core/Cargo.toml or tests/Cargo.toml the same features as a \
         normal dependency, or Lance is compiled twice",
        changed.join(", ")
    )
}

fn tree(context: &Context, edges: &str) -> Result<String> {
    let mut command = context.cargo(&["tree", "--prefix", "none", "--format", "{p}|{f}", "-e", edges]);
    process::output(command.args(NATIVE))
}

/// Packages of `demo` that `test` does not hold with the same features.
fn changed(demo: &str, test: &str) -> Vec<String> {
    let test = packages(test);
    packages(demo).difference(&test).map(|line| line.replace('|', " with ")).collect()
}

/// The lines of a tree, without the mark of a repeated one.
fn packages(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_feature_is_noticed() {
        let demo = "serde v1.0.0|alloc,std\nlance v9.0.0|\n";
        let test = "serde v1.0.0|alloc,rc,std\nlance v9.0.0| (*)\nproptest v1.0.0|std\n";
        assert_eq!(changed(demo, test), ["serde v1.0.0 with alloc,std"]);
    }

    #[test]
    fn one_more_package_is_fine() {
        assert!(changed("serde v1.0.0|std\n", "proptest v1.0.0|std\nserde v1.0.0|std\n").is_empty());
    }
}

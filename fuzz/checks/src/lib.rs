//! What the fuzzers check, as plain functions over bytes: each returns if all is well and panics if not.
//!
//! Useful wherever bytes of unknown origin meet the pure core: the fuzzers of `fuzz/` call these functions with
//! invented input, the tests beside them with every input that ever failed (`fuzz/regressions`). Not a place for
//! tests of one feature: the checks hold for every statement, so that a growing grammar needs no change here.
//!
//! A new target is a function in [`TARGETS`], a file in `fuzz/fuzz_targets`, a `[[bin]]` in `fuzz/Cargo.toml`, and
//! folders of its name under `fuzz/regressions` and `fuzz/corpus-seeds`. `cargo xtask fuzz` finds it by its file.

mod errors;
mod filter;
mod memory;
mod parse;
mod plan;
mod routing;
mod snapshot;

pub use filter::filter;
pub use parse::parse;
pub use plan::plan;
pub use routing::routing;
pub use snapshot::snapshot;

/// Panics if something is wrong with how the core treats these bytes.
pub type Check = fn(&[u8]);

/// Every check by the name of its target.
pub const TARGETS: [(&str, Check); 5] =
    [("parse", parse), ("plan", plan), ("filter", filter), ("routing", routing), ("snapshot", snapshot)];

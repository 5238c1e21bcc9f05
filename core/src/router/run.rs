//! What every stage of a running statement is lent.

use super::{Catalog, Host, Path, Sources, shape::Shape};
use crate::{
    error::{CatalogError, Error, Result},
    filter::Condition,
    plan::Plan,
};

/// One step of one statement.
pub(super) struct Run<'r> {
    pub(super) catalog: &'r Catalog,
    pub(super) plan: &'r Plan,
    /// The WHERE in its normal form: sorting lists and compiling patterns is done once, not for each collection.
    pub(super) condition: Option<Condition<'r>>,
    pub(super) shape: &'r Shape,
    /// The names of the collections that FROM names, in that order.
    pub(super) names: &'r [String],
    pub(super) sources: &'r dyn Sources,
    pub(super) host: &'r Host<'r>,
    /// How rows are searched for where there is a choice.
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "a browser has no graphs"))]
    pub(super) path: Path,
    pub(super) clock: Option<fn() -> u64>,
}

impl Run<'_> {
    /// The time in microseconds; 0 without a clock.
    pub(super) fn now(&self) -> u64 {
        self.clock.map_or(0, |clock| clock())
    }

    /// # Errors
    /// [`CatalogError::Stopped`] when the caller wants the statement to end.
    pub(super) fn check_stop(&self) -> Result<()> {
        if (self.host.stop)() { Err(CatalogError::Stopped.into()) } else { Ok(()) }
    }

    /// The name of a collection by its place in FROM.
    pub(super) fn name(&self, member: usize) -> &str {
        self.names.get(member).map_or("", String::as_str)
    }
}

/// Why a step cannot go on, and the collections (by their places in FROM) that the others could do without. None: the
/// statement itself cannot go on.
#[derive(Debug)]
pub(super) struct Halt {
    pub(super) members: Vec<usize>,
    pub(super) error: Box<Error>,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self { members: Vec::new(), error: error.into() }
    }
}

impl Halt {
    /// The error of one collection.
    pub(super) fn of(member: usize, error: Error) -> Self {
        Self { members: vec![member], error: error.into() }
    }
}

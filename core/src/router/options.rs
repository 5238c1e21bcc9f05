//! What a caller may choose about a statement beside its text: strictness, a router, a clock, threads, a way to stop it.

use std::sync::Arc;

use super::HostText;
use crate::routing::Router;

/// How the nearest rows are searched for where a file has a graph beside its clusters. What one of the two cannot answer the
/// other does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Path {
    /// By what is predicted to cost least.
    #[default]
    Planned,
    /// By clusters: so that answers do not depend on which bytes are at hand.
    Clusters,
    /// By the graph, as far as it goes: to measure it.
    Graph,
}

/// How a statement is run. The clock changes no answer.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether one collection that cannot be searched fails the statement; else it is reported and the rows of the
    /// others are the answer. Default: yes.
    pub strict: bool,
    /// Which collections are asked, beside what statistics rule out. Default: all.
    pub router: Option<Arc<dyn Router>>,
    /// Vectors that the host made of texts whose embedder the release does not carry; [`Preview`](super::Preview) says
    /// which they are. Default: none, so that such a text is an error.
    pub texts: Vec<(HostText, Vec<f32>)>,
    /// How rows are searched for where there is a choice. Default: as is predicted to cost least.
    pub path: Path,
    /// A clock for reports and EXPLAIN ANALYZE, in microseconds from any start. Default: none, as the engine has no
    /// clock of its own.
    pub clock: Option<fn() -> u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: true, router: None, texts: Vec::new(), path: Path::default(), clock: None }
    }
}

/// Runs independent jobs, one after another or at once. Which of the two changes no answer.
pub trait Spread: Sync {
    /// Calls `run` once with each of `0..jobs`, and returns when all calls have.
    fn each(&self, jobs: usize, run: &(dyn Fn(usize) + Sync));
}

/// All jobs on the caller's thread.
#[derive(Debug, Clone, Copy)]
pub struct OneByOne;

impl Spread for OneByOne {
    fn each(&self, jobs: usize, run: &(dyn Fn(usize) + Sync)) {
        (0..jobs).for_each(run);
    }
}

/// What the host lends a step.
pub struct Host<'h> {
    /// Runs the jobs of several collections.
    pub spread: &'h dyn Spread,
    /// Asked between blocks of rows; the statement ends with [`CatalogError::Stopped`](crate::error::CatalogError)
    /// soon after it says yes.
    pub stop: &'h (dyn Fn() -> bool + Sync),
}

impl Host<'_> {
    /// One thread, never stopped.
    pub const ALONE: Host<'static> = Host { spread: &OneByOne, stop: &|| false };
}

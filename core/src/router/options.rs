//! What a caller may choose about a statement beside its text: strictness, a router, a clock, threads, a way to stop it.

use std::sync::Arc;

use super::HostText;
use crate::routing::Router;

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
    /// A clock for reports and EXPLAIN ANALYZE, in microseconds from any start. Default: none, as the engine has no
    /// clock of its own.
    pub clock: Option<fn() -> u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: true, router: None, texts: Vec::new(), clock: None }
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

//! Work in parts that the host may do at once. The parts are cut by the data alone, so that results do not depend on
//! how many threads there are.

use std::sync::{Mutex, PoisonError};

/// What builds clusters on the host's threads: the pure core starts none.
pub trait Parallel: Sync {
    /// Calls `work` once with each of `0..jobs`, in any order and on any threads, and returns when all calls have.
    fn run(&self, jobs: usize, work: &(dyn Fn(usize) + Sync));

    /// Is told what begins now, to show progress or to measure.
    fn stage(&self, stage: Stage) {
        let _ = stage;
    }
}

/// What building clusters spends its time on, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading, checking and rotating all vectors.
    Rotate,
    /// Finding centroids.
    Train,
    /// Giving each row the nearest centroid.
    Assign,
    /// Giving each row a second cluster.
    Soft,
    /// Writing codes.
    Encode,
    /// Finding how many clusters searches need.
    Measure,
    /// Finding the neighbours of each row for a graph.
    Link,
}

/// All jobs in turn on the caller's thread.
#[derive(Debug, Clone, Copy)]
pub struct OneThread;

impl Parallel for OneThread {
    fn run(&self, jobs: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..jobs).for_each(work);
    }
}

/// The results of `0..jobs`, in this order.
pub(crate) fn map<T: Send>(
    parallel: &dyn Parallel,
    jobs: usize,
    work: &(dyn Fn(usize) -> T + Sync),
) -> Vec<T> {
    let results: Vec<Mutex<Option<T>>> = (0..jobs).map(|_| Mutex::new(None)).collect();
    parallel.run(jobs, &|job| {
        if let Some(result) = results.get(job) {
            let done = work(job);
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        }
    });
    results
        .into_iter()
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// Part `job` of `0..count`, cut into parts of `size`.
pub(crate) fn part(job: usize, size: usize, count: usize) -> std::ops::Range<usize> {
    let start = (job * size).min(count);
    start..(start + size).min(count)
}

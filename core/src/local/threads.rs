//! Jobs on threads of their own.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{cluster::Parallel, router::Spread};

/// Up to so many threads, the caller's included, each of which takes the next job when it has done one. They end with
/// the call: starting one takes tens of microseconds, which the engine weighs against what there is to do.
#[derive(Debug)]
pub(crate) struct Threads(pub usize);

impl Spread for Threads {
    fn each(&self, jobs: usize, run: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let job = next.fetch_add(1, Ordering::Relaxed);
                if job >= jobs {
                    return;
                }
                run(job);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0.min(jobs) {
                // Without another thread the jobs are done all the same.
                if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
    }
}

impl Parallel for Threads {
    fn run(&self, jobs: usize, work: &(dyn Fn(usize) + Sync)) {
        self.each(jobs, work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            for jobs in [0, 1, 2, 7, 100] {
                let done: Vec<AtomicUsize> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
                Threads(threads).each(jobs, &|job| {
                    done[job].fetch_add(1, Ordering::Relaxed);
                });
                assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }
}

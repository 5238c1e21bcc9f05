//! Time: every question once a pass, several passes, the best one counts.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    engine::{Answer, Engine, Setting},
    questions::Questions,
};
use crate::outcome::Failure;

/// A setting is not measured again once it has taken so long.
const ENOUGH: Duration = Duration::from_secs(10);

/// How is asked.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Questions at once.
    pub threads: usize,
    /// The most passes.
    pub repeat: usize,
}

/// The best pass.
pub struct Measured {
    /// What was found.
    pub answers: Vec<Answer>,
    /// Questions a second.
    pub rate: f64,
    /// The middle and nearly the longest time of a question.
    pub p50: Duration,
    pub p99: Duration,
}

/// Questions asked before the clock starts: caches fill, and pages are mapped.
const WARM_UP: usize = 100;

/// Asks all questions, a few times.
pub fn measure(
    engine: &dyn Engine,
    setting: Setting,
    questions: &Questions,
    pace: Pace,
) -> Result<Measured, Failure> {
    (0..questions.len().min(WARM_UP))
        .try_for_each(|number| engine.ask(questions, number, setting).map(drop))?;
    let start = Instant::now();
    let mut best = pass(engine, setting, questions, pace.threads)?;
    for _ in 1..pace.repeat {
        if start.elapsed() >= ENOUGH {
            break;
        }
        let next = pass(engine, setting, questions, pace.threads)?;
        if next.rate > best.rate {
            best = next;
        }
    }
    Ok(best)
}

fn pass(
    engine: &dyn Engine,
    setting: Setting,
    questions: &Questions,
    threads: usize,
) -> Result<Measured, Failure> {
    let start = Instant::now();
    let timed = spread(threads, questions.len(), &|number| {
        let start = Instant::now();
        engine.ask(questions, number, setting).map(|answer| (start.elapsed(), answer))
    })?;
    let elapsed = start.elapsed();
    let (mut times, answers): (Vec<Duration>, Vec<Answer>) = timed.into_iter().unzip();
    times.sort_unstable();
    let at = |percent: usize| {
        times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
    };
    Ok(Measured { p50: at(50), p99: at(99), rate: times.len() as f64 / elapsed.as_secs_f64(), answers })
}

/// Runs independent jobs on some threads; gives what they gave, in order, or the first failure.
pub fn spread<T: Send>(
    threads: usize,
    jobs: usize,
    run: &(dyn Fn(usize) -> Result<T, Failure> + Sync),
) -> Result<Vec<T>, Failure> {
    if threads <= 1 {
        return (0..jobs).map(run).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs));
    let work = || {
        let mut own = Vec::new();
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            own.push((job, run(job)));
        }
        // A thread that panicked takes the whole run down when the scope ends.
        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut own);
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(job, _)| *job);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_keep_their_order_on_any_number_of_threads() {
        for threads in [1, 3] {
            let squares = spread(threads, 100, &|job| Ok(job * job)).unwrap();
            assert!(squares.into_iter().eq((0..100).map(|job| job * job)));
            let failed =
                spread(threads, 9, &|job| if job == 5 { Err(Failure::wrong_use("no")) } else { Ok(job) });
            assert!(failed.is_err());
        }
    }
}

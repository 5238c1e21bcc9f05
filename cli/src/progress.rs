//! Progress bars: on a terminal; none in a pipe. With `--json`, events on standard error, one JSON object a line.

use std::{
    collections::BTreeMap,
    fmt::Write,
    io::{IsTerminal, Write as _},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use portolan::native::pipeline::{Phase, Progress};
use serde_json::json;

/// Between two events of one step.
const EVENT_PAUSE: Duration = Duration::from_millis(200);

/// A bar that counts `what`; hidden where nobody would see it.
pub fn bar(total: u64, what: &str, json: bool) -> ProgressBar {
    let visible = !json && std::io::stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let template = "{msg:<28} {bar:24} {human_pos}/{human_len} {prefix}  {rate}  {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
        // Writing to a line in memory cannot fail.
        let _ = write!(out, "{:.0}/s", state.per_sec());
    });
    let bar =
        ProgressBar::with_draw_target(Some(total), target).with_style(style).with_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The bar of a pipeline's step: made at the first sign of life, since only that says what is counted.
pub struct Pipeline {
    json: bool,
    bar: OnceLock<ProgressBar>,
    steps: Mutex<BTreeMap<String, Step>>,
}

/// What was told of one step; several go on at once.
struct Step {
    since: Instant,
    told: Option<Instant>,
    from: u64,
    done: u64,
    total: Option<u64>,
}

impl Pipeline {
    /// No bar yet.
    pub fn new(json: bool) -> Self {
        Self { json, bar: OnceLock::new(), steps: Mutex::default() }
    }

    /// Shows how far the step is.
    pub fn show(&self, progress: Progress<'_>) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let phase = format!("{:?}", progress.phase).to_lowercase();
        let now = Instant::now();
        let step = steps.entry(format!("{phase} {}", progress.subject)).or_insert(Step {
            since: now,
            told: None,
            from: progress.done,
            done: 0,
            total: None,
        });
        (step.done, step.total) = (progress.done, progress.total);
        if self.json {
            return step.tell(&phase, progress.subject, now);
        }
        if progress.phase == Phase::Embed {
            let all = steps.iter().filter(|(name, _)| name.starts_with(&phase)).map(|(_, step)| step);
            let (done, total) =
                all.fold((0, 0), |sum, step| (sum.0 + step.done, sum.1 + step.total.unwrap_or(0)));
            return self.draw("embedding".into(), "records", done, Some(total));
        }
        let (verb, unit) = match progress.phase {
            Phase::Survey => ("looking through", "bytes"),
            Phase::Read => ("reading", "bytes"),
            Phase::Replay => ("reading again", "rows"),
            Phase::Write => ("writing", "records"),
            _ => ("working on", "steps"),
        };
        let name = progress.subject.rsplit('/').next().unwrap_or(progress.subject);
        self.draw(format!("{verb} {name}"), unit, progress.done, progress.total);
    }

    fn draw(&self, message: String, unit: &str, done: u64, total: Option<u64>) {
        let bar = self.bar.get_or_init(|| bar(total.unwrap_or(0), unit, self.json));
        if bar.message() != message {
            bar.reset();
            bar.set_prefix(unit.to_owned());
            bar.set_message(message);
        }
        if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
            bar.set_length(total);
        }
        bar.set_position(done);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.get().into_iter().for_each(ProgressBar::finish_and_clear);
    }
}

impl Step {
    /// One JSON object on a line of standard error: not too often, but always the first and the last of a step.
    fn tell(&mut self, phase: &str, subject: &str, now: Instant) {
        let due = self.told.is_none_or(|told| now - told >= EVENT_PAUSE);
        if !due && self.total != Some(self.done) {
            return;
        }
        self.told = Some(now);
        let seconds = (now - self.since).as_secs_f64();
        let rate = (seconds > 0.0).then(|| self.done.saturating_sub(self.from) as f64 / seconds);
        let left = self.total.zip(rate.filter(|rate| *rate > 0.0));
        let left = left.map(|(total, rate)| total.saturating_sub(self.done) as f64 / rate);
        let event = json!({
            "event": "progress", "phase": phase, "subject": subject, "done": self.done, "total": self.total,
            "rate": rate, "seconds_left": left,
        });
        // Standard error may be closed; then nobody wants to know.
        let _ = writeln!(std::io::stderr(), "{event}");
    }
}

//! Progress bars: on a terminal; none in a pipe or with `--json`.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use portolan::native::pipeline::{Phase, Progress};

/// A bar that counts `what`; hidden where nobody would see it.
pub fn bar(total: u64, what: &str, json: bool) -> ProgressBar {
    let visible = !json && std::io::stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let template = "{msg:<32} {wide_bar} {human_pos}/{human_len} {prefix}  {per_sec}  {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar =
        ProgressBar::with_draw_target(Some(total), target).with_style(style).with_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The bar of a pipeline's step.
pub struct Pipeline {
    bar: ProgressBar,
}

impl Pipeline {
    /// A bar that learns what it counts from the first sign of life.
    pub fn new(json: bool) -> Self {
        Self { bar: bar(0, "", json) }
    }

    /// Shows how far the step is.
    pub fn show(&self, step: Progress<'_>) {
        let (verb, unit) = match step.phase {
            Phase::Read => ("reading", "bytes"),
            Phase::Write => ("writing", "records"),
            Phase::Embed => ("embedding", "records"),
            _ => ("compacting", "files"),
        };
        let subject = step.subject.rsplit('/').next().unwrap_or(step.subject);
        self.bar.set_message(format!("{verb} {subject}"));
        self.bar.set_prefix(unit);
        if let Some(total) = step.total {
            self.bar.set_length(total);
        }
        self.bar.set_position(step.done);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

//! Progress bars: on a terminal; none in a pipe or with `--json`.

use std::{fmt::Write, io::IsTerminal, sync::OnceLock, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use portolan::native::pipeline::{Phase, Progress};

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
}

impl Pipeline {
    /// No bar yet.
    pub fn new(json: bool) -> Self {
        Self { json, bar: OnceLock::new() }
    }

    /// Shows how far the step is.
    pub fn show(&self, step: Progress<'_>) {
        let (verb, unit) = match step.phase {
            Phase::Survey => ("looking through", "bytes"),
            Phase::Read => ("reading", "bytes"),
            Phase::Replay => ("reading again", "rows"),
            Phase::Write => ("writing", "records"),
            Phase::Embed => ("embedding", "records"),
            _ => ("working on", "steps"),
        };
        let bar = self.bar.get_or_init(|| bar(step.total.unwrap_or(0), unit, self.json));
        let message = format!("{verb} {}", step.subject.rsplit('/').next().unwrap_or(step.subject));
        if bar.message() != message {
            bar.reset();
            bar.set_prefix(unit);
            bar.set_message(message);
        }
        if let Some(total) = step.total.filter(|total| bar.length() != Some(*total)) {
            bar.set_length(total);
        }
        bar.set_position(step.done);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.get().into_iter().for_each(ProgressBar::finish_and_clear);
    }
}

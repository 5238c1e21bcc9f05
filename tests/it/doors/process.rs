//! Programs that end by themselves or are ended: no test waits for ever.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use super::setting::Failure;

/// How long any program of a test may take.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A program that is ended when this is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the program printed. Its status and its errors are part of the failure.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let mut running =
        Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    let (printed, complained) = (collect(running.0.stdout.take()), collect(running.0.stderr.take()));
    let ended = printed.recv_timeout(PATIENCE);
    if ended.is_err() {
        return Err(format!("{command:?} still runs after {} s", PATIENCE.as_secs()).into());
    }
    let status = running.0.wait()?;
    if !status.success() {
        let complaint = complained.recv_timeout(PATIENCE).unwrap_or_default();
        return Err(format!("{command:?}: {status}\n{}{complaint}", ended.unwrap_or_default()).into());
    }
    Ok(ended?)
}

/// Reads to the end on a thread of its own, so that neither pipe fills up.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is what there is to show.
            let _ = pipe.read_to_end(&mut bytes);
        }
        sender.send(String::from_utf8_lossy(&bytes).into_owned())
    });
    receiver
}

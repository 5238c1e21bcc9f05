//! Runs other programs: shows the command, waits, and says which command failed.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{MAIN_SEPARATOR, Path};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

/// What one finished process took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// From start to end.
    pub elapsed: Duration,
    /// The most memory it held at once.
    pub peak_bytes: u64,
}

/// Runs a command with this terminal's output; fails if it does.
pub fn run(command: &mut Command) -> Result<()> {
    run_measured(command).map(drop)
}

/// Like [`run`], and says what the process took.
pub fn run_measured(command: &mut Command) -> Result<Usage> {
    println!("$ {}", shown(command));
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).spawn().with_context(|| cannot_start(command))?;
    let used = child.wait4().with_context(|| format!("waiting for `{}`", shown(command)))?;
    succeeded(command, used.status)?;
    Ok(Usage { elapsed: start.elapsed(), peak_bytes: used.rusage.maxrss })
}

/// Like [`run`], and hands each line of standard output to `each` after printing it.
pub fn run_reading(command: &mut Command, mut each: impl FnMut(&str)) -> Result<()> {
    println!("$ {}", shown(command));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
        let line = line.with_context(|| format!("reading the output of `{}`", shown(command)))?;
        println!("{line}");
        each(&line);
    }
    succeeded(command, child.wait()?)
}

/// Runs a command, hands each line of its error output to `each` instead of printing it, and says how it ended: for
/// programs whose failure is a finding.
pub fn run_reading_errors(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    println!("$ {}", shown(command));
    let mut child =
        command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    let lines = child.stderr.take().map(BufReader::new).into_iter().flat_map(|pipe| pipe.split(b'\n'));
    for line in lines {
        let line = line.with_context(|| format!("reading the output of `{}`", shown(command)))?;
        each(&String::from_utf8_lossy(&line));
    }
    Ok(child.wait()?)
}

/// The standard output of a command that succeeds quietly.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", shown(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Like [`output`], but ends the process after `limit`: for programs that may hang when their set-up is wrong.
pub fn output_within(command: &mut Command, limit: Duration) -> Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| cannot_start(command))?;
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || read_all(stdout));
    let deadline = Instant::now() + limit;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{}` gave no answer within {} s", shown(command), limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    succeeded(command, child.wait()?)?;
    Ok(reader.join().unwrap_or_default())
}

fn read_all(stdout: Option<std::process::ChildStdout>) -> String {
    let mut bytes = Vec::new();
    // Whatever arrived before a read error is all that there is to judge by.
    let _ = stdout.map(|mut pipe| pipe.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// True if the command can be started and succeeds.
pub fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok()
}

/// The command as one would type it in the folder where it runs.
pub fn shown(command: &Command) -> String {
    let folder = command.get_current_dir().map(|dir| format!("{}{MAIN_SEPARATOR}", dir.display()));
    let relative = |word: &str| match &folder {
        Some(folder) => word.strip_prefix(folder.as_str()).unwrap_or(word).to_owned(),
        None => word.to_owned(),
    };
    let program = match Path::new(command.get_program()) {
        path if path.file_stem() == Some(OsStr::new("cargo")) => OsStr::new("cargo"),
        path => path.as_os_str(),
    };
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| quoted(&relative(&word.to_string_lossy()))).collect::<Vec<_>>().join(" ")
}

/// One word for a POSIX shell. Text with single quotes, as SQL has, stays readable between double ones.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.contains('\'') && !word.contains(['$', '`', '\\', '!']) {
        return format!("\"{}\"", word.replace('"', "\\\""));
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}; its output above says why", shown(command));
    }
    Ok(())
}

fn cannot_start(command: &Command) -> String {
    format!("`{}` cannot be started; is it installed and on PATH?", command.get_program().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("portolan");
        command.args(["query", "--sql", "SELECT id FROM * WHERE a = 'x'", ""]);
        assert_eq!(shown(&command), r#"portolan query --sql "SELECT id FROM * WHERE a = 'x'" ''"#);
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for word in ["", "plain", "two words", "it's", r#"FROM "a" WHERE b = 'c'"#, r"$HOME '`\!"] {
            let script = format!("printf %s {}", quoted(word));
            assert_eq!(output(Command::new("sh").args(["-c", &script])).unwrap(), word);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shown_path_is_relative_to_the_folder_of_the_command() {
        let mut command = Command::new("/clone/target/debug/portolan");
        command.arg("/clone/store").arg("/elsewhere/store").current_dir("/clone");
        assert_eq!(shown(&command), "target/debug/portolan store /elsewhere/store");
        assert_eq!(shown(Command::new("/toolchain/bin/cargo").arg("build")), "cargo build");
    }

    #[cfg(unix)]
    #[test]
    fn a_failing_command_is_named() {
        let error = run(&mut Command::new("false")).unwrap_err().to_string();
        assert!(error.contains("`false` ended with exit status: 1"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_that_is_a_finding_keeps_its_words() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", r"printf 'one\n\377two\n' >&2; exit 3"]);
        let status = run_reading_errors(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(
            (status.code(), lines.as_slice()),
            (Some(3), ["one", "\u{fffd}two"].map(String::from).as_slice())
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err().to_string();
        assert!(error.contains("no-such-program-here") && error.contains("PATH"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_hanging_program_is_ended() {
        let start = Instant::now();
        let error = output_within(Command::new("sleep").arg("60"), Duration::from_millis(100)).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(10), "{error}");
        assert!(error.to_string().contains("no answer"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_memory_is_that_of_the_process() {
        let mebibyte = 1 << 20;
        let small = run_measured(&mut Command::new("true")).unwrap();
        let large = run_measured(Command::new("dd").args([
            "if=/dev/zero",
            "of=/dev/null",
            "bs=128M",
            "count=1",
            "status=none",
        ]))
        .unwrap();
        assert!(small.peak_bytes < 64 * mebibyte, "{small:?}");
        assert!((128 * mebibyte..192 * mebibyte).contains(&large.peak_bytes), "{large:?}");
    }
}

//! Running the `portolan` command as a user does, and the small data that tests give it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value as Json;
use tempfile::TempDir;

/// The command: where xtask says it is, else beside this test program.
pub fn portolan() -> Command {
    let beside = || {
        let test = std::env::current_exe().expect("the test program's path");
        test.ancestors().nth(2).expect("target/debug").join("portolan")
    };
    let path = std::env::var_os("PORTOLAN_CLI").map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "{} is not built: run `cargo xtask test`", path.display());
    Command::new(path)
}

/// The sample data.
pub fn sample() -> PathBuf {
    let fallback = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wordnet");
    std::env::var_os("PORTOLAN_SAMPLE").map_or_else(fallback, PathBuf::from)
}

/// The first `count` records of the sample, as JSON lines.
pub fn sample_lines(count: usize) -> Vec<String> {
    use std::io::{BufRead, BufReader};
    let file = fs::File::open(sample().join("docs.jsonl.gz")).expect("the sample");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    lines.take(count).map(|line| line.expect("a line")).collect()
}

/// A folder with a registry of the sample's model, and room for a store and a release.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let registry = fs::read_to_string(sample().join("portolan.toml")).expect("the sample's registry");
        let embedder = sample().join("static-256").canonicalize().expect("the sample's embedder");
        let registry = registry.replace("\"static-256\"", &format!("{:?}", embedder));
        fs::write(folder.path().join("portolan.toml"), registry).expect("a registry");
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of JSON lines.
    pub fn lines(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, lines.join("\n")).expect("a file of lines");
        path
    }

    /// A command that works on this place's store.
    pub fn on_store(&self, verb: &str) -> Command {
        let mut command = portolan();
        command.arg(verb).arg("--store").arg(self.path("store"));
        if matches!(verb, "ingest" | "embed") {
            command.arg("--models").arg(self.path("portolan.toml"));
        }
        command
    }

    /// Ingests, embeds and exports lines.
    pub fn release(&self, lines: &[String]) -> PathBuf {
        let file = self.lines("docs.jsonl", lines);
        succeed(self.on_store("ingest").arg(file));
        succeed(&mut self.on_store("embed"));
        let release = self.path("release");
        succeed(self.on_store("export").arg("--out").arg(&release));
        release
    }
}

/// Runs a command that must succeed and print JSON when asked to.
pub fn succeed(command: &mut Command) -> Output {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", all_text(&output));
    output
}

pub fn run(command: &mut Command) -> Output {
    command.output().expect("the command starts")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub fn all_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", all_text(output)))
}

/// Asks a release or a store.
pub fn ask(option: &str, folder: &Path, sql: &str) -> Json {
    json(&succeed(portolan().arg("query").arg(option).arg(folder).args(["--json", "--sql", sql])))
}

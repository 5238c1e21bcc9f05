//! The door of node: the package from a folder and from a server, and the package's own tests.

use std::{ffi::OsStr, fs, path::Path, process::Command};

use serde_json::Value as Json;
use tempfile::TempDir;

use super::{
    Answers, process, release,
    server::{Server, Site},
    setting::{Failure, Setting},
    tools::{self, Absent},
};

/// The statement that the damaged release is asked: it reads a column, a dictionary, vectors and payload.
const DAMAGE_STATEMENT: &str = "SELECT id, document, metadata, distance FROM tiny WHERE metadata.pos = 'noun' \
    USING EMBEDDING (VECTOR [1, 0, 2, 0.5, 1, 0, 1, 2]) TOPK 40";

/// What node answers from the folder.
pub fn answers(setting: &Setting) -> Answers {
    let release = setting.release();
    ask(setting, &release.display().to_string())
}

/// What node answers from a server that always sends whole files.
pub fn answers_over_http(setting: &Setting) -> Answers {
    let folders = [("/whole/", setting.release())].into();
    let server = Server::start(Site { folders, whole: vec!["/whole/"], ..Site::default() })?;
    ask(setting, &format!("{}/whole/", server.origin))
}

fn ask(setting: &Setting, release: &str) -> Answers {
    run_script("query.mjs", release, &setting.statements_file())
}

/// What a script of `tests/doors` prints about a release and a file of questions.
pub fn run_script(name: &str, release: impl AsRef<OsStr>, questions: &Path) -> Answers {
    let mut node = match script(name) {
        Ok(node) => node,
        Err(absent) => return Ok(Err(absent)),
    };
    let printed = process::output(node.arg(release).arg(questions))?;
    parse_lines(&printed).map(Ok)
}

/// What the module makes of a release whose files are altered and cut in every way: the line of `damage.mjs`.
pub fn damage() -> Result<Result<Json, Absent>, Failure> {
    let mut node = match script("damage.mjs") {
        Ok(node) => node,
        Err(absent) => return Ok(Err(absent)),
    };
    let folder = TempDir::new()?;
    release::write_tiny(folder.path())?;
    let printed = process::output(node.arg(folder.path()).arg(DAMAGE_STATEMENT))?;
    Ok(Ok(serde_json::from_str(&printed)?))
}

/// The tests of the package itself: what the server's misbehaviour, abortion and wrong arguments come to.
pub fn package_tests() -> Result<Result<String, Absent>, Failure> {
    let mut node = match node() {
        Ok(node) => node,
        Err(absent) => return Ok(Err(absent)),
    };
    let tests = tools::root().join("bindings/js/test");
    let mut files: Vec<_> = fs::read_dir(tests)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let (folder, pair) = (TempDir::new()?, TempDir::new()?);
    release::write_tiny(folder.path())?;
    release::write_pair(pair.path())?;
    node.env("PORTOLAN_TEST_RELEASE", folder.path()).env("PORTOLAN_TEST_PAIR", pair.path());
    process::output(node.arg("--test").args(files)).map(Ok)
}

fn script(name: &str) -> Result<Command, Absent> {
    let mut node = node()?;
    node.arg(tools::root().join("tests/doors").join(name));
    Ok(node)
}

fn node() -> Result<Command, Absent> {
    tools::find_file("PORTOLAN_WASM_PKG", "portolan_bg.wasm")?;
    Ok(Command::new(tools::find("PORTOLAN_NODE")?))
}

/// One value per line.
pub fn parse_lines(printed: &str) -> Result<Vec<Json>, Failure> {
    let parse = |line: &str| serde_json::from_str(line).map_err(|error| format!("{error}: {line}").into());
    printed.lines().map(parse).collect()
}

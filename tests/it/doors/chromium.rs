//! The door of the browser: a page in headless chromium that opens the release by URL, under a policy that allows no
//! more than it needs.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value as Json;
use tempfile::TempDir;

use super::{
    Answers, node,
    process::{PATIENCE, Running},
    server::{Server, Site},
    setting::{Failure, Setting},
    tools::{self, Absent},
};

/// What a page with the engine needs.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
/// One word too little.
const STRICT_POLICY: &str = "default-src 'self'";
/// No window, no profile, nobody else's servers. The sandbox refuses to work for root, as which CI often runs.
const QUIET: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// What the page answers, every statement asked of a newly opened release.
pub fn answers(setting: &Setting) -> Answers {
    post(setting.release(), std::fs::read_to_string(setting.statements_file())?)
}

/// What the page posts about a release: answers to statements or, where lines are JSON, to cases.
pub fn post(release: PathBuf, questions: String) -> Answers {
    let mut site = site(POLICY);
    site.folders.insert("/release/", release);
    site.statements = questions;
    match visit(site)? {
        Ok(posted) => node::parse_lines(&posted).map(Ok),
        Err(absent) => Ok(Err(absent)),
    }
}

/// What a page says whose policy forbids WebAssembly.
pub fn refused() -> Result<Result<Json, Absent>, Failure> {
    let folder = TempDir::new()?;
    super::release::write_tiny(folder.path())?;
    let mut site = site(STRICT_POLICY);
    site.folders.insert("/release/", folder.path().into());
    site.statements = "SELECT id FROM tiny LIMIT 1".into();
    match visit(site)? {
        Ok(posted) => Ok(Ok(serde_json::from_str(&posted)?)),
        Err(absent) => Ok(Err(absent)),
    }
}

fn site(policy: &'static str) -> Site {
    let root = tools::root();
    let mut folders = std::collections::BTreeMap::from([
        ("/doors/", root.join("tests/doors")),
        ("/js/", root.join("bindings/js")),
    ]);
    if let Ok(package) = tools::find("PORTOLAN_WASM_PKG") {
        folders.insert("/js/pkg/", package);
    }
    Site { folders, policy, ..Site::default() }
}

/// Opens the page and waits for what it posts.
fn visit(site: Site) -> Result<Result<String, Absent>, Failure> {
    let found = tools::find_file("PORTOLAN_WASM_PKG", "portolan_bg.wasm")
        .and_then(|_| tools::find("PORTOLAN_CHROMIUM"));
    let chromium = match found {
        Ok(chromium) => chromium,
        Err(absent) => return Ok(Err(absent)),
    };
    let server = Server::start(site)?;
    let profile = TempDir::new()?;
    let mut command = Command::new(chromium);
    command.args(QUIET).arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg("--remote-debugging-port=0").arg(format!("{}/doors/page.html", server.origin));
    let browser = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let posted = server.posted.recv_timeout(PATIENCE);
    drop(browser);
    Ok(Ok(posted.map_err(|_| format!("the page posted nothing in {} s", PATIENCE.as_secs()))?))
}

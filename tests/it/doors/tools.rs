//! The programs and folders that the doors need, as `cargo xtask test` names them in variables.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
};

/// A tool that is not here.
#[derive(Debug)]
pub struct Absent {
    why: String,
}

impl Absent {
    /// Says on the test's output that a door was not asked. In CI everything must be there.
    ///
    /// # Panics
    /// With `CI=true` or `CI=1`.
    #[track_caller]
    pub fn skip(&self, door: &str) {
        let strict = matches!(env::var("CI").as_deref(), Ok("true" | "1"));
        assert!(!strict, "{door} cannot be tested: {}", self.why);
        // Not `println!`: what a passing test prints is not shown.
        let _ = writeln!(io::stderr(), "SKIP {door}: {}", self.why);
    }
}

/// What the variable names, if it is set and exists.
pub fn find(variable: &str) -> Result<PathBuf, Absent> {
    let absent = |why: String| Absent { why };
    let path = env::var_os(variable).map(PathBuf::from);
    let path = path.ok_or_else(|| absent(format!("{variable} is not set; `cargo xtask test` sets it")))?;
    if path.exists() {
        Ok(path)
    } else {
        Err(absent(format!("{variable}: {} does not exist", path.display())))
    }
}

/// A file inside the folder that the variable names.
pub fn find_file(variable: &str, name: &str) -> Result<PathBuf, Absent> {
    let path = find(variable)?.join(name);
    if path.exists() { Ok(path) } else { Err(Absent { why: format!("{} is not built", path.display()) }) }
}

/// The project's root.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

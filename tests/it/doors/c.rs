//! The door of C: `tests/doors/query.c`, compiled here against the generated header and the built library.

use std::process::Command;

use super::{
    Answers, process,
    setting::{Failure, Setting},
    tools::{self, Absent},
};

/// What C answers.
pub fn answers(setting: &Setting) -> Answers {
    let mut run = match build(setting)? {
        Ok(run) => run,
        Err(absent) => return Ok(Err(absent)),
    };
    let printed = process::output(run.arg(setting.release()).arg(setting.statements_file()))?;
    super::node::parse_lines(&printed).map(Ok)
}

/// Compiles the program; gives the command that runs it.
fn build(setting: &Setting) -> Result<Result<Command, Absent>, Failure> {
    let found = || -> Result<_, Absent> {
        let compiler = tools::find("PORTOLAN_CC")?;
        let headers = tools::find("PORTOLAN_INCLUDE_DIR")?;
        tools::find_file(
            "PORTOLAN_LIB_DIR",
            &format!("{}portolan{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX),
        )?;
        Ok((compiler, headers, tools::find("PORTOLAN_LIB_DIR")?))
    };
    let (compiler, headers, libraries) = match found() {
        Ok(found) => found,
        Err(absent) => return Ok(Err(absent)),
    };
    let program = setting.scratch().join("query");
    let mut compile = Command::new(compiler);
    compile.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1"]).arg(format!("-I{}", headers.display()));
    compile.arg(tools::root().join("tests/doors/query.c")).arg(format!("-L{}", libraries.display()));
    compile.arg(format!("-Wl,-rpath,{}", libraries.display())).args(["-lportolan", "-o"]).arg(&program);
    process::output(&mut compile)?;
    Ok(Ok(Command::new(program)))
}

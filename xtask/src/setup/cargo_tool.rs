//! A command from crates.io in one exact version, compiled into the target directory where it is in nobody's way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::process;

/// A command and the package that holds it.
pub struct CargoTool {
    /// The package's name on crates.io.
    pub package: &'static str,
    /// The program's name, which it also prints before its version.
    pub program: &'static str,
}

impl CargoTool {
    /// Installs the program if it is not there in that version; says where it is.
    pub fn ensure(&self, context: &Context, version: &str) -> Result<PathBuf> {
        let tools = context.target_dir.join("tools");
        let program = tools.join("bin").join(format!("{}{}", self.program, std::env::consts::EXE_SUFFIX));
        if !self.is_version(&program, version) {
            self.install(context, &tools, version)?;
        }
        Ok(program)
    }

    fn is_version(&self, program: &Path, version: &str) -> bool {
        let printed = process::output(Command::new(program).arg("--version"));
        printed.is_ok_and(|printed| self.names_version(&printed, version))
    }

    fn names_version(&self, printed: &str, version: &str) -> bool {
        printed.split_whitespace().take(2).eq([self.program, version])
    }

    /// With the versions of its own lock file first. A mirror of crates.io that runs behind may lack one of them;
    /// then the newest compatible ones do as well, because only the command's own version has to match.
    fn install(&self, context: &Context, tools: &Path, version: &str) -> Result<()> {
        let build = tools.join("build");
        let install = |locked: &[&str]| {
            let exact = format!("={version}");
            let mut command = context.cargo(&["install", "--force", "--version", &exact, "--root"]);
            command.arg(tools).args([self.package, "--bin", self.program]).args(locked);
            // It runs for a second: compiling it fast is worth more than having it fast.
            command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_TARGET_DIR", &build);
            process::run(&mut command)
        };
        if let Err(error) = install(&["--locked"]) {
            println!("{error:#}\ntrying again without the tool's lock file");
            install(&[]).with_context(|| format!("installing {} {version} from crates.io", self.package))?;
        }
        fs::remove_dir_all(&build).with_context(|| format!("removing {}", build.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_version_will_do() {
        let tool = CargoTool { package: "wasm-bindgen-cli", program: "wasm-bindgen" };
        assert!(tool.names_version("wasm-bindgen 0.2.130\n", "0.2.130"));
        assert!(!tool.names_version("wasm-bindgen 0.2.13\n", "0.2.130"));
        assert!(!tool.names_version("wasm-bindgen 0.2.130 (4f1d2a)\n", "0.2.131"));
        assert!(!tool.is_version(Path::new("/nowhere/wasm-bindgen"), "0.2.130"));
    }
}

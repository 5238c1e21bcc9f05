//! A program that is found on PATH, or installed through the system's package manager.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::apt;
use crate::policy::Policy;
use crate::process;

/// What to look for, and what to install when it is not there.
pub struct Program {
    /// Its name for people.
    pub name: &'static str,
    /// What is not possible without it.
    pub purpose: &'static str,
    /// The variable by which the user names another one, and by which the tests get to know it.
    pub variable: &'static str,
    /// Names to look for on PATH, best first.
    pub candidates: &'static [&'static str],
    /// The argument that makes it print its version.
    pub version_argument: &'static str,
    /// Fails if the program that was found cannot do the job.
    pub check: fn(&Path) -> Result<()>,
    /// The package on Debian and its kin.
    pub debian: &'static str,
    /// The package on Fedora and its kin.
    pub fedora: &'static str,
    /// The whole command on macOS.
    pub macos: &'static str,
}

/// A program that is there and works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// The first line of what it says of its version.
    pub version: String,
}

impl Program {
    /// Finds the program; installs it if it is missing and that is allowed.
    pub fn find_or_install(&self, policy: Policy) -> Result<Found> {
        if let Some(found) = self.find()? {
            return Ok(found);
        }
        if !policy.may_install {
            bail!(
                "{} is not installed, and PORTOLAN_INSTALL=never forbids installing it; {}",
                self.name,
                self.remedy()
            );
        }
        apt::install(self.debian).with_context(|| self.missing())?;
        self.find()?.with_context(|| self.missing())
    }

    /// Finds the program where the user says it is, else on PATH. `None` if it is nowhere.
    pub fn find(&self) -> Result<Option<Found>> {
        let path = env::var_os("PATH").unwrap_or_default();
        self.locate(env::var_os(self.variable), &path)?.map(|path| self.examine(path)).transpose()
    }

    fn locate(&self, chosen: Option<OsString>, search: &OsStr) -> Result<Option<PathBuf>> {
        if let Some(chosen) = chosen.filter(|chosen| !chosen.is_empty()).map(PathBuf::from) {
            if !chosen.is_file() {
                bail!("{} names {}, which is no file; correct or unset it", self.variable, chosen.display());
            }
            return Ok(Some(chosen));
        }
        let folders: Vec<PathBuf> = env::split_paths(search).collect();
        let file = |name: &&str| folders.iter().map(|dir| dir.join(name)).find(|path| path.is_file());
        Ok(self.candidates.iter().find_map(file))
    }

    fn examine(&self, path: PathBuf) -> Result<Found> {
        (self.check)(&path).with_context(|| {
            format!("{} does not work; name a better one in {}", path.display(), self.variable)
        })?;
        let printed = process::output(Command::new(&path).arg(self.version_argument))?;
        let version = printed.lines().next().unwrap_or_default().trim().to_owned();
        Ok(Found { path, version })
    }

    fn missing(&self) -> String {
        format!("{} is not installed; {}", self.name, self.remedy())
    }

    fn remedy(&self) -> String {
        format!(
            "install it (Debian: apt-get install {}; Fedora: dnf install {}; macOS: {}) or name it in {}",
            self.debian, self.fedora, self.macos, self.variable
        )
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const SHELL: Program = Program {
        name: "a shell",
        purpose: "these tests",
        variable: "PORTOLAN_TEST_ONLY_SHELL",
        candidates: &["no-such-shell", "sh"],
        version_argument: "--version",
        check: |_| Ok(()),
        debian: "dash",
        fedora: "dash-fedora",
        macos: "brew install dash",
    };

    #[test]
    fn the_first_candidate_that_exists_is_taken() {
        let located = SHELL.locate(None, OsStr::new("/nowhere:/bin:/usr/bin")).unwrap();
        assert_eq!(located, Some(PathBuf::from("/bin/sh")));
    }

    #[test]
    fn a_program_named_by_the_user_must_exist() {
        let error = SHELL.locate(Some("/nowhere/sh".into()), OsStr::new("/bin")).unwrap_err().to_string();
        assert!(error.contains("PORTOLAN_TEST_ONLY_SHELL") && error.contains("/nowhere/sh"), "{error}");
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert!(SHELL.locate(Some(OsString::new()), OsStr::new("/bin")).unwrap().is_some());
    }

    #[test]
    fn a_missing_program_names_the_package_of_each_system() {
        let nowhere = Program { candidates: &["no-such-shell"], ..SHELL };
        let never = Policy { strict: false, may_install: false };
        let error = nowhere.find_or_install(never).unwrap_err().to_string();
        for part in
            ["apt-get install dash;", "dnf install dash-fedora", "brew install dash", nowhere.variable]
        {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }

    #[test]
    fn a_program_that_fails_its_check_is_refused() {
        let broken = Program { check: |_| anyhow::bail!("too old"), ..SHELL };
        let error = format!("{:#}", broken.find().unwrap_err());
        assert!(error.contains("does not work") && error.contains("too old"), "{error}");
    }
}

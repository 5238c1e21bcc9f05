//! Debian's package manager, where it is there and may be used: as root, or with sudo that asks for no password.

use std::process::Command;
use std::sync::Once;

use anyhow::{Result, bail};

use crate::process;

static UPDATE: Once = Once::new();

/// Installs one package.
pub fn install(package: &str) -> Result<()> {
    let Some(prefix) = prefix() else {
        bail!("apt-get is not there, or it needs a password");
    };
    // An old list is worth a try: the package may be in it.
    UPDATE.call_once(|| {
        let _ = process::run(&mut command(&prefix, &["update", "-q"]));
    });
    process::run(&mut command(&prefix, &["install", "-y", "-q", "--no-install-recommends", package]))
}

/// The words before apt-get's own, or `None` if it cannot be used without asking.
fn prefix() -> Option<Vec<&'static str>> {
    if !process::succeeds(Command::new("apt-get").arg("--version")) {
        return None;
    }
    let environment = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"];
    if process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Some(environment.to_vec());
    }
    let sudo = process::succeeds(Command::new("sudo").args(["-n", "true"]));
    sudo.then(|| [&["sudo", "-n"][..], &environment].concat())
}

fn command(prefix: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new(prefix[0]);
    command.args(&prefix[1..]).args(words);
    command
}

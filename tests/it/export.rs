//! An export that fails leaves the release that stands as it was.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::tool::{Place, all_text, ask, code, portolan, run, sample_lines, succeed};

/// The largest file that an export may write while the disk is "full", in blocks of 512 bytes or, in some shells, 1024.
const BLOCKS: &str = "256";

#[test]
fn a_full_disk_leaves_the_release_that_stands() {
    let place = Place::new();
    let release = place.path("release");
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &sample_lines(2000))));
    succeed(&mut place.on_store("embed"));
    succeed(&mut export(&place));
    let (names, count) = (names(&release), count(&release));
    succeed(place.on_store("ingest").arg(place.lines("more.jsonl", &sample_lines(3000))));
    succeed(&mut place.on_store("embed"));

    let failed = with_little_space(&export(&place));
    assert_eq!(code(&failed), 4, "{}", all_text(&failed));
    assert!(all_text(&failed).contains("cannot write"), "{}", all_text(&failed));
    assert_eq!(self::names(&release), names, "files were left over, or are gone");
    succeed(portolan().arg("verify").arg(&release));
    assert_eq!(self::count(&release), count);

    succeed(&mut export(&place));
    assert_eq!((count, self::count(&release)), (2000, 3000));
}

fn export(place: &Place) -> Command {
    let mut command = place.on_store("export");
    command.arg("--pack").arg("--out").arg(place.path("release"));
    command
}

/// Runs a command that cannot write large files: the write fails as on a full disk, with another number.
fn with_little_space(command: &Command) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", BLOCKS]);
    run(shell.arg(command.get_program()).args(command.get_args()))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    entries.map(|name| name.into_string().unwrap()).collect()
}

fn count(release: &Path) -> u64 {
    ask("--release", release, "SELECT COUNT(*) AS n FROM *")["rows"][0]["n"].as_u64().unwrap()
}

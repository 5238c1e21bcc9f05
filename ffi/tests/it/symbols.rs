//! What the header declares is what the library exports.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::programs::{library_folder, missing};

fn declared() -> BTreeSet<String> {
    let header =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/portolan.h")).unwrap();
    let function = |line: &str| {
        let front = line.split_once('(').filter(|_| !line.starts_with([' ', '/', '#']))?.0;
        let name = front.rsplit([' ', '*']).next()?;
        name.starts_with("portolan_").then(|| name.to_owned())
    };
    header.lines().filter_map(function).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_exports_the_functions_of_the_header_and_nothing_else() {
    let library = library_folder().join("libportolan.so");
    let Ok(output) = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output() else {
        return missing("symbol test", "nm");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<String> =
        listing.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect();
    assert!(exported.len() > 20, "{listing}");
    assert_eq!(declared(), exported);
}

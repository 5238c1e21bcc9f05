//! Every input that ever failed, and every seed of the fuzzers, through the checks.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop where it fails")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use portolan_fuzz_checks::{Check, TARGETS};

/// The folder `fuzz/`.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("fuzz/").to_path_buf()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// The inputs that a check does not survive, with all others tried too.
fn failures<'a>(check: Check, inputs: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<&'a str> {
    let fails = |bytes: &[u8]| catch_unwind(AssertUnwindSafe(|| check(bytes))).is_err();
    inputs.into_iter().filter(|(_, bytes)| fails(bytes)).map(|(name, _)| name).collect()
}

fn check_folder(folder: &str) {
    for (target, check) in TARGETS {
        let files = files(&fuzz().join(folder).join(target));
        assert!(!files.is_empty(), "{folder}/{target} is empty");
        let inputs: Vec<(String, Vec<u8>)> =
            files.iter().map(|file| (file.display().to_string(), fs::read(file).expect("a file"))).collect();
        let inputs = inputs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        assert_eq!(failures(check, inputs), [""; 0], "{target} fails; the panics are printed above");
    }
}

#[test]
fn past_failures_stay_repaired() {
    check_folder("regressions");
}

#[test]
fn seeds_pass() {
    check_folder("corpus-seeds");
}

#[test]
fn every_target_has_its_fuzzer_and_its_folders() {
    let names = |folder: &str| -> Vec<String> {
        let stem = |file: &PathBuf| file.file_stem().expect("a name").to_string_lossy().into_owned();
        files(&fuzz().join(folder)).iter().map(stem).collect()
    };
    let mut targets = TARGETS.map(|(name, _)| name);
    targets.sort();
    for folder in ["fuzz_targets", "regressions", "corpus-seeds"] {
        assert_eq!(names(folder), targets, "{folder}");
    }
}

#[test]
fn a_check_that_panics_is_a_failure() {
    let check: Check = |bytes| assert!(bytes != b"bad", "as it should");
    assert_eq!(failures(check, [("one", &b"good"[..]), ("two", b"bad"), ("three", b"fine")]), ["two"]);
}

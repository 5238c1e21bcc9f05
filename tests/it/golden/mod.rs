//! The files of `tests/golden/v1`: written once, read by every later version, through every door.
//!
//! Beside each file stands a JSON text of what it must hold, from which it was made. A version that cannot read them,
//! or that writes other bytes under the same format number, breaks files that people have.

mod build;
mod content;
mod damage;
mod graph;
mod source;
mod statements;

use std::{fs, path::PathBuf};

use portolan::{local::LocalRelease, snapshot::verify};

use crate::doors::{self, setting::Setting, tools};

/// The folder of the files, which is a release.
fn folder() -> PathBuf {
    tools::root().join("tests/golden/v1")
}

#[test]
fn the_same_records_give_the_bytes_of_old() {
    let built = build::release(&folder()).unwrap();
    let differs =
        |(name, bytes): &&(String, Vec<u8>)| fs::read(folder().join(name)).ok().as_ref() != Some(bytes);
    let different: Vec<_> = built.iter().filter(differs).collect();
    if different.is_empty() {
        return;
    }
    let fresh = tempfile::Builder::new().prefix("golden-v1-").tempdir().unwrap().keep();
    for (name, bytes) in &different {
        fs::write(fresh.join(name), bytes).unwrap();
    }
    let names: Vec<&str> = different.iter().map(|(name, _)| name.as_str()).collect();
    panic!(
        "{names:?} would be written differently, see {}.\nNEVER rewrite tests/golden/v1: people have such files. If the \
         format changed, undo the change, or make it the next version with a folder of its own. If only the choice of \
         bytes did (a better compressor), keep the old files as they are, to be read, and add a folder of new ones.",
        fresh.display()
    );
}

#[test]
fn every_file_holds_what_stands_beside_it() {
    let sources = source::all(&folder()).unwrap();
    assert!(sources.len() > 10, "only {} files", sources.len());
    for source in &sources {
        content::check(source, &fs::read(folder().join(&source.file)).unwrap());
    }
    let embedder = fs::read(folder().join(build::EMBEDDER)).unwrap();
    assert_eq!(verify(&embedder).unwrap().names, ["tiny"]);
    LocalRelease::open(folder()).unwrap().verify(|_, _| ()).unwrap();
}

#[test]
fn statements_are_answered_as_ever_through_every_door() {
    let statements = statements::load(&folder()).unwrap();
    let setting = Setting::over(&folder(), statements).unwrap();
    let answers = setting.native_answers().unwrap();
    statements::check(&setting.statements, &answers);
    doors::ask_all(&setting, &answers);
}

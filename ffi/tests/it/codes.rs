//! The C constants for errors are the engine's numbers: every one that this library can return, under the engine's
//! names, and no others. Of the store's errors only the unreadable file can occur here: nothing in C writes.

use std::{collections::BTreeMap, fs, path::Path};

/// Numbers by name, as in `PORTOLAN_CODE_UNKNOWN_COLLECTION`, without what comes from this crate.
fn of_the_header() -> BTreeMap<String, u32> {
    let header =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/portolan.h")).unwrap();
    let constant = |line: &str| {
        let (name, number) = line.trim().strip_prefix("PORTOLAN_CODE_")?.split_once(" = ")?;
        Some((name.to_owned(), number.trim_end_matches(',').parse().unwrap()))
    };
    header.lines().filter_map(constant).filter(|(_, number)| (1..6000).contains(number)).collect()
}

/// The same from the engine's sources: `Self::Name { .. } => 2001,` and `Name = 1001 as name,`.
fn of_the_engine() -> BTreeMap<String, u32> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/error");
    let mut codes = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let source = fs::read_to_string(file.path()).unwrap();
        let writes = |name: &str| file.file_name() == "store.rs" && name != "FILE";
        codes.extend(source.lines().filter_map(code).filter(|(name, _)| !writes(name)));
    }
    codes
}

fn code(line: &str) -> Option<(String, u32)> {
    let line = line.trim().strip_suffix(',')?;
    let (variant, number) = line.split_once(" => ").or_else(|| line.split_once(" = "))?;
    let number = number.split(' ').next()?.parse().ok().filter(|number| (1000..6000).contains(number))?;
    let name = variant.trim_start_matches("Self::").split([' ', '(', '{']).next()?;
    Some((shout(name), number))
}

/// `UnknownColumn` as `UNKNOWN_COLUMN`.
fn shout(name: &str) -> String {
    let mut out = String::new();
    for (place, c) in name.char_indices() {
        if place > 0 && c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

#[test]
fn every_error_that_can_reach_c_has_a_constant() {
    let engine = of_the_engine();
    assert!(engine.len() > 40, "the sources are not read: {engine:?}");
    assert_eq!(of_the_header(), engine, "left: the header (ffi/src/code.rs), right: core/src/error");
}

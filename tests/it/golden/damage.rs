//! Golden files with a bit that is not theirs, or cut: refused, or answered as if nothing had happened; never wrongly.

use std::{fs, sync::Arc};

use portolan::{
    Error,
    bytes::Resident,
    plan::Plan,
    release::INDEX_NAME,
    router::{Catalog, Fanout},
    snapshot::verify,
};
use serde_json::Value as Json;

use super::{folder, statements};

/// A release in memory.
struct Memory {
    index: Vec<u8>,
    names: Vec<String>,
    files: Vec<Resident<Vec<u8>>>,
}

impl Memory {
    fn read() -> Self {
        let index = fs::read(folder().join(INDEX_NAME)).unwrap();
        let catalog = Catalog::open(&index).unwrap();
        let names: Vec<String> = catalog.index().files().map(|file| file.name.clone()).collect();
        let files = names.iter().map(|name| Resident(fs::read(folder().join(name)).unwrap())).collect();
        Self { index, names, files }
    }

    /// The rows, opened anew, or why there are none.
    fn ask(&self, sql: &str) -> Result<Json, Error> {
        let catalog = Arc::new(Catalog::open(&self.index)?);
        let result = Fanout::new(catalog, Plan::parse(sql)?)?.run(&self.files)?;
        Ok(result.to_json()["rows"].clone())
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap()
    }
}

/// What reads every section of the small files.
const STATEMENTS: [(&str, &str); 4] = [
    (
        "small.portolan",
        "SELECT id, document, metadata, distance FROM small WHERE metadata.words > 0 \
         USING EMBEDDING (TEXT 'the cats and dogs swims') TOPK 9",
    ),
    (
        "tiny.portolan",
        "SELECT id, distance FROM small USING EMBEDDING (TEXT 'the cats and dogs swims') TOPK 9",
    ),
    (
        "packed.portolan",
        "SELECT id, document, metadata, distance FROM red, green, blue WHERE metadata.name <> 'x' \
         USING EMBEDDING (VECTOR [1, 0.5, -1, 2]) TOPK 9",
    ),
    (
        "codes_only.portolan",
        "SELECT id, document, metadata, distance FROM codes_only WHERE metadata.part < 5 \
         USING EMBEDDING (VECTOR [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]) TOPK 9",
    ),
];

#[test]
fn a_flipped_bit_is_refused_or_changes_nothing() {
    let mut memory = Memory::read();
    for (name, sql) in STATEMENTS {
        let truth = memory.ask(sql).unwrap();
        let number = memory.place(name);
        // Heads are read from the file of heads; those in the files themselves are for whoever opens one alone.
        for altered in [0, number] {
            let mut refused = 0;
            for at in 0..memory.files[altered].0.len() {
                let mask = 1 << (at % 8);
                memory.files[altered].0[at] ^= mask;
                match memory.ask(sql) {
                    Ok(answer) => assert_eq!(answer, truth, "{name}: byte {at} of {}", memory.names[altered]),
                    Err(_) => refused += 1,
                }
                assert!(
                    altered == 0 || verify(&memory.files[altered].0).is_err(),
                    "{name}: byte {at} passes"
                );
                memory.files[altered].0[at] ^= mask;
            }
            assert!(refused > 100, "{name}: only {refused} bytes of {} matter", memory.names[altered]);
        }
    }
}

#[test]
fn a_cut_file_is_refused() {
    let mut memory = Memory::read();
    for (name, sql) in STATEMENTS {
        let number = memory.place(name);
        let whole = memory.files[number].0.clone();
        for length in (0..whole.len()).rev() {
            memory.files[number].0.truncate(length);
            assert!(memory.ask(sql).is_err(), "{name}: {length} bytes are enough for a statement");
            assert!(verify(&memory.files[number].0).is_err(), "{name}: {length} bytes pass");
        }
        memory.files[number].0 = whole;
    }
}

#[test]
fn the_statements_know_every_collection() {
    let all: String = statements::load(&folder()).unwrap().iter().map(|one| one.sql.clone() + "\n").collect();
    let catalog = Catalog::open(&fs::read(folder().join(INDEX_NAME)).unwrap()).unwrap();
    for entry in &catalog.index().collections {
        assert!(all.contains(&entry.schema.collection), "no statement about {}", entry.schema.collection);
    }
}

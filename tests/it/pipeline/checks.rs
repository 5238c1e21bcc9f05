//! `portolan verify --store`: a store that is whole, and each kind of damage by its name.

use std::{fs, path::Path};

use serde_json::Value as Json;

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code, run, succeed};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// Checks a store that is damaged in so many ways; gives what is told of them.
fn damaged(shop: &Shop, problems: u64) -> String {
    let (check, exit) = shop.ends(&["verify"]);
    assert_eq!(
        (exit, numbers(&check, &["problems"]), &check["ok"]),
        (1, vec![problems], &false.into()),
        "{check}"
    );
    check["told"].to_string()
}

#[test]
fn b5_verify_proves_that_a_store_agrees_and_names_what_does_not() {
    let shop = Shop::new(
        &BOOKS.replace("text = [\"title\"]", "text = [\"title\"]\nchunk = { tokens = 3, overlap = 1 }"),
    );
    let whole = |expected: [u64; 3]| {
        let check: Json = shop.done(&["verify"]);
        let found = numbers(&check, &["partitions", "documents", "unfinished", "problems"]);
        assert_eq!(found, [&expected[..], &[0]].concat(), "{check}");
    };
    shop.load(&shop.write("one.csv", "id,title,year,shelf\na,One two three four,1,s\nb,First,2,s\n"));
    whole([1, 3, 0]);
    let table = shop.path("store/documents.books.lance");
    copy(&table, &shop.path("before"));
    shop.prepare(&shop.write("two.csv", "id,title,year,shelf\na,Short,1,s\nc,Third,3,s\n"), &[]);
    whole([2, 3, 1]);
    shop.done(&["apply"]);
    whole([2, 3, 0]);
    shop.registry(BOOKS);
    shop.done(&["apply"]);
    whole([4, 3, 0]);
    shop.done(&[
        "drop",
        "plan",
        "--model",
        "book",
        "--key",
        "b",
        "--out",
        &shop.path("plan").display().to_string(),
    ]);
    shop.done(&["drop", "apply", &shop.path("plan").display().to_string(), "--apply"]);
    whole([4, 2, 0]);
    succeed(&mut shop.verb(&["embed"]));
    // The documents of an older state: rows of partitions that do not count any more, and none of those that do.
    copy(&table, &shop.path("after"));
    fs::remove_dir_all(&table).unwrap();
    copy(&shop.path("before"), &table);
    let told = damaged(&shop, 4);
    assert!(told.contains("\\\"a#1\\\" of partition_00000 should have left"), "{told}");
    assert!(told.contains("2 records of book in partition_00003 have no document, one is"), "{told}");
    fs::remove_dir_all(&table).unwrap();
    copy(&shop.path("after"), &table);
    whole([4, 2, 0]);
    // A bit of a partition, of its keys, of the manifest.
    for (name, named) in [("book.arrow", "partition_00001"), ("book.keys", "partition_00003")] {
        let file = shop.path("store/partitions").join(named).join(name);
        let good = fs::read(&file).unwrap();
        let mut bytes = good.clone();
        bytes[good.len() / 2] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let told = damaged(&shop, 1);
        assert!(told.contains(named) && told.contains(name), "{told}");
        fs::write(&file, good).unwrap();
    }
    let manifest = shop.path("store/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"rows\": 2", "\"rows\": 3", 1)).unwrap();
    let output = run(&mut shop.verb(&["verify"]));
    assert!(code(&output) == 4 && all_text(&output).contains("manifest.json"), "{}", all_text(&output));
}

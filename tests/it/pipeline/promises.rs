//! What a store promises of its rows: keys that stay, upserts, rows without vectors; and of its answers when a part of it is broken.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value as Json;

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code, json, portolan, run, succeed};

const SHELVES: &str = "collection = { field = \"shelf\" }";

fn books(numbers: impl IntoIterator<Item = usize>) -> String {
    let line = |n| format!("b{n:03},The story of number {n},{},s{}\n", 1900 + n, n % 3);
    "id,title,year,shelf\n".to_owned() + &numbers.into_iter().map(line).collect::<String>()
}

fn export(shop: &Shop) {
    let release = shop.path("release");
    succeed(portolan().args(["export", "--store"]).arg(shop.path("store")).arg("--out").arg(release));
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|one| (one.file_name().to_string_lossy().into_owned(), fs::read(one.path()).unwrap()))
        .collect()
}

#[test]
fn c1_the_same_records_have_the_same_keys_whatever_their_order_and_place() {
    let registry = BOOKS
        .replace("collection = \"books\"", SHELVES)
        .replace("key = [\"id\"]", "key = [\"shelf\", \"id\"]\nchunk = { tokens = 4, overlap = 1 }");
    let [one, other] = [0, 1].map(|turned| {
        let shop = Shop::new(&registry);
        let order: Vec<usize> = if turned == 0 { (0..40).collect() } else { (0..40).rev().collect() };
        shop.load(&shop.write("books.csv", books(order)));
        export(&shop);
        shop
    });
    let rows = one.rows("*");
    assert!(rows.len() >= 80 && rows[0].0 == "s0/b000#0", "{rows:?}");
    assert_eq!(rows, other.rows("*"));
    assert_eq!(files(&one.path("release")), files(&other.path("release")), "releases are equal to the byte");
    // Equal names in different places, and places that only look equal when joined.
    let shop = Shop::new(&registry.replace(SHELVES, "collection = \"books\""));
    let same = "id,title,year,shelf\nb,One,1,a\nb,Two,1,c\nb/c,Three,1,a\nc,Four,1,a/b\n";
    shop.load(&shop.write("same.csv", same));
    let keys: Vec<String> = shop.rows("books").into_iter().map(|(id, _)| id).collect();
    assert_eq!(keys, ["a%2Fb/c#0", "a/b#0", "a/b%2Fc#0", "c/b#0"]);
}

#[test]
fn c2_the_same_corpus_twice_changes_no_count_and_an_edited_record_only_itself() {
    let shop = Shop::new(BOOKS);
    let counts = |shop: &Shop| {
        let status = shop.done(&["status"]);
        let cache = shop.done(&["cache", "stats"]);
        [numbers(&status["collections"][0], &["documents", "ready"]), numbers(&cache, &["entries"])].concat()
    };
    for _ in 0..3 {
        shop.load(&shop.write("books.csv", books(0..30)));
        assert_eq!(counts(&shop), [30, 30, 30]);
    }
    let edited = books(0..30).replace("number 7,", "a lucky number,");
    shop.prepare(&shop.write("books.csv", edited), &[]);
    let applied = shop.done(&["apply"]);
    assert_eq!(numbers(&applied, &["inserted", "updated", "removed"]), [0, 1, 0], "{applied}");
    assert_eq!(counts(&shop), [30, 29, 30], "its old vector is not of its new text");
    let embedded = shop.done(&["embed"]);
    assert_eq!(numbers(&embedded, &["ready", "embedded"]), [29, 1], "{embedded}");
    assert_eq!(counts(&shop), [30, 30, 31]);
    assert_eq!(shop.rows("books")[7].1, "The story of a lucky number");
}

#[test]
fn c3_records_without_vectors_are_kept_as_new_and_are_not_found() {
    let shop = Shop::new(BOOKS);
    shop.prepare(&shop.write("books.csv", books(0..20)), &[]);
    shop.done(&["apply"]);
    let state = |shop: &Shop| {
        let status = shop.done(&["status"]);
        numbers(&status["collections"][0], &["documents", "ready", "new"])
    };
    assert_eq!(state(&shop), [20, 0, 20]);
    // Before there is any vector, a question is an error that says what to do, and not an empty answer.
    let mut question = portolan();
    question.args(["query", "--json", "--store"]).arg(shop.path("store")).arg("SELECT id FROM books");
    let refused = run(&mut question);
    assert_eq!(code(&refused), 3, "{}", all_text(&refused));
    assert!(all_text(&refused).contains("embed it first"), "{}", all_text(&refused));
    shop.done(&["embed"]);
    shop.prepare(&shop.write("books.csv", books(0..25)), &[]);
    shop.done(&["apply"]);
    assert_eq!(state(&shop), [25, 20, 5]);
    let near = "SELECT id FROM books USING EMBEDDING (TEXT 'story 22') TOPK 25";
    let found = crate::tool::ask("--store", &shop.path("store"), near);
    assert_eq!(found["rows"].as_array().unwrap().len(), 20, "{found}");
}

#[test]
fn b7_a_broken_collection_is_named_and_total_failure_is_no_empty_answer() {
    let shop = Shop::new(&BOOKS.replace("collection = \"books\"", SHELVES));
    shop.load(&shop.write("books.csv", books(0..30)));
    export(&shop);
    let release = shop.path("release");
    let query = |options: &[&str]| {
        let mut command = portolan();
        command.args(["query", "--json", "--release"]).arg(&release).args(options);
        run(command.args(["--sql", "SELECT collection, id FROM * USING EMBEDDING (TEXT 'a story') TOPK 30"]))
    };
    let names: Vec<String> = files(&release).into_keys().filter(|name| name.starts_with("s")).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // Damaged: one bit in each block of records.
    let path = release.join(&names[0]);
    let good = fs::read(&path).unwrap();
    let mut bytes = good.clone();
    let end = bytes.len();
    bytes[end / 4..].iter_mut().step_by(64).for_each(|byte| *byte ^= 1);
    fs::write(&path, &bytes).unwrap();
    let strict = query(&[]);
    assert!(code(&strict) == 4 && all_text(&strict).contains("s0"), "{}", all_text(&strict));
    let partial = |failed: &[&str], left: usize| {
        let output = query(&["--partial"]);
        let answer = json(&output);
        let said = answer["collections"]["failed"].as_array().unwrap();
        let said: Vec<&str> = said.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!((said, code(&output)), (failed.to_vec(), 0), "{answer}");
        let rows = answer["rows"].as_array().unwrap();
        assert!(
            rows.len() == left
                && rows.iter().all(|row| !failed.contains(&row["collection"].as_str().unwrap()))
        );
    };
    partial(&["s0"], 20);
    // Missing.
    fs::remove_file(release.join(&names[1])).unwrap();
    partial(&["s0", "s1"], 10);
    // All of them: nothing is no answer, whatever was asked for.
    fs::remove_file(release.join(&names[2])).unwrap();
    for options in [&[][..], &["--partial"]] {
        let output = query(options);
        let answer: Json = json(&output);
        assert!(code(&output) != 0 && answer["rows"].is_null(), "{answer}");
    }
    // Too slow.
    let late = query(&["--timeout", "0.000001"]);
    assert!(code(&late) != 0, "{}", all_text(&late));
}

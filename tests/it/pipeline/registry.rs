//! `models check`, `models infer`, `insights`, and the status of partitions.

use std::fs;

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code, json, portolan, run, succeed};

fn check(shop: &Shop) -> std::process::Output {
    run(portolan().args(["models", "check", "--json"]).arg(shop.path("portolan.toml")))
}

#[test]
fn unknown_keys_are_errors_with_the_line_and_the_nearest_key() {
    let shop = Shop::new(BOOKS);
    let line = |key: &str| BOOKS.lines().position(|line| line.starts_with(key)).unwrap() + 1;
    for (from, to, near) in [
        ("embedder = \"static\"", "embeder = \"static\"", "did you mean \"embedder\""),
        ("metadata", "metdata", "did you mean \"metadata\""),
    ] {
        shop.registry(&BOOKS.replace(from, to));
        let output = check(&shop);
        let text = all_text(&output).replace("\\\"", "\"");
        assert_eq!(code(&output), 2, "{text}");
        let line = format!("line {}", line(from.split(' ').next().unwrap()));
        assert!(text.contains(&line) && text.contains(near), "{text}");
    }
    let source = "\n[[model.source]]\npath = \"x.csv\"\nmalformed_colum = 3\n";
    shop.registry(&(BOOKS.to_owned() + source));
    let text = all_text(&check(&shop)).replace("\\\"", "\"");
    assert!(text.contains("did you mean \"malformed_column\""), "{text}");
    for wrong in
        ["malformed_column = 0", "encoding = \"utf-9\"", "delimiter = \"é\"", "drop_na_columns = [\"titel\"]"]
    {
        shop.registry(&format!("{BOOKS}\n[[model.source]]\npath = \"x.csv\"\n{wrong}\n"));
        assert_eq!(code(&check(&shop)), 2, "{wrong}");
    }
}

#[test]
fn a_signature_depends_on_meaning_only() {
    let shop = Shop::new(BOOKS);
    let signature = |registry: &str| {
        shop.registry(registry);
        json(&check(&shop))["models"][0]["signature"].as_str().unwrap().to_owned()
    };
    let base = signature(BOOKS);
    let shuffled = BOOKS
        .replace("metadata = [\"year\", \"shelf\"]\n", "")
        .replace("key = [\"id\"]", "# a comment\nmetadata = [\"shelf\", \"year\"]\nkey = [ \"id\" ]");
    assert_eq!(signature(&shuffled), base);
    assert_eq!(signature(&BOOKS.replace("text = [\"title\"]", "template = \"{title}\"")), base);
    for other in ["year = \"float\"", "year = \"int\"\nmore = \"text\""] {
        assert_ne!(signature(&BOOKS.replace("year = \"int\"", other)), base);
    }
}

#[test]
fn a_draft_can_be_used_as_it_is() {
    let shop = Shop::new(BOOKS);
    let csv = shop.write(
        "books.csv",
        "book_id,title,year,price,seen\n\
         b1,\"A long title, of the kind that people read and remember\",1999,1.5,2024-01-02\n\
         b2,\"Another long title, of the kind that people soon forget\",2000,2,2024-02-03\n",
    );
    let draft =
        String::from_utf8(succeed(portolan().args(["models", "infer", "--name", "book"]).arg(&csv)).stdout);
    let draft = draft.unwrap();
    for part in [
        "key = [\"book_id\"]",
        "text = [\"title\"]",
        "year = \"int\"",
        "price = \"float\"",
        "seen = \"time\"",
    ] {
        assert!(draft.contains(part), "{part}: {draft}");
    }
    shop.registry(&draft.replace("\"static-256\"", "STATIC"));
    let report = shop.done(&["prepare"]);
    assert_eq!(numbers(&report, &["records", "emitted"]), [2, 2], "{report}");
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    assert_eq!(shop.rows("book").len(), 2);
}

#[test]
fn a10_status_tells_of_each_partition_and_of_what_is_left() {
    let shop = Shop::new(BOOKS);
    let state = |at: usize| {
        let (status, exit) = shop.ends(&["status", "--check"]);
        (status["partitions"][at]["state"].as_str().unwrap().to_owned(), exit)
    };
    shop.prepare(&shop.write("one.csv", "id,title,year\na,A story,1\n"), &[]);
    assert_eq!(state(0), ("not started".into(), 1));
    shop.done(&["apply"]);
    assert_eq!(state(0), ("not started".into(), 1));
    shop.done(&["embed"]);
    assert_eq!(state(0), ("finished".into(), 0));
    shop.prepare(&shop.write("two.csv", "id,title,year\nb,,2\nc,A tale,\n"), &[]);
    shop.done(&["apply"]);
    assert_eq!(code(&run(&mut shop.verb(&["embed"]))), 1);
    assert_eq!(state(1), ("errored".into(), 1));
    shop.load(&shop.write("three.csv", "id,title,year\nb,A fable,2\n"));
    assert_eq!((state(1), state(2)), (("finished".into(), 0), ("finished".into(), 0)));
    let output = succeed(
        portolan()
            .args(["insights", "--json", "--store"])
            .arg(shop.path("store"))
            .arg("--models")
            .arg(shop.path("portolan.toml")),
    );
    let insights = json(&output);
    let year = &insights["models"][0]["fields"][1];
    assert_eq!((year["field"].as_str(), numbers(year, &["distinct", "nulls"])), (Some("year"), vec![2, 1]));
    assert!(fs::read_dir(shop.path("store/partitions")).unwrap().count() == 3);
}

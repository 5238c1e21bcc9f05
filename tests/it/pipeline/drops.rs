//! Drops: planned, carried out, taken back, listed.

use std::fs;

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code, run};

fn shop() -> Shop {
    let shop = Shop::new(BOOKS);
    shop.load(&shop.write("one.csv", "id,title,year,shelf\na,First a,1,s\nb,First b,2,s\n"));
    shop.load(&shop.write("two.csv", "id,title,year,shelf\na,Second a,1,s\nc,First c,3,s\n"));
    shop
}

fn titles(shop: &Shop) -> Vec<String> {
    shop.rows("books").into_iter().map(|(_, title)| title).collect()
}

#[test]
fn a5_a_drop_is_planned_applied_undone_and_listed() {
    let shop = shop();
    let all = ["Second a", "First b", "First c"];
    assert_eq!(titles(&shop), all);
    let plan = shop.path("drop.json").display().to_string();
    let planned =
        shop.done(&["drop", "plan", "--partition", "partition_00001", "--reason", "wrong", "--out", &plan]);
    assert_eq!(planned["rows"], 2);
    let before = shop.manifest();
    shop.done(&["drop", "apply", &plan]);
    assert_eq!((shop.manifest(), titles(&shop).len()), (before, 3), "without --apply nothing changes");
    let dropped = shop.done(&["drop", "apply", &plan, "--apply", "--by", "me"]);
    assert_eq!(dropped["drop"], "drop_00000");
    shop.done(&["embed"]);
    // The older version of a stands in a partition that is still there.
    assert_eq!(titles(&shop), ["First a", "First b"]);
    let audit = shop.done(&["drop", "audit"]);
    let entry = &audit["drops"][0];
    assert_eq!((&entry["by"], &entry["reason"], &entry["rows"]), (&"me".into(), &"wrong".into(), &2.into()));
    // Rows that were dropped can be prepared again.
    shop.done(&["drop", "undo", "drop_00000"]);
    assert_eq!(numbers(&shop.done(&["embed"]), &["embedded"]), [0], "vectors were kept");
    assert_eq!(titles(&shop), all);
    assert!(shop.done(&["drop", "audit"])["drops"][0]["undone_at"].is_string());
    let (twice, exit) = shop.ends(&["drop", "undo", "drop_00000"]);
    assert_eq!((exit, &twice["error"]["code"]), (3, &5036.into()), "{twice}");
    let (old, exit) = shop.ends(&["drop", "apply", &plan, "--apply"]);
    assert_eq!(exit, 0, "the plan is what the store is again: {old}");
}

#[test]
fn a5_single_records_go_from_all_partitions_and_may_come_again() {
    let shop = shop();
    let plan = shop.path("drop.json").display().to_string();
    shop.done(&["drop", "plan", "--model", "book", "--key", "a", "--out", &plan]);
    shop.done(&["drop", "apply", &plan, "--apply"]);
    assert_eq!(titles(&shop), ["First b", "First c"]);
    shop.done(&["apply"]);
    assert_eq!(titles(&shop), ["First b", "First c"]);
    shop.done(&["drop", "undo", "drop_00000"]);
    assert_eq!(titles(&shop), ["Second a", "First b", "First c"]);
    shop.done(&["drop", "apply", &plan, "--apply"]);
    assert_eq!(titles(&shop), ["First b", "First c"]);
    shop.load(&shop.write("three.csv", "id,title,year,shelf\na,Second a,1,s\n"));
    assert_eq!(titles(&shop), ["Second a", "First b", "First c"]);
}

#[test]
fn a5_an_unclear_selector_is_an_error_and_never_everything() {
    let shop = shop();
    let unclear: [&[&str]; 10] = [
        &["--where", "metadata.year < 2"],
        &["--model", "book", "--where", "metadata.yaer < 2"],
        &["--model", "book", "--where", ""],
        &["--model", "book", "--where", "metadata.year > 99"],
        &[],
        &["--before", "yesterday"],
        &["--model", "book", "--before", "2001-01-01"],
        &["--model", "books"],
        &["--partition", "partition_00009"],
        &["--key", "a"],
    ];
    for words in unclear {
        let (answer, exit) = shop.ends(&[&["drop", "plan"], words].concat());
        assert!(exit == 2 || exit == 3, "{words:?}: {answer}");
    }
    let file = shop.write("drop.json", r#"{"selector": {}, "selected": []}"#);
    let output = run(&mut shop.verb(&["drop", "apply", &file.display().to_string(), "--apply"]));
    assert_eq!(code(&output), 2, "{}", all_text(&output));
    for text in [r#"{"selector": {"modell": "book"}, "selected": []}"#, "{", ""] {
        let file = shop.write("drop.json", text).display().to_string();
        assert_eq!(code(&run(&mut shop.verb(&["drop", "apply", &file, "--apply"]))), 2);
    }
    assert_eq!(titles(&shop).len(), 3);
    let plan = shop.path("plan.json").display().to_string();
    shop.done(&["drop", "plan", "--model", "book", "--after", "2001-01-01", "--out", &plan]);
    shop.load(&shop.write("three.csv", "id,title,year,shelf\nd,First d,1,s\n"));
    let (stale, exit) = shop.ends(&["drop", "apply", &plan, "--apply"]);
    assert_eq!((exit, &stale["error"]["code"]), (3, &5036.into()), "{stale}");
    assert_eq!(titles(&shop).len(), 4);
}

#[test]
fn a5_a_condition_drops_single_records_and_nothing_else() {
    let shop = shop();
    let plan = shop.path("drop.json").display().to_string();
    let planned =
        shop.done(&["drop", "plan", "--model", "book", "--where", "metadata.year IN (1, 3)", "--out", &plan]);
    assert_eq!(planned["rows"], 2, "{planned}");
    let dropped = shop.done(&["drop", "apply", &plan, "--apply"]);
    assert_eq!(dropped["removed"], 2, "{dropped}");
    assert_eq!(titles(&shop), ["First b"]);
    shop.done(&["apply"]);
    assert_eq!(titles(&shop), ["First b"]);
    shop.done(&["drop", "undo", "drop_00000"]);
    assert_eq!(titles(&shop), ["Second a", "First b", "First c"]);
}

/// Carries out a drop that fails as soon as its manifest is written, as if it was killed there.
fn cut_short(shop: &Shop, plan: &str) {
    let versions = shop.path("store/documents.books.lance/_versions");
    let held: Vec<_> = fs::read_dir(&versions).unwrap().map(|entry| entry.unwrap().path()).collect();
    let held: Vec<_> = held.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    held.iter().for_each(|(_, path)| fs::write(path, "broken").unwrap());
    let output = run(&mut shop.verb(&["drop", "apply", plan, "--apply"]));
    assert_eq!(code(&output), 4, "{}", all_text(&output));
    held.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
}

#[test]
fn a4_a_drop_killed_after_its_manifest_holds_at_once_and_is_finished_by_the_next_run() {
    let shop = shop();
    let plan = shop.path("drop.json").display().to_string();
    let drop = |words: &[&str]| {
        shop.done(&[&["drop", "plan", "--model", "book", "--out", &plan], words].concat());
        cut_short(&shop, &plan);
    };
    let documents = || shop.done(&["status"])["collections"][0]["documents"].as_u64();
    drop(&["--where", "metadata.year = 1"]);
    assert_eq!((titles(&shop), documents()), (vec!["First b".to_owned(), "First c".to_owned()], Some(2)));
    assert_eq!(numbers(&shop.done(&["apply"]), &["removed"]), [1]);
    assert_eq!(numbers(&shop.done(&["apply"]), &["removed"]), [0], "finished once");
    assert_eq!(titles(&shop), ["First b", "First c"]);
    // The next drop finishes it as well.
    drop(&["--key", "b"]);
    assert_eq!((titles(&shop), documents()), (vec!["First c".to_owned()], Some(1)));
    shop.done(&["drop", "plan", "--model", "book", "--key", "c", "--out", &plan]);
    assert_eq!(numbers(&shop.done(&["drop", "apply", &plan, "--apply"]), &["rows", "removed"]), [1, 2]);
    assert_eq!((titles(&shop), documents()), (vec![], Some(0)));
    // Taken back before it was finished, it leaves nothing out.
    for (number, rows) in [(2, 1), (1, 2), (0, 3)] {
        shop.done(&["drop", "undo", &format!("drop_{number:05}")]);
        assert_eq!(titles(&shop).len(), rows);
    }
    drop(&["--key", "a"]);
    assert_eq!(titles(&shop).len(), 2);
    shop.done(&["drop", "undo", "drop_00003"]);
    assert_eq!(titles(&shop).len(), 3);
    // A record that came again after the drop is another one.
    drop(&["--key", "a"]);
    shop.load(&shop.write("three.csv", "id,title,year,shelf\na,Third a,1,s\n"));
    assert_eq!(titles(&shop), ["Third a", "First b", "First c"]);
}

#[test]
fn a4_dropped_records_stay_dropped_when_the_key_of_their_model_changes() {
    let shop = shop();
    let plan = shop.path("drop.json").display().to_string();
    shop.done(&["drop", "plan", "--model", "book", "--key", "a", "--out", &plan]);
    shop.done(&["drop", "apply", &plan, "--apply"]);
    for key in ["[\"shelf\", \"id\"]", "[\"year\"]", "[\"title\"]", "[\"id\"]"] {
        shop.registry(&BOOKS.replace("[\"id\"]", key));
        shop.done(&["apply"]);
        shop.done(&["embed"]);
        assert_eq!(titles(&shop), ["First b", "First c"], "{key}");
        shop.done(&["verify"]);
    }
    shop.done(&["drop", "undo", "drop_00000"]);
    assert_eq!(titles(&shop), ["Second a", "First b", "First c"]);
    // Prepared again under another key it is back as well.
    shop.registry(&BOOKS.replace("[\"id\"]", "[\"shelf\", \"id\"]"));
    shop.done(&["apply"]);
    shop.done(&["drop", "plan", "--model", "book", "--key", "s/b", "--out", &plan]);
    shop.done(&["drop", "apply", &plan, "--apply"]);
    shop.registry(BOOKS);
    shop.done(&["apply"]);
    assert_eq!(titles(&shop), ["Second a", "First c"]);
    shop.load(&shop.path("one.csv"));
    assert_eq!(titles(&shop).len(), 3);
}

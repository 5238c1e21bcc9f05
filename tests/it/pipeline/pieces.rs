//! Records that are divided into pieces, through prepare, apply and embed: what happens to a record happens to all its pieces.

use super::place::{Shop, numbers};

const NOTES: &str = r#"
[embedder.fake]
provider = "fake"
dimension = 8

[[model]]
name = "note"
key = ["id"]
collection = { field = "topic" }
embedder = "fake"
text = ["text"]
chunk = { tokens = 4, overlap = 1 }

[model.fields]
id = "text"
topic = "text"
text = "text"
"#;

/// A note of so many words.
fn note(id: &str, topic: &str, words: usize) -> String {
    let text: Vec<String> = (0..words).map(|n| format!("{id}w{n}")).collect();
    format!("{{\"id\":\"{id}\",\"topic\":\"{topic}\",\"text\":\"{}\"}}\n", text.join(" "))
}

fn load(shop: &Shop, notes: &[String]) {
    shop.load(&shop.write("notes.jsonl", notes.concat()));
}

fn ids(shop: &Shop, collection: &str) -> Vec<String> {
    shop.rows(collection).into_iter().map(|(id, _)| id).collect()
}

/// The documents of all collections, embedded or not.
fn documents(shop: &Shop) -> u64 {
    let status = shop.done(&["status"]);
    status["collections"].as_array().unwrap().iter().filter_map(|one| one["documents"].as_u64()).sum()
}

#[test]
fn a8_a_shorter_record_leaves_no_piece_and_one_that_moves_takes_all_along() {
    let shop = Shop::new(NOTES);
    load(&shop, &[note("a", "left", 10), note("b", "left", 3)]);
    assert_eq!(ids(&shop, "left"), ["a#0", "a#1", "a#2", "b#0"]);
    load(&shop, &[note("a", "left", 6)]);
    assert_eq!((ids(&shop, "left"), documents(&shop)), (["a#0", "a#1", "b#0"].map(String::from).to_vec(), 3));
    load(&shop, &[note("a", "right", 5)]);
    assert_eq!(
        (ids(&shop, "left"), ids(&shop, "right")),
        (vec!["b#0".into()], vec!["a#0".into(), "a#1".into()])
    );
    assert_eq!(documents(&shop), 3);
    // Back again, and longer than ever.
    load(&shop, &[note("a", "left", 13)]);
    assert_eq!(ids(&shop, "left"), ["a#0", "a#1", "a#2", "a#3", "b#0"]);
    assert_eq!(documents(&shop), 5);
}

#[test]
fn a5_a_drop_of_a_record_takes_all_its_pieces_and_undoing_it_brings_them_back() {
    let shop = Shop::new(NOTES);
    load(&shop, &[note("a", "left", 10), note("b", "left", 3), note("a#1", "left", 2)]);
    let all = ids(&shop, "left");
    assert_eq!(all, ["a#0", "a#1", "a#1#0", "a#2", "b#0"]);
    let plan = shop.path("drop.json").display().to_string();
    for words in [["--key", "a"], ["--where", "metadata.parent = 'a' AND metadata.chunk_no = 2"]] {
        let planned = shop.done(&[&["drop", "plan", "--model", "note", "--out", &plan], &words[..]].concat());
        assert_eq!(planned["rows"], 1, "{planned}");
        let dropped = shop.done(&["drop", "apply", &plan, "--apply"]);
        assert_eq!(dropped["removed"], 3, "{dropped}");
        shop.done(&["apply"]);
        assert_eq!((ids(&shop, "left"), documents(&shop)), (["a#1#0", "b#0"].map(String::from).to_vec(), 2));
        shop.done(&["drop", "undo", dropped["drop"].as_str().unwrap()]);
        assert_eq!(numbers(&shop.done(&["embed"]), &["embedded"]), [0], "vectors were kept");
        assert_eq!(ids(&shop, "left"), all);
    }
    // A partition with the shorter form goes, the longer one counts again.
    load(&shop, &[note("a", "left", 2)]);
    assert_eq!(ids(&shop, "left"), ["a#0", "a#1#0", "b#0"]);
    shop.done(&["drop", "plan", "--partition", "partition_00001", "--out", &plan]);
    shop.done(&["drop", "apply", &plan, "--apply"]);
    shop.done(&["embed"]);
    assert_eq!((ids(&shop, "left"), documents(&shop)), (all, 5));
}

#[test]
fn b4_a_changed_budget_is_named_by_plan_and_replayed_by_apply() {
    let shop = Shop::new(NOTES);
    load(&shop, &[note("a", "left", 10), note("b", "left", 3)]);
    let chunk = "chunk = { tokens = 4, overlap = 1 }";
    let steps: [(&str, &str, u64, &[&str]); 5] = [
        ("chunk = { tokens = 6, overlap = 1 }", "pieces of 6 tokens", 2, &["a#0", "a#1", "b#0"]),
        ("max_tokens = 5\ntruncate = \"end\"", "5 tokens, end", 1, &["a", "b"]),
        ("max_tokens = 4\ntruncate = \"start\"", "4 tokens, start", 1, &["a", "b"]),
        ("", "", 1, &["a", "b"]),
        (chunk, "pieces of 4 tokens", 0, &["a#0", "a#1", "a#2", "b#0"]),
    ];
    for (version, (budget, named, embeddings, expected)) in (2..).zip(steps) {
        shop.registry(&NOTES.replace(chunk, budget));
        let plan = &shop.done(&["plan"])["models"][0];
        let change = &plan["changes"][0];
        assert_eq!(
            (&change["role"], plan["changes"].as_array().unwrap().len()),
            (&"budget".into(), 1),
            "{plan}"
        );
        assert!(change["to"].as_str().unwrap().starts_with(named), "{plan}");
        assert_eq!(
            numbers(plan, &["next_version", "rows", "embeddings"]),
            [version, 2, embeddings],
            "{plan}"
        );
        shop.done(&["apply"]);
        let embedded = shop.done(&["embed"]);
        assert_eq!(numbers(&embedded, &["embedded", "errors"]), [embeddings, 0], "{embedded}");
        assert_eq!(ids(&shop, "left"), expected, "{budget}");
        assert_eq!(documents(&shop), expected.len() as u64);
        let plan = &shop.done(&["plan"])["models"][0];
        assert_eq!((numbers(plan, &["rows"]), &plan["changes"]), (vec![0], &serde_json::json!([])), "{plan}");
    }
}

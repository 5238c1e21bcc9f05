//! Daily runs and changed models: what counts is replayed, what did not change is not embedded, nothing is lost or served twice.

use std::fs;

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, ask, code, run};

fn books(count: usize) -> String {
    let lines = (0..count).map(|n| format!("b{n:03},The story of number {n},{},s{}\n", 1900 + n, n % 3));
    "id,title,year,shelf\n".to_owned() + &lines.collect::<String>()
}

const COUNTS: [&str; 3] = ["records", "emitted", "duplicates"];

#[test]
fn a2_a_second_run_adds_nothing_and_a_longer_file_only_its_end() {
    let shop = Shop::new(BOOKS);
    shop.load(&shop.write("books.csv", books(40)));
    let partitions = |shop: &Shop| shop.manifest()["partitions"].as_array().unwrap().len();
    assert_eq!(partitions(&shop), 1);
    let again = shop.prepare(&shop.path("books.csv"), &[]);
    assert_eq!(numbers(&again, &COUNTS), [40, 0, 40]);
    assert_eq!(numbers(&shop.done(&["apply"]), &["rows"]), [0]);
    assert_eq!(partitions(&shop), 1);
    let longer = shop.prepare(&shop.write("books.csv", books(45)), &[]);
    assert_eq!(numbers(&longer, &COUNTS), [45, 5, 40]);
    assert_eq!(numbers(&shop.done(&["apply"]), &["inserted", "updated"]), [5, 0]);
    assert_eq!(numbers(&shop.done(&["embed"]), &["embedded", "ready"]), [5, 40]);
    assert_eq!(shop.rows("books").len(), 45);
    assert_eq!(shop.done(&["status", "--check"])["partitions"][1]["state"], "finished");
}

#[test]
fn a7_a_changed_record_replaces_the_old_one_and_may_change_back() {
    let shop = Shop::new(&BOOKS.replace("collection = \"books\"", "collection = { field = \"shelf\" }"));
    let days = ["x,Old title,1,left\ny,Other,2,left\n", "x,New title,1,right\n", "x,Old title,1,left\n"];
    let expected = [("left", "Old title"), ("right", "New title"), ("left", "Old title")];
    for (day, (shelf, title)) in days.iter().zip(expected) {
        shop.load(&shop.write("day.csv", format!("id,title,year,shelf\n{day}")));
        let all =
            ask("--store", &shop.path("store"), "SELECT collection, id, document FROM * WHERE id = 'x'");
        let rows = all["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{all}");
        assert_eq!((&rows[0]["collection"], &rows[0]["document"]), (&shelf.into(), &title.into()));
    }
    let twice = shop.write("twice.csv", "id,title,year,shelf\nz,One,1,left\nz,One,1,left\nz,Two,1,left\n");
    let report = shop.prepare(&twice, &["--partition-rows", "1"]);
    assert_eq!(numbers(&report, &COUNTS), [3, 2, 1]);
    let applied = shop.done(&["apply"]);
    assert_eq!(numbers(&applied, &["inserted", "updated"]), [1, 0], "{applied}");
}

/// Renamed, added, removed and retyped fields.
fn changed() -> String {
    BOOKS
        .replace("text = [\"title\"]", "text = [\"name\"]")
        .replace("title = \"text\"", "name = \"text\"")
        .replace("year = \"int\"", "year = \"text\"\npages = \"int\"")
        .replace("shelf = \"text\"\n", "")
        .replace("[\"year\", \"shelf\"]", "[\"year\", \"pages\"]")
        + "\n[model.renamed_from]\nname = \"title\"\n"
}

#[test]
fn a3_rename_add_remove_and_retype_replay_only_the_model_and_lose_nothing() {
    let other = "\n[[model]]\nname = \"other\"\nkey = [\"id\"]\ncollection = \"others\"\nembedder = \"static\"\ntext = [\"title\"]\n\
        fields = { id = \"text\", title = \"text\" }\n";
    let shop = Shop::new(&(BOOKS.to_owned() + other));
    let file = shop
        .write("books.csv", books(30).replace("shelf", "pages").replace(",s0", ",10").replace(",s1", ",11"));
    shop.registry(&(BOOKS.replace("shelf", "pages").to_owned() + other));
    shop.prepare(&file, &["--model", "book", "--partition-rows", "20"]);
    shop.prepare(&shop.write("others.csv", books(9)), &["--model", "other"]);
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let before = shop.rows("books");
    fs::remove_file(&file).unwrap();
    shop.registry(&(changed() + other));
    let plan = shop.done(&["plan"]);
    let book = &plan["models"][0];
    assert_eq!(numbers(book, &["version", "next_version", "rows", "embeddings"]), [1, 2, 20, 0], "{plan}");
    assert_eq!(book["refused"], 10, "the shelf s2 is no number: {plan}");
    assert_eq!(numbers(&plan["models"][1], &["rows", "embeddings"]), [0, 0]);
    let refused = run(&mut shop.verb(&["apply"]));
    assert!(code(&refused) == 2 && all_text(&refused).contains("s2"), "{}", all_text(&refused));
    assert_eq!(shop.rows("books"), before, "a refused change changes nothing");
    shop.registry(&(changed().replace("pages = \"int\"", "pages = \"text\"") + other));
    let applied = shop.done(&["apply"]);
    assert_eq!(numbers(&applied, &["rows", "updated", "inserted", "removed"]), [30, 30, 0, 0], "{applied}");
    let manifest = shop.manifest();
    let partitions = manifest["partitions"].as_array().unwrap();
    let stale: Vec<_> = partitions.iter().filter(|p| p["models"]["book"]["stale"].is_object()).collect();
    assert_eq!((partitions.len(), stale.len()), (5, 2));
    let why = &stale[0]["models"]["book"]["stale"];
    assert!(why["reason"].as_str().unwrap().contains("title was renamed to name"), "{why}");
    assert_eq!(why["replaced_by"][0], "partition_00003");
    assert!(partitions.iter().all(|p| p["models"]["other"]["stale"].is_null()));
    let embedded = shop.done(&["embed"]);
    assert_eq!(numbers(&embedded, &["ready", "embedded", "from_cache"]), [39, 0, 0], "{embedded}");
    assert_eq!(shop.rows("books"), before);
    let sql = "SELECT id, metadata.year, metadata.pages, metadata.schema_version FROM books WHERE metadata.year = '1903'";
    let rows = ask("--store", &shop.path("store"), sql);
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
    assert!(rows["rows"][0].to_string().contains("\"10\""), "{rows}");
    assert_eq!(numbers(&shop.done(&["apply"]), &["rows"]), [0]);
}

#[test]
fn a4_stale_and_dropped_rows_are_neither_served_nor_written_again() {
    let shop = Shop::new(BOOKS);
    shop.prepare(&shop.write("books.csv", books(30)), &["--partition-rows", "10"]);
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let plan = shop.path("drop.json").display().to_string();
    shop.done(&["drop", "plan", "--partition", "partition_00001", "--out", &plan]);
    shop.done(&["drop", "apply", &plan, "--apply"]);
    assert_eq!(shop.rows("books").len(), 20);
    // A file that is gone for good stops neither a changed model nor a run: dropped partitions are not read.
    fs::remove_dir_all(shop.path("store/partitions/partition_00001")).unwrap();
    shop.registry(&BOOKS.replace("[\"year\", \"shelf\"]", "[\"year\"]"));
    let applied = shop.done(&["apply"]);
    assert_eq!(numbers(&applied, &["rows", "updated"]), [20, 20], "{applied}");
    shop.done(&["embed"]);
    assert_eq!(shop.rows("books").len(), 20);
    shop.done(&["status", "--check"]);
}

#[test]
fn b4_a_plan_costs_nothing_and_says_what_a_change_costs() {
    let shop = Shop::new(BOOKS);
    shop.load(&shop.write("books.csv", books(25)));
    let manifest = shop.manifest();
    // The order of the file does not matter, nor does its formatting.
    let same = BOOKS.replace("id = \"text\"\ntitle = \"text\"", "title   =   \"text\"\nid = \"text\"");
    shop.registry(&same.replace("[\"year\", \"shelf\"]", "[\"shelf\",\n \"year\"]"));
    let plan = shop.done(&["plan"]);
    assert_eq!(numbers(&plan["models"][0], &["next_version", "rows", "embeddings"]), [1, 0, 0], "{plan}");
    shop.registry(&BOOKS.replace("text = [\"title\"]", "text = [\"title\", \"shelf\"]"));
    let plan = shop.done(&["plan"]);
    assert_eq!(numbers(&plan["models"][0], &["next_version", "rows", "embeddings"]), [2, 25, 25], "{plan}");
    assert_eq!(plan["models"][0]["changes"][0]["role"], "text");
    // A key of two fields gives new ids to the same texts.
    shop.registry(&BOOKS.replace("key = [\"id\"]", "key = [\"shelf\", \"id\"]"));
    let plan = shop.done(&["plan"]);
    assert_eq!(numbers(&plan["models"][0], &["rows", "embeddings"]), [25, 0], "{plan}");
    assert_eq!(shop.manifest(), manifest, "a plan writes nothing");
    let applied = shop.done(&["apply"]);
    assert_eq!(numbers(&applied, &["inserted", "removed"]), [25, 25], "{applied}");
    let embedded = shop.done(&["embed"]);
    assert_eq!(numbers(&embedded, &["embedded", "from_cache"]), [0, 25], "{embedded}");
    let rows = shop.rows("books");
    assert!(rows.len() == 25 && rows[0].0 == "s0/b000", "{rows:?}");
}

#[test]
fn b5_one_run_and_many_end_with_the_same_rows() {
    let whole = Shop::new(BOOKS);
    whole.load(&whole.write("books.csv", books(60)));
    let parts = Shop::new(BOOKS);
    for end in [20, 35, 60] {
        parts.load(&parts.write("books.csv", books(end)));
    }
    assert_eq!(whole.rows("books"), parts.rows("books"));
    // A damaged partition is named, and not read.
    let file = parts.path("store/partitions/partition_00001/book.arrow");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    parts.registry(&BOOKS.replace("[\"year\", \"shelf\"]", "[\"year\"]"));
    let refused = run(&mut parts.verb(&["apply"]));
    assert!(code(&refused) == 4 && all_text(&refused).contains("partition_00001"), "{}", all_text(&refused));
    assert_eq!(whole.rows("books"), parts.rows("books"));
}

#[test]
fn b2_a_store_that_was_moved_goes_on() {
    let shop = Shop::new(BOOKS);
    shop.load(&shop.write("books.csv", books(12)));
    fs::rename(shop.path("store"), shop.path("elsewhere")).unwrap();
    fs::rename(shop.path("elsewhere"), shop.path("store")).unwrap();
    fs::create_dir(shop.path("away")).unwrap();
    fs::rename(shop.path("store"), shop.path("away/store")).unwrap();
    let moved = Shop::new(BOOKS);
    fs::rename(shop.path("away/store"), moved.path("store")).unwrap();
    let again = moved.prepare(&moved.write("books.csv", books(13)), &[]);
    assert_eq!(numbers(&again, &COUNTS), [13, 1, 12]);
    moved.done(&["apply"]);
    moved.done(&["embed"]);
    assert_eq!(moved.rows("books").len(), 13);
}

//! Collections that hold records of several models: asking for some of the models, page by page.

use std::process::Command;

use serde_json::Value as Json;

use super::place::{BOOKS, Shop};
use crate::tool::{all_text, code, json, portolan, run, succeed};

/// Books and films on the same shelves.
fn shelves(collection: &str) -> Shop {
    let books = BOOKS.replace("collection = \"books\"", collection);
    let (_, model) = books.split_once("[[model]]").unwrap();
    let films = format!("\n[[model]]{}", model.replace("name = \"book\"", "name = \"film\""));
    let shop = Shop::new(&(books + &films));
    for model in ["book", "film"] {
        let line = |n: usize| format!("{model}{n:02},The {model} of story {n},{n},s{}\n", n % 3);
        let lines: String = (0..20).map(line).collect();
        let file = shop.write(&format!("{model}s.csv"), format!("id,title,year,shelf\n{lines}"));
        shop.prepare(&file, &["--model", model]);
    }
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let release = shop.path("release");
    succeed(portolan().args(["export", "--store"]).arg(shop.path("store")).arg("--out").arg(release));
    shop
}

fn asking(shop: &Shop, place: &str, models: &[&str], sql: &str) -> Command {
    let mut command = portolan();
    command.args(["query", "--json", &format!("--{place}")]).arg(shop.path(place));
    models.iter().for_each(|model| {
        command.args(["--model", model]);
    });
    command.args(["--sql", sql]);
    command
}

fn rows(shop: &Shop, place: &str, models: &[&str], sql: &str) -> Vec<Json> {
    json(&succeed(&mut asking(shop, place, models, sql)))["rows"].as_array().unwrap().clone()
}

#[test]
fn a9_only_records_of_the_asked_models_are_found_and_counted() {
    let shop = shelves("collection = { field = \"shelf\" }");
    for place in ["store", "release"] {
        let count = |models: &[&str], sql: &str| rows(&shop, place, models, sql)[0]["n"].as_u64().unwrap();
        let all = "SELECT COUNT(*) AS n FROM *";
        let found: Vec<u64> =
            [&[][..], &["book"], &["film"], &["film", "book"], &["nobody"], &["nobody", "film"]]
                .iter()
                .map(|models| count(models, all))
                .collect();
        assert_eq!(found, [40, 20, 20, 40, 0, 20]);
        // With a condition of the statement's own, whose OR must not let the others in.
        let either = "SELECT COUNT(*) AS n FROM s0, s1 WHERE metadata.year = 3 OR metadata.year = 4";
        assert_eq!((count(&[], either), count(&["film"], either)), (4, 2));
        let near = "SELECT id FROM * USING EMBEDDING (TEXT 'the story of a book') TOPK 20";
        let ids = rows(&shop, place, &["film"], near);
        assert!(ids.len() == 20 && ids.iter().all(|row| row["id"].as_str().unwrap().starts_with("film")));
        assert!(rows(&shop, place, &["nobody"], near).is_empty());
        assert!(rows(&shop, place, &["it's"], near).is_empty());
    }
    let output = run(asking(&shop, "store", &["book"], "SELECT id FROM s0").args(["--compat", "chromasql"]));
    assert_eq!(code(&output), 2, "{}", all_text(&output));
}

#[test]
fn a9_pages_over_several_collections_are_those_of_one_big_collection() {
    let (parted, whole) = (shelves("collection = { field = \"shelf\" }"), shelves("collection = \"all\""));
    let near = "SELECT id, distance FROM * USING EMBEDDING (TEXT 'story 7') TOPK 20 ORDER BY distance, id";
    for place in ["store", "release"] {
        let expected = rows(&whole, place, &["book"], near);
        let books = |row: &Json| row["id"].as_str().unwrap().starts_with("book");
        assert!(expected.len() == 20 && expected.iter().all(books));
        assert_eq!(rows(&parted, place, &["book"], near), expected);
        let mut paged = Vec::new();
        for page in 0..7 {
            let sql = format!("{near} LIMIT 3 OFFSET {}", 3 * page);
            paged.extend(rows(&parted, place, &["book"], &sql));
        }
        assert_eq!(paged, expected);
    }
    // A cursor goes on where a page ended, and only for the same models.
    let first = json(&succeed(&mut asking(&parted, "release", &["book"], &format!("{near} LIMIT 15"))));
    let cursor = first["cursor"].as_str().unwrap();
    let next = format!("{near} LIMIT 15 AFTER '{cursor}'");
    let next_rows = rows(&parted, "release", &["book"], &next);
    let both: Vec<Json> = first["rows"].as_array().unwrap().iter().cloned().chain(next_rows).collect();
    assert_eq!(both, rows(&whole, "release", &["book"], near));
    assert_eq!(code(&run(&mut asking(&parted, "release", &["film"], &next))), 2);
}

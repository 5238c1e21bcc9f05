//! Malformed input: nothing is lost silently, and no repair takes a good record.

use std::{collections::BTreeMap, fs};

use serde_json::Value as Json;

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code, run};

const COUNTS: [&str; 6] = ["records", "emitted", "repaired", "duplicates", "dropped", "quarantined"];

/// The lines of the run's log, by record number.
fn log(report: &Json) -> BTreeMap<u64, Json> {
    let Some(path) = report["log"].as_str() else { return BTreeMap::new() };
    let lines = fs::read_to_string(path).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines.map(|line| (line["record"].as_u64().unwrap(), line)).collect()
}

fn fates(report: &Json) -> Vec<(u64, String)> {
    log(report).iter().map(|(number, line)| (*number, line["what"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a6_every_record_is_accounted_for_and_no_repair_takes_a_good_one() {
    let shop = Shop::new(BOOKS);
    let text = "\u{feff}id,title,year,shelf\r\n\
        1,\"A plain, quoted one\",1999,a\r\n\
        2,\"Two\r\nlines\",2000,b\r\n\
        3,short\r\n\
        4,A good one after a short one,2001,c\r\n\
        5,too,many,cells,here,1,d\r\n\
        6,\"never closed,2002,e\r\n\
        7,A good one after that,2003,f\r\n\
        8,wrong type,nineteen,g\r\n\
        1,\"A plain, quoted one\",1999,a\r\n\
        \r\n\
        9,,2004,h\r\n\
        ,no key,2005,i\r\n\
        10,last,2006,j";
    let file = shop.write("books.csv", text);
    let report = shop.prepare(&file, &["--drop-na", "title"]);
    assert_eq!(numbers(&report, &COUNTS), [12, 5, 1, 1, 1, 4], "{report}");
    let expected = [
        (3, "quarantined"),
        (5, "quarantined"),
        (6, "repaired"),
        (8, "quarantined"),
        (10, "dropped"),
        (11, "quarantined"),
    ];
    let expected: Vec<(u64, String)> = expected.iter().map(|(n, what)| (*n, (*what).into())).collect();
    assert_eq!(fates(&report), expected);
    for line in log(&report).values() {
        let range: Vec<usize> =
            line["bytes"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap() as usize).collect();
        let raw = &text[range[0]..range[1]];
        assert!(line["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
        assert!(raw.ends_with("\r\n") && !raw.trim_end().contains('\n'), "{raw:?}");
    }
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let rows = shop.rows("books");
    let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["1", "10", "2", "4", "6", "7"]);
    assert_eq!(rows[2].1, "Two\r\nlines");
    assert_eq!(rows[4].1, "\"never closed");
}

/// Column 3 is a year, so that a line whose third cell is none cannot begin a record.
const NOTES: &str = r#"
[embedder.static]
provider = "static"
path = STATIC

[[model]]
name = "note"
key = ["id"]
collection = "notes"
embedder = "static"
text = ["note"]
metadata = ["lang"]
fields = { id = "int", note = "text", lang = "text" }
"#;

#[test]
fn a6_broken_lines_are_joined_only_where_a_type_proves_it() {
    let shop = Shop::new(NOTES);
    let text = "id,note,lang\n\
        1,a line\nbroken in two,en\n\
        2,commas, not quoted, here,en\n\
        3,short\n\
        4,a good one,en\n\
        5,half\n\
        6,another half\n\
        7,a last one,en\n";
    let report = shop.prepare(&shop.write("notes.csv", text), &["--malformed-column", "2"]);
    assert_eq!(numbers(&report, &COUNTS), [7, 2, 2, 0, 0, 3], "{report}");
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let expected = [
        ("1", "a line\nbroken in two"),
        ("2", "commas, not quoted, here"),
        ("4", "a good one"),
        ("7", "a last one"),
    ];
    assert_eq!(shop.rows("notes"), expected.map(|(id, note)| (id.to_owned(), note.to_owned())));
    // Where every column is text, nothing proves that two short rows are one.
    let shop = Shop::new(&NOTES.replace("id = \"int\"", "id = \"text\""));
    let report = shop.prepare(&shop.write("notes.csv", text), &["--malformed-column", "2"]);
    assert_eq!(numbers(&report, &COUNTS), [8, 2, 1, 0, 0, 5], "{report}");
}

#[test]
fn a6_formats_encodings_and_orders_of_columns_give_the_same_rows() {
    let mut seen = Vec::new();
    let latin: Vec<u8> = "id;title;year\n1;Caf\u{e9};1999\n".chars().map(|c| c as u8).collect();
    let utf16: Vec<u8> =
        "\u{feff}id,title,year\n1,Café,1999\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let long = format!("id,title,year\n1,{},1999\n", "word ".repeat(40_000));
    let sources: [(&str, Vec<u8>, &[&str]); 7] = [
        ("a.csv", "year,title,id\r\n1999,Café,1\r\n".into(), &[]),
        ("b.csv", latin, &["--encoding", "windows-1252", "--delimiter", ";"]),
        ("c.csv", utf16, &[]),
        ("d.tsv", "id\ttitle\tyear\n1\tCafé\t1999\n".into(), &[]),
        ("e.jsonl", r#"{"title": "Café", "id": "1", "year": 1999}"#.into(), &[]),
        ("f.csv", "ID,Title,year\n1,Café,1999\n".into(), &["--column", "id=ID", "--column", "title=Title"]),
        ("g.csv", long.into_bytes(), &[]),
    ];
    for (name, bytes, options) in sources {
        let shop = Shop::new(BOOKS);
        let report = shop.prepare(&shop.write(name, bytes), options);
        assert_eq!(numbers(&report, &["records", "emitted"]), [1, 1], "{name}: {report}");
        shop.done(&["apply"]);
        shop.done(&["embed"]);
        seen.push(shop.rows("books"));
    }
    assert_eq!(seen.pop().unwrap()[0].1.len(), 200_000);
    assert_eq!(seen[0], [("1".to_owned(), "Café".to_owned())]);
    assert!(seen.iter().all(|rows| *rows == seen[0]), "{seen:?}");
}

#[test]
fn a6_sources_that_cannot_be_meant_are_refused_before_anything_counts() {
    let shop = Shop::new(BOOKS);
    let wrong = [
        ("a.csv", "id,title,id\n1,a,2\n", vec![], "twice"),
        ("b.csv", "id,titel\n1,a\n", vec!["--column", "title=tilte"], "did you mean \"titel\""),
        ("c.csv", "id,title\n1,a\n", vec!["--malformed-column", "3"], "malformed_column is 3"),
        ("d.bin", "x", vec![], "does not say its format"),
        ("e.parquet", "x", vec![], "cannot be read"),
    ];
    for (name, content, options, reason) in wrong {
        let output = run(shop.verb(&["prepare"]).arg(shop.write(name, content)).args(&options));
        assert_eq!(code(&output), 2, "{}", all_text(&output));
        let text = all_text(&output).replace("\\\"", "\"");
        assert!(text.contains(reason), "{text}");
    }
    assert!(!shop.path("store/manifest.json").exists());
}

#[test]
fn a6_a_set_of_files_with_one_header_is_read_in_the_order_of_numbers() {
    let shop = Shop::new(&format!(
        "{BOOKS}\n[[model.source]]\npath = \"part-<int>.csv\"\nheader = \"first-only\"\ncolumns = {{ title = \"Name\" }}\n"
    ));
    shop.write("part-2.csv", "b,Two,2000,x\n");
    shop.write("part-10.csv", "b,Two again,2001,x\nc,Three,,x\n");
    shop.write("part-1.csv", "id,Name,year,shelf\na,One,1999,x\n");
    let report = shop.done(&["prepare"]);
    assert_eq!(numbers(&report, &["records", "emitted"]), [4, 4], "{report}");
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let titles: Vec<String> = shop.rows("books").into_iter().map(|(_, title)| title).collect();
    assert_eq!(titles, ["One", "Two again", "Three"]);
}

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
    assert_eq!(numbers(&report, &COUNTS), [13, 5, 1, 1, 1, 5], "{report}");
    let log = log(&report);
    let fates: Vec<(u64, &str)> = log.iter().map(|(n, line)| (*n, line["what"].as_str().unwrap())).collect();
    let expected = [
        (3, "quarantined"),
        (5, "quarantined"),
        (6, "repaired"),
        (8, "quarantined"),
        (10, "dropped"),
        (12, "quarantined"),
    ];
    // Records 1, 2, 4, 7 and 13 were taken, record 9 is there already, and an empty cell is no key.
    assert_eq!(fates.iter().filter(|fate| expected.contains(fate)).count(), 4, "{fates:?}");
    for line in log.values() {
        let range: Vec<usize> =
            line["bytes"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap() as usize).collect();
        let raw = &text[range[0]..range[1]];
        assert!(line["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
        assert!(raw.ends_with("\r\n") && !raw.trim_end().contains('\n'), "{raw:?}");
    }
}

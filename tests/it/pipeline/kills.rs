//! `prepare`, `apply` and `drop` killed at any moment and run again end with exactly the right rows.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code};

const BOOKS_READ: usize = 6000;
const KILLS: u32 = 10;

fn books(edition: u32) -> String {
    let line = |n: usize| match n % 3 {
        0 => format!("b{n:04},A story that stays {n},{n},s{}\n", n % 5),
        _ => format!("b{n:04},Edition {edition} of story {n},{n},s{}\n", n % 5),
    };
    "id,title,year,shelf\n".to_owned() + &(0..BOOKS_READ).map(line).collect::<String>()
}

/// Starts a command and kills it after a while; says whether it was still running.
fn kill_after(mut command: Command, time: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(time);
    let running = child.try_wait().unwrap().is_none();
    // SIGKILL: nothing in the process can tidy up.
    child.kill().ok();
    child.wait().unwrap();
    running
}

#[test]
fn a1_prepare_apply_and_drop_killed_at_any_moment_end_with_the_right_rows() {
    let shop = Shop::new(&BOOKS.replace("collection = \"books\"", "collection = { field = \"shelf\" }"));
    let file = shop.write("books.csv", books(0)).display().to_string();
    let prepare = ["prepare", file.as_str(), "--partition-rows", "1000"];
    let time = |words: &[&str]| {
        let start = Instant::now();
        shop.done(words);
        start.elapsed()
    };
    let whole = (time(&prepare), time(&["apply"]));
    shop.done(&["embed"]);
    let mut killed = 0;
    for edition in 1..=KILLS {
        shop.write("books.csv", books(edition));
        killed += u32::from(kill_after(shop.verb(&prepare), whole.0 * edition / KILLS));
        let report = shop.done(&prepare);
        let sum = numbers(&report, &["emitted", "duplicates"]);
        assert_eq!(sum.iter().sum::<u64>(), BOOKS_READ as u64, "{report}");
        for _ in 0..2 {
            killed += u32::from(kill_after(shop.verb(&["apply"]), whole.1 * edition / KILLS));
        }
        shop.done(&["apply"]);
        if edition % 3 == 0 {
            killed += u32::from(drop_and_undo(&shop, whole.1 * edition / KILLS / 2));
        }
    }
    assert!(killed >= KILLS, "only {killed} runs were long enough to be killed");
    shop.done(&["embed"]);
    shop.done(&["status", "--check"]);
    let rows = shop.rows("*");
    assert_eq!(rows.len(), BOOKS_READ);
    for (number, (id, title)) in rows.iter().enumerate() {
        let line = format!("{id},{title},");
        assert!(books(KILLS).contains(&line), "{number}: {line}");
    }
    let listed = shop.manifest()["partitions"].as_array().unwrap().len();
    assert_eq!(fs::read_dir(shop.path("store/partitions")).unwrap().count(), listed);
}

/// Drops the newest partition, killed, then for good, and takes that back.
fn drop_and_undo(shop: &Shop, time: Duration) -> bool {
    let manifest = shop.manifest();
    let newest =
        manifest["partitions"].as_array().unwrap().last().unwrap()["name"].as_str().unwrap().to_owned();
    let plan = shop.path("drop.json").display().to_string();
    shop.done(&["drop", "plan", "--partition", &newest, "--out", &plan]);
    let killed = kill_after(shop.verb(&["drop", "apply", &plan, "--apply"]), time);
    let drops = shop.done(&["drop", "audit"])["drops"].as_array().unwrap().clone();
    let active = |drops: &[serde_json::Value]| drops.iter().any(|drop| drop["undone_at"].is_null());
    if !active(&drops) {
        shop.done(&["drop", "apply", &plan, "--apply"]);
    }
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    assert!(!shop.rows("*").is_empty());
    let drops = shop.done(&["drop", "audit"])["drops"].as_array().unwrap().clone();
    let id =
        drops.iter().find(|drop| drop["undone_at"].is_null()).unwrap()["id"].as_str().unwrap().to_owned();
    shop.done(&["drop", "undo", &id]);
    killed
}

#[test]
fn b1_a_second_writer_is_refused_and_damaged_state_is_named() {
    let shop = Shop::new(BOOKS);
    let file = shop.write("books.csv", books(0)).display().to_string();
    let mut refused = None;
    for edition in 1..200 {
        shop.write("books.csv", books(edition));
        let mut first = shop.verb(&["prepare", &file]).stdout(Stdio::null()).spawn().unwrap();
        while refused.is_none() && first.try_wait().unwrap().is_none() {
            let second = shop.verb(&["apply"]).output().unwrap();
            refused = Some(all_text(&second))
                .filter(|text| text.contains("portolan prepare ") || text.contains("(portolan prepare)"));
        }
        first.wait().unwrap();
        if refused.is_some() {
            break;
        }
    }
    assert!(refused.is_some(), "no second writer met the first");
    let manifest = shop.path("store/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    for broken in [&text[..text.len() / 2], &text.replacen("\"emitted\"", "\"Emitted\"", 1), ""] {
        fs::write(&manifest, broken).unwrap();
        let output = shop.verb(&["apply"]).output().unwrap();
        assert_eq!(code(&output), 4, "{}", all_text(&output));
        assert!(all_text(&output).contains("manifest.json"), "{}", all_text(&output));
    }
    fs::write(&manifest, text).unwrap();
    shop.done(&["apply"]);
}

#[test]
fn b3_memory_does_not_grow_with_the_rows() {
    let [few, many] = [2_000, 200_000].map(|rows| {
        let shop = Shop::new(BOOKS);
        let lines: String = (0..rows).map(|n| format!("b{n},A story with the number {n},{n},s\n")).collect();
        let file = shop.write("books.csv", format!("id,title,year,shelf\n{lines}"));
        let prepared = shop.prepare(&file, &["--partition-rows", "20000"]);
        assert_eq!(numbers(&prepared, &["emitted"]), [rows]);
        let again = shop.prepare(&file, &[]);
        assert_eq!(numbers(&again, &["duplicates"]), [rows]);
        // Where the operating system does not tell, there is nothing to compare.
        [prepared, again].map(|report| report["peak_memory_bytes"].as_u64().unwrap_or(0))
    });
    // What the program itself takes differs between builds, so only the growth counts: the rows alone are 60 MB.
    let grown = few.iter().zip(&many).map(|(few, many)| many.saturating_sub(*few)).max();
    assert!(grown < Some(24_000_000), "{few:?} and {many:?} bytes");
}

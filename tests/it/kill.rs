//! `portolan embed` killed at any moment and run again ends with one vector per record.

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::tool::{Place, ask, json, sample_lines, succeed};

const RECORDS: usize = 3000;
/// Kills are spread evenly over the time that one whole run takes.
const KILLS: u32 = 24;

#[test]
fn embed_killed_at_any_moment_ends_with_one_vector_per_record() {
    let lines = sample_lines(RECORDS);
    let whole = {
        let place = Place::new();
        succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &lines)));
        let start = Instant::now();
        succeed(&mut place.on_store("embed"));
        start.elapsed()
    };
    let place = Place::new();
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &lines)));
    let mut killed = 0;
    for number in 1..=KILLS {
        // Every run has all to do: what the runs before have committed is of other texts.
        let edited = edited(&lines, number);
        succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &edited)));
        let mut child = place.on_store("embed").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole * number / KILLS);
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        // SIGKILL: nothing in the process can tidy up.
        child.kill().ok();
        child.wait().unwrap();
    }
    assert!(killed > KILLS / 4, "only {killed} runs were long enough to be killed");
    let last = json(&succeed(place.on_store("embed").arg("--json")));
    let sum = ["ready", "embedded", "from_cache"].iter().filter_map(|key| last[key].as_u64()).sum::<u64>();
    assert_eq!(sum, RECORDS as u64, "{last}");
    let status = json(&succeed(place.on_store("status").args(["--check", "--json"])));
    let count = |key: &str| -> u64 {
        status["collections"].as_array().unwrap().iter().filter_map(|c| c[key].as_u64()).sum()
    };
    assert_eq!((count("documents"), count("ready")), (RECORDS as u64, RECORDS as u64));
    let rows =
        ask("--store", &place.path("store"), "SELECT id FROM * USING EMBEDDING (TEXT 'a thing') TOPK 100000");
    let mut ids: Vec<&str> =
        rows["row_ids"].as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RECORDS);
    println!("killed {killed} of {KILLS} runs of {:?}", Duration::from_millis(whole.as_millis() as u64));
}

fn edited(lines: &[String], round: u32) -> Vec<String> {
    let definition = format!("\"definition\": \"round {round} ");
    lines.iter().map(|line| line.replace("\"definition\": \"", &definition)).collect()
}

#[test]
fn ingest_killed_at_any_moment_ends_with_one_row_per_record() {
    let lines = sample_lines(RECORDS);
    let place = Place::new();
    let start = Instant::now();
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &lines)));
    let whole = start.elapsed();
    let mut killed = 0;
    for number in 1..=KILLS {
        let file = place.lines("docs.jsonl", &edited(&lines, number));
        let mut child =
            place.on_store("ingest").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole * number / KILLS);
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().ok();
        child.wait().unwrap();
        let again = json(&succeed(place.on_store("ingest").arg(&file).arg("--json")));
        let sum = ["updated", "unchanged"].iter().filter_map(|key| again[key].as_u64()).sum::<u64>();
        assert_eq!((sum, &again["inserted"]), (RECORDS as u64, &0.into()), "{again}");
    }
    assert!(killed > KILLS / 4, "only {killed} runs were long enough to be killed");
    succeed(&mut place.on_store("embed"));
    let rows = ask(
        "--store",
        &place.path("store"),
        "SELECT id, document FROM * USING EMBEDDING (TEXT 'a thing') TOPK 100000",
    );
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.len(), RECORDS);
    assert!(rows.iter().all(|row| row.to_string().contains(&format!("round {KILLS} "))));
}

#[test]
fn a_second_writer_is_refused_and_told_who_holds_the_store() {
    let place = Place::new();
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &sample_lines(RECORDS))));
    let mut first = place.on_store("embed").stdout(Stdio::null()).spawn().unwrap();
    let mut refused = None;
    for _ in 0..200 {
        let second = place.on_store("ingest").arg(place.path("docs.jsonl")).output().unwrap();
        if !second.status.success() {
            refused = Some(String::from_utf8_lossy(&second.stderr).into_owned());
            break;
        }
        if first.try_wait().unwrap().is_some() {
            first = place.on_store("embed").stdout(Stdio::null()).spawn().unwrap();
        }
    }
    first.wait().unwrap();
    let message = refused.expect("a second writer met the first");
    assert!(message.contains("portolan embed"), "{message}");
}

//! `portolan ingest` and `portolan embed` killed at any moment and run again end with one row and one vector per record.

use std::{
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::tool::{Place, ask, json, sample_lines, succeed};

const RECORDS: usize = 3000;
/// Kills are spread evenly over the time that one whole run takes.
const KILLS: u32 = 16;

#[test]
fn embed_killed_at_any_moment_ends_with_one_vector_per_record() {
    let lines = sample_lines(RECORDS);
    let place = Place::new();
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &lines)));
    let ingested = place.path("ingested");
    copy_folder(&place.path("store"), &ingested);
    let start = Instant::now();
    succeed(&mut place.on_store("embed"));
    let whole = start.elapsed();
    let mut killed = 0;
    for number in 1..=KILLS {
        fs::remove_dir_all(place.path("store")).unwrap();
        copy_folder(&ingested, &place.path("store"));
        // Twice: the second run meets what the first one left.
        killed += kill_after(&place, whole * number / KILLS);
        killed += kill_after(&place, whole * (KILLS - number) / KILLS / 2);
        assert_whole(&place);
    }
    assert!(killed >= KILLS / 2, "only {killed} runs were long enough to be killed");
    println!("killed {killed} runs within {whole:?}");
}

/// Starts embedding and kills it after a while; says how many runs were killed before their end.
fn kill_after(place: &Place, time: Duration) -> u32 {
    let mut child = place.on_store("embed").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(time);
    let running = child.try_wait().unwrap().is_none();
    // SIGKILL: nothing in the process can tidy up.
    child.kill().ok();
    child.wait().unwrap();
    u32::from(running)
}

/// Embeds to the end; then every record has one vector, and is found once.
fn assert_whole(place: &Place) {
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
    assert_eq!(ids.len(), RECORDS);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RECORDS);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
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
    assert!(killed >= KILLS / 4, "only {killed} runs were long enough to be killed");
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

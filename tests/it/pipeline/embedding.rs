//! Embedding and its cache as a user runs them: kills, failures, budgets.

use std::{fs, process::Stdio, thread, time::Duration};

use serde_json::Value as Json;

use crate::tool::{Place, all_text, code, json, portolan, run, sample_lines, succeed};

const REGISTRY: &str = r#"
[embedder.fake]
provider = "fake"
dimension = 8
path = "calls.log"
pause_ms = 20

[[model]]
name = "note"
key = ["id"]
collection = { field = "topic" }
embedder = "fake"
text = ["text"]

[model.fields]
id = "text"
topic = "text"
text = "text"
"#;

fn place(registry: &str) -> Place {
    let place = Place::new();
    fs::write(place.path("portolan.toml"), registry).unwrap();
    place
}

fn note(id: usize, topic: &str, text: &str) -> String {
    format!(r#"{{"id":"n{id}","topic":"{topic}","text":"{text}"}}"#)
}

fn notes(count: usize) -> Vec<String> {
    (0..count).map(|n| note(n, ["a", "b", "c"][n % 3], &format!("note number {n}"))).collect()
}

/// How many texts each call had, over all runs.
fn calls(place: &Place) -> Vec<u64> {
    let log = fs::read_to_string(place.path("calls.log")).unwrap_or_default();
    log.lines().map(|line| line.parse().unwrap()).collect()
}

fn ingest(place: &Place, lines: &[String]) {
    succeed(place.on_store("ingest").arg(place.lines("notes.jsonl", lines)));
}

fn status(place: &Place) -> (u64, u64) {
    let status = json(&run(place.on_store("status").arg("--json")));
    let sum = |key: &str| -> u64 {
        status["collections"].as_array().unwrap().iter().filter_map(|one| one[key].as_u64()).sum()
    };
    (sum("documents"), sum("ready"))
}

#[test]
fn a1_c6_killed_again_and_again_every_record_has_one_vector_and_little_is_asked_twice() {
    const RECORDS: usize = 1200;
    const COMMIT: usize = 40;
    let place = place(REGISTRY);
    ingest(&place, &notes(RECORDS));
    let embed = || {
        let mut command = place.on_store("embed");
        command.args(["--json", "--batch", "10", "--parallel", "2", "--commit", &COMMIT.to_string()]);
        command
    };
    let mut kills = 0;
    for round in 0..60_u64 {
        let mut child = embed().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over the time of several commits.
        thread::sleep(Duration::from_millis(150 + round * 37 % 400));
        let running = child.try_wait().unwrap().is_none();
        // SIGKILL: nothing in the process can tidy up.
        child.kill().ok();
        child.wait().unwrap();
        kills += u64::from(running);
        if !running {
            break;
        }
    }
    assert!(kills >= 4, "only {kills} runs were killed");
    let last = json(&succeed(&mut embed()));
    let settled =
        ["ready", "embedded", "from_cache"].iter().filter_map(|key| last[key].as_u64()).sum::<u64>();
    assert_eq!(settled, RECORDS as u64, "{last}");
    assert_eq!(status(&place), (RECORDS as u64, RECORDS as u64));
    let asked: u64 = calls(&place).iter().sum();
    // Two collections at once may each lose what was not committed.
    let most = RECORDS as u64 + kills * 2 * COMMIT as u64;
    assert!(asked <= most, "{asked} texts were asked for {RECORDS} records and {kills} kills");
    println!("{kills} kills, {asked} texts asked for {RECORDS} records");
}

#[test]
fn a2_c8_a_second_run_asks_nothing_and_equal_texts_are_asked_once() {
    let place = place(REGISTRY);
    let mut lines = notes(90);
    lines.extend((0..90).map(|n| note(1000 + n, "d", &format!("note number {}", n % 30))));
    ingest(&place, &lines);
    let first = json(&succeed(place.on_store("embed").args(["--json", "--parallel", "1"])));
    assert_eq!((&first["embedded"], &first["texts_sent"]), (&90.into(), &90.into()), "{first}");
    assert_eq!(first["from_cache"], 90);
    assert_eq!(first["hit_rate"], 0.5);
    assert!(first["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    let made = calls(&place).len();
    let second = json(&succeed(place.on_store("embed").arg("--json")));
    assert_eq!(
        (&second["ready"], &second["calls"], &second["hit_rate"]),
        (&180.into(), &0.into(), &Json::Null)
    );
    assert_eq!(calls(&place).len(), made);
    // The same texts under other keys, in another collection.
    ingest(
        &place,
        &notes(90).iter().map(|line| line.replace("\"id\":\"n", "\"id\":\"m")).collect::<Vec<_>>(),
    );
    let third = json(&succeed(place.on_store("embed").arg("--json")));
    assert_eq!((&third["from_cache"], &third["calls"]), (&90.into(), &0.into()));
}

#[test]
fn a7_identical_rows_are_one_record_and_a_changed_one_replaces_it() {
    let place = place(REGISTRY);
    let line = note(1, "a", "the same");
    ingest(&place, &[line.clone(), line.clone(), note(2, "a", "the same")]);
    ingest(&place, &[line]);
    succeed(&mut place.on_store("embed"));
    assert_eq!(status(&place), (2, 2));
    ingest(&place, &[note(1, "a", "changed")]);
    assert_eq!(status(&place), (2, 1), "the old vector is not ready for the new text");
    succeed(&mut place.on_store("embed"));
    assert_eq!((status(&place), calls(&place).iter().sum::<u64>()), ((2, 2), 2));
}

#[test]
fn a10_a_failure_leaves_a_report_and_the_run_goes_on() {
    let place = place(REGISTRY);
    let mut lines = notes(60);
    lines.push(note(100, "a", "fake:bad text with: colon"));
    lines.push(note(101, "b", "fake:poison text"));
    lines.push(note(102, "c", "fake:flaky text"));
    ingest(&place, &lines);
    let output = run(place.on_store("embed").args(["--json", "--batch", "16"]));
    assert_eq!(code(&output), 1, "{}", all_text(&output));
    let report = json(&output);
    assert_eq!((&report["embedded"], &report["errors"]), (&61.into(), &2.into()), "{report}");
    assert!(report["retries"].as_u64().unwrap() >= 2, "{report}");
    let files = report["error_files"].as_array().unwrap();
    let texts: Vec<String> =
        files.iter().map(|file| fs::read_to_string(file.as_str().unwrap()).unwrap()).collect();
    let all = texts.join("\n");
    for expected in [
        "timestamp: \"20",
        "model: \"note\"",
        "collection: \"a\"",
        "partition: null",
        "batch:\n  size: 1",
        "token_total: 4",
        "resume_state:\n",
        "exception:\n",
        "id: \"n100\"",
        "id: \"n101\"",
        "attempts: 1",
        "text: \"fake:bad text with: colon\"",
    ] {
        assert!(all.contains(expected), "{expected}: {all}");
    }
    // Progress: one JSON object a line on standard error.
    let events: Vec<Json> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let last = events.iter().rfind(|event| event["subject"] == "a").unwrap();
    assert_eq!((&last["event"], &last["done"], &last["total"]), (&"progress".into(), &21.into(), &21.into()));
    assert!(events.iter().all(|event| event["phase"] == "embed"));
    assert_eq!(code(&run(place.on_store("status").arg("--check"))), 1);
    // Repaired at the source.
    lines.truncate(60);
    lines.extend([100, 101].map(|n| note(n, ["b", "a"][n % 2], "repaired")));
    ingest(&place, &[note(100, "a", "repaired"), note(101, "b", "repaired too")]);
    succeed(&mut place.on_store("embed"));
    succeed(place.on_store("status").arg("--check"));
}

#[test]
fn a8_long_texts_are_cut_and_flagged_by_the_real_tokenizer() {
    let place = Place::new();
    let registry = fs::read_to_string(place.path("portolan.toml")).unwrap();
    let registry = registry.replacen(
        "[model.fields]",
        "max_tokens = 12\ntruncate = \"middle_out\"\n\n[model.fields]",
        1,
    );
    fs::write(place.path("portolan.toml"), &registry).unwrap();
    let lines = sample_lines(300);
    let report =
        json(&succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &lines)).arg("--json")));
    let cut = report["truncated"].as_u64().unwrap();
    assert!(cut > 20 && cut < 300, "{report}");
    succeed(&mut place.on_store("embed"));
    let sql = "SELECT id, metadata.original_tokens AS was, metadata.final_tokens AS now FROM * WHERE metadata.truncation = 'middle_out'";
    let rows = crate::tool::ask("--store", &place.path("store"), sql);
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.len() as u64, cut);
    for row in rows {
        let (was, now) = (row["was"].as_u64().unwrap(), row["now"].as_u64().unwrap());
        assert!(was > 12 && now <= 12, "{row}");
    }
    // A registry that cuts nothing gives every record back as it was.
    fs::write(place.path("portolan.toml"), registry.replace("max_tokens = 12", "max_tokens = 100000"))
        .unwrap();
    let report = json(&succeed(place.on_store("ingest").arg(place.path("docs.jsonl")).arg("--json")));
    assert_eq!((&report["truncated"], &report["updated"]), (&0.into(), &cut.into()), "{report}");
}

#[test]
fn chunks_are_found_by_the_key_of_their_record() {
    let registry =
        REGISTRY.replace("[model.fields]", "chunk = { tokens = 6, overlap = 2 }\n\n[model.fields]");
    let place = place(&registry);
    ingest(
        &place,
        &[note(1, "a", "one two three four five six seven eight nine ten"), note(2, "a", "short")],
    );
    succeed(&mut place.on_store("embed"));
    let sql = "SELECT id, document FROM a WHERE metadata.parent = 'n1'";
    let answer = crate::tool::ask("--store", &place.path("store"), sql);
    let text = answer["rows"].to_string();
    assert!(
        text.contains("n1#0") && text.contains("n1#1") && text.contains("five six seven eight nine ten"),
        "{text}"
    );
    assert_eq!(answer["rows"].as_array().unwrap().len(), 2);
    ingest(&place, &[note(1, "a", "one two")]);
    succeed(&mut place.on_store("embed"));
    assert_eq!(crate::tool::ask("--store", &place.path("store"), sql)["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn the_cache_is_shown_pruned_exported_and_imported() {
    let (one, other) = (place(REGISTRY), place(REGISTRY));
    ingest(&one, &notes(50));
    succeed(&mut one.on_store("embed"));
    let cache = |place: &Place, verb: &str| {
        let mut command = portolan();
        command.args(["cache", verb, "--json", "--store"]).arg(place.path("store"));
        command
    };
    let stats = json(&succeed(&mut cache(&one, "stats")));
    assert_eq!((&stats["entries"], &stats["embedders"][0]["name"]), (&50.into(), &"fake".into()), "{stats}");
    assert!(stats["embedders"][0]["fingerprint"].as_str().unwrap().starts_with("fake-"));
    let file = one.path("cache.arrow");
    assert_eq!(json(&succeed(cache(&one, "export").arg(&file)))["entries"], 50);
    ingest(&other, &notes(60));
    assert_eq!(json(&succeed(cache(&other, "import").arg(&file)))["added"], 50);
    let embedded = json(&succeed(other.on_store("embed").arg("--json")));
    assert_eq!((&embedded["from_cache"], &embedded["texts_sent"]), (&50.into(), &10.into()), "{embedded}");
    // Nothing is meant by nothing, and a date that cannot be read is not everything.
    for (arguments, number) in
        [(&[][..], 5035), (&["--before", "tomorrow"], 5035), (&["--embedder", "nobody"], 5035)]
    {
        let output = run(cache(&one, "prune").args(arguments).arg("--apply"));
        assert_eq!(
            (code(&output), &json(&output)["error"]["code"]),
            (2, &number.into()),
            "{}",
            all_text(&output)
        );
    }
    assert_eq!(json(&succeed(cache(&one, "prune").args(["--embedder", "fake"])))["entries"], 50);
    assert_eq!(json(&succeed(&mut cache(&one, "stats")))["entries"], 50, "a dry run");
    succeed(cache(&one, "prune").args(["--embedder", "fake", "--apply"]));
    assert_eq!(json(&succeed(&mut cache(&one, "stats")))["entries"], 0);
    assert_eq!(status(&one), (50, 50), "records keep their vectors");
    fs::write(&file, "no arrow").unwrap();
    let output = run(cache(&one, "import").arg(&file));
    assert_eq!((code(&output), &json(&output)["error"]["code"]), (2, &5037.into()));
    let missing = run(portolan().args(["cache", "stats", "--json", "--store"]).arg(one.path("nothing")));
    assert_eq!((code(&missing), &json(&missing)["error"]["code"]), (3, &5004.into()));
    for verb in ["stats", "prune", "export", "import"] {
        let help = all_text(&succeed(portolan().args(["cache", verb, "--help"])));
        assert!(help.contains("Example:\n  portolan cache"), "{help}");
    }
}

/// Options that the page names exist.
#[test]
fn commands_of_the_page_about_embedding_are_understood() {
    let page = include_str!("../../../docs/embedding.md");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("portolan ")).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        succeed(portolan().args(command.split_whitespace()).arg("--help"));
    }
}

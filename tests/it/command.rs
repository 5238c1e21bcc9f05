//! What the `portolan` command promises: rows, exit codes, messages, quarantine.

use std::{fs, process::Stdio};

use portolan::snapshot::Collection;

use crate::tool::{Place, all_text, ask, code, json, portolan, run, sample_lines, succeed};

const STATEMENTS: [&str; 5] = [
    "SELECT collection, id, distance, document FROM * USING EMBEDDING (TEXT 'a living thing that moves') TOPK 12",
    "SELECT * FROM * USING EMBEDDING (TEXT 'water and air') WHERE metadata.senses > 1 TOPK 9",
    "SELECT id, embedding FROM noun.Tops USING EMBEDDING (TEXT 'measure') LIMIT 3 OFFSET 2",
    "SELECT id, metadata.words FROM * WHERE metadata.senses BETWEEN 2 AND 4 AND NOT id > 'n00020000'",
    "SELECT id, metadata FROM * WHERE metadata.pos IS NULL",
];

#[test]
fn a_store_and_its_release_give_the_same_rows() {
    let place = Place::new();
    let release = place.release(&sample_lines(700));
    for sql in STATEMENTS {
        let (from_release, from_store) =
            (ask("--release", &release, sql), ask("--store", &place.path("store"), sql));
        assert_eq!(from_release["rows"], from_store["rows"], "{sql}");
        assert!(
            sql.contains("IS NULL") || from_release["rows"].as_array().is_some_and(|rows| rows.len() > 2),
            "{sql}"
        );
    }
    succeed(portolan().arg("verify").arg(&release));
}

#[test]
fn exporting_twice_gives_the_same_bytes_whatever_the_order_of_ingestion() {
    let (one, other) = (Place::new(), Place::new());
    let mut lines = sample_lines(400);
    let release = one.release(&lines);
    lines.reverse();
    let reversed = other.release(&lines);
    let json = fs::read(release.join("release.json")).unwrap();
    assert_eq!(json, fs::read(reversed.join("release.json")).unwrap());
    let again = succeed(one.on_store("export").arg("--out").arg(&release).arg("--json"));
    assert_eq!(crate::tool::json(&again)["files_written"], 0);
}

/// Sharing files changes what is read, not what is answered.
#[test]
fn packed_collections_answer_as_separate_ones() {
    let place = Place::new();
    let release = place.release(&sample_lines(700));
    let packed = place.path("packed");
    succeed(place.on_store("export").args(["--pack", "--out"]).arg(&packed));
    let count = |folder: &std::path::Path| fs::read_dir(folder).unwrap().count();
    assert_eq!(count(&packed), 4, "release.json, heads, the pack and the embedder");
    assert!(count(&release) > count(&packed));
    for sql in STATEMENTS {
        // Which rows a search by clusters misses depends on the clusters.
        let sql = &if sql.contains("USING") { format!("{sql} RECALL 1") } else { (*sql).to_owned() };
        assert_eq!(ask("--release", &packed, sql)["rows"], ask("--release", &release, sql)["rows"], "{sql}");
    }
    succeed(portolan().arg("verify").arg(&packed));
    let again = succeed(place.on_store("export").args(["--pack", "--json", "--out"]).arg(&packed));
    assert_eq!(json(&again)["files_written"], 0);
}

#[test]
fn full_precision_doubles_the_vectors_and_moves_distances_little() {
    let place = Place::new();
    let half = place.release(&sample_lines(300));
    let full = place.path("full");
    succeed(place.on_store("export").args(["--vectors", "f32", "--out"]).arg(&full));
    let sql = "SELECT id, distance FROM * USING EMBEDDING (TEXT 'a living thing') TOPK 1";
    let nearest = |release| ask("--release", release, sql);
    let (half, full) = (nearest(&half), nearest(&full));
    let number = |answer: &serde_json::Value, key: &str| answer["rows"][0][key].as_f64().unwrap();
    assert!((number(&half, "distance") - number(&full, "distance")).abs() < 1e-3);
    // Two bytes more for each of 256 components of 300 vectors; the payload is the same.
    let bytes = |answer: &serde_json::Value| answer["bytes"].as_u64().unwrap();
    assert_eq!(bytes(&full) - bytes(&half), 300 * 256 * 2);
}

#[test]
fn malformed_lines_are_quarantined_with_their_number_and_the_rest_is_kept() {
    let place = Place::new();
    let mut lines = sample_lines(10);
    lines.insert(3, "{\"id\": \"broken\"".into());
    lines.insert(7, "{\"id\": \"n1\", \"lexname\": \"noun.Tops\", \"pos\": 7}".into());
    let file = place.lines("docs.jsonl", &lines);
    let output = run(place.on_store("ingest").arg(&file).arg("--json"));
    assert_eq!(code(&output), 1, "{}", all_text(&output));
    let report = json(&output);
    assert_eq!(
        (&report["read"], &report["inserted"], &report["quarantined"]),
        (&12.into(), &10.into(), &2.into())
    );
    let refused: Vec<_> = report["refused"].as_array().unwrap().iter().map(|r| r["line"].as_u64()).collect();
    assert_eq!(refused, [Some(4), Some(8)]);
    let kept = fs::read_to_string(report["quarantine_files"][0].as_str().unwrap()).unwrap();
    assert!(kept.lines().count() == 2 && kept.contains("broken"), "{kept}");
}

#[test]
fn ingesting_twice_changes_nothing_and_an_edit_is_embedded_again() {
    let place = Place::new();
    let mut lines = sample_lines(50);
    let file = place.lines("docs.jsonl", &lines);
    succeed(place.on_store("ingest").arg(&file));
    succeed(&mut place.on_store("embed"));
    let again = json(&succeed(place.on_store("ingest").arg(&file).arg("--json")));
    assert_eq!((&again["unchanged"], &again["inserted"]), (&50.into(), &0.into()));
    lines[5] = lines[5].replace("\"definition\": \"", "\"definition\": \"edited ");
    let edited =
        json(&succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &lines)).arg("--json")));
    assert_eq!((&edited["updated"], &edited["unchanged"]), (&1.into(), &49.into()));
    let embedded = json(&succeed(place.on_store("embed").arg("--json")));
    assert_eq!((&embedded["embedded"], &embedded["ready"]), (&1.into(), &49.into()));
}

#[test]
fn mistakes_have_their_exit_codes_and_say_what_to_do() {
    let place = Place::new();
    let release = place.release(&sample_lines(60));
    let asks = |sql: &str| run(portolan().arg("query").arg("--release").arg(&release).args(["--sql", sql]));
    for (sql, expected, part) in [
        ("SELECT id FROM *  WHER metadata.pos = 'n'", 2, "^"),
        ("SELECT id FROM nuon.Tops", 3, "noun.Tops"),
        ("SELECT id FROM * WHERE metadata.sense = 1", 3, "senses"),
        ("SELECT id FROM * USING EMBEDDING (VECTOR [1, 2])", 2, "256"),
        ("SELECT id FROM * WHERE metadata.senses = 'many'", 2, "senses"),
        ("SELECT id FROM * TOPK 3", 2, "USING EMBEDDING"),
    ] {
        let output = asks(sql);
        assert_eq!(code(&output), expected, "{sql}: {}", all_text(&output));
        assert!(all_text(&output).contains(part), "{sql}: {}", all_text(&output));
    }
    let missing = run(portolan().args(["query", "--release", "/nowhere", "--sql", "SELECT id FROM *"]));
    assert_eq!(code(&missing), 4);
    let unknown = run(place.on_store("ingest").args(["--model", "synst", "x.jsonl"]));
    assert_eq!(code(&unknown), 3, "{}", all_text(&unknown));
    assert_eq!(code(&run(portolan().arg("frobnicate"))), 2);
}

#[test]
fn a_damaged_release_names_the_section_and_the_place() {
    let place = Place::new();
    let release = place.release(&sample_lines(60));
    let file = fs::read_dir(&release).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.to_string_lossy().contains("noun.Tops")).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let collection = Collection::open(&bytes, bytes.len() as u64).unwrap();
    let middle = collection.payload_range(0).unwrap().start as usize + 20;
    bytes[middle] ^= 4;
    fs::write(&file, &bytes).unwrap();
    for path in [&release, &file] {
        let output = run(portolan().arg("verify").arg(path));
        assert_eq!(code(&output), 4);
        assert!(all_text(&output).contains("section payload at byte"), "{}", all_text(&output));
    }
    let output =
        run(portolan().arg("query").arg("--release").arg(&release).args(["--sql", "SELECT * FROM *"]));
    assert_eq!(code(&output), 4, "{}", all_text(&output));
    fs::write(&file, &bytes[..middle]).unwrap();
    let output = run(portolan().arg("verify").arg(&release));
    assert_eq!(code(&output), 4);
    assert!(all_text(&output).contains("truncated"), "{}", all_text(&output));
}

#[test]
fn a_folder_that_is_not_a_release_is_not_written_to() {
    let place = Place::new();
    place.release(&sample_lines(5));
    fs::create_dir(place.path("mine")).unwrap();
    fs::write(place.path("mine/letter.txt"), "dear").unwrap();
    let output = run(place.on_store("export").arg("--out").arg(place.path("mine")));
    assert_eq!(code(&output), 3, "{}", all_text(&output));
    assert_eq!(fs::read_dir(place.path("mine")).unwrap().count(), 1);
}

#[test]
fn nothing_embedded_is_nothing_to_export() {
    let place = Place::new();
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &sample_lines(5))));
    let output = run(place.on_store("export").arg("--out").arg(place.path("release")));
    assert_eq!(code(&output), 3);
    assert!(all_text(&output).contains("portolan embed"), "{}", all_text(&output));
    assert!(!place.path("release").exists());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::new();
    let release = place.release(&sample_lines(2000));
    let mut query = portolan();
    query.arg("query").arg("--release").arg(&release).args(["--json", "--sql", "SELECT * FROM *"]);
    let mut child = query.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", all_text(&output));
}

#[test]
fn status_counts_what_is_left_to_embed() {
    let place = Place::new();
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &sample_lines(30))));
    let output = run(place.on_store("status").args(["--check", "--json"]));
    assert_eq!(code(&output), 1);
    succeed(&mut place.on_store("embed"));
    let status = json(&succeed(place.on_store("status").args(["--check", "--json"])));
    let ready: u64 =
        status["collections"].as_array().unwrap().iter().filter_map(|c| c["ready"].as_u64()).sum();
    assert_eq!(ready, 30);
}

const IMPORTED: &str = r#"
[embedder.mine]
provider = "imported"
dimension = 3

[[model]]
name = "point"
key = ["id"]
collection = "points"
embedder = "mine"
fields = { id = "text" }
"#;

#[test]
fn imported_vectors_that_cannot_be_compared_are_refused_by_id() {
    let place = Place::new();
    fs::write(place.path("portolan.toml"), IMPORTED).unwrap();
    let line = |id: &str, vector: &str| format!("{{\"id\":\"{id}\",\"vector\":{vector}}}");
    let good = line("good", "[1, 2, 3]");
    let one = [("short", "[1, 2]"), ("nan", "[1, NaN, 3]"), ("infinite", "[1, 2, -Infinity]")];
    let other = [("large", "[1, 1e39, 3]"), ("zero", "[0, 0, 0]")];
    let lines = |bad: &[(&str, &str)]| -> Vec<String> {
        bad.iter().map(|(id, vector)| line(id, vector)).chain([good.clone()]).collect()
    };
    let files = [place.lines("one.jsonl", &lines(&one)), place.lines("other.jsonl", &lines(&other))];
    let report = run(place.on_store("ingest").args(&files).arg("--json"));
    assert_eq!(code(&report), 1, "{}", all_text(&report));
    let report = json(&report);
    assert_eq!((&report["inserted"], &report["quarantined"]), (&1.into(), &5.into()), "{report}");
    for (refused, (id, _)) in report["refused"].as_array().unwrap().iter().zip(one.iter().chain(&other)) {
        assert!(refused["reason"].as_str().unwrap().starts_with(&format!("{id}: ")), "{refused}");
    }
    let text = all_text(&run(place.on_store("ingest").args(&files)));
    let kept: Vec<&str> = text.lines().filter(|line| line.contains("refused lines are kept")).collect();
    assert_eq!(kept.len(), 1, "five lines are not five in each file: {text}");
    assert!(kept[0].starts_with("all 5 refused lines") && kept[0].contains("one.jsonl"), "{text}");
    let rows =
        ask("--store", &place.path("store"), "SELECT id FROM points USING EMBEDDING (VECTOR [1, 2, 3])");
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
}

#[test]
fn refused_lines_beyond_those_shown_are_counted() {
    let place = Place::new();
    let file = place.lines("docs.jsonl", &vec!["{".to_owned(); 50]);
    let text = all_text(&run(place.on_store("ingest").arg(file)));
    assert_eq!(text.lines().filter(|line| line.starts_with("quarantined: ")).count(), 20, "{text}");
    assert!(text.contains("and 30 more"), "{text}");
}

#[test]
fn texts_that_all_failed_leave_nothing_to_export() {
    let place = Place::new();
    let empty = r#"{"id": "n1", "lexname": "noun.Tops", "pos": "n", "words": [], "definition": ""}"#;
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &[empty.into()])));
    assert_eq!(code(&run(&mut place.on_store("embed"))), 1);
    let output = run(place.on_store("export").arg("--out").arg(place.path("release")));
    assert_eq!(code(&output), 3, "{}", all_text(&output));
    succeed(place.on_store("ingest").arg(place.lines("docs.jsonl", &sample_lines(400))));
    succeed(place.on_store("embed").arg("noun.act"));
    let output = succeed(place.on_store("export").arg("--json").arg("--out").arg(place.path("release")));
    let report = json(&output);
    assert_eq!((&report["collections"], &report["empty"][0]), (&1.into(), &"noun.Tops".into()), "{report}");
}

#[test]
fn a_collection_that_is_missing_is_named_and_can_be_done_without() {
    let place = Place::new();
    let release = place.release(&sample_lines(300));
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(release.join("release.json")).unwrap()).unwrap();
    let collections = index["collections"].as_array().unwrap();
    assert!(collections.len() > 1);
    let (name, file) = (&collections[0]["name"], index["files"][0]["name"].as_str());
    fs::remove_file(release.join(file.unwrap())).unwrap();
    let query = |options: &[&str]| {
        let mut command = portolan();
        command.args(["query", "--json", "--release"]).arg(&release).args(options);
        run(command.arg("SELECT collection, id FROM *"))
    };
    let refused = query(&[]);
    assert!(code(&refused) != 0 && all_text(&refused).contains(file.unwrap()), "{}", all_text(&refused));
    let answer = crate::tool::json(&query(&["--partial"]));
    assert_eq!(
        (&answer["collections"]["failed"][0]["name"], &answer["collections"]["failed"][0]["code"]),
        (name, &2004.into())
    );
    let rows = answer["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["collection"] != *name), "{answer}");
}

#[test]
fn parameters_take_their_types_from_json() {
    let place = Place::new();
    let release = place.release(&sample_lines(300));
    let query = |options: &[&str], sql: &str| {
        run(portolan().args(["query", "--json", "--release"]).arg(&release).args(options).arg(sql))
    };
    let written = crate::tool::json(&query(
        &[],
        "SELECT id FROM * WHERE metadata.senses IN (2, 3) AND metadata.pos = 'noun' LIMIT 4",
    ));
    let bound = query(
        &["--param", "few=[2, 3]", "--param", "noun", "--param", "4"],
        "SELECT id FROM * WHERE metadata.senses IN :few AND metadata.pos = ? LIMIT ?",
    );
    let bound = crate::tool::json(&bound);
    assert_eq!((bound["row_ids"].as_array().unwrap().len(), &bound["row_ids"]), (4, &written["row_ids"]));
    let refused = query(&["--param", "x=1"], "SELECT id FROM * LIMIT 1");
    assert!(code(&refused) == 2 && all_text(&refused).contains("1131"), "{}", all_text(&refused));
}

/// A store loads only what a statement mentions, so what EXCEPT names or a pattern misses used to look unknown or empty.
#[test]
fn names_after_from_mean_the_same_in_a_store_and_in_its_release() {
    let place = Place::new();
    let release = place.release(&sample_lines(300));
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(release.join("release.json")).unwrap()).unwrap();
    let name = |at: usize| index["collections"][at]["name"].as_str().unwrap();
    let (first, second) = (name(0), name(1));
    for (sql, error) in [
        (format!("SELECT id FROM {first} EXCEPT {second} LIMIT 3"), None),
        (format!("SELECT id FROM {first}, {second} EXCEPT {first} LIMIT 3"), None),
        ("SELECT id FROM nope_*".to_owned(), Some(2001)),
        (format!("SELECT id FROM {first} EXCEPT nope"), Some(2001)),
    ] {
        let answers =
            [("--store", place.path("store")), ("--release", release.clone())].map(|(option, folder)| {
                json(&run(portolan().arg("query").arg(option).arg(folder).arg("--json").arg(&sql)))
            });
        assert_eq!(answers[0]["row_ids"], answers[1]["row_ids"], "{sql}: {answers:?}");
        for answer in answers {
            assert_eq!(answer["error"]["code"].as_u64(), error, "{sql}: {answer}");
        }
    }
}

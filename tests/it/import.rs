//! Foreign data: imported without an embedder and a registry, exported, asked with vectors; rows and distances against
//! a search by brute force.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value as Json, json};

use crate::tool::{Place, all_text, ask, code, json, portolan, run, succeed};

const DATASET: &str = include_str!("../conformance/execution_dataset.json");

/// The records of the dataset as exchange lines, in their order, collection by collection.
pub fn exchange_lines() -> Vec<Json> {
    let dataset: Json = serde_json::from_str(DATASET).unwrap();
    let mut lines = Vec::new();
    for name in dataset["collection_order"].as_array().unwrap() {
        for record in dataset["collections"][name.as_str().unwrap()].as_array().unwrap() {
            lines.push(json!({
                "collection": name, "id": record["id"], "vector": record["embedding"],
                "document": record["document"], "metadata": record["metadata"],
            }));
        }
    }
    assert_eq!(lines.len(), 200);
    lines
}

/// The lines as a file holds them.
pub fn texts(lines: &[Json]) -> Vec<String> {
    lines.iter().map(Json::to_string).collect()
}

fn numbers(json: &Json) -> Vec<f32> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn import(place: &Place, lines: &[String], more: &[&str]) -> Json {
    let file = place.lines("exchange.jsonl", lines);
    json(&succeed(place.on_store("import").arg(file).arg("--json").args(more)))
}

fn export(place: &Place, name: &str, more: &[&str]) -> std::path::PathBuf {
    let release = place.path(name);
    succeed(place.on_store("export").arg("--out").arg(&release).args(more));
    release
}

/// The nearest records of all lines: collection, id and squared distance.
fn nearest(lines: &[Json], query: &[f32], count: usize) -> Vec<(String, String, f64)> {
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let mut all: Vec<_> = lines
        .iter()
        .map(|line| {
            let squares =
                numbers(&line["vector"]).into_iter().zip(query).map(|(a, b)| f64::from(a - b).powi(2));
            (text(&line["collection"]), text(&line["id"]), squares.sum::<f64>())
        })
        .collect();
    all.sort_by(|a, b| a.2.total_cmp(&b.2));
    all.truncate(count);
    all
}

/// The metadata that a record must be shown with: points nest, and the place is added.
fn shown(metadata: &Json, place: usize) -> Json {
    let mut shown = metadata.clone();
    let object = shown.as_object_mut().unwrap();
    if let Some(country) = object.remove("origin.country") {
        object.insert("origin".into(), json!({ "country": country }));
    }
    if let Some(rating) = object.get_mut("rating") {
        *rating = json!(rating.as_f64().unwrap());
    }
    object.retain(|_, value| !value.is_null());
    object.insert("_position".into(), place.into());
    shown
}

#[test]
fn imported_records_are_found_at_the_distances_of_a_brute_force_search() {
    let place = Place::new();
    let lines = exchange_lines();
    let report = import(&place, &texts(&lines), &["--metric", "l2"]);
    assert_eq!(
        (&report["read"], &report["inserted"], &report["collections"]),
        (&200.into(), &200.into(), &6.into())
    );
    let release = export(&place, "release", &[]);
    succeed(portolan().arg("verify").arg(&release));
    let dataset: Json = serde_json::from_str(DATASET).unwrap();
    let queries = dataset["vectors"].as_object().unwrap();
    assert!(queries.len() > 2);
    for (name, query) in queries {
        let sql = format!("SELECT collection, id, distance FROM * USING EMBEDDING (VECTOR {query}) TOPK 20");
        let rows = ask("--release", &release, &sql)["rows"].clone();
        assert_eq!(rows, ask("--store", &place.path("store"), &sql)["rows"]);
        let expected = nearest(&lines, &numbers(query), 20);
        for (row, expected) in rows.as_array().unwrap().iter().zip(&expected) {
            let distance = row["distance"].as_f64().unwrap();
            assert!((distance - expected.2).abs() < 1e-5, "{name}: {row} {expected:?}");
            // One vector stands in two collections.
            let known = row["id"] == "dup-1" || (row["collection"] == expected.0 && row["id"] == expected.1);
            assert!(known, "{name}: {row} {expected:?}");
        }
        assert_eq!(rows.as_array().unwrap().len(), 20);
    }
}

#[test]
fn imported_records_come_back_as_they_were_and_in_their_order() {
    let place = Place::new();
    let lines = exchange_lines();
    import(&place, &texts(&lines), &["--metric", "l2"]);
    let release = export(&place, "release", &[]);
    let answer = ask("--release", &release, "SELECT collection, id, document, metadata, embedding FROM *");
    let mut found: BTreeMap<(String, String), Json> = BTreeMap::new();
    for row in answer["rows"].as_array().unwrap() {
        let key = |name: &str| row[name].as_str().unwrap().to_owned();
        found.insert((key("collection"), key("id")), row.clone());
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for line in &lines {
        let key = |name: &str| line[name].as_str().unwrap().to_owned();
        let row = &found[&(key("collection"), key("id"))];
        let place = places.entry(key("collection")).or_default();
        assert_eq!(row["metadata"], shown(&line["metadata"], *place));
        assert_eq!(
            (&row["document"], numbers(&row["embedding"])),
            (&line["document"], numbers(&line["vector"]))
        );
        *place += 1;
    }
    let count = |condition: &str| {
        let answer = ask("--release", &release, &format!("SELECT id FROM * WHERE {condition}"));
        answer["rows"].as_array().unwrap().len()
    };
    assert_eq!(count("metadata._position < 2"), 12);
    let in_france = |line: &&Json| line["metadata"]["origin.country"] == "FR";
    assert_eq!(count("metadata.origin.country = 'FR'"), lines.iter().filter(in_france).count());
    let mixed = run(portolan().arg("query").arg("--release").arg(&release).args([
        "--json",
        "--sql",
        "SELECT id FROM * WHERE metadata.code = 5",
    ]));
    assert_eq!(
        (code(&mixed), json(&mixed)["error"]["code"].as_u64()),
        (2, Some(1205)),
        "{}",
        all_text(&mixed)
    );
}

#[test]
fn importing_again_replaces_and_a_bad_line_is_refused_with_its_place() {
    let place = Place::new();
    let mut lines = exchange_lines();
    import(&place, &texts(&lines), &["--metric", "l2"]);
    let again = import(&place, &texts(&lines), &[]);
    assert_eq!(
        (&again["unchanged"], &again["inserted"], &again["updated"]),
        (&200.into(), &0.into(), &0.into())
    );
    lines[7]["document"] = "edited".into();
    lines[8]["vector"] = json!([1, 2, 3]);
    lines[9]["metadata"]["_position"] = 5.into();
    let file = place.lines("exchange.jsonl", &texts(&lines));
    let output = run(place.on_store("import").arg(&file).arg("--json"));
    assert_eq!(code(&output), 1, "{}", all_text(&output));
    let report = json(&output);
    assert_eq!((&report["updated"], &report["unchanged"]), (&1.into(), &197.into()));
    let refused = report["refused"].as_array().unwrap();
    let places: Vec<_> = refused.iter().map(|refused| refused["line"].as_u64().unwrap()).collect();
    assert_eq!((places, &refused[0]["file"]), (vec![9, 10], &json!(file)));
    assert!(Path::new(report["quarantine_files"][0].as_str().unwrap()).exists());
    let told = run(place.on_store("import").arg(&file));
    assert!(all_text(&told).contains("exchange.jsonl:9: "), "{}", all_text(&told));
    let status = json(&succeed(place.on_store("status").args(["--check", "--json"])));
    let documents = |status: &Json| status["documents"].as_u64().unwrap();
    assert_eq!(status["collections"].as_array().unwrap().iter().map(documents).sum::<u64>(), 200);
}

#[test]
fn imported_vectors_are_exported_exactly_unless_asked_otherwise() {
    let place = Place::new();
    import(&place, &texts(&exchange_lines()), &["--metric", "l2"]);
    // A release's id is the hash of its files.
    let id = |name: &str, more: &[&str]| {
        let index = fs::read(export(&place, name, more).join("release.json")).unwrap();
        serde_json::from_slice::<Json>(&index).unwrap()["id"].clone()
    };
    let default = id("default", &[]);
    assert!(default.is_string());
    assert_eq!(default, id("full", &["--vectors", "f32"]));
    assert_ne!(default, id("half", &["--vectors", "f16"]));
}

#[test]
fn an_import_that_cannot_be_says_why() {
    let place = Place::new();
    let lines = texts(&exchange_lines());
    let file = place.lines("exchange.jsonl", &lines);
    succeed(place.on_store("import").arg(&file));
    let metric = run(place.on_store("import").arg(&file).args(["--metric", "ip"]));
    assert_eq!(code(&metric), 2);
    assert!(all_text(&metric).contains("by cosine, not by ip"), "{}", all_text(&metric));
    let text = [
        json!({"collection": "games", "id": "x", "vector": [1, 2, 3, 4, 5, 6, 7, 8], "metadata": {"rank": "first"}}),
    ];
    let kind = run(place.on_store("import").arg(place.lines("other.jsonl", &texts(&text))));
    assert_eq!(code(&kind), 2);
    assert!(all_text(&kind).contains("\"rank\" as int, the files have it as text"), "{}", all_text(&kind));
    assert_eq!(code(&run(place.on_store("import").arg("/dev/null"))), 4);
}

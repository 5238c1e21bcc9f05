//! `portolan bench`: recall against a truth computed here, the meaning of the truth's numbers, and ranges.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value as Json, json};

use crate::tool::{Place, all_text, code, portolan, run, succeed};

const DIMENSION: usize = 12;
const ROWS: usize = 1500;
const QUESTIONS: usize = 20;
const K: usize = 5;

/// Rows that no program generates twice by chance, from a fixed seed.
fn noise(rows: usize, mut state: u64) -> Vec<Vec<f32>> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..rows).map(|_| (0..DIMENSION).map(|_| next()).collect()).collect()
}

fn npy(place: &Place, name: &str, kind: &str, shape: (usize, usize), numbers: Vec<u8>) -> PathBuf {
    let header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}, {}), }}", shape.0, shape.1);
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(numbers);
    fs::write(place.path(name), file).unwrap();
    place.path(name)
}

fn floats(place: &Place, name: &str, rows: &[Vec<f32>]) -> PathBuf {
    let bytes = rows.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
    npy(place, name, "<f4", (rows.len(), DIMENSION), bytes)
}

fn truth_file(place: &Place, name: &str, truth: &[Vec<i64>]) -> PathBuf {
    let bytes = truth.iter().flatten().flat_map(|number| (*number as i32).to_le_bytes()).collect();
    npy(place, name, "<i4", (truth.len(), truth[0].len()), bytes)
}

/// The numbers of the nearest rows that are allowed, -1 where there are too few.
fn nearest(rows: &[Vec<f32>], query: &[f32], allowed: impl Fn(usize) -> bool) -> Vec<i64> {
    let distance = |row: &[f32]| row.iter().zip(query).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let mut all: Vec<usize> = (0..rows.len()).filter(|row| allowed(*row)).collect();
    all.sort_by(|a, b| distance(&rows[*a]).total_cmp(&distance(&rows[*b])));
    let mut nearest: Vec<i64> = all.into_iter().take(K).map(|row| row as i64).collect();
    nearest.resize(K, -1);
    nearest
}

/// A release of random rows, in collections by turns, with questions and their truth.
struct World {
    place: Place,
    rows: Vec<Vec<f32>>,
    questions: Vec<Vec<f32>>,
    release: PathBuf,
}

impl World {
    fn new(collections: usize) -> Self {
        let (place, rows, questions) = (Place::new(), noise(ROWS, 1), noise(QUESTIONS, 2));
        // Ids in another order than lines: 7 has no factor in common with their number.
        let line = |i: usize| json!({"id": format!("r{:04}", i * 7 % ROWS), "c": format!("c{}", i % collections), "n": i});
        let lines = place.lines("records.jsonl", &(0..ROWS).map(|i| line(i).to_string()).collect::<Vec<_>>());
        let vectors = floats(&place, "v.npy", &rows);
        let import = ["--collection-by", "c", "--metric", "l2", "--vectors"];
        succeed(place.on_store("import").arg(lines).args(import).arg(vectors));
        let release = place.path("release");
        succeed(place.on_store("export").arg("--out").arg(&release).arg("--pack"));
        floats(&place, "q.npy", &questions);
        Self { place, rows, questions, release }
    }

    fn truth(&self, name: &str, allowed: impl Fn(usize) -> bool + Copy) -> PathBuf {
        let truth: Vec<_> = self.questions.iter().map(|query| nearest(&self.rows, query, allowed)).collect();
        truth_file(&self.place, name, &truth)
    }

    fn bench(&self, path: &Path, more: &[&str]) -> Output {
        let mut command = portolan();
        command.arg("bench").arg(path).args(["--json", "--k", &K.to_string()]);
        run(command.arg("--queries").arg(self.place.path("q.npy")).args(more))
    }

    fn lines(&self, path: &Path, more: &[&str]) -> Vec<Json> {
        let output = self.bench(path, more);
        assert_eq!(code(&output), 0, "{}", all_text(&output));
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn path(&self, name: &str) -> String {
        self.place.path(name).to_str().unwrap().to_owned()
    }
}

fn recalls(lines: &[Json]) -> Vec<f64> {
    lines.iter().map(|line| line["recall"].as_f64().unwrap()).collect()
}

#[test]
fn recall_is_measured_against_the_truth_of_the_lines_that_were_imported() {
    let world = World::new(2);
    let truth = world.truth("t.npy", |_| true);
    let (truth, ids) = (truth.to_str().unwrap(), world.path("records.jsonl"));
    let lines = world.lines(&world.release, &["--truth", truth, "--ids", &ids]);
    let settings: Vec<_> = lines.iter().map(|line| line["setting"].as_str().unwrap()).collect();
    assert_eq!(settings, ["0.90", "0.95", "0.99", "exact"].repeat(2));
    let engines: Vec<_> = lines.iter().map(|line| line["engine"].as_str().unwrap()).collect();
    assert_eq!(engines, [["search"; 4], ["statement"; 4]].concat());
    let recalls = recalls(&lines);
    assert_eq!(recalls[..4], recalls[4..]);
    assert!(recalls[3] == 1.0 && recalls.iter().all(|recall| *recall > 0.75), "{recalls:?}");
    for line in &lines {
        for key in ["queries_per_second", "bytes_per_vector", "p50_us", "p99_us"] {
            assert!(line[key].as_f64().is_some_and(|number| number > 0.0), "{key}: {line}");
        }
        assert!(line["p50_us"].as_f64() <= line["p99_us"].as_f64(), "{line}");
    }
    // Without a truth an exact search of the same files is it; two threads and a file alone change nothing.
    let file = fs::read_dir(&world.release).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.to_str().unwrap().contains("pack-")).unwrap();
    let alone = world.lines(&file, &["--threads", "2", "--repeat", "1"]);
    assert_eq!(self::recalls(&alone), recalls);
    assert_eq!(alone[0]["bytes_per_vector"], lines[0]["bytes_per_vector"]);
}

#[test]
fn the_numbers_of_a_truth_need_a_meaning() {
    let world = World::new(2);
    let truth = world.truth("t.npy", |_| true);
    let truth = truth.to_str().unwrap();
    let refused = |more: &[&str], expected: &str| {
        let output = world.bench(&world.release, more);
        assert_eq!(code(&output), 2, "{}", all_text(&output));
        assert!(all_text(&output).contains(expected), "{}", all_text(&output));
    };
    refused(&["--truth", truth], "say with --ids");
    let few: Vec<String> = (0..10).map(|i| format!("r{i:04}")).collect();
    let few = world.place.lines("few.txt", &few);
    refused(&["--truth", truth, "--ids", few.to_str().unwrap()], "is not among those that are asked");
    refused(
        &["--truth", world.path("q.npy").as_str(), "--ids", &world.path("records.jsonl")],
        "not integers",
    );
    refused(&["--settings", "1.5"], "write shares between 0 and 1");
    // Lines in another order are other records.
    let wrong: Vec<String> = (0..ROWS).map(|i| format!("r{i:04}")).collect();
    let wrong = world.place.lines("wrong.txt", &wrong);
    let exact = ["--truth", truth, "--ids", wrong.to_str().unwrap(), "--settings", "exact"];
    assert!(recalls(&world.lines(&world.release, &exact))[0] < 0.1);
    let one = World::new(1);
    let truth = one.truth("t.npy", |_| true);
    let by_position = one.lines(&one.release, &["--truth", truth.to_str().unwrap(), "--settings", "exact"]);
    assert_eq!(recalls(&by_position), [1.0; 2]);
}

#[test]
fn a_filter_has_a_truth_of_its_own() {
    let world = World::new(2);
    let truth = world.truth("few.npy", |row| row < 3);
    let (truth, ids) = (truth.to_str().unwrap(), world.path("records.jsonl"));
    let filter = ["--truth", truth, "--ids", &ids, "--filter", "metadata.n < 3"];
    assert_eq!(recalls(&world.lines(&world.release, &filter)), [1.0; 8]);
    let (from, condition) = (["--from", "c1"], ["--filter", "metadata.n < 700"]);
    let lines = world.lines(&world.release, &[from, condition].concat());
    assert!(recalls(&lines).iter().all(|recall| *recall > 0.75), "{lines:?}");
}

#[test]
fn ranges_are_counted_and_give_the_rows_of_whole_files() {
    let world = World::new(2);
    let lines =
        world.lines(&world.release, &["--ranges", "--queries-limit", "5", "--settings", "0.95,exact"]);
    let states: Vec<_> = lines.iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["cold", "later", "cold", "later"]);
    let most = |line: &Json, key: &str| line[key]["most"].as_u64().unwrap();
    let (cold, later) = (&lines[0], &lines[1]);
    assert!(most(cold, "waves") > most(later, "waves") && most(later, "waves") > 0, "{lines:?}");
    assert!(most(cold, "ranges") >= most(cold, "waves"), "{cold}");
    let description = fs::metadata(world.release.join("release.json")).unwrap().len();
    assert_eq!(cold["parts"]["release.json"]["most"], description);
    assert_eq!(later["parts"]["release.json"], Json::Null);
    let mean = |line: &Json| {
        let parts = line["parts"].as_object().unwrap().values();
        parts.map(|part| part["mean"].as_f64().unwrap()).sum::<f64>()
    };
    assert!((mean(cold) - cold["bytes"]["mean"].as_f64().unwrap()).abs() < 1.0, "{cold}");
    // An exact search reads all vectors.
    assert!(most(&lines[2], "bytes") > (ROWS * DIMENSION * 4) as u64, "{}", lines[2]);
}

#[test]
fn a_graph_is_exported_the_same_twice_verified_and_walked() {
    let world = World::new(2);
    let export = |name: &str| {
        let release = world.place.path(name);
        succeed(world.place.on_store("export").arg("--out").arg(&release).args(["--pack", "--graph"]));
        release
    };
    let (release, again) = (export("walked"), export("again"));
    let index = |release: &Path| fs::read(release.join("release.json")).unwrap();
    assert_eq!(index(&release), index(&again));
    assert_ne!(index(&release), index(&world.release));
    succeed(portolan().arg("verify").arg(&release));
    let by = |path: &str| recalls(&world.lines(&release, &["--path", path, "--settings", "0.90,0.99,exact"]));
    let (walked, scanned) = (by("graph"), by("clusters"));
    assert_eq!(scanned, recalls(&world.lines(&world.release, &["--settings", "0.90,0.99,exact"])));
    assert!(walked[..2] != scanned[..2], "{walked:?}");
    assert!(walked[0] > 0.85 && walked[1] > 0.95 && walked[2] == 1.0, "{walked:?}");
    // A reader of ranges finds what clusters find, whatever a graph would.
    world.lines(&release, &["--ranges", "--queries-limit", "5", "--settings", "0.95", "--path", "graph"]);
}

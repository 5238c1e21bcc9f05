//! Vectors in files beside the lines: every kind of file, as other programs wrote them, and all that must be refused
//! before anything is written.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value as Json, json};

use crate::tool::{Place, all_text, ask, code, json, run, succeed};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/vectors").join(name)
}

/// What each of the files holds.
fn vectors() -> Vec<Vec<f64>> {
    (0..6).map(|i| vec![f64::from(i) + 1.0, 0.5, -0.25 * f64::from(i)]).collect()
}

/// Records as another program wrote them, in two collections.
fn lines(count: usize) -> Vec<String> {
    let line = |i: usize| {
        let kind = if i.is_multiple_of(2) { "even" } else { "odd" };
        json!({"id": format!("r{i}"), "kind": {"name": kind}, "gloss": format!("text {i}"), "n": i})
    };
    (0..count).map(|i| line(i).to_string()).collect()
}

fn import(place: &Place, lines: &[String], vectors: &Path, more: &[&str]) -> std::process::Output {
    let file = place.lines("records.jsonl", lines);
    run(place.on_store("import").arg(file).arg("--vectors").arg(vectors).args(more))
}

/// Why an import is refused; nothing may be written.
fn refusal(lines: &[String], vectors: &Path, more: &[&str]) -> String {
    let place = Place::new();
    let more: Vec<&str> = more.iter().copied().chain(["--collection", "c"]).collect();
    let output = import(&place, lines, vectors, &more);
    assert_eq!(code(&output), 2, "{}", all_text(&output));
    let status = json(&succeed(place.on_store("status").arg("--json")));
    assert_eq!(status["collections"], json!([]));
    all_text(&output)
}

#[test]
fn every_kind_of_file_brings_the_same_vectors_to_the_same_records() {
    for (name, column) in [
        ("f16.npy", None),
        ("f32.npy", None),
        ("f64.npy", None),
        ("f32-big-endian.npy", None),
        ("batches.arrow", None),
        ("stream.arrows", None),
        ("snappy.parquet", None),
        ("two-columns.parquet", Some("vector")),
    ] {
        let place = Place::new();
        // Row i is that of the i-th line which is not blank, and a line that is refused has one too.
        let mut lines = lines(6);
        lines[2] = "\n{oops".into();
        let mut more = vec!["--collection-by", "kind.name", "--document", "gloss", "--metric", "l2"];
        more.extend(column.iter().flat_map(|column| ["--vector-column", column]));
        let output = import(&place, &lines, &data(name), &more);
        assert_eq!(code(&output), 1, "{name}: {}", all_text(&output));
        assert!(all_text(&output).contains("records.jsonl:4: not JSON"), "{}", all_text(&output));
        let sql = "SELECT collection, id, document, metadata, embedding FROM * ORDER BY id";
        let rows = ask("--store", &place.path("store"), sql)["rows"].clone();
        let row = |i: usize, collection: &str, position: usize| {
            json!({"collection": collection, "id": format!("r{i}"), "document": format!("text {i}"),
                "metadata": {"_position": position, "kind": {"name": collection}, "n": i}, "embedding": vectors()[i]})
        };
        let expected =
            [row(0, "even", 0), row(1, "odd", 0), row(3, "odd", 1), row(4, "even", 1), row(5, "odd", 2)];
        assert_eq!(rows, Json::from(expected.to_vec()), "{name}");
    }
}

#[test]
fn another_number_of_rows_is_refused_with_the_line_where_it_shows() {
    let few = refusal(&lines(7), &data("f32.npy"), &[]);
    assert!(
        few.contains("it has 6 rows, so there is none for") && few.contains("records.jsonl:7 (r6)"),
        "{few}"
    );
    let many = refusal(&lines(4), &data("snappy.parquet"), &[]);
    assert!(many.contains("it has 6 rows for 4 records, the last is"), "{many}");
    assert!(many.contains("records.jsonl:4 (r3)"), "{many}");
}

#[test]
fn a_vector_that_cannot_be_stored_is_refused_with_line_and_id() {
    let place = Place::new();
    let bytes = fs::read(data("f32.npy")).unwrap();
    let with = |row: usize, values: [f32; 3]| {
        let (mut bytes, path) = (bytes.clone(), place.path("v.npy"));
        let at = bytes.len() - (6 - row) * 12;
        bytes[at..at + 12].copy_from_slice(&values.map(f32::to_le_bytes).concat());
        fs::write(&path, bytes).unwrap();
        path
    };
    let nan = refusal(&lines(6), &with(3, [1.0, 2.0, f32::NAN]), &[]);
    assert!(nan.contains("row 3, of ") && nan.contains("records.jsonl:4: r3: component 2"), "{nan}");
    let zero = refusal(&lines(6), &with(0, [0.0; 3]), &[]);
    assert!(zero.contains("records.jsonl:1: r0: the vector is all zeros"), "{zero}");
    let uneven = refusal(&lines(6), &data("uneven.parquet"), &[]);
    assert!(
        uneven.contains("records.jsonl:5: r4: the vector has 2 numbers, the collection needs 3"),
        "{uneven}"
    );
    let null = refusal(&lines(6), &data("null.parquet"), &[]);
    assert!(null.contains("its row 3 is null"), "{null}");
}

#[test]
fn a_file_that_holds_no_vectors_says_why() {
    let place = Place::new();
    let bytes = fs::read(data("f32.npy")).unwrap();
    let file = |bytes: &[u8]| {
        fs::write(place.path("v"), bytes).unwrap();
        place.path("v")
    };
    for (path, more, expected) in [
        (data("fortran.npy"), &[][..], "np.ascontiguousarray"),
        (data("i64.npy"), &[], "it holds integers"),
        (data("two-columns.parquet"), &[], "name one: other, vector"),
        (
            data("snappy.parquet"),
            &["--vector-column", "id"],
            "no column \"id\" of lists of floats; such are: vector",
        ),
        (data("f32.npy"), &["--vector-column", "v"], "an npy file has no columns"),
        (data("README.md"), &[], "neither npy nor Arrow IPC nor Parquet"),
        (file(&bytes[..bytes.len() - 1]), &[], "it is not whole"),
    ] {
        let told = refusal(&lines(6), &path, more);
        assert!(told.contains(expected), "{told}");
    }
    let missing = import(&place, &lines(6), &place.path("none.npy"), &["--collection", "c"]);
    assert_eq!(code(&missing), 4, "{}", all_text(&missing));
}

#[test]
fn importing_the_same_vectors_again_changes_nothing_and_a_second_dimension_is_refused() {
    let place = Place::new();
    succeed(place.on_store("import").arg(place.lines("records.jsonl", &lines(6))).args([
        "--collection",
        "c",
        "--vectors",
        data("f32.npy").to_str().unwrap(),
    ]));
    let again = json(&import(&place, &lines(6), &data("snappy.parquet"), &["--collection", "c", "--json"]));
    assert_eq!((&again["unchanged"], &again["updated"]), (&6.into(), &0.into()));
    let own = json!({"id": "x", "vector": [1, 2], "collection": "c"}).to_string();
    let file = place.lines("own.jsonl", &[own]);
    let output = run(place.on_store("import").arg(&file).args(["--collection", "c"]));
    assert_eq!(code(&output), 1);
    assert!(all_text(&output).contains("the collection needs 3"), "{}", all_text(&output));
    let both = [json!({"id": "x", "vector": [1, 2, 3]}).to_string()];
    let output = import(&place, &both, &data("uneven.parquet"), &["--collection", "c"]);
    assert_eq!(code(&output), 2, "{}", all_text(&output));
}

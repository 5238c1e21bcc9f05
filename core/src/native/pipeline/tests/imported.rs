//! Records that bring their own vectors.

use super::*;

const IMPORTED: &str = r#"
[embedder.mine]
provider = "imported"
dimension = 3

[[model]]
name = "point"
key = ["a", "b"]
collection = "points"
embedder = "mine"
fields = { a = "text", b = "int" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn records_may_bring_vectors_and_bad_ones_are_refused_by_id() {
    let bench = Bench::with_registry(IMPORTED);
    let report = bench
        .ingest(&[
            r#"{"a":"x/y","b":1,"vector":[1,2,3]}"#,
            r#"{"a":"x","b":2,"vector":[1,2]}"#,
            r#"{"a":"x","b":3,"vector":[0,0,0]}"#,
            r#"{"a":"x","b":4,"vector":[1,1e39,1]}"#,
            r#"{"a":"x","b":5}"#,
            r#"{"a":"x","b":6,"vector":[1,"2",3]}"#,
        ])
        .await;
    assert_eq!((report.inserted, report.quarantined), (1, 5));
    for (refused, id) in report.refused.iter().zip(["x/2", "x/3", "x/4"]) {
        assert!(refused.reason.starts_with(id), "{}", refused.reason);
    }
    let changed = bench.ingest(&[r#"{"a":"x/y","b":1,"vector":[3,2,1]}"#]).await;
    assert_eq!(changed.updated, 1, "a changed vector is a changed record");
    assert_eq!(bench.records("points").await["x%2Fy/1"].vector, [3.0, 2.0, 1.0]);
    let schema = bench.reader().await.schema("points").unwrap();
    assert_eq!((schema.dimension, schema.embedder), (3, None));
    assert_eq!(bench.embed(&Fake::new("f")).await.unwrap().ready, 1, "nothing to embed");
}

/// A vector's row was of the text alone: a kill between the two commits of an import showed the new vector with the old
/// record, and reading the same file again wrote every vector again.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_stopped_anywhere_shows_no_vector_with_another_record() {
    let registry = IMPORTED
        .replace("fields =", "metadata = [\"n\"]\nfields =")
        .replace("b = \"int\"", "b = \"int\", n = \"int\"");
    let bench = Bench::with_registry(&registry);
    let model = bench.registry.model("point").unwrap();
    let lines = |round: usize| -> Vec<String> {
        (0..50).map(|b| format!(r#"{{"a":"x","b":{b},"n":{round},"vector":[{round},{b},1]}}"#)).collect()
    };
    bench.ingest(&refs(&lines(0))).await;
    let mut stopped = 0;
    for round in 1.. {
        let source = bench.source(&refs(&lines(round)));
        let run = async {
            let mut store = bench.writer().await;
            ingest(&mut store, model, std::slice::from_ref(&source), &|_| {}).await.unwrap();
        };
        let finished = stopped_after(round * 2, run).await;
        stopped += usize::from(!finished);
        for record in bench.records("points").await.values() {
            let Value::Int(n) = record.metadata["n"] else { panic!("{record:?}") };
            assert_eq!(record.vector[0], n as f32, "round {round}");
        }
        bench.ingest(&refs(&lines(round))).await;
        assert_eq!(bench.records("points").await.len(), 50, "round {round}");
        if finished {
            break;
        }
    }
    assert!(stopped > 3, "the test must stop runs to mean anything, it stopped {stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_twice_commits_nothing() {
    let bench = Bench::with_registry(IMPORTED);
    let line = r#"{"a":"x","b":1,"vector":[1,2,3]}"#;
    bench.ingest(&[line]).await;
    let versions = || {
        let tables = std::fs::read_dir(bench.store_dir()).unwrap().map(|entry| entry.unwrap().path());
        let versions =
            tables.filter_map(|table| Some(std::fs::read_dir(table.join("_versions")).ok()?.count()));
        versions.sum::<usize>()
    };
    let before = versions();
    assert_eq!(bench.ingest(&[line]).await.unchanged, 1);
    assert_eq!(versions(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_against_a_vector_names_the_record() {
    let bench = Bench::with_registry(IMPORTED);
    let lines = [
        "[1,NaN,3]",
        "[1,-Infinity,3]",
        "[1,1e39,3]",
        "[0,0,0]",
        "[1,2]",
        "[1,\"2\",3]",
        "7",
        "null",
        "{\"NaN\":1}",
    ];
    let lines = lines.map(|vector| format!(r#"{{"a":"a \"NaN","b":7,"vector":{vector}}}"#));
    let report = bench.ingest(&lines.each_ref().map(String::as_str)).await;
    assert_eq!(report.quarantined, 9);
    for refused in &report.refused {
        assert!(refused.reason.starts_with("a \"NaN/7: "), "{}", refused.reason);
    }
    assert!(report.refused[0].reason.contains("NaN"), "{}", report.refused[0].reason);
}

//! Ingestion: counts that add up, quarantine, values, pieces.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn ingesting_twice_changes_nothing() {
    let bench = Bench::new();
    let lines = words(0..50);
    assert_eq!(bench.ingest(&refs(&lines)).await.inserted, 50);
    let manifests =
        || std::fs::read_dir(bench.store_dir().join("documents.t.lance/_versions")).unwrap().count();
    let before = manifests();
    let again = bench.ingest(&refs(&lines)).await;
    assert_eq!((again.inserted, again.updated, again.unchanged), (0, 0, 50));
    assert_eq!(bench.counts("t").await, Counts { documents: 50, new: 50, ..Counts::default() });
    assert_eq!(manifests(), before, "an ingestion that changes nothing commits nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_record_replaces_its_row_and_is_embedded_again() {
    let bench = Bench::new();
    let embedder = Fake::new("f");
    bench.ingest(&refs(&words(0..20))).await;
    bench.embed(&embedder).await.unwrap();
    let edited =
        [r#"{"id":"w3","topic":"t","text":"changed"}"#, r#"{"id":"w4","topic":"t","text":"word 4","n":1}"#];
    let report = bench.ingest(&edited).await;
    assert_eq!((report.inserted, report.updated), (0, 2));
    assert_eq!(bench.counts("t").await, Counts { documents: 20, ready: 19, stale: 1, ..Counts::default() });
    assert!(!bench.records("t").await.contains_key("w3"), "a stale vector is never served");
    let summary = bench.embed(&embedder).await.unwrap();
    assert_eq!((summary.ready, summary.embedded), (19, 1));
    let records = bench.records("t").await;
    assert_eq!(records.len(), 20);
    assert_eq!(records["w3"].document.as_deref(), Some("changed"));
    assert_eq!(records["w4"].metadata["n"], Value::Int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_quarantined_with_reasons_and_the_rest_is_kept() {
    let bench = Bench::new();
    let report = bench
        .ingest(&[
            r#"{"id":"a","topic":"t","text":"x"}"#,
            "{oops",
            "",
            r#"{"topic":"t","text":"x"}"#,
            r#"{"id":"b","topic":"t","text":"x","n":1.5}"#,
            r#"{"id":"c","text":"x"}"#,
            r#"{"id":"d","topic":"t","author":{"born":"yesterday"}}"#,
            r#"{"id":"e","topic":"t","vector":[1,2]}"#,
            r#"[1]"#,
            &format!(r#"{{"id":"{}","topic":"t"}}"#, "x".repeat(70_000)),
            r#"{"id":"f","topic":"t","text":"y"}"#,
        ])
        .await;
    assert_eq!((report.read, report.inserted, report.quarantined), (10, 2, 8));
    let lines: Vec<u64> = report.refused.iter().map(|refused| refused.line).collect();
    assert_eq!(lines, [2, 4, 5, 6, 7, 8, 9, 10]);
    let reasons: Vec<&str> = report.refused.iter().map(|refused| refused.reason.as_str()).collect();
    for (reason, part) in reasons.iter().zip([
        "not JSON",
        "key field \"id\" is missing",
        "field \"n\": expected a 64-bit integer, got 1.5",
        "\"topic\", which names the collection",
        "field \"author.born\": expected a date",
        "brings a \"vector\"",
        "expected a JSON object",
        "at most 65535",
    ]) {
        assert!(reason.contains(part), "{reason:?} should contain {part:?}");
    }
    let kept = std::fs::read_to_string(&report.quarantine_files[0]).unwrap();
    let second: serde_json::Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
    assert_eq!((second["line"].as_u64(), second["raw"].as_str()), (Some(2), Some("{oops")));
    let repaired = bench.ingest(&[r#"{"id":"a","topic":"t","text":"x"}"#]).await;
    assert!(repaired.quarantine_files.is_empty());
    assert!(!report.quarantine_files[0].exists(), "a repaired source leaves no quarantine behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_record_of_a_key_wins() {
    let bench = Bench::new();
    let lines = [r#"{"id":"a","topic":"t","text":"first"}"#, r#"{"id":"a","topic":"t","text":"last"}"#];
    let report = bench.ingest(&lines).await;
    assert_eq!((report.inserted, report.duplicates), (1, 1));
    bench.embed(&Fake::new("f")).await.unwrap();
    assert_eq!(bench.records("t").await["a"].document.as_deref(), Some("last"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_file_is_an_error_and_what_came_before_is_kept() {
    let bench = Bench::new();
    let good = bench.source(&[r#"{"id":"a","topic":"t","text":"x"}"#]);
    let model = bench.registry.model("word").unwrap();
    let files = [good, bench.dir.path().join("missing.jsonl")];
    let error = ingest(&mut bench.writer().await, model, &files, &|_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::File { .. })), "{error}");
    assert_eq!(bench.counts("t").await.documents, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_marks_and_windows_line_ends_are_read() {
    use std::io::Write;
    let bench = Bench::new();
    let path = bench.dir.path().join("words.gz");
    let mut file = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
    file.write_all(
        b"\xef\xbb\xbf{\"id\":\"a\",\"topic\":\"t\",\"text\":\"x\"}\r\n\r\n{\"id\":\"b\",\"topic\":\"t\"}",
    )
    .unwrap();
    file.finish().unwrap();
    let model = bench.registry.model("word").unwrap();
    let report = ingest(&mut bench.writer().await, model, &[path], &|_| {}).await.unwrap();
    assert_eq!((report.inserted, report.quarantined), (2, 0), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_all_types_survive_the_store() {
    let bench = Bench::new();
    bench
        .ingest(&[
            r#"{"id":"a","topic":"t","text":"x","n":-5,"tags":["p",null,"q"],"author":{"name":"Ann","born":"1970-01-02"},"at":"1970-01-01T00:00:01+00:00","ratio":3,"ok":false,"more":1}"#,
            r#"{"id":"b","topic":"t","text":"y","tags":[],"author":null}"#,
        ])
        .await;
    bench.embed(&Fake::new("f")).await.unwrap();
    let records = bench.records("t").await;
    let text = |text: &str| Value::Text(text.into());
    let expected: BTreeMap<String, Value> = [
        ("at", Value::Time(1_000_000)),
        ("author.born", Value::Time(86_400_000_000)),
        ("author.name", text("Ann")),
        ("n", Value::Int(-5)),
        ("ok", Value::Bool(false)),
        ("ratio", Value::Float(3.0)),
        ("tags", Value::List(vec![text("p"), Value::Null, text("q")])),
    ]
    .map(|(path, value)| (path.to_owned(), value))
    .into();
    assert_eq!(records["a"].metadata, expected);
    assert_eq!(records["b"].metadata, [("tags".to_owned(), Value::List(Vec::new()))].into());
    assert_eq!(records["a"].vector.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_may_gain_fields_but_not_change_their_types() {
    let mut bench = Bench::new();
    bench.ingest(&[r#"{"id":"a","topic":"t","text":"x","n":1}"#]).await;
    bench.change("tags = [\"text\"]", "tags = [\"int\"]");
    let error = bench.try_ingest(&[r#"{"id":"b","topic":"t"}"#]).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::FieldTypeChanged { .. })), "{error}");
    bench.change("\"ok\"]", "\"ok\", \"topic\"]");
    let report = bench.ingest(&[r#"{"id":"a","topic":"t","text":"x","n":1}"#]).await;
    assert_eq!(report.updated, 1);
    bench.embed(&Fake::new("f")).await.unwrap();
    let metadata = &bench.records("t").await["a"].metadata;
    assert_eq!((&metadata["n"], &metadata["topic"]), (&Value::Int(1), &Value::Text("t".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_may_have_any_name_and_lists_may_nest() {
    let names = ["Name", "name", "na me", "ü", "a'b", "a`b", "select", "grid", "marks", "days"];
    const INT: &str = r#""int""#;
    let kinds = [r#""text""#, INT, INT, INT, INT, INT, INT, r#"[["int"]]"#, r#"["float"]"#, r#"["time"]"#];
    let fields: String = names.iter().zip(kinds).map(|(name, kind)| format!("{name:?} = {kind}\n")).collect();
    let metadata: String = names.iter().map(|name| format!("{name:?}, ")).collect();
    let registry = REGISTRY.replace("n = \"int\"\n", &fields).replace("\"n\", ", &metadata);
    let bench = Bench::with_registry(&registry);
    let line = r#"{"id":"a","topic":"t","text":"x","Name":"N","name":1,"na me":2,"ü":3,"a'b":4,"a`b":5,"select":6,
        "grid":[[1,null],null,[]],"marks":[1,null,0.5],"days":["2026-01-01T00:00:00+02:00",null]}"#;
    let line = line.replace('\n', "");
    for _ in 0..2 {
        bench.ingest(&[&line]).await;
    }
    bench.ingest(&[&line.replace("\"x\"", "\"y\"")]).await;
    bench.embed(&Fake::new("f")).await.unwrap();
    let json = crate::schema::metadata_json(&bench.records("t").await["a"].metadata);
    let mut expected: serde_json::Value = serde_json::from_str(&line).unwrap();
    for other in ["id", "topic", "text"] {
        expected.as_object_mut().unwrap().remove(other);
    }
    expected["days"][0] = "2025-12-31T22:00:00Z".into();
    expected["marks"][0] = 1.0.into();
    assert_eq!(json, expected);
}

fn large(range: std::ops::Range<usize>) -> Vec<String> {
    let text = "x".repeat(1 << 20);
    range.map(|n| format!(r#"{{"id":"w{n}","topic":"t{}","text":"{text} {n}"}}"#, n % 2)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_written_in_several_pieces_counts_once() {
    let bench = Bench::new();
    let lines = large(0..100);
    let report = bench.ingest(&refs(&lines)).await;
    assert_eq!((report.inserted, report.collections), (100, 2));
    let again = bench.ingest(&refs(&lines)).await;
    assert_eq!((again.unchanged, again.collections), (100, 0), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_records_are_passed_on_a_few_at_a_time() {
    let bench = Bench::new();
    let source = bench.source(&refs(&large(0..32)));
    let steps = AtomicUsize::new(0);
    let count = |step: Progress<'_>| {
        steps.fetch_add(usize::from(step.phase == Phase::Read), Ordering::SeqCst);
    };
    let model = bench.registry.model("word").unwrap();
    ingest(&mut bench.writer().await, model, &[source], &count).await.unwrap();
    assert!(steps.into_inner() >= 8, "a thousand records of 16 MiB would not fit in memory");
}

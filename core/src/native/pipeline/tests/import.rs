//! Import: exchange lines into collections that nothing declares.

use super::*;
use crate::metric::Metric;
use crate::schema::FieldType;

async fn try_import(bench: &Bench, lines: &[&str], metric: Option<Metric>) -> crate::Result<IngestReport> {
    let options = ImportOptions { metric, ..ImportOptions::default() };
    let report = import(&mut bench.writer().await, &[bench.source(lines)], &options, &|_| {}).await?;
    let parts = report.inserted + report.updated + report.unchanged + report.duplicates + report.quarantined;
    assert_eq!(report.read, parts, "{report:?}");
    Ok(report)
}

async fn imported(bench: &Bench, lines: &[&str]) -> IngestReport {
    try_import(bench, lines, None).await.unwrap()
}

/// Why an import is refused.
async fn refusal(bench: &Bench, lines: &[&str]) -> String {
    let error = try_import(bench, lines, None).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::CannotImport { .. })), "{error}");
    error.to_string()
}

fn line(id: &str, metadata: &str) -> String {
    format!(r#"{{"collection":"c","id":"{id}","vector":[1,2],"metadata":{metadata}}}"#)
}

async fn kinds(bench: &Bench, collection: &str) -> Vec<(String, FieldType)> {
    let fields = bench.reader().await.schema(collection).unwrap().fields;
    fields.into_iter().map(|field| (field.path, field.kind)).collect()
}

/// The ids of a collection in the order of their positions, which must be 0, 1, 2, ...
async fn in_order(bench: &Bench, collection: &str) -> Vec<String> {
    let records = bench.records(collection).await;
    let mut places: Vec<(i64, String)> = records
        .into_iter()
        .map(|(id, record)| match record.metadata["_position"] {
            Value::Int(place) => (place, id),
            ref other => panic!("{other:?}"),
        })
        .collect();
    places.sort_unstable();
    assert!(places.iter().map(|(place, _)| *place).eq(0..places.len() as i64), "{places:?}");
    places.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn types_come_from_all_lines_and_values_come_back() {
    let bench = Bench::new();
    let report = imported(
        &bench,
        &[
            r#"{"collection":"b","id":"b1","vector":[1,0.5],"document":"one","metadata":{"n":1,"r":2,"s":"x","mixed":7,"l":[1],"o":{"p":{"q":true}}}}"#,
            r#"{"collection":"a","id":"b1","vector":[1,2,3],"document":null}"#,
            r#"{"collection":"b","id":"b2","vector":[0,1],"metadata":{"r":0.5,"mixed":"7","l":[0.5,null],"o.p.q":false,"deep":[{"x.y":[1]}],"e":[]}}"#,
        ],
    )
    .await;
    assert_eq!((report.inserted, report.collections), (3, 2));
    let list = |kind| FieldType::List(Box::new(kind));
    let expected = [
        ("_position", FieldType::Int),
        ("deep", FieldType::Json),
        ("e", list(FieldType::Text)),
        ("l", list(FieldType::Float)),
        ("mixed", FieldType::Json),
        ("n", FieldType::Int),
        ("o.p.q", FieldType::Bool),
        ("r", FieldType::Float),
        ("s", FieldType::Text),
    ];
    assert_eq!(kinds(&bench, "b").await, expected.map(|(path, kind)| (path.to_owned(), kind)));
    let schema = bench.reader().await.schema("a").unwrap();
    assert_eq!((schema.dimension, schema.metric, schema.embedder), (3, Metric::Cosine, None));
    let records = bench.records("b").await;
    let shown = |id: &str| crate::schema::metadata_json(&records[id].metadata);
    assert_eq!(
        shown("b1"),
        serde_json::json!({"_position":0,"n":1,"r":2.0,"s":"x","mixed":7,"l":[1.0],"o":{"p":{"q":true}}})
    );
    assert_eq!(
        shown("b2"),
        serde_json::json!({"_position":1,"r":0.5,"mixed":"7","l":[0.5,null],"o":{"p":{"q":false}},"deep":[{"x.y":[1]}],"e":[]})
    );
    assert_eq!((records["b1"].document.as_deref(), records["b2"].document.as_deref()), (Some("one"), None));
    assert_eq!(records["b2"].vector, [0.0, 1.0]);
    assert_eq!(bench.counts("b").await, Counts { documents: 2, ready: 2, ..Counts::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_object_holds_beside_other_values_is_kept_as_it_was() {
    let bench = Bench::new();
    let lines = [
        line("a", r#"{"m":1}"#),
        line("b", r#"{"m":{"x.y":1,"x":{"z":[]}}}"#),
        line("c", r#"{"m.x":5,"m.y.z":"t"}"#),
    ];
    imported(&bench, &refs(&lines)).await;
    let records = bench.records("c").await;
    let held = |id: &str| records[id].metadata["m"].to_json();
    assert_eq!(held("a"), 1);
    assert_eq!(held("b"), serde_json::json!({"x.y":1,"x":{"z":[]}}));
    assert_eq!(held("c"), serde_json::json!({"x":5,"y":{"z":"t"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_quarantined_with_place_and_reason_and_count_for_nothing() {
    let bench = Bench::new();
    let good = r#"{"collection":"c","id":"good","vector":[1,2],"metadata":{"n":1}}"#;
    let wrong = [
        (r#"{"collection":"c","id":"w","vector":[1,2,3],"metadata":{"n":"text"}}"#, "w: "),
        (r#"{"collection":"c","id":"w","vector":[1,1e39]}"#, "w: "),
        (r#"{"collection":"c","id":"w","vector":[1,NaN]}"#, "w: NaN"),
        (r#"{"collection":"c","id":"w","vector":[0,0]}"#, "w: "),
        (r#"{"collection":"c","id":"w","vector":[]}"#, "w: its \"vector\" is empty"),
        (r#"{"collection":"c","id":"w","vector":"x"}"#, "not a list"),
        (r#"{"collection":"c","id":"w"}"#, "it has no \"vector\""),
        (r#"{"collection":"c","id":"","vector":[1,2]}"#, "\"id\" is missing"),
        (r#"{"collection":"c","vector":[1,2]}"#, "\"id\" is missing"),
        (r#"{"collection":"c","id":7,"vector":[1,2]}"#, "not a text"),
        (r#"{"collection":3,"id":"w","vector":[1,2]}"#, "\"collection\" is 3"),
        (r#"{"id":"w","vector":[1,2]}"#, "\"collection\" is missing"),
        (r#"{"collection":"","id":"w","vector":[1,2]}"#, "it is empty"),
        (r#"{"collection":"c","id":"w","vector":[1,2],"document":5}"#, "\"document\" is 5"),
        (r#"{"collection":"c","id":"w","vector":[1,2],"metadata":[1]}"#, "not an object"),
        (r#"{"collection":"c","id":"w","vector":[1,2],"embedding":[1,2]}"#, "\"embedding\""),
        (r#"{"collection":"c","id":"w","vector":[1,2],"metadata":{"_position":1}}"#, "_position"),
        (r#"{"collection":"c","id":"w","vector":[1,2],"metadata":{"a.b":1,"a":{"b":2}}}"#, "two values"),
        (r#"{"collection":"lost","id":"w","vector":[0,0]}"#, "w: "),
        ("[1]", "expected a JSON object"),
        ("{oops", "not JSON"),
    ];
    let lines: Vec<&str> = [good].into_iter().chain(wrong.iter().map(|(line, _)| *line)).collect();
    let report = imported(&bench, &lines).await;
    assert_eq!((report.inserted, report.quarantined), (1, wrong.len() as u64));
    for (number, (refused, (line, part))) in report.refused.iter().zip(&wrong).enumerate() {
        assert_eq!(refused.line, number as u64 + 2);
        assert!(refused.reason.contains(part), "{line}: {}", refused.reason);
    }
    let kept = std::fs::read_to_string(&report.quarantine_files[0]).unwrap();
    assert_eq!(kept.lines().count(), wrong.len());
    assert_eq!(kinds(&bench, "c").await[1], ("n".to_owned(), FieldType::Int), "a refused line has no say");
    assert_eq!(bench.reader().await.collections(), ["c"]);
    assert!(imported(&bench, &[good]).await.quarantine_files.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_again_replaces_by_id_and_keeps_every_place() {
    let bench = Bench::new();
    let lines: Vec<String> = ["z", "m", "a", "m", "k"].map(|id| line(id, "{}")).into();
    let report = imported(&bench, &refs(&lines)).await;
    assert_eq!((report.inserted, report.duplicates), (4, 1));
    assert_eq!(in_order(&bench, "c").await, ["z", "m", "a", "k"]);
    let versions =
        || std::fs::read_dir(bench.store_dir().join("documents.c.lance/_versions")).unwrap().count();
    let before = versions();
    assert_eq!(imported(&bench, &refs(&lines)).await.unchanged, 4);
    assert_eq!(versions(), before, "an import that changes nothing commits nothing");
    let changed = [line("new", "{}"), line("k", r#"{"n":1}"#), line("b", "{}"), line("z", "{}")];
    let report = imported(&bench, &refs(&changed)).await;
    assert_eq!((report.inserted, report.updated, report.unchanged), (2, 1, 1));
    assert_eq!(in_order(&bench, "c").await, ["z", "m", "a", "k", "new", "b"]);
    assert_eq!(bench.records("c").await["k"].metadata["n"], Value::Int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn places_continue_from_one_commit_to_the_next() {
    let bench = Bench::new();
    let text = "x".repeat(1 << 20);
    let record = |n: usize| {
        let id = if n == 98 { 1 } else { 200 - n };
        format!(r#"{{"collection":"c{}","id":"{id}","vector":[1],"document":"{text} {n}"}}"#, n % 2)
    };
    let lines: Vec<String> = (0..100).map(record).chain([record(2)]).collect();
    let report = imported(&bench, &refs(&lines)).await;
    assert_eq!((report.inserted, report.updated + report.unchanged + report.duplicates), (100, 1));
    let expected: Vec<String> = (0..50).map(|n| if n == 49 { 1 } else { 200 - 2 * n }.to_string()).collect();
    assert_eq!(in_order(&bench, "c0").await, expected);
    assert_eq!(in_order(&bench, "c1").await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_stopped_anywhere_is_made_whole_by_the_next() {
    let (mut stopped, mut after) = (0, 0);
    loop {
        after += 1;
        let bench = Bench::new();
        let lines: Vec<String> = (0..30).map(|n| line(&format!("r{}", 60 - n), r#"{"n":1}"#)).collect();
        let source = bench.source(&refs(&lines));
        let run = async {
            let mut store = bench.writer().await;
            import(&mut store, std::slice::from_ref(&source), &ImportOptions::default(), &|_| {})
                .await
                .unwrap();
        };
        let finished = stopped_after(after, run).await;
        stopped += usize::from(!finished);
        imported(&bench, &refs(&lines)).await;
        let expected: Vec<String> = (0..30).map(|n| format!("r{}", 60 - n)).collect();
        assert_eq!(in_order(&bench, "c").await, expected, "stopped after {after}");
        if finished {
            break;
        }
    }
    assert!(stopped > 3, "the test must stop runs to mean anything, it stopped {stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_the_collection_holds_takes_what_fits_and_refuses_the_rest() {
    let bench = Bench::new();
    let first = line("a", r#"{"f":0.5,"n":1,"j":[1,"x"],"l":[1],"o":{"p":1}}"#);
    imported(&bench, &[&first]).await;
    let before = kinds(&bench, "c").await;
    imported(&bench, &[&line("b", r#"{"f":3,"n":2,"j":{"k":{}},"l":[]}"#)]).await;
    imported(&bench, &[&line("c", r#"{"j":"text"}"#)]).await;
    assert_eq!(kinds(&bench, "c").await, before);
    let records = bench.records("c").await;
    assert_eq!(records["b"].metadata["f"], Value::Float(3.0));
    assert_eq!(records["b"].metadata["j"].to_json(), serde_json::json!({"k":{}}));
    for (metadata, parts) in [
        (r#"{"n":0.5}"#, ["\"n\" as int", "as float"]),
        (r#"{"n":"1"}"#, ["\"n\" as int", "as text"]),
        (r#"{"l":["x"]}"#, ["\"l\" as list of int", "as list of text"]),
        (r#"{"n":[]}"#, ["\"n\" as int", "as list of text"]),
        (r#"{"n":{"deep":1}}"#, ["\"n\"", "\"n.deep\""]),
        (r#"{"o":1}"#, ["\"o.p\"", "\"o\""]),
    ] {
        let reason = refusal(&bench, &[&line("fine", "{}"), &line("d", metadata)]).await;
        assert!(parts.iter().all(|part| reason.contains(part)), "{metadata}: {reason}");
        assert!(reason.contains("rename it in the files"), "{reason}");
    }
    assert_eq!(bench.counts("c").await.documents, 3, "a refused import writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_keeps_its_metric_and_its_dimension() {
    let bench = Bench::new();
    try_import(&bench, &[&line("a", "{}")], Some(Metric::L2)).await.unwrap();
    imported(&bench, &[&line("b", "{}")]).await;
    assert_eq!(bench.reader().await.schema("c").unwrap().metric, Metric::L2);
    let error = try_import(&bench, &[&line("c", "{}")], Some(Metric::Cosine)).await.unwrap_err().to_string();
    assert!(error.contains("by l2, not by cosine"), "{error}");
    let report = imported(&bench, &[r#"{"collection":"c","id":"c","vector":[1,2,3]}"#]).await;
    assert_eq!((report.inserted, report.quarantined), (0, 1), "{report:?}");
    assert_eq!(bench.counts("c").await.ready, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_a_model_fills_is_not_imported_into() {
    let bench = Bench::new();
    bench.ingest(&[r#"{"id":"w","topic":"c","text":"x"}"#]).await;
    let reason = refusal(&bench, &[&line("a", "{}")]).await;
    assert!(reason.contains("model word") && reason.contains("\"fake\""), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_values_do_not_become_thousands_of_columns() {
    let bench = Bench::new();
    let lines: Vec<String> = (0..5000).map(|n| line(&format!("r{n}"), &format!(r#"{{"k{n}":1}}"#))).collect();
    assert!(refusal(&bench, &refs(&lines)).await.contains("more than 4096 different keys"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_twice_are_refused() {
    let bench = Bench::new();
    let good = bench.source(&[&line("a", "{}")]);
    for other in ["/dev/null", "missing.jsonl"] {
        let files = [good.clone(), PathBuf::from(other)];
        let error =
            import(&mut bench.writer().await, &files, &ImportOptions::default(), &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::File { .. })), "{error}");
        assert!(error.to_string().contains(other), "{error}");
    }
    assert!(bench.reader().await.collections().is_empty(), "nothing is written before all files are seen");
}

//! The pipeline against a real store in a temporary directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use super::*;
use crate::embed::Embedder;
use crate::error::{CatalogError, Error, InputError, StoreError};
use crate::native::store::{Counts, Mode, Store};
use crate::schema::{EmbedderId, Record, Value};

const REGISTRY: &str = r#"
[embedder.fake]
provider = "static"
path = "nowhere"

[[model]]
name = "word"
key = ["id"]
collection = { field = "topic" }
embedder = "fake"
template = "{text}"
metadata = ["n", "tags", "author", "at", "ratio", "ok"]

[model.fields]
id = "text"
topic = "text"
text = "text"
n = "int"
tags = ["text"]
author = { name = "text", born = "time" }
at = "time"
ratio = "float"
ok = "bool"
"#;

/// Counts what it is asked; fails on texts with "bad"; panics at a chosen call.
struct Fake {
    id: EmbedderId,
    texts: AtomicUsize,
    calls: AtomicUsize,
    panic_at: usize,
}

impl Fake {
    fn new(fingerprint: &str) -> Arc<Self> {
        Self::panicking(fingerprint, usize::MAX)
    }

    fn panicking(fingerprint: &str, panic_at: usize) -> Arc<Self> {
        let id = EmbedderId { name: "fake".into(), fingerprint: fingerprint.into(), dimension: 4 };
        Arc::new(Self { id, texts: AtomicUsize::new(0), calls: AtomicUsize::new(0), panic_at })
    }

    fn texts(&self) -> usize {
        self.texts.load(Ordering::SeqCst)
    }
}

impl Embedder for Fake {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn embed(&self, texts: &[&str]) -> Vec<Result<Vec<f32>, InputError>> {
        assert!(self.calls.fetch_add(1, Ordering::SeqCst) != self.panic_at, "as the test wants");
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        let embed = |text: &&str| {
            if text.contains("bad") {
                return Err(InputError::NothingToEmbed { record: String::new(), embedder: "fake".into() });
            }
            let hash = blake3::hash(format!("{}{text}", self.id.fingerprint).as_bytes());
            Ok(hash.as_bytes()[..4].iter().map(|&byte| f32::from(byte) + 1.0).collect())
        };
        texts.iter().map(embed).collect()
    }
}

/// A folder with a registry, source files and a store.
struct Bench {
    dir: tempfile::TempDir,
    registry: Registry,
}

impl Bench {
    fn new() -> Self {
        Self::with_registry(REGISTRY)
    }

    fn with_registry(registry: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portolan.toml");
        std::fs::write(&path, registry).unwrap();
        Self { registry: Registry::load(&path).unwrap(), dir }
    }

    /// Loads the registry again, with one line changed.
    fn change(&mut self, from: &str, to: &str) {
        let path = self.dir.path().join("portolan.toml");
        std::fs::write(&path, REGISTRY.replace(from, to)).unwrap();
        self.registry = Registry::load(&path).unwrap();
    }

    fn store_dir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    async fn writer(&self) -> Store {
        Store::open(&self.store_dir(), Mode::Write("test")).await.unwrap()
    }

    async fn reader(&self) -> Store {
        Store::open(&self.store_dir(), Mode::Read).await.unwrap()
    }

    fn source(&self, lines: &[&str]) -> PathBuf {
        let path = self.dir.path().join("source.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        path
    }

    async fn ingest(&self, lines: &[&str]) -> IngestReport {
        self.try_ingest(lines).await.unwrap()
    }

    async fn try_ingest(&self, lines: &[&str]) -> crate::Result<IngestReport> {
        let model = self.registry.models().next().unwrap();
        let report = ingest(&mut self.writer().await, model, &[self.source(lines)], &|_| {}).await?;
        let parts =
            report.inserted + report.updated + report.unchanged + report.duplicates + report.quarantined;
        assert_eq!(report.read, parts, "{report:?}");
        Ok(report)
    }

    async fn embed(&self, embedder: &Arc<Fake>) -> crate::Result<EmbedSummary> {
        let load = |_: &str| Ok(embedder.clone() as Arc<dyn Embedder>);
        Ok(embed_all(&mut self.writer().await, &[], &load, &|_| {}).await?.total())
    }

    async fn records(&self, collection: &str) -> BTreeMap<String, Record> {
        let mut reader = self.reader().await.read(collection, None).await.unwrap();
        let all = reader.read_all().await.unwrap();
        let count = all.len();
        let by_id: BTreeMap<_, _> = all.into_iter().map(|record| (record.id.clone(), record)).collect();
        assert_eq!(by_id.len(), count, "a record was read twice");
        by_id
    }

    async fn counts(&self, collection: &str) -> Counts {
        self.reader().await.counts(collection, None).await.unwrap()
    }
}

fn words(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!(r#"{{"id":"w{n}","topic":"t","text":"word {n}"}}"#)).collect()
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

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
async fn a_second_embedding_asks_the_embedder_nothing() {
    let bench = Bench::new();
    let embedder = Fake::new("f");
    let mut lines = words(0..30);
    lines.push(r#"{"id":"twin","topic":"t","text":"word 1"}"#.into());
    bench.ingest(&refs(&lines)).await;
    let first = bench.embed(&embedder).await.unwrap();
    assert_eq!((first.embedded, embedder.texts()), (31, 30), "equal texts are embedded once");
    let second = bench.embed(&embedder).await.unwrap();
    assert_eq!((second.ready, second.embedded, embedder.texts()), (31, 0, 30));
    let elsewhere: Vec<String> = lines.iter().map(|line| line.replace("\"t\"", "\"other\"")).collect();
    bench.ingest(&refs(&elsewhere)).await;
    let third = bench.embed(&embedder).await.unwrap();
    assert_eq!((third.from_cache, third.embedded, embedder.texts()), (31, 0, 30));
    assert_eq!(bench.records("other").await["w7"].vector, bench.records("t").await["w7"].vector);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedders_share_nothing_and_the_old_one_stays_readable() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let (fake, real) = (Fake::new("fake"), Fake::new("real"));
    bench.embed(&fake).await.unwrap();
    let summary = bench.embed(&real).await.unwrap();
    assert_eq!((summary.from_cache, summary.embedded, real.texts()), (0, 10, 10));
    let store = bench.reader().await;
    assert_eq!(store.schema("t").unwrap().embedder.as_ref(), Some(real.id()));
    let old = store.read("t", Some(fake.id())).await.unwrap().read_all().await.unwrap();
    assert_eq!(old.len(), 10);
    assert_eq!(store.config("t").unwrap().embedders.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_switch_of_embedders_leaves_the_old_one_served() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let old = Fake::new("old");
    bench.embed(&old).await.unwrap();
    bench.embed(&Fake::panicking("new", 0)).await.unwrap_err();
    assert_eq!(bench.reader().await.schema("t").unwrap().embedder.as_ref(), Some(old.id()));
    assert_eq!(bench.records("t").await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_fails_is_recorded_and_left_alone_after_three_times() {
    let bench = Bench::new();
    let embedder = Fake::new("f");
    bench
        .ingest(&[r#"{"id":"a","topic":"t","text":"bad"}"#, r#"{"id":"b","topic":"t","text":"good"}"#])
        .await;
    for attempt in 0..3 {
        let summary = bench.embed(&embedder).await.unwrap();
        assert_eq!((summary.errors, summary.skipped), (1, 0), "attempt {attempt}");
    }
    let summary = bench.embed(&embedder).await.unwrap();
    assert_eq!((summary.ready, summary.errors, summary.skipped, embedder.texts()), (1, 0, 1, 4));
    assert_eq!(bench.counts("t").await, Counts { documents: 2, ready: 1, error: 1, ..Counts::default() });
    bench.ingest(&[r#"{"id":"a","topic":"t","text":"better"}"#]).await;
    assert_eq!(bench.embed(&embedder).await.unwrap().embedded, 1);
    assert_eq!(bench.counts("t").await.ready, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_embedder_loses_nothing_that_was_made() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..3000))).await;
    let broken = Fake::panicking("f", 3);
    let error = bench.embed(&broken).await.unwrap_err();
    assert!(error.to_string().contains("as the test wants"), "{error}");
    let embedder = Fake::new("f");
    let summary = bench.embed(&embedder).await.unwrap();
    assert_eq!(broken.texts() + embedder.texts(), 3000, "only the call that panicked is asked again");
    assert_eq!((summary.from_cache as usize, summary.embedded as usize), (broken.texts(), embedder.texts()));
    assert_eq!(bench.records("t").await.len(), 3000);
}

/// Stops the future after some polls, as a process that is stopped would, only between awaits.
async fn stopped_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_anywhere_ends_with_one_vector_a_record() {
    let bench = Bench::new();
    let lines = words(0..200);
    let mut stopped = 0;
    for polls in 1.. {
        let edited: Vec<String> =
            lines.iter().map(|line| line.replace("word", &format!("round {polls}"))).collect();
        let source = bench.source(&refs(&edited));
        let model = bench.registry.model("word").unwrap();
        let embedder = Fake::new("f");
        let run = async {
            let mut store = bench.writer().await;
            ingest(&mut store, model, std::slice::from_ref(&source), &|_| {}).await.unwrap();
            embed_collection(&mut store, "t", embedder.clone(), &|_| {}).await.unwrap();
        };
        let finished = stopped_after(polls * 5, run).await;
        stopped += usize::from(!finished);
        bench.ingest(&refs(&edited)).await;
        bench.embed(&embedder).await.unwrap();
        assert_eq!(bench.counts("t").await, Counts { documents: 200, ready: 200, ..Counts::default() });
        let records = bench.records("t").await;
        assert!(
            records.values().all(|r| r.document.as_ref().unwrap().starts_with(&format!("round {polls} ")))
        );
        let table = bench.reader().await.embeddings("t", embedder.id()).await.unwrap().unwrap();
        assert_eq!(table.count_rows(None).await.unwrap(), 200, "one row a record");
        if finished {
            break;
        }
    }
    assert!(stopped > 3, "the test must stop runs to mean anything, it stopped {stopped}");
}

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

#[test]
fn the_registry_names_the_line_of_an_unknown_key_and_near_names() {
    let error = |text: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portolan.toml");
        std::fs::write(&path, text).unwrap();
        match Registry::load(&path) {
            Err(StoreError::BadRegistry { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    let unknown = error(&REGISTRY.replace("template =", "tempalte ="));
    assert!(unknown.starts_with("line 11 ") && unknown.contains("tempalte"), "{unknown}");
    let undeclared = error(&REGISTRY.replace("\"{text}\"", "\"{txet}\""));
    assert!(undeclared.contains("did you mean \"text\"?"), "{undeclared}");
    let embedder = error(&REGISTRY.replace("embedder = \"fake\"", "embedder = \"fakee\""));
    assert!(embedder.contains("did you mean \"fake\"?"), "{embedder}");
    for (from, to) in [
        ("key = [\"id\"]", "key = []"),
        ("n = \"int\"", "n = \"integer\""),
        ("tags = [\"text\"]", "tags = [\"text\", \"int\"]"),
        ("path = \"nowhere\"", "dimension = 3"),
        ("key = [\"id\"]", "key = [\"tags\"]"),
    ] {
        error(&REGISTRY.replacen(from, to, 1));
    }
}

#[test]
fn the_registry_may_be_json_and_unknown_models_have_near_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("portolan.json");
    let json = r#"{"embedder":{"s":{"provider":"static","path":"p"}},"model":[{"name":"word","key":["id"],
        "fields":{"id":"text"},"text":["id"],"collection":"c","embedder":"s"}]}"#;
    std::fs::write(&path, json).unwrap();
    let registry = Registry::load(&path).unwrap();
    assert_eq!(registry.embedder("s"), Some(&EmbedderSpec::Static(dir.path().join("p"))));
    match registry.model("wrod") {
        Err(CatalogError::UnknownModel { near, .. }) => assert_eq!(near, ["word"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sample_registry_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wordnet/portolan.toml");
    let registry = Registry::load(&path).unwrap();
    assert_eq!(registry.model("synset").unwrap().metadata.len(), 5);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_named_twice_is_embedded_and_counted_once() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let embedder = Fake::new("f");
    let load = |_: &str| Ok(embedder.clone() as Arc<dyn Embedder>);
    let names = ["t".to_owned(), "t".to_owned()];
    let report = embed_all(&mut bench.writer().await, &names, &load, &|_| {}).await.unwrap();
    assert_eq!((report.collections.len(), report.total().embedded, report.total().ready), (1, 10, 0));
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

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_a_failed_text_keeps_its_own_reason() {
    let bench = Bench::new();
    let embedder = Fake::new("f");
    bench.ingest(&[r#"{"id":"a","topic":"t","text":"bad"}"#, r#"{"id":"b","topic":"t","text":"bad"}"#]).await;
    assert_eq!(bench.embed(&embedder).await.unwrap().errors, 2);
    let table = bench.reader().await.embeddings("t", embedder.id()).await.unwrap().unwrap();
    let batches = crate::native::store::scan(&table, &["id", "error"], None, false).await.unwrap();
    let batches: Vec<_> = futures::TryStreamExt::try_collect(batches).await.unwrap();
    for batch in &batches {
        let columns = crate::native::store::Columns::of(batch, "embeddings");
        for (id, error) in columns.text("id").unwrap().iter().zip(columns.text("error").unwrap()) {
            assert!(error.unwrap().starts_with(&format!("{}:", id.unwrap())), "{id:?} {error:?}");
        }
    }
}

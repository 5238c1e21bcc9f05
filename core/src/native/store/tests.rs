//! The store against real Lance tables in a temporary directory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::error::{CatalogError, Error, StoreError};
use crate::metric::Metric;
use crate::schema::{EmbedderId, Field, FieldType, Value};

fn row(n: usize, text: &str, value: Option<i64>) -> Row {
    let content = Content::new(Some(text.into()), text.into());
    let values: Vec<(Arc<str>, Value)> =
        value.map(|value| ("a.n".into(), Value::Int(value))).into_iter().collect();
    let row_hash = row_hash("m", &content, &values, None);
    Row { id: format!("r{n}"), content, row_hash, values, vector: None, piece: None, cut: false }
}

fn field(path: &str, kind: FieldType) -> Field {
    Field { path: path.into(), kind }
}

fn claim<'a>(model: &'a str, fields: &'a [Field]) -> Claim<'a> {
    Claim { model, metric: Metric::Cosine, embedder: "e", imported: None, fields }
}

async fn writer(dir: &Path) -> Store {
    Store::open(dir, Mode::Write("test")).await.unwrap()
}

fn files(dir: &Path) -> BTreeSet<std::path::PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.insert(path);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_of_a_large_table_are_found_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("it's", claim("m", &[]))]).await.unwrap();
    let rows = (0..20_000).map(|n| row(n, "text", None)).collect();
    assert_eq!(store.upsert("it's", "m", rows).await.unwrap().inserted, 20_000);
    let rows = vec![row(3, "text", None), row(4, "new text", None), row(20_000, "text", None)];
    let counts = store.upsert("it's", "m", rows).await.unwrap();
    assert_eq!(counts, UpsertCounts { inserted: 1, updated: 1, unchanged: 1, removed: 0 });
    assert_eq!(store.counts("it's", None).await.unwrap().documents, 20_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_may_be_added_but_keep_their_types() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    store.upsert("c", "m", vec![row(1, "x", None), row(2, "y", None)]).await.unwrap();
    let wider = [field("a.n", FieldType::Int)];
    store.admit(&[("c", claim("m", &wider))]).await.unwrap();
    let counts = store.upsert("c", "m", vec![row(1, "x", None), row(2, "y", Some(7))]).await.unwrap();
    assert_eq!(
        counts,
        UpsertCounts { inserted: 0, updated: 1, unchanged: 1, removed: 0 },
        "a null field changes no record"
    );
    let other = [field("a.n", FieldType::Text)];
    let error = store.admit(&[("c", claim("m", &other))]).await.unwrap_err();
    assert!(matches!(error, StoreError::FieldTypeChanged { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_that_share_a_collection_must_agree() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    let changed = Claim { metric: Metric::L2, ..claim("m", &[]) };
    store.admit(&[("c", changed)]).await.unwrap();
    let error = store.admit(&[("c", claim("second", &[]))]).await.unwrap_err();
    assert!(matches!(error, StoreError::CollectionConflict { what: "metric", .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_is_refused_and_readers_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    let error = Store::open(dir.path(), Mode::Write("again")).await.unwrap_err();
    assert!(error.to_string().contains(&format!("process {} (test)", std::process::id())), "{error}");
    let mut reader = Store::open(dir.path(), Mode::Read).await.unwrap();
    assert_eq!(reader.collections(), ["c"]);
    let error = reader.upsert("c", "m", Vec::new()).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::ReadOnly { .. })), "{error}");
    match reader.schema("cc") {
        Err(Error::Catalog(CatalogError::UnknownCollection { near, .. })) => assert_eq!(near, ["c"]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(reader.schema("c"), Err(Error::Store(StoreError::NotEmbedded { .. }))));
}

fn embedder() -> EmbedderId {
    EmbedderId { name: "e".into(), fingerprint: "f".into(), dimension: 2 }
}

async fn embedded(store: &mut Store, n: usize, text: &str, vector: [f32; 2]) {
    let content_hash = Content::new(None, text.into()).hash().to_hex().to_string();
    let rows = [Embedded { id: format!("r{n}"), content_hash, outcome: Ok(vector.into()), attempts: 0 }];
    write_embeddings(store.tables(), "c", &embedder(), &rows, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_keeps_its_version_and_writes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    store.upsert("c", "m", vec![row(1, "x", None), row(2, "y", None)]).await.unwrap();
    embedded(&mut store, 1, "x", [1.0, 0.0]).await;
    let before = files(dir.path());
    let reading = Store::open(dir.path(), Mode::Read).await.unwrap();
    let mut reader = reading.read("c", Some(&embedder())).await.unwrap();
    assert_eq!(files(dir.path()), before);
    embedded(&mut store, 2, "y", [0.0, 1.0]).await;
    store.upsert("c", "m", vec![row(1, "changed", None)]).await.unwrap();
    let records = reader.read_all().await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].document.as_deref(), &records[0].vector[..]), (Some("x"), &[1.0, 0.0][..]));
    let now = store.read("c", Some(&embedder())).await.unwrap().read_all().await.unwrap();
    assert_eq!(now.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["r2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_without_its_document_is_never_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    embedded(&mut store, 9, "x", [1.0, 0.0]).await;
    assert!(store.read("c", Some(&embedder())).await.unwrap().read_all().await.unwrap().is_empty());
    assert_eq!(store.counts("c", Some(&embedder())).await.unwrap(), Counts::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_cache_entry_counts_as_missing_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = writer(dir.path()).await;
    let hash = blake3::hash(b"x").to_hex().to_string();
    let other = EmbedderId { dimension: 3, ..embedder() };
    let mut wrong = Cache::new(store.tables(), &other);
    wrong.put(&[(&hash, &[1.0, 2.0, 3.0].into())]).await.unwrap();
    let mut cache = Cache::new(store.tables(), &embedder());
    assert!(cache.get(&[&hash]).await.unwrap().is_empty(), "three numbers are no vector of two");
    cache.put(&[(&hash, &[4.0, 5.0].into())]).await.unwrap();
    let mut cache = Cache::new(store.tables(), &embedder());
    let found = cache.get(&[&hash, "unknown"]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(*found[&hash], [4.0, 5.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = async |mode| {
        let error = Store::open(dir.path(), mode).await.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::NotAStore { .. })), "{error}");
    };
    refused(Mode::Read).await;
    std::fs::write(dir.path().join("letter.txt"), "x").unwrap();
    refused(Mode::Write("test")).await;
    let missing = dir.path().join("missing");
    assert!(Store::open(&missing, Mode::Read).await.is_err());
    assert!(!missing.exists(), "opening to read makes no directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_commits_are_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    for n in 0..40 {
        store.upsert("c", "m", vec![row(n, "x", None)]).await.unwrap();
        store.compact("c").await.unwrap();
    }
    let table = store.documents("c").await.unwrap().unwrap();
    let fragments = table.stats().await.unwrap().fragment_stats.num_fragments;
    assert!(fragments < 20, "{fragments} fragments");
    assert_eq!(table.count_rows(None).await.unwrap(), 40);
}

/// Ids stand in SQL when few of them are looked up in a large table: an id that SQL reads otherwise would not be found,
/// and its record would be stored twice.
#[tokio::test(flavor = "multi_thread")]
async fn odd_ids_are_found_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    let long = "x".repeat(60_000);
    let ids = [
        "it's",
        "a\\'b",
        "\\",
        "x\ny\r\n",
        "nul\0nul",
        "日本 ü",
        "u\u{308}",
        "'; --",
        "%_",
        "\\n",
        "\u{feff}",
        "\"",
        " ",
        &long,
    ];
    let odd = |text: &str| ids.map(|id| Row { id: id.into(), ..row(0, text, None) });
    let rows = (0..20_000).map(|n| row(n, "text", None)).chain(odd("text")).collect();
    store.upsert("c", "m", rows).await.unwrap();
    let count = ids.len() as u64;
    let again = store.upsert("c", "m", odd("text").into()).await.unwrap();
    assert_eq!(again, UpsertCounts { unchanged: count, ..UpsertCounts::default() });
    let changed = store.upsert("c", "m", odd("new").into()).await.unwrap();
    assert_eq!(changed, UpsertCounts { updated: count, ..UpsertCounts::default() });
    assert_eq!(store.counts("c", None).await.unwrap().documents, 20_000 + count);
}

/// A kill while a table is made leaves a folder without a version.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_table_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    for table in ["meta", "documents.c"] {
        let half = dir.path().join(format!("{table}.lance/data"));
        std::fs::create_dir_all(&half).unwrap();
        std::fs::write(half.join("half.lance"), "half").unwrap();
        if table == "meta" {
            assert!(Store::open(dir.path(), Mode::Read).await.is_err());
        }
        let mut store = writer(dir.path()).await;
        store.admit(&[("c", claim("m", &[]))]).await.unwrap();
        if table != "meta" {
            store.upsert("c", "m", vec![row(1, "x", None)]).await.unwrap();
            assert_eq!(store.counts("c", None).await.unwrap().documents, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_may_stand_in_an_oddly_named_folder() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("sto%20re #1? ü's");
    let mut store = writer(&odd).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    store.upsert("c", "m", vec![row(1, "x", None)]).await.unwrap();
    let reader = Store::open(&odd, Mode::Read).await.unwrap();
    assert_eq!(reader.counts("c", None).await.unwrap().documents, 1);
    assert!(odd.join("meta.lance").is_dir());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// Fifteen lists of keys read the ids of a million records fifteen times.
#[tokio::test(flavor = "multi_thread")]
async fn many_keys_without_an_index_are_found_in_one_scan() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = writer(dir.path()).await;
    store.admit(&[("c", claim("m", &[]))]).await.unwrap();
    store.upsert("c", "m", (0..80_000).map(|n| row(n, "text", None)).collect()).await.unwrap();
    let table = store.documents("c").await.unwrap().unwrap();
    for (keys, expected) in [(1000, 1000), (1001, 80_000)] {
        let keys: Vec<String> = (0..keys).map(|n| format!("r{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = lance::find(&table, &keys, &["id"], None).await.unwrap();
        let found: Vec<_> = futures::TryStreamExt::try_collect(found).await.unwrap();
        assert_eq!(found.iter().map(|batch| batch.num_rows()).sum::<usize>(), expected);
    }
}

//! Embedding: the cache, failures, switches, stops at any moment.

use super::*;

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
    let kept = (summary.ready + summary.from_cache) as usize;
    assert_eq!((kept, summary.embedded as usize), (broken.texts(), embedder.texts()));
    assert_eq!(bench.records("t").await.len(), 3000);
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
            embed_collection(&mut store, "t", embedder.clone(), &EmbedOptions::default(), &|_| {})
                .await
                .unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_named_twice_is_embedded_and_counted_once() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let embedder = Fake::new("f");
    let load = |_: &str| Ok(embedder.clone() as Arc<dyn Provider>);
    let names = ["t".to_owned(), "t".to_owned()];
    let report =
        embed_all(&mut bench.writer().await, &names, &load, &EmbedOptions::default(), &|_| {}).await.unwrap();
    assert_eq!((report.collections.len(), report.total().embedded, report.total().ready), (1, 10, 0));
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

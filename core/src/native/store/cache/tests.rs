//! The cache against a real Lance table.

use std::time::Instant;

use super::*;
use crate::native::store::{Mode, Store};

fn embedder(fingerprint: &str) -> EmbedderId {
    EmbedderId { name: "e".into(), fingerprint: fingerprint.into(), dimension: 2 }
}

fn hash(n: usize) -> String {
    blake3::hash(n.to_string().as_bytes()).to_hex().to_string()
}

async fn fill(store: &Store, fingerprint: &str, range: std::ops::Range<usize>) {
    let mut cache = Cache::new(store.tables(), &embedder(fingerprint));
    for start in range.clone().step_by(50_000) {
        let hashes: Vec<String> = (start..range.end.min(start + 50_000)).map(hash).collect();
        let vector: Arc<[f32]> = Arc::new([1.0, 2.0]);
        let entries: Vec<(&str, &Arc<[f32]>)> = hashes.iter().map(|hash| (hash.as_str(), &vector)).collect();
        cache.put(&entries).await.unwrap();
    }
    cache.maintain().await.unwrap();
}

async fn store(dir: &std::path::Path) -> Store {
    Store::open(dir, Mode::Write("test")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_counted_selected_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path()).await;
    fill(&store, "aaaaaaaa", 0..300).await;
    fill(&store, "bbbbbbbb", 0..200).await;
    let stats = store.cache_stats().await.unwrap();
    assert_eq!((stats.entries, stats.embedders.len(), stats.indexed), (500, 2, false));
    assert!(stats.bytes > 10_000 && stats.embedders[0].oldest <= stats.embedders[0].newest);
    for refused in [
        CacheSelector::default(),
        CacheSelector { before: Some("last week".into()), ..Default::default() },
        CacheSelector { embedder: Some("aaaa".into()), ..Default::default() },
        CacheSelector { embedder: Some("cccccccc".into()), ..Default::default() },
    ] {
        let error = store.cache_prune(&refused, true).await.unwrap_err();
        assert_eq!(error.code(), 5035, "{refused:?}: {error}");
    }
    let one = CacheSelector { embedder: Some("aaaaaa".into()), ..Default::default() };
    assert_eq!(store.cache_prune(&one, false).await.unwrap(), 300);
    assert_eq!(store.cache_stats().await.unwrap().entries, 500, "a dry run removes nothing");
    assert_eq!(store.cache_prune(&one, true).await.unwrap(), 300);
    let after = store.cache_stats().await.unwrap();
    assert_eq!(after.entries, 200);
    assert!(after.bytes < stats.bytes, "bytes are freed: {} of {}", after.bytes, stats.bytes);
    let old = CacheSelector { before: Some("2020-01-01".into()), ..Default::default() };
    assert_eq!(store.cache_prune(&old, true).await.unwrap(), 0);
    let all =
        CacheSelector { before: Some("2999-01-01T00:00:00.5Z".into()), unused: true, ..Default::default() };
    assert_eq!(store.cache_prune(&all, true).await.unwrap(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_is_carried_to_another_store_and_only_what_is_new_is_added() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, mut second) = (store(one.path()).await, store(other.path()).await);
    fill(&first, "aaaaaaaa", 0..300).await;
    fill(&second, "aaaaaaaa", 200..400).await;
    let file = one.path().join("cache.arrow");
    assert_eq!(first.cache_export(&file, &CacheSelector::default()).await.unwrap(), 300);
    let import = second.cache_import(&file).await.unwrap();
    assert_eq!((import.read, import.added, import.held), (300, 200, 100));
    assert_eq!(second.cache_import(&file).await.unwrap().added, 0);
    let mut cache = Cache::new(second.tables(), &embedder("aaaaaaaa"));
    let hashes: Vec<String> = (0..400).map(hash).collect();
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    assert_eq!(cache.get(&hashes).await.unwrap().len(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_a_file_with_a_wrong_vector_is_refused_with_its_row_and_nothing_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path()).await;
    let write = |name: &str, hash: &str, vector: Vec<u8>| {
        let rows: Vec<(String, Vec<u8>)> =
            vec![(super::tests::hash(0), to_bytes(&[1.0, 2.0])), (hash.into(), vector)];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| Some(row.0.as_str())).collect::<StringArray>()),
            Arc::new(rows.iter().map(|_| Some("aaaaaaaa")).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.1.as_slice())).collect::<BinaryArray>()),
            columns::now(2),
        ];
        let path = dir.path().join(name);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &schema()).unwrap();
        writer.write(&RecordBatch::try_new(schema(), columns).unwrap()).unwrap();
        writer.finish().unwrap();
        path
    };
    let cases = [
        ("nan", hash(1), to_bytes(&[1.0, f32::NAN]), "not finite"),
        ("short", hash(1), to_bytes(&[1.0]), "has 4 bytes"),
        ("odd", hash(1), vec![0; 7], "has 7 bytes"),
        ("hash", "xyz".into(), to_bytes(&[1.0, 2.0]), "64 hexadecimal digits"),
    ];
    for (name, hash, vector, expected) in cases {
        let error = store.cache_import(&write(name, &hash, vector)).await.unwrap_err();
        assert!(error.code() == 5037 && error.to_string().contains("row 2"), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    std::fs::write(dir.path().join("text"), "no arrow").unwrap();
    assert_eq!(store.cache_import(&dir.path().join("text")).await.unwrap_err().code(), 5037);
    assert_eq!(store.cache_stats().await.unwrap().entries, 0);
}

/// What one look-up of a run has added, the next one finds, in the same table and without reading it all again.
#[tokio::test(flavor = "multi_thread")]
async fn c8_what_was_added_in_a_run_is_found_in_it_and_added_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    fill(&store, "bbbbbbbb", 0..50).await;
    let mut cache = Cache::new(store.tables(), &embedder("aaaaaaaa"));
    let hashes: Vec<String> = (0..30).map(hash).collect();
    for round in 0..3_u8 {
        let vectors: Vec<Arc<[f32]>> =
            (0..10_u8).map(|n| vec![f32::from(round), f32::from(n)].into()).collect();
        let mine = &hashes[usize::from(round) * 10..][..10];
        let entries: Vec<(&str, &Arc<[f32]>)> = mine.iter().map(String::as_str).zip(&vectors).collect();
        let wanted: Vec<&str> = hashes.iter().map(String::as_str).collect();
        assert_eq!(cache.get(&wanted).await.unwrap().len(), usize::from(round) * 10);
        cache.put(&entries).await.unwrap();
        cache.put(&entries).await.unwrap();
        let found = cache.get(&wanted).await.unwrap();
        assert!(mine.iter().zip(&vectors).all(|(hash, vector)| found[hash] == *vector));
    }
    assert_eq!(store.cache_stats().await.unwrap().entries, 80);
    // By index instead, as in a cache that is too large.
    let mut cache = Cache::new(store.tables(), &embedder("aaaaaaaa"));
    cache.look(29).await.unwrap();
    assert!(matches!(cache.places, Places::Indexed));
    assert_eq!(cache.get(&[&hashes[7], &hash(40)]).await.unwrap()[&hashes[7]][..], [0.0, 7.0]);
}

/// Takes a minute, so it has to be asked for: `docs/embedding.md` has the command.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "fills a cache with a million rows"]
async fn c8_a_thousand_lookups_cost_less_than_three_times_as_much_in_a_hundred_times_the_rows() {
    let mut seconds = Vec::new();
    for rows in [10_000, 1_000_000] {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path()).await;
        fill(&store, "aaaaaaaa", 0..rows).await;
        assert_eq!(store.cache_stats().await.unwrap().indexed, rows >= ROWS_FOR_INDEX);
        let mut cache = Cache::new(store.tables(), &embedder("aaaaaaaa"));
        let mut times = Vec::new();
        for round in 0..7 {
            // Half of them are there; spread over the table.
            let wanted: Vec<String> = (0..1000).map(|n| hash((n * 7919 + round * 31) % (2 * rows))).collect();
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            // Reading the places costs once a run.
            cache.look(KEYS_IN_MEMORY).await.unwrap();
            let start = Instant::now();
            let found = cache.get(&wanted).await.unwrap().len();
            times.push(start.elapsed().as_secs_f64());
            assert!((300..=1000).contains(&found), "{found}");
        }
        times.sort_by(f64::total_cmp);
        seconds.push(times[3]);
        let start = Instant::now();
        Cache::new(store.tables(), &embedder("aaaaaaaa")).look(KEYS_IN_MEMORY).await.unwrap();
        println!("{rows} rows: places read in {:.0} ms", 1000.0 * start.elapsed().as_secs_f64());
        println!("{rows} rows: 1,000 lookups in {:.1} ms (middle of 7)", 1000.0 * times[3]);
    }
    let ratio = seconds[1] / seconds[0];
    println!("ratio {ratio:.2}");
    assert!(ratio < 3.0, "1,000 lookups at 1,000,000 rows cost {ratio:.1} times those at 10,000");
}

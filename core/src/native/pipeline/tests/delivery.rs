//! Embedders that fail: retries, bad texts, overload, outages, several collections at once.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;

use super::*;
use crate::native::embed::{Callback, Failure, FailureKind, Identity, Limits, Words};

/// Does not wait; remembers for how long it should have.
#[derive(Default)]
struct TestClock(Mutex<Vec<Duration>>);

impl Clock for TestClock {
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }
}

type Calls = Arc<Mutex<Vec<Vec<String>>>>;

/// A closure that first asks `fails` about a call, its number and its texts, and remembers all calls.
fn provider(fails: impl Fn(usize, &[&str]) -> Option<Failure> + Send + Sync + 'static) -> (Callback, Calls) {
    let calls = Calls::default();
    let identity = Identity { model: "closure".into(), dimension: 4, ..Identity::default() };
    let (seen, made) = (calls.clone(), Fake::new("closure"));
    let callback = Callback::new(&identity, move |texts| {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(texts.iter().map(|text| (*text).to_owned()).collect());
            seen.len() - 1
        };
        match fails(number, texts) {
            Some(failure) => Err(failure),
            None => Ok(made.embed(texts).into_iter().map(|result| result.map_err(Failure::from)).collect()),
        }
    });
    (callback, calls)
}

async fn embed_with(
    bench: &Bench,
    provider: Arc<dyn Provider>,
    options: &EmbedOptions,
) -> crate::Result<EmbedReport> {
    let load = |_: &str| Ok(provider.clone());
    embed_all(&mut bench.writer().await, &[], &load, options, &|_| {}).await
}

fn patient() -> (EmbedOptions, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    (EmbedOptions { clock: clock.clone(), parallel: 1, ..EmbedOptions::default() }, clock)
}

fn errors(bench: &Bench) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(bench.store_dir().join("errors")) else { return Vec::new() };
    let mut texts: Vec<String> =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    texts.sort();
    texts
}

fn topics(count: usize, each: usize) -> Vec<String> {
    let line = |n: usize| format!(r#"{{"id":"w{n}","topic":"t{}","text":"word {n}"}}"#, n % count);
    (0..count * each).map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_what_fails_for_a_while_is_tried_again_no_earlier_than_asked() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..30))).await;
    let hint = Some(Duration::from_secs(7));
    let (callback, calls) = provider(move |number, _| (number < 3).then(|| Failure::transient("429", hint)));
    let (options, clock) = patient();
    let total = embed_with(&bench, Arc::new(callback), &options).await.unwrap().total();
    assert_eq!((total.embedded, total.errors, total.waiting), (30, 0, 0));
    assert_eq!((total.calls, total.retries, calls.lock().unwrap().len()), (4, 3, 4));
    let slept = clock.0.lock().unwrap().clone();
    assert_eq!(slept.len(), 3);
    assert!(slept.iter().all(|time| *time >= Duration::from_secs(7) && *time < Duration::from_secs(9)));
    assert!(errors(&bench).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn c7_a_text_that_fails_its_whole_call_is_found_and_the_others_are_ready() {
    for failure in [Failure::bad_text("refused"), Failure::transient("500", None)] {
        let bench = Bench::new();
        let mut lines = words(0..40);
        bench.ingest(&refs(&lines)).await;
        embed_with(&bench, Arc::new(provider(|_, _| None).0), &patient().0).await.unwrap();
        lines.extend(words(40..99));
        lines.push(r#"{"id":"p","topic":"t","text":"poison"}"#.into());
        let cached: Vec<String> =
            words(0..5).iter().map(|line| line.replace("\"id\":\"w", "\"id\":\"twin")).collect();
        lines.extend(cached);
        bench.ingest(&refs(&lines)).await;
        let fails = {
            let failure = failure.clone();
            move |_: usize, texts: &[&str]| texts.contains(&"poison").then(|| failure.clone())
        };
        for attempt in 1..=3 {
            let (callback, _) = provider(fails.clone());
            let total = embed_with(&bench, Arc::new(callback), &patient().0).await.unwrap().total();
            let lone = failure.kind != FailureKind::BadText && attempt > 1;
            match (attempt, lone) {
                (1, _) => assert_eq!((total.embedded, total.from_cache, total.errors), (59, 5, 1)),
                // Alone, nobody can tell a bad text from an embedder that is away.
                (_, true) => assert_eq!((total.errors, total.waiting), (0, 1)),
                (_, false) => assert_eq!((total.ready, total.errors), (104, 1)),
            }
        }
        let report = errors(&bench);
        assert!(report[0].contains("id: \"p\"") && report[0].contains(&failure.reason), "{}", report[0]);
        if failure.kind == FailureKind::BadText {
            let total = embed_with(&bench, Arc::new(provider(fails).0), &patient().0).await.unwrap().total();
            assert_eq!((total.skipped, total.errors, total.calls), (1, 0, 0), "left alone after three times");
            assert!(report[2].contains("attempts: 3"), "{}", report[2]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_an_embedder_that_is_away_loses_nothing_and_the_next_run_goes_on() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..20))).await;
    embed_with(&bench, Arc::new(provider(|_, _| None).0), &patient().0).await.unwrap();
    let mut lines: Vec<String> =
        words(0..5).iter().map(|line| line.replace("\"id\":\"w", "\"id\":\"twin")).collect();
    lines.extend(words(20..60));
    bench.ingest(&refs(&lines)).await;
    let (callback, calls) = provider(|_, _| Some(Failure::transient("no answer", None)));
    let total = embed_with(&bench, Arc::new(callback), &patient().0).await.unwrap().total();
    assert_eq!((total.from_cache, total.waiting, total.errors, total.embedded), (5, 40, 0, 0));
    assert!(calls.lock().unwrap().len() < 20, "it gave up soon: {}", calls.lock().unwrap().len());
    assert_eq!(total.away.as_deref(), Some("no answer"));
    let report = errors(&bench);
    assert!(
        report[0].contains("reason: \"embedder-away\"") && report[0].contains("total: 45"),
        "{}",
        report[0]
    );
    let total = embed_with(&bench, Arc::new(provider(|_, _| None).0), &patient().0).await.unwrap().total();
    assert_eq!((total.ready, total.embedded, total.waiting), (25, 40, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_one_collection_without_its_embedder_does_not_stop_the_others() {
    let bench = Bench::new();
    bench.ingest(&refs(&topics(4, 25))).await;
    let down = |_: usize, texts: &[&str]| {
        let third = |text: &&str| text.trim_start_matches("word ").parse::<usize>().unwrap() % 4 == 2;
        texts.iter().any(third).then(|| Failure::transient("no answer", None))
    };
    for parallel in [1, 3] {
        let options = EmbedOptions { parallel, ..patient().0 };
        let report = embed_with(&bench, Arc::new(provider(down).0), &options).await.unwrap();
        let waiting: Vec<u64> = report.collections.iter().map(|summary| summary.waiting).collect();
        assert_eq!(waiting, [0, 0, 25, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_overload_shrinks_batches_and_they_recover() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..3000))).await;
    let overloaded = |number: usize, texts: &[&str]| {
        (number < 30 && texts.len() > 40)
            .then(|| Failure::new(FailureKind::Overloaded { after: None }, "413"))
    };
    let (callback, calls) = provider(overloaded);
    let options = EmbedOptions { batch: Some(200), ..patient().0 };
    let total = embed_with(&bench, Arc::new(callback), &options).await.unwrap().total();
    assert_eq!((total.embedded, total.errors), (3000, 0));
    let sizes: Vec<usize> = calls.lock().unwrap().iter().map(Vec::len).collect();
    assert!(sizes.iter().any(|size| *size <= 40) && sizes.iter().all(|size| *size <= 200), "{sizes:?}");
    assert!(sizes[sizes.len() / 2..].contains(&200), "it recovers: {sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_stay_within_the_tokens_and_bytes_of_a_call() {
    let bench = Bench::new();
    let mut lines = words(0..50);
    lines.push(format!(r#"{{"id":"long","topic":"t","text":"{}"}}"#, "much ".repeat(60)));
    bench.ingest(&refs(&lines)).await;
    for limits in [
        Limits { texts: 100, bytes: 1 << 20, tokens: Some(9) },
        Limits { texts: 100, bytes: 40, tokens: None },
        Limits { texts: 3, bytes: 1 << 20, tokens: None },
    ] {
        std::fs::remove_dir_all(bench.store_dir()).unwrap();
        bench.ingest(&refs(&lines)).await;
        let (callback, calls) = provider(|_, _| None);
        let callback = callback.with_limits(limits).with_tokenizer(Arc::new(Words));
        let total = embed_with(&bench, Arc::new(callback), &patient().0).await.unwrap().total();
        assert_eq!(total.embedded, 51);
        for call in calls.lock().unwrap().iter().filter(|call| call.len() > 1) {
            let tokens: usize = call.iter().map(|text| text.split_whitespace().count()).sum();
            let bytes: usize = call.iter().map(String::len).sum();
            assert!(call.len() <= limits.texts && bytes <= limits.bytes, "{call:?}");
            assert!(limits.tokens.is_none_or(|limit| tokens <= limit), "{call:?}");
        }
        assert!(calls.lock().unwrap().iter().any(|call| call.len() > 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_several_workers_with_failures_end_as_one_worker_does() {
    let mut ends = Vec::new();
    for parallel in [1, 4] {
        let bench = Bench::new();
        bench.ingest(&refs(&topics(6, 40))).await;
        let seen = Mutex::new(BTreeMap::<String, u32>::new());
        // By text, so that it is the same whoever calls when.
        let flaky = move |_: usize, texts: &[&str]| {
            let mut seen = seen.lock().unwrap();
            let times = seen.entry(texts[0].to_owned()).or_default();
            *times += 1;
            (*times < 3).then(|| Failure::transient("503", None))
        };
        let options = EmbedOptions { parallel, batch: Some(16), ..patient().0 };
        let total = embed_with(&bench, Arc::new(provider(flaky).0), &options).await.unwrap().total();
        assert_eq!((total.embedded, total.errors, total.waiting), (240, 0, 0), "{parallel} workers");
        let mut all = Vec::new();
        for topic in 0..6 {
            let records = bench.records(&format!("t{topic}")).await;
            all.extend(records.into_iter().map(|(id, record)| (id, record.vector)));
        }
        ends.push(all);
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0].len(), 240);
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_vectors_that_cannot_be_stored_are_refused_with_the_record() {
    let bench = Bench::new();
    let lines = ["nan", "zero", "short", "bad"]
        .map(|word| format!(r#"{{"id":"{word}","topic":"t","text":"a fake:{word} one"}}"#));
    bench.ingest(&refs(&lines)).await;
    bench.ingest(&[r#"{"id":"good","topic":"t","text":"a good one"}"#]).await;
    let fake: Arc<dyn Provider> = Arc::new(crate::native::embed::Fake::new(4, "x"));
    let total = embed_with(&bench, fake, &patient().0).await.unwrap().total();
    assert_eq!((total.embedded, total.errors), (1, 4));
    let report = errors(&bench).join("\n");
    for expected in [
        "nan: component 0 of the vector is NaN",
        "zero: the vector is all zeros",
        "short: the vector has 3 numbers",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    assert!(report.contains("reason: \"text-refused\"") && report.contains("token_total: 12"), "{report}");
    assert_eq!(bench.records("t").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_no_part_of_a_text_is_left_out_in_silence() {
    let bench = Bench::new();
    let long = format!(r#"{{"id":"long","topic":"t","text":"{}"}}"#, "word ".repeat(9));
    bench
        .ingest(&[&long, r#"{"id":"short","topic":"t","text":"eight words are what it reads at most"}"#])
        .await;
    let identity = Identity { model: "m".into(), dimension: 4, max_tokens: Some(8), ..Identity::default() };
    let embed = |texts: &[&str]| Ok(texts.iter().map(|_| Ok(vec![1.0; 4])).collect());
    let callback = Callback::new(&identity, embed).with_tokenizer(Arc::new(Words));
    let total = embed_with(&bench, Arc::new(callback), &patient().0).await.unwrap().total();
    assert_eq!((total.embedded, total.errors, total.sent), (1, 1, 1));
    let report = errors(&bench).remove(0);
    assert!(report.contains("long: the text has 9 tokens and the embedder reads 8"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_each_embedder_has_its_own_status_and_both_stay_servable() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let (one, two) = (Fake::new("one"), Fake::new("two"));
    bench.embed(&one).await.unwrap();
    let store = bench.reader().await;
    assert_eq!(store.counts("t", Some(two.id())).await.unwrap().new, 10);
    bench.embed(&two).await.unwrap();
    let store = bench.reader().await;
    for fake in [&one, &two] {
        assert_eq!(store.counts("t", Some(fake.id())).await.unwrap().ready, 10);
        let records = store.read("t", Some(fake.id())).await.unwrap().read_all().await.unwrap();
        let expected = fake.embed(&[records[0].document.as_deref().unwrap()]).remove(0).unwrap();
        assert_eq!((records.len(), &records[0].vector), (10, &expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_the_cache_of_a_fake_never_serves_another() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let fake: Arc<dyn Provider> = Arc::new(crate::native::embed::Fake::new(4, "closure"));
    embed_with(&bench, fake, &patient().0).await.unwrap();
    let total = embed_with(&bench, Arc::new(provider(|_, _| None).0), &patient().0).await.unwrap().total();
    assert_eq!((total.from_cache, total.embedded), (0, 10));
}

/// A half-embedded collection is not served in place of a whole one.
#[tokio::test(flavor = "multi_thread")]
async fn c5_an_embedder_that_is_away_does_not_replace_the_one_that_is_served() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..10))).await;
    let old = Fake::new("old");
    bench.embed(&old).await.unwrap();
    let down = provider(|_, _| Some(Failure::transient("no answer", None))).0;
    embed_with(&bench, Arc::new(down), &patient().0).await.unwrap();
    assert_eq!(bench.reader().await.schema("t").unwrap().embedder.as_ref(), Some(old.id()));
    let refused = provider(|_, _| Some(Failure::new(FailureKind::Refused, "wrong key"))).0;
    let error = embed_with(&bench, Arc::new(refused), &patient().0).await.unwrap_err();
    assert!(error.code() == 5013 && error.to_string().contains("wrong key"), "{error}");
    assert_eq!(bench.records("t").await.len(), 10);
}

/// What does not fit into memory is gone through in parts; they add up to the whole, and each record is embedded once.
#[tokio::test(flavor = "multi_thread")]
async fn a1_a_collection_in_parts_ends_as_one_in_a_whole() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..300))).await;
    let options = EmbedOptions { memory: 3000, ..patient().0 };
    let (callback, calls) = provider(|_, _| None);
    let seen = Mutex::new(Vec::new());
    let load: Arc<dyn Provider> = Arc::new(callback);
    let load = |_: &str| Ok(load.clone());
    let tell = |step: Progress<'_>| seen.lock().unwrap().push((step.done, step.total.unwrap()));
    let report = embed_all(&mut bench.writer().await, &[], &load, &options, &tell).await.unwrap();
    assert_eq!((report.total().embedded, report.total().ready), (300, 0));
    assert!(calls.lock().unwrap().len() > 5, "several parts");
    assert_eq!(seen.lock().unwrap().last(), Some(&(300, 300)));
    assert!(seen.lock().unwrap().is_sorted_by_key(|(done, _)| *done));
    let again = embed_all(&mut bench.writer().await, &[], &load, &options, &|_| {}).await.unwrap().total();
    assert_eq!((again.ready, again.calls), (300, 0));
    assert_eq!(bench.records("t").await.len(), 300);
    // The embedder goes away in the middle.
    bench.ingest(&refs(&words(300..600))).await;
    let down = provider(|number, _| (number > 3).then(|| Failure::transient("no answer", None))).0;
    let total = embed_with(&bench, Arc::new(down), &options).await.unwrap().total();
    assert!(total.embedded > 0 && total.waiting > 0);
    assert_eq!((total.ready, total.embedded + total.waiting), (300, 300));
}

/// Many calls fail once: no text is to blame for that.
#[tokio::test(flavor = "multi_thread")]
async fn c7_a_flaky_embedder_makes_no_text_a_bad_one() {
    let bench = Bench::new();
    bench.ingest(&refs(&words(0..64))).await;
    // So often that a call of all texts fails for good, and each smaller one when it is made to find the culprit.
    let seen = Mutex::new(BTreeMap::<Vec<String>, u32>::new());
    let flaky = move |_: usize, texts: &[&str]| {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(texts.iter().map(|text| (*text).to_owned()).collect()).or_default();
        *times += 1;
        let odd = texts[0].ends_with(['1', '3', '5', '7', '9']);
        let fails = match texts.len() {
            64 => 6,
            1 => u32::from(odd),
            _ => 1,
        };
        (*times <= fails).then(|| Failure::transient("503", None))
    };
    let (callback, calls) = provider(flaky);
    let total = embed_with(&bench, Arc::new(callback), &patient().0).await.unwrap().total();
    assert_eq!((total.embedded, total.errors, total.waiting), (64, 0, 0));
    let singles = calls.lock().unwrap().iter().filter(|call| call.len() == 1).count();
    assert_eq!(singles, 64 + 32, "the odd ones twice");
}

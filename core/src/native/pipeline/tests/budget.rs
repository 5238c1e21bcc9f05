//! Budgets at intake: what is kept, what the metadata say, and that no piece is left behind.

use super::*;
use crate::native::embed::Tokenizer;

const BUDGETED: &str = r#"
[embedder.fake]
provider = "fake"
dimension = 4

[[model]]
name = "word"
key = ["id"]
collection = { field = "topic" }
embedder = "fake"
template = "{text}"
BUDGET

[model.fields]
id = "text"
topic = "text"
text = "text"
"#;

fn bench(budget: &str) -> Bench {
    Bench::with_registry(&BUDGETED.replace("BUDGET", budget))
}

fn line(id: &str, words: usize) -> String {
    let text: Vec<String> = (0..words).map(|n| format!("{id}{n}")).collect();
    format!(r#"{{"id":"{id}","topic":"t","text":"{}"}}"#, text.join(" "))
}

async fn ingest_lines(bench: &Bench, lines: &[String]) -> IngestReport {
    let model = bench.registry.models().next().unwrap();
    let source = bench.source(&refs(lines));
    let report = ingest(&mut bench.writer().await, model, &[source], &|_| {}).await.unwrap();
    let parts = report.inserted + report.updated + report.unchanged + report.duplicates + report.quarantined;
    assert_eq!(report.read + report.chunks, parts, "{report:?}");
    report
}

async fn ids(bench: &Bench) -> Vec<String> {
    bench.embed(&Fake::new("f")).await.unwrap();
    bench.records("t").await.into_keys().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_cut_text_is_embedded_flagged_and_counted_and_its_document_is_whole() {
    let bench = bench("max_tokens = 10\ntruncate = \"end\"");
    let report = ingest_lines(&bench, &[line("long", 50), line("short", 5)]).await;
    assert_eq!((report.truncated, report.inserted), (1, 2));
    bench.embed(&Fake::new("f")).await.unwrap();
    let records = bench.records("t").await;
    let long = &records["long"];
    assert!(long.document.as_ref().unwrap().ends_with("long49"));
    assert_eq!(long.metadata["original_tokens"], Value::Int(50));
    assert_eq!(long.metadata["final_tokens"], Value::Int(10));
    assert_eq!(long.metadata["truncation"], Value::Text("end".into()));
    assert_eq!(long.metadata["has_sem"], Value::Bool(true));
    let short: Vec<&str> = records["short"].metadata.keys().map(String::as_str).collect();
    assert_eq!(short, ["has_sem"], "nothing was cut");
    // The vector is of the cut text.
    let cut = format!(
        "{} \n\n[... truncated ...]",
        (0..7).map(|n| format!("long{n}")).collect::<Vec<_>>().join(" ")
    );
    assert_eq!(Ok(long.vector.clone()), Fake::new("f").embed(&[cut.as_str()])[0]);
    assert_eq!(ingest_lines(&bench, &[line("long", 50)]).await.unchanged, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_budget_nothing_changes() {
    let bench = bench("");
    ingest_lines(&bench, &[line("long", 50)]).await;
    bench.embed(&Fake::new("f")).await.unwrap();
    assert!(bench.records("t").await["long"].metadata.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_record_leaves_no_piece_behind() {
    let bench = bench("chunk = { tokens = 10, overlap = 2 }");
    let report = ingest_lines(&bench, &[line("a", 30), line("b", 3)]).await;
    assert_eq!((report.read, report.chunks, report.inserted), (2, 3, 5));
    assert_eq!(ids(&bench).await, ["a#0", "a#1", "a#2", "a#3", "b#0"]);
    let records = bench.records("t").await;
    assert_eq!(records["a#2"].metadata["parent"], Value::Text("a".into()));
    assert_eq!(records["a#2"].metadata["chunk_no"], Value::Int(2));
    assert!(records["a#1"].document.as_ref().unwrap().starts_with("a8 a9 a10"));
    let shorter = ingest_lines(&bench, &[line("a", 12)]).await;
    assert_eq!((shorter.removed, shorter.updated, shorter.unchanged), (2, 1, 1));
    assert_eq!(ids(&bench).await, ["a#0", "a#1", "b#0"]);
    // The longer and the shorter record in one run: the last one counts.
    let both = ingest_lines(&bench, &[line("a", 40), line("a", 4)]).await;
    assert_eq!(both.removed, 1, "{both:?}");
    assert_eq!(ids(&bench).await, ["a#0", "b#0"]);
    let store = bench.reader().await;
    let table = store.embeddings("t", Fake::new("f").id()).await.unwrap().unwrap();
    assert_eq!(table.count_rows(None).await.unwrap(), 2, "vectors of removed pieces are gone too");
}

#[tokio::test(flavor = "multi_thread")]
async fn turning_chunks_on_and_off_leaves_one_form() {
    let mut bench = bench("");
    ingest_lines(&bench, &[line("a", 30), line("b", 3)]).await;
    let path = bench.dir.path().join("portolan.toml");
    let change = |bench: &mut Bench, budget: &str| {
        std::fs::write(&path, BUDGETED.replace("BUDGET", budget)).unwrap();
        bench.registry = Registry::load(&path).unwrap();
    };
    change(&mut bench, "chunk = { tokens = 20 }");
    assert_eq!(ingest_lines(&bench, &[line("a", 30)]).await.removed, 1);
    assert_eq!(ids(&bench).await, ["a#0", "a#1", "b"]);
    change(&mut bench, "");
    assert_eq!(ingest_lines(&bench, &[line("a", 30)]).await.removed, 2);
    assert_eq!(ids(&bench).await, ["a", "b"]);
}

/// A kill between writing the pieces and removing the old ones is repaired by the next run, even of an unchanged file.
#[tokio::test(flavor = "multi_thread")]
async fn a1_stopping_anywhere_while_pieces_are_replaced_leaves_none() {
    let bench = bench("chunk = { tokens = 5 }");
    let mut stopped = 0;
    for polls in 1.. {
        ingest_lines(&bench, &[line("a", 30), line("b", 30)]).await;
        let source = bench.source(&refs(&[line("a", 9), line("b", 4)]));
        let model = bench.registry.models().next().unwrap();
        let run = async {
            ingest(&mut bench.writer().await, model, &[source], &|_| {}).await.unwrap();
        };
        let finished = stopped_after(polls * 3, run).await;
        stopped += usize::from(!finished);
        ingest_lines(&bench, &[line("a", 9), line("b", 4)]).await;
        assert_eq!(ids(&bench).await, ["a#0", "a#1", "b#0"]);
        if finished {
            break;
        }
    }
    assert!(stopped > 3, "it was stopped {stopped} times");
}

/// The tokenizer of an embedder that only the host knows has to be brought.
#[tokio::test(flavor = "multi_thread")]
async fn a8_a_budget_of_the_hosts_embedder_is_counted_by_the_hosts_tokenizer() {
    struct Letters;
    impl Tokenizer for Letters {
        fn count(&self, text: &str) -> usize {
            text.chars().count()
        }
    }
    let registry = BUDGETED.replace("BUDGET", "max_tokens = 30\ntruncate = \"start\"");
    let registry = registry.replace("provider = \"fake\"\ndimension = 4", "provider = \"callback\"");
    let mut bench = Bench::with_registry(&registry);
    let error = bench.try_ingest(&[&line("a", 30)]).await.unwrap_err();
    assert!(error.code() == 5009 && error.to_string().contains("set_tokenizer"), "{error}");
    let letters: Arc<dyn Tokenizer> = Arc::new(Letters);
    bench.registry.set_tokenizer("fake", &letters);
    assert_eq!(bench.try_ingest(&[&line("a", 30)]).await.unwrap().truncated, 1);
    bench.embed(&Fake::new("f")).await.unwrap();
    assert_eq!(bench.records("t").await["a"].metadata["final_tokens"], Value::Int(30));
}

#[test]
fn wrong_budgets_are_refused_with_what_to_do() {
    let refused = |budget: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portolan.toml");
        std::fs::write(&path, BUDGETED.replace("BUDGET", budget)).unwrap();
        Registry::load(&path).unwrap_err().to_string()
    };
    for (budget, expected) in [
        ("truncate = \"end\"", "no \"max_tokens\""),
        ("max_tokens = 0", "at least one"),
        ("max_tokens = 9\ntruncate = \"front\"", "unknown variant"),
        ("max_tokens = 9\nchunk = { tokens = 4 }", "nothing is left"),
        ("chunk = { tokens = 4, overlap = 4 }", "fewer to share"),
        ("chunk = { tokens = 4, overlaps = 1 }", "unknown field"),
    ] {
        let error = refused(budget);
        assert!(error.contains(expected), "{budget}: {error}");
    }
}

//! Measures the static embedder over the definitions of the WordNet sample, on one thread, and prints one JSON line per
//! case: `{"name", "ratio", "goal", "note"}`, where the ratio is texts a second over the 50,000 that are promised.
//!
//! `cargo xtask bench --only bench_embed`. The best of 5 rounds counts.

use std::{
    error::Error,
    fs::File,
    hint::black_box,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    time::Instant,
};

use flate2::read::GzDecoder;
use portolan::{embed::Embedder, native::embed::load_static};

/// Definitions a second and core.
const GOAL: f64 = 50_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wordnet");
    let sample = std::env::var_os("PORTOLAN_SAMPLE").map_or_else(beside, PathBuf::from);
    let embedder = load_static(&sample.join("static-256"))?;
    let texts = definitions(&sample.join("docs.jsonl.gz"))?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut tokens = Vec::new();
    report("tokens of definitions", texts.len(), || {
        for text in &texts {
            tokens.clear();
            embedder.tokenizer().encode(text, &mut tokens);
            black_box(&tokens);
        }
    });
    report("vectors of definitions", texts.len(), || {
        for batch in texts.chunks(256) {
            black_box(embedder.embed(batch));
        }
    });
    Ok(())
}

fn definitions(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for line in BufReader::new(GzDecoder::new(File::open(path)?)).lines() {
        let record: serde_json::Value = serde_json::from_str(&line?)?;
        let words = record["words"].as_array().into_iter().flatten().filter_map(|word| word.as_str());
        let words: Vec<&str> = words.collect();
        texts.push(format!("{}: {}", words.join(", "), record["definition"].as_str().unwrap_or_default()));
    }
    Ok(texts)
}

fn report(name: &str, texts: usize, mut work: impl FnMut()) {
    let mut seconds = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        work();
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let rate = texts as f64 / seconds;
    let ratio = rate / GOAL;
    println!(
        r#"{{"name":"{name}","ratio":{ratio:.2},"goal":1.0,"note":"of 50,000 a second; {rate:.0} texts/s"}}"#
    );
}

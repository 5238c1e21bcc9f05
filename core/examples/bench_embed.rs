//! Measures the static embedder over the lines of standard input, on one thread, and prints one JSON line per case:
//! `{"name", "texts_per_second", "seconds"}`.
//!
//! `cargo run --release -p portolan --example bench_embed path/to/vocab.txt < texts.txt`. The rows are made up: what
//! they hold does not change the time. The best of 5 rounds counts.

use std::{error::Error, hint::black_box, io::Read, time::Instant};

use portolan::embed::{Embedder, StaticEmbedder, WordPiece};

const DIMENSION: u32 = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let vocab = std::fs::read_to_string(std::env::args().nth(1).ok_or("give the path of a vocab.txt")?)?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let texts: Vec<&str> = text.lines().collect();
    let tokenizer = WordPiece::from_vocab(&vocab)?;
    let mut tokens = Vec::new();
    report("tokens", texts.len(), || {
        for text in &texts {
            tokens.clear();
            tokenizer.encode(text, &mut tokens);
            black_box(&tokens);
        }
    });
    let count = tokenizer.vocab_len() as usize;
    let rows = (0..count * DIMENSION as usize).map(|i| (i * 31 % 255) as u8).collect();
    let embedder = StaticEmbedder::new(String::from("made up"), &vocab, rows, vec![0.01; count], DIMENSION)?;
    report("vectors", texts.len(), || {
        for batch in texts.chunks(256) {
            black_box(embedder.embed(batch));
        }
    });
    Ok(())
}

fn report(name: &str, texts: usize, mut work: impl FnMut()) {
    let mut seconds = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        work();
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let rate = texts as f64 / seconds;
    println!(r#"{{"name":"{name}","texts_per_second":{rate:.0},"seconds":{seconds:.4}}}"#);
}

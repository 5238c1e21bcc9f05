//! Measures an exact scan against a plain read of the same bytes, on one thread, and prints one JSON line per case:
//! `{"name", "ratio", "goal", "seconds"}`, where the ratio is the scan's speed over the read's.
//!
//! `cargo run --release -p portolan --example bench_metric [rows] [dimension]`; the defaults are those of the WordNet
//! sample, 117,791 rows of 256. Both sides are timed in turn and the best of 15 rounds counts, so that noise of the
//! machine hits both.

use std::{hint::black_box, time::Instant};

use portolan::metric::{Encoding, Metric, Scorer, encode_row, kernel_name};

fn main() {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse().ok());
    let rows: usize = arguments.next().unwrap_or(117_791);
    let dimension: usize = arguments.next().unwrap_or(256);
    println!(r#"{{"name":"kernel {}","rows":{rows},"dimension":{dimension}}}"#, kernel_name());
    for encoding in [Encoding::F16, Encoding::F32] {
        for metric in [Metric::Cosine, Metric::L2] {
            measure(metric, encoding, rows, dimension);
        }
    }
}

fn measure(metric: Metric, encoding: Encoding, rows: usize, dimension: usize) {
    let mut noise = Noise(42);
    let mut bytes = Vec::with_capacity(rows * encoding.row_bytes(dimension));
    for _ in 0..rows {
        if let Err(error) = encode_row(&noise.vector(dimension), metric, encoding, &mut bytes) {
            return eprintln!("{error}");
        }
    }
    let scorer = Scorer::new(metric, encoding, &noise.vector(dimension));
    let mut distances = Vec::with_capacity(rows);
    let (mut read, mut scan) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..15 {
        read = read.min(seconds(|| {
            black_box(sum_words(&bytes));
        }));
        scan = scan.min(seconds(|| {
            distances.clear();
            scorer.distances(&bytes, &mut distances);
            black_box(&distances);
        }));
    }
    let name = format!("scan {metric:?} {encoding:?} / plain read");
    let ratio = read / scan;
    println!(
        r#"{{"name":"{name}","ratio":{ratio:.3},"goal":0.5,"seconds":{scan:.5},"read_seconds":{read:.5}}}"#
    );
}

fn seconds(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// The plain read: every byte once, added up as 64-bit words.
fn sum_words(bytes: &[u8]) -> u64 {
    let words = black_box(bytes).as_chunks::<8>().0;
    words.iter().fold(0, |sum: u64, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

struct Noise(u64);

impl Noise {
    fn vector(&mut self, dimension: usize) -> Vec<f32> {
        let component = |_| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..dimension).map(component).collect()
    }
}

//! Measures the kernels of `portolan::quant` on one thread, and prints one JSON line per case:
//! `{"name", "ratio", "goal", "better", "note"}`, where the ratio is in the unit that the name ends with.
//!
//! `cargo run --release -p portolan --example bench_quant`. The best of many rounds counts, so that noise of the machine
//! does not.

use std::{hint::black_box, time::Instant};

use portolan::{
    metric::{Encoding, Metric, Scorer, encode_row},
    quant::{
        ByteQuery, Candidate, ExtendedQuery, Frame, Mask, Rotation, SLOTS, SignQuery, cell_bytes,
        encode_extended, encode_signs, extended_bytes, kernel_name,
    },
};

fn main() {
    println!(r#"{{"name":"quant kernels {}"}}"#, kernel_name());
    for dimension in [256, 384] {
        preparation(dimension);
        sign_scan(dimension, 16, "in L1", 0.8);
        sign_scan(dimension, 256, "in L2", 0.8);
        sign_scan(dimension, 12_000_000 / cell_bytes(dimension), "from 12 MB", 1.2);
        centroids(dimension);
        rows_of_bytes(dimension);
        extended(dimension, 4);
        extended(dimension, 7);
        extended(dimension, 8);
        encoders(dimension);
    }
}

/// The best time of one call, in nanoseconds: of `rounds` rounds of `calls` calls.
fn best(rounds: usize, calls: usize, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        (0..calls).for_each(|_| work());
        best = best.min(start.elapsed().as_secs_f64());
    }
    best * 1e9 / calls as f64
}

fn print(name: &str, value: f64, goal: f64, note: &str) {
    println!(r#"{{"name":"{name}","ratio":{value:.3},"goal":{goal},"better":"lower","note":"{note}"}}"#);
}

fn preparation(dimension: usize) {
    let (rotation, query, mut out) = (Rotation::new(dimension), Noise(1).vector(dimension), Vec::new());
    let ns = best(50, 200, || rotation.rotate_into(black_box(&query), &mut out));
    print(&format!("rotation of {dimension}, us"), ns / 1e3, 1.0, "");
    let ns = best(50, 200, || drop(black_box(SignQuery::new(black_box(&query)))));
    print(&format!("tables of {dimension}, us"), ns / 1e3, 0.5, "");
    let ns = best(50, 200, || drop(black_box(ByteQuery::new(black_box(&query)))));
    print(&format!("query of {dimension} as bytes, us"), ns / 1e3, 0.5, "");
}

fn sign_scan(dimension: usize, count: usize, place: &str, goal: f64) {
    let (mut noise, stride) = (Noise(3), cell_bytes(dimension) + 8);
    let cells = cells(&mut noise, count, stride);
    let query = SignQuery::new(&noise.vector(dimension));
    let frame = Frame { base: 0.5, a_scale: 0.001, f_scale: 0.001, margin: 0.1 };
    let calls = (20_000 / count).max(1);
    let scan = |mask: Option<Mask<'_>>| {
        let mut out: Vec<Candidate> = Vec::new();
        let one_call = || query.scan_cells(black_box(&cells), stride, &frame, mask, -1e9, &mut out);
        best(40, calls, one_call) / (count * SLOTS) as f64
    };
    let mut estimates = [0.0; SLOTS];
    let one_cell = || query.estimates(black_box(&cells[..stride]), 0.5, 0.001, 0.001, &mut estimates);
    let (ns, reference) = (scan(None), best(20, 20, one_cell) / SLOTS as f64);
    let note = format!("{:.0} times the reference in L1", reference / ns);
    print(&format!("sign scan of {dimension} {place}, ns a slot"), ns, goal, &note);
    let nobody = [0; 2000];
    let ns = scan(Some(Mask { bits: &nobody, sparse: true }));
    print(&format!("sign scan of {dimension} {place} where no row passes, ns a slot"), ns, goal, "");
}

/// Random codes; factors are 1, row numbers below 100,000.
fn cells(noise: &mut Noise, count: usize, stride: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..count * stride).map(|_| noise.next() as u8).collect();
    for cell in bytes.chunks_exact_mut(stride) {
        let (_, tail) = cell.split_at_mut(stride - 8 - 256);
        tail[..128].as_chunks_mut().0.iter_mut().for_each(|half| *half = [0x00, 0x3c]);
        let rows = tail[128..256].as_chunks_mut().0;
        rows.iter_mut().for_each(|row| *row = ((noise.next() % 100_000) as u32).to_le_bytes());
    }
    bytes
}

fn centroids(dimension: usize) {
    let mut noise = Noise(4);
    let rows: Vec<u8> = (0..1000 * dimension / 2).map(|_| noise.next() as u8).collect();
    let query = ByteQuery::new(&noise.vector(dimension));
    let mut out = vec![0; 1000];
    let ns = best(50, 20, || query.dot_nibbles(black_box(&rows), &mut out)) / 1000.0;
    print(&format!("centroids of {dimension}, ns each"), ns, 6.0, "");
}

fn rows_of_bytes(dimension: usize) {
    let (mut noise, mut rows) = (Noise(5), Vec::new());
    for _ in 0..200 {
        if let Err(error) = encode_row(&noise.vector(dimension), Metric::Cosine, Encoding::I8, &mut rows) {
            return eprintln!("{error}");
        }
    }
    let scorer = Scorer::new(Metric::Cosine, Encoding::I8, &noise.vector(dimension));
    let mut out = Vec::new();
    let one_call = || {
        out.clear();
        scorer.distances(black_box(&rows), &mut out);
    };
    print(&format!("rows of {dimension} bytes, ns each"), best(50, 50, one_call) / 200.0, 25.0, "");
}

fn extended(dimension: usize, bits: u8) {
    let (mut noise, stride) = (Noise(6), extended_bytes(dimension, bits));
    let codes: Vec<u8> = (0..100 * stride).map(|_| noise.next() as u8).collect();
    let query = ExtendedQuery::new(&noise.vector(dimension), bits);
    let one_call = || {
        codes.chunks(stride).for_each(|code| {
            black_box(query.distance(black_box(code), 0.5));
        })
    };
    let ns = best(50, 50, one_call) / 100.0;
    print(
        &format!("codes of {dimension} x {bits} bits, ns each"),
        ns,
        if bits == 7 { 100.0 } else { 25.0 },
        "",
    );
}

fn encoders(dimension: usize) {
    let mut noise = Noise(7);
    let (residual, centroid) = (noise.vector(dimension), noise.vector(dimension));
    let ns = best(50, 100, || drop(black_box(encode_signs(black_box(&residual), &centroid))));
    print(&format!("encoding signs of {dimension}, us"), ns / 1e3, 1.0, "");
    let ns = best(50, 20, || drop(black_box(encode_extended(black_box(&residual), &centroid, 4))));
    print(&format!("encoding {dimension} x 4 bits, us"), ns / 1e3, 10.0, "");
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// About normally distributed, as the components of a rotated vector are.
    fn vector(&mut self, dimension: usize) -> Vec<f32> {
        let mut uniform = || (self.next() >> 29) as f32 / (1 << 23) as f32 - 1.0;
        (0..dimension).map(|_| (0..12).map(|_| uniform()).sum()).collect()
    }
}

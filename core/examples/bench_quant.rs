//! Measures the kernels of `portolan::quant` on one thread, and prints one JSON line per case:
//! `{"name", "ratio", "goal", "better", "note"}`, where the ratio is in the unit that the name ends with.
//!
//! `cargo run --release -p portolan --example bench_quant`. The best of many rounds counts, so that noise of the machine
//! does not.

use std::{hint::black_box, time::Instant};

use portolan::quant::{ByteQuery, Candidate, Frame, Mask, Rotation, SignQuery, cell_bytes, kernel_name};

fn main() {
    println!(r#"{{"name":"quant kernels {}"}}"#, kernel_name());
    for dimension in [256, 384] {
        rotation(dimension);
        tables(dimension);
        sign_scan(dimension, 16, "in L1", 0.8);
        sign_scan(dimension, 256, "in L2", 0.8);
        sign_scan(dimension, 12_000_000 / cell_bytes(dimension), "12 MB", 1.6);
        centroids(dimension);
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

fn rotation(dimension: usize) {
    let (rotation, query, mut out) = (Rotation::new(dimension), Noise(1).vector(dimension), Vec::new());
    let ns = best(50, 200, || rotation.rotate_into(black_box(&query), &mut out));
    print(&format!("rotation of {dimension}, us"), ns / 1e3, 1.0, "");
}

fn tables(dimension: usize) {
    let query = Noise(2).vector(dimension);
    let ns = best(50, 200, || drop(black_box(SignQuery::new(black_box(&query)))));
    print(&format!("tables of {dimension}, us"), ns / 1e3, 0.5, "");
    let ns = best(50, 200, || drop(black_box(ByteQuery::new(black_box(&query)))));
    print(&format!("query as bytes {dimension}, us"), ns / 1e3, 0.5, "");
}

fn sign_scan(dimension: usize, cells: usize, place: &str, goal: f64) {
    let (mut noise, stride) = (Noise(3), cell_bytes(dimension) + 8);
    let mut bytes: Vec<u8> = (0..cells * stride).map(|_| noise.next() as u8).collect();
    for cell in bytes.chunks_exact_mut(stride) {
        let tail = stride - 8 - 256;
        for half in cell[tail..tail + 128].chunks_exact_mut(2) {
            half.copy_from_slice(&[0x00, 0x3c]);
        }
        for row in cell[tail + 128..tail + 256].chunks_exact_mut(4) {
            row.copy_from_slice(&((noise.next() % 100_000) as u32).to_le_bytes());
        }
    }
    let query = SignQuery::new(&noise.vector(dimension));
    let frame = Frame { base: 0.5, a_scale: 0.001, f_scale: 0.001, margin: 0.1 };
    let mut out: Vec<Candidate> = Vec::new();
    let calls = (20_000 / cells).max(1);
    let mut scan = |mask: Option<Mask<'_>>| {
        best(40, calls, || {
            out.clear();
            query.scan_cells(black_box(&bytes), stride, &frame, mask, -1e9, &mut out);
        }) / (cells * 32) as f64
    };
    print(&format!("sign scan of {dimension} {place}, ns a slot"), scan(None), goal, "");
    let none = [0_u64; 2000];
    print(
        &format!("sign scan of {dimension} {place}, no row passes, ns a slot"),
        scan(Some(Mask { bits: &none, sparse: true })),
        goal,
        "",
    );
}

fn centroids(dimension: usize) {
    let mut noise = Noise(4);
    let rows: Vec<u8> = (0..1000 * dimension / 2).map(|_| noise.next() as u8).collect();
    let query = ByteQuery::new(&noise.vector(dimension));
    let mut out = vec![0; 1000];
    let ns = best(50, 20, || query.dot_nibbles(black_box(&rows), &mut out)) / 1000.0;
    print(&format!("centroids of {dimension}, ns each"), ns, 6.0, "");
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

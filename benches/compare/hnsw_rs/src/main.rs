//! hnsw_rs, built and served by the same lines as `hnswlib_bench.cpp`, without filters.

use std::{
    env,
    error::Error,
    fs,
    io::{stdin, BufRead},
    path::Path,
    time::Instant,
};

use hnsw_rs::{
    hnswio::HnswIo,
    prelude::{AnnT, DistDot, Hnsw},
};
use serde_json::json;

const LINKS: usize = 16;
const EF_CONSTRUCTION: usize = 200;
const LAYERS: usize = 16;
const NAME: &str = "index";

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["build", vectors, _rows, dimension, index, _threads] => build(vectors, dimension.parse()?, index),
        ["serve", index, dimension, queries, _count, ids] => serve(index, dimension.parse()?, queries, ids),
        _ => Err("usage: see the first lines of hnswlib_bench.cpp".into()),
    }
}

fn rows(path: &str, dimension: usize) -> Result<Vec<Vec<f32>>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Ok(numbers.chunks_exact(dimension).map(<[f32]>::to_vec).collect())
}

/// The number of threads is rayon's: RAYON_NUM_THREADS.
fn build(vectors: &str, dimension: usize, index: &str) -> Outcome {
    let vectors = rows(vectors, dimension)?;
    let start = Instant::now();
    let hnsw = Hnsw::<f32, DistDot>::new(LINKS, vectors.len(), LAYERS, EF_CONSTRUCTION, DistDot {});
    let numbered: Vec<(&Vec<f32>, usize)> = vectors.iter().zip(0..).collect();
    hnsw.parallel_insert(&numbered);
    println!("{}", json!({"build_seconds": start.elapsed().as_secs_f64()}));
    hnsw.file_dump(Path::new(index), NAME)?;
    Ok(())
}

fn serve(index: &str, dimension: usize, queries: &str, ids: &str) -> Outcome {
    let mut files = HnswIo::new(Path::new(index), NAME);
    let mut hnsw: Hnsw<f32, DistDot> = files.load_hnsw()?;
    hnsw.set_searching_mode(true);
    let queries = rows(queries, dimension)?;
    for line in stdin().lock().lines() {
        let (mut k, mut ef) = (10, 64);
        for word in line?.split_whitespace() {
            match word.split_once('=') {
                Some(("k", value)) => k = value.parse()?,
                Some(("ef", value)) => ef = value.parse()?,
                _ => {}
            }
        }
        let start = Instant::now();
        let found: Vec<_> = queries.iter().map(|query| hnsw.search(query, k, ef)).collect();
        let seconds = start.elapsed().as_secs_f64();
        let number =
            |row: &Vec<hnsw_rs::prelude::Neighbour>, rank: usize| row.get(rank).map_or(-1, |n| n.d_id as i32);
        let numbers = found.iter().flat_map(|row| (0..k).map(move |rank| number(row, rank)));
        fs::write(ids, numbers.flat_map(i32::to_le_bytes).collect::<Vec<u8>>())?;
        println!("{}", json!({ "seconds": seconds }));
    }
    Ok(())
}

//! Measures building the clusters of a file on two threads, and prints a JSON line for each stage.
//!
//! `cargo run --release -p portolan --example bench_cluster [rows.npy] [--clusters n] [--hard] [--threads n]`: the
//! rows are half floats of unit length; without a file 117,791 clustered rows of 384 are made. With
//! `--recall questions.npy truth.npy` (half floats; 32-bit row numbers, the nearest first) it prints instead, for
//! clusters of several numbers, how often the ten nearest are among the first R estimates of the P nearest clusters.

#[path = "../src/cluster/reference.rs"]
mod reference;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use half::f16;
use portolan::{
    cluster::{Clusters, CodeBits, Options, Parallel, Shape, Stage, Vectors, build, cluster_kernel_name},
    metric::{Metric, normalize},
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut asked = Asked::default();
    asked.read(std::env::args().skip(1).collect())?;
    let rows = match &asked.rows {
        Some(path) => Rows::load(path)?,
        None => Rows::synthetic(117_791, 384),
    };
    println!(
        r#"{{"name":"kernel {}","rows":{},"dimension":{}}}"#,
        cluster_kernel_name(),
        rows.count(),
        rows.dimension
    );
    match &asked.recall {
        Some((questions, truth)) => recall(&rows, &Rows::load(questions)?, &load_truth(truth)?, &asked),
        None => {
            let (clusters, stages) = rows.build(&asked.options, asked.threads)?;
            print_build(&clusters, &stages);
            Ok(())
        }
    }
}

/// What the arguments ask for.
struct Asked {
    rows: Option<String>,
    recall: Option<(String, String)>,
    options: Options,
    threads: usize,
    all: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { rows: None, recall: None, options: Options::default(), threads: 2, all: true }
    }
}

impl Asked {
    fn read(&mut self, arguments: Vec<String>) -> Result<(), Failure> {
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut next = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--hard" => (self.options.soft, self.all) = (false, false),
                "--clusters" => {
                    (self.options.clusters, self.all) = (Some(next()?.parse()?), false);
                }
                "--bits" => self.options.bits = CodeBits::new(next()?.parse()?).ok_or("bits are 1 to 8")?,
                "--threads" => self.threads = next()?.parse()?,
                "--recall" => self.recall = Some((next()?, next()?)),
                _ => self.rows = Some(argument),
            }
        }
        Ok(())
    }
}

struct Rows {
    dimension: usize,
    values: Vec<f16>,
}

impl Vectors for Rows {
    fn read(&self, row: usize, into: &mut [f32]) {
        let row = &self.values[row * self.dimension..(row + 1) * self.dimension];
        into.iter_mut().zip(row).for_each(|(to, x)| *to = x.to_f32());
        normalize(into);
    }
}

impl Rows {
    fn count(&self) -> usize {
        self.values.len() / self.dimension
    }

    fn load(path: &str) -> Result<Self, Failure> {
        let (kind, dimension, bytes) = load_array(path)?;
        if kind != "f2" {
            return Err(format!("{path}: the numbers are {kind}, not half floats").into());
        }
        let values = bytes.as_chunks::<2>().0.iter().map(|x| f16::from_le_bytes(*x)).collect();
        Ok(Self { dimension, values })
    }

    /// Rows around centres that lie around centres, in a space where some directions matter more.
    fn synthetic(count: usize, dimension: usize) -> Self {
        let mut noise = Noise(42);
        let weights: Vec<f32> = (0..dimension).map(|i| 1.0 / (1.0 + i as f32 / 40.0)).collect();
        let mut around = |centre: &[f32], reach: f32| -> Vec<f32> {
            centre.iter().zip(&weights).map(|(x, weight)| x + reach * weight * noise.next()).collect()
        };
        let origin = vec![0.0; dimension];
        let wide: Vec<Vec<f32>> = (0..60).map(|_| around(&origin, 1.0)).collect();
        let narrow: Vec<Vec<f32>> = (0..2000).map(|i| around(&wide[i % 60], 0.8)).collect();
        let mut values = Vec::with_capacity(count * dimension);
        for i in 0..count {
            let mut row = around(&narrow[(i * 7919) % 2000], 0.8);
            normalize(&mut row);
            values.extend(row.into_iter().map(f16::from_f32));
        }
        Self { dimension, values }
    }

    fn build(&self, options: &Options, threads: usize) -> Result<(Clusters, Vec<(Stage, f64)>), Failure> {
        let shape = Shape { dimension: self.dimension, metric: Metric::Cosine, rows: self.count() };
        let threads = Threads { count: threads, started: Mutex::new(Vec::new()) };
        let clusters = build(self, shape, *options, &threads)?;
        let end = Instant::now();
        let started = threads.started.into_inner()?;
        let ends = started.iter().skip(1).map(|(_, start)| *start).chain([end]);
        let seconds =
            started.iter().zip(ends).map(|((stage, from), to)| (*stage, (to - *from).as_secs_f64()));
        let seconds = seconds.collect();
        Ok((clusters, seconds))
    }
}

/// Threads of this machine, and when each stage began.
struct Threads {
    count: usize,
    started: Mutex<Vec<(Stage, Instant)>>,
}

impl Parallel for Threads {
    fn run(&self, jobs: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.count.min(jobs) {
                scope.spawn(|| {
                    loop {
                        let job = next.fetch_add(1, Ordering::Relaxed);
                        if job >= jobs {
                            break;
                        }
                        work(job);
                    }
                });
            }
        });
    }

    fn stage(&self, stage: Stage) {
        if let Ok(mut started) = self.started.lock() {
            started.push((stage, Instant::now()));
        }
    }
}

fn print_build(clusters: &Clusters, stages: &[(Stage, f64)]) {
    for (stage, seconds) in stages {
        println!(r#"{{"name":"{stage:?}","seconds":{seconds:.3}}}"#);
    }
    let total: f64 = stages.iter().map(|(_, seconds)| seconds).sum();
    let sections = reference::Sections::read(&clusters.centroids, &clusters.cells, clusters.cell_bytes);
    let (least, most) = sections.sizes();
    println!(
        r#"{{"name":"build","seconds":{total:.3},"clusters":{},"least_slots":{least},"most_slots":{most},"bytes":{}}}"#,
        clusters.count,
        clusters.cells.len() + clusters.centroids.len()
    );
}

fn recall(rows: &Rows, questions: &Rows, truth: &[Vec<u32>], asked: &Asked) -> Result<(), Failure> {
    let one = [asked.options];
    let several: Vec<Options> = [256, 343, 512]
        .into_iter()
        .flat_map(|count| [(count, false), (count, true)])
        .map(|(count, soft)| Options { clusters: std::num::NonZeroU32::new(count), soft, ..asked.options })
        .collect();
    for options in if asked.all { several.as_slice() } else { one.as_slice() } {
        let (clusters, stages) = rows.build(options, asked.threads)?;
        print_build(&clusters, &stages);
        measure(rows, questions, truth, &clusters);
        measure_spreads(rows, questions, &clusters);
    }
    Ok(())
}

const PROBED: [usize; 9] = [4, 8, 12, 16, 24, 32, 48, 64, 96];
const LOOKED_AT: [usize; 6] = [20, 40, 64, 80, 100, 200];

fn measure(rows: &Rows, questions: &Rows, truth: &[Vec<u32>], clusters: &Clusters) {
    let sections = reference::Sections::read(&clusters.centroids, &clusters.cells, clusters.cell_bytes);
    let rotation = portolan::quant::Rotation::new(rows.dimension);
    let found = Mutex::new((vec![[0_usize; LOOKED_AT.len()]; PROBED.len()], vec![0_usize; PROBED.len()]));
    let count = truth.len().min(questions.count());
    let threads = Threads { count: 2, started: Mutex::new(Vec::new()) };
    threads.run(count, &|number| {
        let mut question = vec![0.0; rows.dimension];
        questions.read(number, &mut question);
        let mut rotated = Vec::new();
        rotation.rotate_into(&question, &mut rotated);
        let base = |c: &[f32]| 1.0 - c.iter().zip(&rotated).map(|(c, q)| c * q).sum::<f32>();
        let scales = (clusters.a_scale, clusters.f_scale);
        let scan = sections.scan(&rotated, PROBED[PROBED.len() - 1], scales, &base);
        let Ok(mut found) = found.lock() else { return };
        for (p, probed) in PROBED.iter().enumerate() {
            found.1[p] += scan.iter().filter(|slot| (slot.rank as usize) < *probed).count();
            let first = reference::first_rows(&scan, *probed, LOOKED_AT[LOOKED_AT.len() - 1]);
            for (r, looked_at) in LOOKED_AT.iter().enumerate() {
                let looked_at = &first[..first.len().min(*looked_at)];
                found.0[p][r] += truth[number][..10].iter().filter(|row| looked_at.contains(row)).count();
            }
        }
    });
    let Ok((found, slots)) = found.into_inner() else { return };
    for ((probed, found), slots) in PROBED.iter().zip(&found).zip(slots) {
        let recalls: Vec<String> = LOOKED_AT
            .iter()
            .zip(found)
            .map(|(looked_at, found)| format!(r#""{looked_at}":{:.4}"#, *found as f64 / (10 * count) as f64))
            .collect();
        println!(
            r#"{{"clusters":{},"soft":{},"probed":{probed},"slots":{},"recall":{{{}}}}}"#,
            clusters.count,
            clusters.soft,
            slots / count,
            recalls.join(",")
        );
    }
}

/// Prints how far residuals reach towards questions, in spreads: for clusters that are among the nearest `from..to`.
fn measure_spreads(rows: &Rows, questions: &Rows, clusters: &Clusters) {
    let sections = reference::Sections::read(&clusters.centroids, &clusters.cells, clusters.cell_bytes);
    let rotation = portolan::quant::Rotation::new(rows.dimension);
    let rotated = |rows: &Rows, number: usize| {
        let mut vector = vec![0.0; rows.dimension];
        rows.read(number, &mut vector);
        rotation.rotate(&vector)
    };
    let centroids: Vec<Vec<f32>> = (0..clusters.count as usize).map(|c| sections.centroid(c)).collect();
    for (from, to) in [(0, 4), (4, 16), (16, 64)] {
        let (mut sum, mut sum_sq, mut count) = (0.0, 0.0, 0.0);
        for question in (0..questions.count()).step_by(questions.count().div_ceil(40)) {
            let question = rotated(questions, question);
            let apart = |c: &usize| difference(&question, &centroids[*c]).iter().map(|x| x * x).sum::<f32>();
            let mut order: Vec<usize> = (0..centroids.len()).collect();
            order.sort_by(|a, b| apart(a).total_cmp(&apart(b)));
            for cluster in order.iter().take(to).skip(from).step_by(3) {
                let way = difference(&question, &centroids[*cluster]);
                let reach = sections.spread(*cluster) * apart(cluster).sqrt();
                for row in sections.rows(*cluster).iter().step_by(7) {
                    let residual = difference(&rotated(rows, *row as usize), &centroids[*cluster]);
                    let along = residual.iter().zip(&way).map(|(r, w)| r * w).sum::<f32>() / reach;
                    sum += f64::from(along);
                    sum_sq += f64::from(along * along);
                    count += 1.0;
                }
            }
        }
        let (mean, mean_sq) = (sum / count, sum_sq / count);
        println!(
            r#"{{"name":"reach in spreads","from":{from},"to":{to},"mean":{mean:.3},"deviation":{:.3},"root_mean_sq":{:.3}}}"#,
            (mean_sq - mean * mean).sqrt(),
            mean_sq.sqrt()
        );
    }
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Row numbers of the nearest rows of each question.
fn load_truth(path: &str) -> Result<Vec<Vec<u32>>, Failure> {
    let (kind, width, bytes) = load_array(path)?;
    if kind != "i4" {
        return Err(format!("{path}: the numbers are {kind}, not integers of 32 bits").into());
    }
    let numbers: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|x| u32::from_le_bytes(*x)).collect();
    Ok(numbers.chunks_exact(width).map(<[u32]>::to_vec).collect())
}

/// The type, the length of a row and the content of a two-dimensional array.
fn load_array(path: &str) -> Result<(String, usize, Vec<u8>), Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let bad = || format!("{path}: not a two-dimensional little-endian array of NumPy's format 1");
    let length =
        bytes.get(8..10).and_then(|at| at.try_into().ok()).map(u16::from_le_bytes).ok_or_else(bad)?;
    let start = 10 + usize::from(length);
    let header = bytes.get(10..start).and_then(|header| std::str::from_utf8(header).ok()).ok_or_else(bad)?;
    let between = |from: &str, to: char| {
        let (_, rest) = header.split_once(from)?;
        rest.split_once(to).map(|(value, _)| value)
    };
    let kind = between("'descr': '<", '\'').ok_or_else(bad)?;
    let (_, width) = between("'shape': (", ')').and_then(|shape| shape.split_once(',')).ok_or_else(bad)?;
    let width = width.trim().trim_end_matches(',').parse()?;
    Ok((String::from(kind), width, bytes[start..].to_vec()))
}

struct Noise(u64);

impl Noise {
    /// About normally distributed.
    fn next(&mut self) -> f32 {
        let mut unit = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        unit() + unit() + unit()
    }
}

//! Measures whole statements over 45 collections of the sizes of the WordNet sample (117,791 rows of 256 half floats in
//! all), and prints one JSON line per case: `{"name", "seconds"}`, with `"ratio"` and `"goal"` where there is one.
//!
//! `cargo run --release -p portolan --features mmap --example bench_router`. The best of 15 rounds counts.

use std::{collections::BTreeMap, error::Error, fs, hint::black_box, time::Instant};

use portolan::{
    local::{LocalOptions, LocalRelease},
    metric::{Encoding, Metric},
    plan::Plan,
    release::{INDEX_NAME, ReleaseBuilder},
    schema::{Field, FieldType, Record, Schema, Value},
    snapshot::write_collection,
};

const ROWS: usize = 117_791;
const COLLECTIONS: usize = 45;
const DIMENSION: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    write(folder.path())?;
    let release = LocalRelease::open(folder.path())?;
    let vector = vec!["0.5"; DIMENSION].join(", ");
    let search = format!("SELECT id FROM * USING EMBEDDING (VECTOR [{vector}])");
    // Two collections of middle size, by their values as the statistics know them.
    let routed = format!("{search} WHERE metadata.place IN ('c20', 'c21')");
    let one = LocalOptions { threads: 1, ..LocalOptions::default() };
    let all = measure(&release, "search of all 45", &search, &one)?;
    let two = measure(&release, "search routed to 2 of 45", &routed, &one)?;
    println!(r#"{{"name":"routed to 2 of 45 / all 45","ratio":{:.2},"goal":8}}"#, all / two);
    let spread = measure(&release, "search of all 45 on all threads", &search, &LocalOptions::default())?;
    println!(r#"{{"name":"all threads / one thread","ratio":{:.2}}}"#, all / spread);
    let small = search.replace("FROM *", "FROM c44");
    let alone = measure(&release, "search of the smallest", &small, &one)?;
    let many =
        measure(&release, "search of the smallest, threads allowed", &small, &LocalOptions::default())?;
    println!(r#"{{"name":"threads allowed / one thread, smallest","ratio":{:.2}}}"#, alone / many);
    for (name, sql) in [
        ("plan and route alone", "SELECT id FROM * WHERE metadata.place = 'nowhere'"),
        ("ORDER BY an integer, 10 rows", "SELECT id FROM * ORDER BY metadata.number DESC LIMIT 10"),
        (
            "ORDER BY a text and a float, 10 rows",
            "SELECT id FROM * ORDER BY metadata.kind, metadata.weight LIMIT 10",
        ),
        ("ORDER BY a sum, 10 rows", "SELECT id FROM * ORDER BY metadata.number + metadata.weight LIMIT 10"),
        ("COUNT(*)", "SELECT COUNT(*) FROM *"),
        ("COUNT(*) WHERE", "SELECT COUNT(*) FROM * WHERE metadata.number > 50"),
        ("GROUP BY a text", "SELECT metadata.kind, COUNT(*) FROM * GROUP BY metadata.kind"),
        (
            "GROUP BY with AVG and MAX",
            "SELECT metadata.kind, AVG(metadata.weight), MAX(metadata.number) FROM * GROUP BY metadata.kind",
        ),
        ("all rows in order", "SELECT id FROM * ORDER BY metadata.number"),
    ] {
        measure(&release, name, sql, &one)?;
    }
    let mmr = format!("{search} TOPK 50 RERANK BY MMR(0.5, 1000)");
    measure(&release, "MMR, 50 of 1000", &mmr, &one)?;
    Ok(())
}

fn measure(
    release: &LocalRelease,
    name: &str,
    sql: &str,
    options: &LocalOptions,
) -> Result<f64, Box<dyn Error>> {
    let plan = Plan::parse(sql)?;
    let mut best = f64::INFINITY;
    for _ in 0..15 {
        let start = Instant::now();
        black_box(release.run_with(plan.clone(), options)?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(r#"{{"name":"{name}","seconds":{best:.6}}}"#);
    Ok(best)
}

/// Collection `i` has rows in proportion to `1 / (i + 3)`, as the natural ones of WordNet roughly do.
fn write(folder: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let weights: Vec<f64> = (0..COLLECTIONS).map(|i| 1.0 / (i as f64 + 3.0)).collect();
    let total: f64 = weights.iter().sum();
    let (mut noise, mut builder) = (Noise(42), ReleaseBuilder::new());
    for (number, weight) in weights.iter().enumerate() {
        let name = format!("c{number:02}");
        let rows = (ROWS as f64 * weight / total) as usize;
        let records = (0..rows).map(|row| noise.record(&name, row)).collect();
        let file = write_collection(&schema(&name), Encoding::F16, records)?;
        builder.add_collection(&format!("{name}.portolan"), &file)?;
        fs::write(folder.join(format!("{name}.portolan")), file)?;
    }
    let built = builder.finish()?;
    fs::write(folder.join(&built.index.heads.name), &built.heads)?;
    Ok(fs::write(folder.join(INDEX_NAME), &built.json)?)
}

fn schema(name: &str) -> Schema {
    let field = |path: &str, kind| Field { path: path.into(), kind };
    Schema {
        collection: name.into(),
        dimension: DIMENSION as u32,
        metric: Metric::Cosine,
        embedder: None,
        fields: vec![
            field("kind", FieldType::Text),
            field("number", FieldType::Int),
            field("place", FieldType::Text),
            field("weight", FieldType::Float),
        ],
    }
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    fn record(&mut self, place: &str, row: usize) -> Record {
        let vector = (0..DIMENSION).map(|_| (self.next() % 2001) as f32 / 1000.0 - 1.0).collect();
        let metadata = BTreeMap::from([
            ("kind".to_owned(), Value::Text(format!("kind {}", self.next() % 40))),
            ("number".to_owned(), Value::Int((self.next() % 100_000) as i64)),
            ("place".to_owned(), Value::Text(place.into())),
            ("weight".to_owned(), Value::Float((self.next() % 1000) as f64 / 8.0)),
        ]);
        Record {
            id: format!("{place}-{row:06}"),
            document: Some(format!("document {row}")),
            metadata,
            vector,
        }
    }
}

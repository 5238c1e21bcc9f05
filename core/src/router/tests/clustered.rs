//! Files with clusters: what is found against a plain search, packed and apart, whole and by ranges.

use super::world::{Plain, Random, World, names, plain_names};
use crate::{
    cluster::{OneThread, Options, of_draft},
    metric::{Encoding, Metric},
    release::ReleaseBuilder,
    router::{Outcome, ResultSet},
    schema::{Field, FieldType, Record, Schema, Value},
    snapshot::Draft,
};

const DIMENSION: usize = 24;
const METRICS: [Metric; 3] = [Metric::Cosine, Metric::InnerProduct, Metric::L2];

/// Vectors around forty points.
fn vector(random: &mut Random) -> Vec<f32> {
    let shape = random.below(40);
    around(shape, random)
}

fn around(shape: u64, random: &mut Random) -> Vec<f32> {
    let mut shape = Random(shape * 7919 + 1);
    let unit = |random: &mut Random| random.below(2001) as f32 / 1000.0 - 1.0;
    (0..DIMENSION).map(|_| unit(&mut shape) + 0.6 * unit(random)).collect()
}

fn record(random: &mut Random, number: u64) -> Record {
    let mut metadata = std::collections::BTreeMap::new();
    metadata.insert("rank".to_owned(), Value::Int(number as i64));
    metadata.insert("rare".to_owned(), Value::Bool(random.below(400) == 0));
    let id = format!("r{number:05}");
    Record { document: Some(format!("text {number}")), id, metadata, vector: vector(random) }
}

/// Records of one collection, each in one of forty shapes.
pub fn shaped(seed: u64, rows: u64) -> Vec<Record> {
    let mut random = Random(seed);
    (0..rows)
        .map(|number| {
            let shape = random.below(40);
            let vector = around(shape, &mut random);
            let metadata = [("shape".to_owned(), Value::Int(shape as i64))].into();
            Record { document: Some(format!("text {number}")), id: format!("r{number:05}"), metadata, vector }
        })
        .collect()
}

pub fn schema_of(name: &str, metric: Metric) -> Schema {
    let fields = vec![Field { path: "shape".into(), kind: FieldType::Int }];
    Schema { collection: name.into(), dimension: DIMENSION as u32, metric, embedder: None, fields }
}

/// Three collections, packed into one file or a file each.
pub fn world(metric: Metric, encoding: Encoding, packed: bool, options: Options) -> World {
    let mut random = Random(0x1234_5678_9abc_def1);
    let fields = [("rank", FieldType::Int), ("rare", FieldType::Bool)];
    let fields: Vec<Field> = fields.map(|(path, kind)| Field { path: path.into(), kind }).into();
    let all: Vec<(Schema, Vec<Record>)> = [("ark", 1500), ("barn", 300), ("cage", 1100)]
        .map(|(name, rows)| {
            let records = (0..rows).map(|number| record(&mut random, number)).collect();
            let (dimension, fields) = (DIMENSION as u32, fields.clone());
            (Schema { collection: name.into(), dimension, metric, embedder: None, fields }, records)
        })
        .into();
    let files = if packed { vec![all] } else { all.into_iter().map(|one| vec![one]).collect() };
    release_of(files, encoding, options)
}

/// A release of files with clusters, each of these collections.
pub fn release_of(files: Vec<Vec<(Schema, Vec<Record>)>>, encoding: Encoding, options: Options) -> World {
    written(files, encoding, options, false)
}

/// The same with a graph in each file.
pub fn release_of_graphs(
    files: Vec<Vec<(Schema, Vec<Record>)>>,
    encoding: Encoding,
    options: Options,
) -> World {
    written(files, encoding, options, true)
}

fn written(
    files: Vec<Vec<(Schema, Vec<Record>)>>,
    encoding: Encoding,
    options: Options,
    linked: bool,
) -> World {
    let (schemas, records) = files.iter().flatten().cloned().unzip();
    let (mut builder, mut written) = (ReleaseBuilder::new(), Vec::new());
    for (number, collections) in files.into_iter().enumerate() {
        let draft = Draft::new(collections, encoding).unwrap();
        let clusters = of_draft(&draft, options, &OneThread).unwrap();
        let graph = linked.then(|| crate::graph::of_draft(&draft, &clusters, &OneThread).unwrap());
        let file = draft.write_with(Some(&clusters), graph.as_ref()).unwrap();
        builder.add_collection(&format!("{number}.portolan"), &file).unwrap();
        written.push(file);
    }
    let built = builder.finish().unwrap();
    written.insert(0, built.heads.clone());
    World { schemas, records, built, files: written }
}

pub fn question(number: u64) -> Vec<f32> {
    vector(&mut Random(number * 0x9e37_79b9 + 17))
}

fn literal(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(|x| format!("{x:.4}")).collect();
    format!("[{}]", numbers.join(", "))
}

/// The vector as the literal says it.
pub fn said(vector: &[f32]) -> Vec<f32> {
    vector.iter().map(|x| format!("{x:.4}").parse().unwrap()).collect()
}

pub fn statement(vector: &[f32], from: &str, rest: &str) -> String {
    format!("SELECT id, collection, distance FROM {from} USING EMBEDDING (VECTOR {}) {rest}", literal(vector))
}

/// The share of the truth that is in the answer.
fn recall(found: &ResultSet, truth: &[Plain<'_>], k: usize) -> f64 {
    let truth = plain_names(truth);
    let truth = &truth[..k.min(truth.len())];
    let found = names(&found.rows);
    truth.iter().filter(|name| found.contains(name)).count() as f64 / truth.len().max(1) as f64
}

pub fn mean_recall(
    world: &World,
    from: &str,
    rest: &str,
    k: usize,
    keep: &dyn Fn(&str, &Record) -> bool,
) -> f64 {
    let recalls = (0..40).map(|number| {
        let vector = said(&question(number));
        let mut truth = world.nearest(&vector, None, &|_| true);
        truth.retain(|row| keep(row.collection, row.record));
        let found = world.ask(&statement(&vector, from, rest));
        assert_eq!(found.rows.len(), k.min(truth.len()), "{from} {rest}");
        assert!(found.rows.is_sorted_by_key(|row| row.distance), "{from} {rest}");
        recall(&found, &truth, k)
    });
    recalls.sum::<f64>() / 40.0
}

#[test]
fn the_recall_that_is_asked_is_met_packed_and_apart_in_every_metric() {
    for metric in METRICS {
        for packed in [true, false] {
            let world = world(metric, Encoding::F32, packed, Options::default());
            for (asked, rest) in
                [(0.9, "TOPK 10 RECALL 0.9"), (0.99, "TOPK 10 RECALL 0.99"), (0.95, "TOPK 25")]
            {
                let k = if rest.contains("25") { 25 } else { 10 };
                let found = mean_recall(&world, "*", rest, k, &|_, _| true);
                assert!(found > asked - 0.03, "{metric:?}, packed: {packed}, {rest}: {found}");
            }
        }
    }
}

#[test]
fn recall_one_is_exact() {
    for packed in [true, false] {
        let world = world(Metric::Cosine, Encoding::F32, packed, Options::default());
        assert_eq!(mean_recall(&world, "*", "TOPK 10 RECALL 1", 10, &|_, _| true), 1.0);
    }
}

#[test]
fn some_collections_of_a_file_are_searched_alone() {
    let world = world(Metric::L2, Encoding::F32, true, Options::default());
    let found = mean_recall(&world, "barn", "TOPK 10", 10, &|name, _| name == "barn");
    assert!(found > 0.93, "barn: {found}");
    let found = mean_recall(&world, "ark, cage", "TOPK 10", 10, &|name, _| name != "barn");
    assert!(found > 0.93, "ark, cage: {found}");
}

#[test]
fn a_filter_never_leaves_fewer_rows_than_match() {
    for packed in [true, false] {
        let world = world(Metric::InnerProduct, Encoding::F32, packed, Options::default());
        let rank = |record: &Record| match record.metadata["rank"] {
            Value::Int(rank) => rank,
            _ => unreachable!(),
        };
        for (rest, keep) in [
            (
                "WHERE metadata.rank < 700 TOPK 10",
                &(|record: &Record| rank(record) < 700) as &dyn Fn(&Record) -> bool,
            ),
            ("WHERE metadata.rank < 90 TOPK 10", &|record: &Record| rank(record) < 90),
            ("WHERE metadata.rank < 2 TOPK 10", &|record: &Record| rank(record) < 2),
            ("WHERE metadata.rare = TRUE TOPK 10", &|record: &Record| {
                record.metadata["rare"] == Value::Bool(true)
            }),
        ] {
            let found = mean_recall(&world, "*", rest, 10, &|_, record| keep(record));
            assert!(found > 0.93, "{rest}: {found}");
        }
    }
}

#[test]
fn ranges_find_what_whole_files_find_in_few_waves() {
    for packed in [true, false] {
        let world = world(Metric::Cosine, Encoding::I8, packed, Options::default());
        for (number, from, rest) in [
            (0, "*", "TOPK 10"),
            (1, "cage", "TOPK 5"),
            (2, "*", "WHERE metadata.rank < 500 TOPK 10 RECALL 0.9"),
            (3, "*", "TOPK 3 RECALL 1"),
        ] {
            let sql = statement(&question(number), from, rest);
            let (by_ranges, bytes) = world.ask_by_ranges(&sql);
            assert!(by_ranges.waves <= 5, "{sql}: {} waves", by_ranges.waves);
            assert_eq!(rows_alone(by_ranges), rows_alone(world.ask(&sql)), "{sql}");
            let whole: usize = world.files.iter().map(Vec::len).sum();
            assert!(rest.contains("RECALL 1") || bytes < whole as u64 * 3 / 4, "{sql}: {bytes} of {whole}");
        }
    }
}

/// The answer without what it cost: a whole file has its ids at hand, ranges bring them with the records.
fn rows_alone(mut answer: ResultSet) -> ResultSet {
    answer.waves = 0;
    for report in &mut answer.collections {
        if let Outcome::Asked { bytes, .. } = &mut report.outcome {
            *bytes = 0;
        }
    }
    answer
}

#[test]
fn files_without_vectors_are_searched_by_codes_alone() {
    let world = world(Metric::Cosine, Encoding::None, true, Options::default());
    let found = mean_recall(&world, "*", "TOPK 10", 10, &|_, _| true);
    assert!(found > 0.5, "{found}");
}

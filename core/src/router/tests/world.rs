//! Collections of very different sizes with many equal distances, equal values, missing values and shared ids; and the
//! plain searches over their records that answers are compared with.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use crate::{
    Result,
    bytes::{ByteSource, RangeCache, Resident},
    metric::{Encoding, Metric, Scorer, encode_row},
    plan::Plan,
    rank::order_values,
    release::{BuiltRelease, ReleaseBuilder},
    router::{Catalog, Fanout, FileRange, Host, Options, ResultRow, ResultSet, Step},
    schema::{Field, FieldType, Record, Schema, Value},
    snapshot::{Draft, write_collection},
};

/// Records of all collections, and the release made of them.
pub struct World {
    pub schemas: Vec<Schema>,
    /// By collection, sorted by id.
    pub records: Vec<Vec<Record>>,
    pub built: BuiltRelease,
    pub files: Vec<Vec<u8>>,
}

/// A row as a plain search gives it.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'w> {
    pub distance: f32,
    pub collection: &'w str,
    pub record: &'w Record,
}

pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}

fn fields() -> Vec<Field> {
    let field = |path: &str, kind| Field { path: path.into(), kind };
    vec![
        field("deep.rank", FieldType::Int),
        field("flag", FieldType::Bool),
        field("kind", FieldType::Text),
        field("size", FieldType::Int),
        field("tags", FieldType::List(Box::new(FieldType::Text))),
        field("weight", FieldType::Float),
        field("when", FieldType::Time),
    ]
}

fn record(random: &mut Random, number: u64) -> Record {
    let mut metadata = BTreeMap::new();
    let mut put = |path: &str, value: Value, present: bool| {
        present.then(|| metadata.insert(path.to_owned(), value));
    };
    put(
        "kind",
        Value::Text(["ant", "bee", "cow", "dog"][random.below(4) as usize].into()),
        random.below(6) > 0,
    );
    put("size", Value::Int(random.below(7) as i64 - 3), random.below(5) > 0);
    put("weight", Value::Float(random.below(9) as f64 / 2.0 - 2.0), random.below(5) > 0);
    put("flag", Value::Bool(random.below(2) == 1), random.below(3) > 0);
    put("when", Value::Time(random.below(4) as i64 * 86_400_000_000), random.below(4) > 0);
    put("deep.rank", Value::Int(number as i64), true);
    let tags = (0..random.below(3)).map(|_| Value::Text(["x", "y"][random.below(2) as usize].into()));
    put("tags", Value::List(tags.collect()), random.below(4) > 0);
    let vector = (0..4).map(|_| random.below(4) as f32 - 1.0).collect();
    let document = (random.below(5) > 0).then(|| format!("text {}", random.below(20)));
    Record { id: format!("r{:04}", random.below(2000)), document, metadata, vector }
}

impl World {
    /// Four collections that share one space, of 900, 130, 7 and 1 rows; ids of one are found in others.
    pub fn new() -> Self {
        Self::with(&[
            ("ark", 130, Metric::L2, 4),
            ("barn", 900, Metric::L2, 4),
            ("cage", 7, Metric::L2, 4),
            ("den", 1, Metric::L2, 4),
        ])
    }

    /// Collections of these names, rows, metrics and dimensions.
    pub fn with(collections: &[(&str, u64, Metric, usize)]) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut schemas, mut all, mut files) = (Vec::new(), Vec::new(), Vec::new());
        let mut builder = ReleaseBuilder::new();
        for (name, rows, metric, dimension) in collections {
            let mut records: BTreeMap<String, Record> = BTreeMap::new();
            while (records.len() as u64) < *rows {
                let mut record = record(&mut random, records.len() as u64);
                record.vector.resize(*dimension, 0.5);
                // Cosine has no use for a vector without direction.
                record.vector[0] += 0.25;
                records.entry(record.id.clone()).or_insert(record);
            }
            let schema = Schema {
                collection: (*name).into(),
                dimension: *dimension as u32,
                metric: *metric,
                embedder: None,
                fields: fields(),
            };
            let records: Vec<Record> = records.into_values().collect();
            let file = write_collection(&schema, Encoding::F32, records.clone()).unwrap();
            builder.add_collection(&format!("{name}.portolan"), &file).unwrap();
            files.push(file);
            schemas.push(schema);
            all.push(records);
        }
        let built = builder.finish().unwrap();
        files.insert(0, built.heads.clone());
        Self { schemas, records: all, built, files }
    }

    /// The same collections in one file.
    pub fn packed(&self, encoding: Encoding) -> Self {
        let all = self.schemas.iter().cloned().zip(self.records.iter().cloned()).collect();
        let file = Draft::new(all, encoding).unwrap().write(None).unwrap();
        let mut builder = ReleaseBuilder::new();
        builder.add_collection("pack.portolan", &file).unwrap();
        let built = builder.finish().unwrap();
        let files = vec![built.heads.clone(), file];
        Self { schemas: self.schemas.clone(), records: self.records.clone(), built, files }
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::new(Catalog::open(&self.built.json).unwrap())
    }

    pub fn sources(&self) -> Vec<Resident<&[u8]>> {
        self.files.iter().map(|file| Resident(file.as_slice())).collect()
    }

    pub fn ask(&self, sql: &str) -> ResultSet {
        self.try_ask(sql, Options::default()).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn try_ask(&self, sql: &str, options: Options) -> Result<ResultSet> {
        Fanout::with(self.catalog(), Plan::parse(sql)?, options)?.run(&self.sources())
    }

    /// Asks over files of which nothing is resident at first; says how many bytes that took.
    pub fn ask_by_ranges(&self, sql: &str) -> (ResultSet, u64) {
        let mut caches: Vec<_> = self.files.iter().map(|file| RangeCache::new(file.len() as u64)).collect();
        let mut fanout = Fanout::new(self.catalog(), Plan::parse(sql).unwrap()).unwrap();
        for _ in 0..9 {
            match fanout.step_with(&caches, &Host::ALONE).unwrap() {
                Step::Done(result) => return (result, caches.iter().map(RangeCache::resident_bytes).sum()),
                Step::Need(ranges) => {
                    for FileRange { file, range } in ranges {
                        let bytes = Resident(&self.files[file]).get(range).expect("inside").to_vec();
                        caches[file].insert(range.start, bytes);
                    }
                }
            }
        }
        panic!("{sql} does not end");
    }

    /// All rows that `keep` keeps, in the order of collections and ids.
    pub fn rows(&self, keep: &dyn Fn(&Record) -> bool) -> Vec<Plain<'_>> {
        let all = self.schemas.iter().zip(&self.records).flat_map(|(schema, records)| {
            records.iter().map(|record| Plain { distance: 0.0, collection: &schema.collection, record })
        });
        all.filter(|row| keep(row.record)).collect()
    }

    /// The same, nearest to `query` first, ties by id and collection; each collection by its own metric or `metric`.
    pub fn nearest(
        &self,
        query: &[f32],
        metric: Option<Metric>,
        keep: &dyn Fn(&Record) -> bool,
    ) -> Vec<Plain<'_>> {
        let mut rows = self.rows(keep);
        for row in &mut rows {
            let schema = self.schemas.iter().find(|schema| schema.collection == row.collection).unwrap();
            row.distance = distance(metric.unwrap_or(schema.metric), query, &row.record.vector);
        }
        rows.sort_by(Plain::by_distance);
        rows
    }
}

pub fn distance(metric: Metric, query: &[f32], vector: &[f32]) -> f32 {
    let mut row = Vec::new();
    encode_row(vector, metric, Encoding::F32, &mut row).unwrap();
    Scorer::new(metric, Encoding::F32, query).distance(&row)
}

impl Plain<'_> {
    pub fn id(&self) -> &str {
        &self.record.id
    }

    pub fn value(&self, path: &str) -> Value {
        self.record.metadata.get(path).cloned().unwrap_or(Value::Null)
    }

    pub fn by_id(&self, other: &Self) -> Ordering {
        (self.id(), self.collection).cmp(&(other.id(), other.collection))
    }

    pub fn by_distance(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| self.by_id(other))
    }

    /// By a field, nulls last (or first), then by id and collection.
    pub fn by_value(&self, other: &Self, path: &str, descending: bool, nulls_first: bool) -> Ordering {
        let (a, b) = (self.value(path), other.value(path));
        let nulls = (a == Value::Null).cmp(&(b == Value::Null));
        let nulls = if nulls_first { nulls.reverse() } else { nulls };
        let values = if descending { order_values(&b, &a) } else { order_values(&a, &b) };
        let values = if a == Value::Null || b == Value::Null { Ordering::Equal } else { values };
        nulls.then(values)
    }
}

/// Collection and id of every row.
pub fn names(rows: &[ResultRow]) -> Vec<(&str, &str)> {
    rows.iter().map(|row| (row.collection.as_deref().unwrap(), row.id.as_deref().unwrap())).collect()
}

/// The same of a plain search.
pub fn plain_names<'w>(rows: &[Plain<'w>]) -> Vec<(&'w str, &'w str)> {
    rows.iter().map(|row| (row.collection, row.record.id.as_str())).collect()
}

/// Three waves at most, and the same answer as over resident files.
pub fn check_waves(world: &World, sql: &str) {
    let (by_ranges, _) = world.ask_by_ranges(sql);
    assert!(by_ranges.waves <= 3, "{sql}: {} waves", by_ranges.waves);
    assert_eq!(ResultSet { waves: 0, ..by_ranges }, world.ask(sql), "{sql}");
}

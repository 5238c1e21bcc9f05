//! Conditions on texts, lists and documents, from the statement to the rows, and what they read and skip.

use super::*;
use crate::{Error, query::tests::Random, router::Outcome};

const KINDS: [&str; 3] = ["heron", "Heron", "crane"];

/// A collection of 700 records whose values are spread by `offset`.
fn collection(name: &str, offset: usize) -> Vec<u8> {
    let list = |kind| FieldType::List(Box::new(kind));
    let fields = [
        ("days", list(FieldType::Time)),
        ("kind", FieldType::Text),
        ("number", FieldType::Int),
        ("parts", list(FieldType::Text)),
        ("scores", list(FieldType::Float)),
    ];
    let fields = fields.map(|(path, kind)| Field { path: path.into(), kind }).to_vec();
    let schema = Schema { collection: name.into(), dimension: 2, metric: Metric::L2, embedder: None, fields };
    let record = |row: usize| {
        let n = row + offset;
        let parts = (0..n % 4).map(|part| Value::Text(format!("part {}", n * 7 + part))).collect();
        let mut metadata = BTreeMap::from([
            ("number".to_owned(), Value::Int(n as i64 * 3)),
            ("days".to_owned(), Value::List(vec![Value::Time(n as i64 % 30 * 86_400_000_000)])),
            ("parts".to_owned(), Value::List(parts)),
            ("scores".to_owned(), Value::List(vec![Value::Float(n as f64 / 2.0), Value::Null])),
        ]);
        if !n.is_multiple_of(5) {
            metadata.insert("kind".to_owned(), Value::Text(KINDS[n % 3].into()));
        }
        Record {
            id: format!("{name}-{n:05}"),
            document: (!n.is_multiple_of(9)).then(|| format!("The {} number {n} flies", KINDS[n % 3])),
            metadata,
            vector: vec![n as f32, 1.0],
        }
    };
    write_collection(&schema, Encoding::F32, (0..700).map(record).collect()).unwrap()
}

fn birds() -> (BuiltRelease, Vec<Vec<u8>>) {
    let mut builder = ReleaseBuilder::new();
    let mut files: Vec<Vec<u8>> = ["east", "west"]
        .into_iter()
        .zip([0, 10_000])
        .map(|(name, offset)| collection(name, offset))
        .collect();
    for (name, file) in ["east", "west"].iter().zip(&files) {
        builder.add_collection(&format!("{name}.portolan"), file).unwrap();
    }
    let built = builder.finish().unwrap();
    files.insert(0, built.heads.clone());
    (built, files)
}

fn ask_birds(condition: &str) -> Result<ResultSet> {
    let (built, files) = birds();
    let files: Vec<_> = files.into_iter().map(Resident).collect();
    let sql = format!("SELECT id FROM * WHERE {condition}");
    Fanout::new(Arc::new(Catalog::open(&built.json)?), Plan::parse(&sql)?)?.run(&files)
}

/// The ids of the records for whose number `matches` holds.
fn expected(matches: impl Fn(usize) -> bool) -> Vec<String> {
    let east = (0..700).filter(|n| matches(*n)).map(|n| format!("east-{n:05}"));
    east.chain((10_000..10_700).filter(|n| matches(*n)).map(|n| format!("west-{n:05}"))).collect()
}

#[test]
fn texts_lists_and_documents_are_tested_as_they_were_written() {
    let kind = |n: usize| (!n.is_multiple_of(5)).then_some(KINDS[n % 3]);
    let parts = |n: usize| (0..n % 4).map(move |part| n * 7 + part);
    let document =
        |n: usize| (!n.is_multiple_of(9)).then(|| format!("The {} number {n} flies", KINDS[n % 3]));
    let check = |condition: &str, matches: &dyn Fn(usize) -> bool| {
        assert_eq!(ids(&ask_birds(condition).expect(condition)), expected(matches), "{condition}");
    };
    check("metadata.kind LIKE '_eron'", &|n| kind(n).is_some_and(|kind| kind != "crane"));
    check("metadata.kind NOT ILIKE 'HERON'", &|n| kind(n) == Some("crane"));
    check("metadata.kind STARTS WITH 'He'", &|n| kind(n) == Some("Heron"));
    check("metadata.kind REGEX '^[hc].*n'", &|n| kind(n).is_some_and(|kind| kind != "Heron"));
    check("metadata.kind CONTAINS ANY ('ran', 'Her')", &|n| kind(n).is_some_and(|kind| kind != "heron"));
    check("NOT metadata.kind CONTAINS ALL ('e', 'a')", &|n| kind(n).is_some_and(|kind| kind != "crane"));
    check("id LIKE '%-0002_'", &|n| (20..30).contains(&n));
    check("id REGEX '99$' AND id STARTS WITH 'w'", &|n| n > 9999 && n % 100 == 99);
    check("document CONTAINS 'number 12'", &|n| document(n).is_some_and(|text| text.contains("number 12")));
    check("document IS NULL AND metadata.number < 60", &|n| document(n).is_none() && n < 20);
    check("document = 'The crane number 2 flies' OR document > 'The h'", &|n| {
        document(n).is_some_and(|text| text == "The crane number 2 flies" || text.as_str() > "The h")
    });
    check("document NOT REGEX '(?i)HERON'", &|n| document(n).is_some_and(|text| text.contains("crane")));
    check("metadata.parts CONTAINS 'part 15'", &|n| parts(n).any(|part| part == 15));
    check("metadata.parts NOT CONTAINS 'part 15'", &|n| parts(n).all(|part| part != 15));
    check("metadata.parts CONTAINS ALL ('part 21', 'part 22')", &|n| n == 3);
    check("metadata.parts CONTAINS ANY ('part 21', 'part 70071')", &|n| n == 3 || n == 10_010);
    check("metadata.scores CONTAINS 7", &|n| n == 14);
    check("metadata.scores CONTAINS ANY (7.5, 5000)", &|n| n == 15 || n == 10_000);
    check("metadata.days CONTAINS '1970-01-03'", &|n| n % 30 == 2);
    check("metadata.parts IS NULL", &|_| false);
}

/// One wave for columns, one for the documents that matter, one for what is shown and not read yet.
#[test]
fn documents_are_read_only_where_the_columns_leave_a_choice() {
    let (built, files) = birds();
    let run = |sql: &str| {
        let mut caches: Vec<_> = files.iter().map(|file| RangeCache::new(file.len() as u64)).collect();
        let mut fanout =
            Fanout::new(Arc::new(Catalog::open(&built.json).unwrap()), Plan::parse(sql).unwrap()).unwrap();
        loop {
            match fanout.step(&caches).unwrap() {
                Step::Done(result) => return result,
                Step::Need(ranges) => {
                    for FileRange { file, range } in ranges {
                        let bytes = Resident(&files[file]).get(range).expect("inside the file").to_vec();
                        caches[file].insert(range.start, bytes);
                    }
                }
            }
        }
    };
    let bytes = |result: &ResultSet| match result.collections[0].outcome {
        Outcome::Asked { bytes, .. } => bytes,
        ref other => panic!("{other:?}"),
    };
    let all = run("SELECT id, document FROM east WHERE document CONTAINS 'number 300 '");
    let few =
        run("SELECT id, document FROM east WHERE metadata.number = 900 AND document CONTAINS 'number 300 '");
    assert_eq!((ids(&all), ids(&few)), (vec!["east-00300"], vec!["east-00300"]));
    assert!(all.waves <= 3 && few.waves <= 3, "{} {}", all.waves, few.waves);
    assert!(bytes(&few) * 2 < bytes(&all), "{} {}", bytes(&few), bytes(&all));
    let none = run("SELECT id FROM east WHERE metadata.number = 1 AND document CONTAINS 'x'");
    assert_eq!(none.rows.len(), 0);
}

#[test]
fn sketches_leave_out_collections_between_whose_bounds_a_value_lies() {
    let asked = |condition: &str| {
        let result = ask_birds(condition).unwrap();
        let asked = result.collections.iter().filter(|c| matches!(c.outcome, Outcome::Asked { .. }));
        (asked.map(|c| c.name.clone()).collect::<Vec<_>>(), result.rows.len())
    };
    // 31 is no multiple of 3; between the bounds of `east` lie both.
    assert_eq!(asked("metadata.number = 31"), (vec![], 0));
    assert_eq!(asked("metadata.number IN (31, 30.0)"), (vec![String::from("east")], 1));
}

#[test]
fn mistakes_are_told_although_no_collection_would_be_asked() {
    for (condition, code) in [
        ("metadata.number = -5 AND metadata.kind < 7", 1201),
        ("metadata.number = -5 AND metadata.kind REGEX '('", 1129),
        ("metadata.number = -5 AND metadata.parts LIKE 'x'", 1202),
        ("metadata.number = -5 AND metadata.parts CONTAINS 7", 1201),
        ("metadata.number = -5 AND metadata.number CONTAINS 7", 1201),
    ] {
        let result = ask_birds(condition);
        assert!(matches!(&result, Err(Error::Query(e)) if e.code() == code), "{condition}: {result:?}");
    }
}

/// Random lists and values: what is skipped never held a match, from the file's own statistics.
#[test]
fn routing_by_the_statistics_of_files_is_sound() {
    let (built, files) = birds();
    let catalog = Arc::new(Catalog::open(&built.json).unwrap());
    let files: Vec<_> = files.into_iter().map(Resident).collect();
    let mut random = Random(31);
    let mut skipped = 0;
    for _ in 0..150 {
        let n = [random.below(700), 10_000 + random.below(700), random.below(12_000)][random.below(3)];
        let (condition, matches): (String, Box<dyn Fn(usize) -> bool>) = match random.below(3) {
            0 => (format!("metadata.number = {n}"), Box::new(move |m| m * 3 == n)),
            1 => (
                format!("metadata.parts CONTAINS 'part {n}'"),
                Box::new(move |m| (0..m % 4).any(|part| m * 7 + part == n)),
            ),
            _ => (format!("metadata.scores CONTAINS {}", n as f64 / 2.0), Box::new(move |m| m == n)),
        };
        let plan = Plan::parse(&format!("SELECT id FROM * WHERE {condition}")).unwrap();
        let result = Fanout::new(catalog.clone(), plan).unwrap().run(&files).unwrap();
        assert_eq!(ids(&result), expected(matches), "{condition}");
        skipped += result.collections.iter().filter(|c| matches!(c.outcome, Outcome::Skipped { .. })).count();
    }
    assert!(skipped > 150, "{skipped} of 300");
}

//! Files that are whole, altered, cut and empty.

mod clusters;
mod graph;
mod packed;

use std::collections::BTreeMap;

use super::{
    layout::{CHECKSUM_BYTES, HEADER_BYTES, SECTION_BYTES},
    *,
};
use crate::{
    bytes::Resident,
    error::{Error, SnapshotError},
    filter::{ColumnBlock, ColumnData, ItemData},
    metric::{Encoding, Metric},
    schema::{Field, FieldType, Record, Schema, Value},
};

fn list_of(kind: FieldType) -> FieldType {
    FieldType::List(Box::new(kind))
}

/// A list of none to four values, with a null among them now and then; null itself for every seventh record.
fn list(number: usize, value: impl Fn(usize) -> Value) -> Value {
    let item =
        |place: usize| if (number + place).is_multiple_of(4) { Value::Null } else { value(number + place) };
    if number.is_multiple_of(7) { Value::Null } else { Value::List((0..number % 5).map(item).collect()) }
}

fn schema() -> Schema {
    let kinds = [
        ("at", FieldType::Time),
        ("days", list_of(FieldType::Time)),
        ("flag", FieldType::Bool),
        ("flags", list_of(FieldType::Bool)),
        ("name", FieldType::Text),
        ("pairs", list_of(list_of(FieldType::Int))),
        ("share", FieldType::Float),
        ("shares", list_of(FieldType::Float)),
        ("size", FieldType::Int),
        ("sizes", list_of(FieldType::Int)),
        ("tags", list_of(FieldType::Text)),
    ];
    let fields = kinds.into_iter().map(|(path, kind)| Field { path: path.into(), kind }).collect();
    Schema { collection: "things".into(), dimension: 3, metric: Metric::L2, embedder: None, fields }
}

fn records(count: usize) -> Vec<Record> {
    let record = |number: usize| Record {
        id: format!("{:04}", number * 7 % count.max(1)),
        document: Some(format!("thing number {number}")),
        metadata: BTreeMap::from([
            ("flag".to_owned(), Value::Bool(number.is_multiple_of(2))),
            ("name".to_owned(), Value::Text(format!("name {}", number % 9))),
            ("share".to_owned(), Value::Float(number as f64 / 4.0)),
            (
                "size".to_owned(),
                if number.is_multiple_of(3) { Value::Null } else { Value::Int(number as i64) },
            ),
            ("at".to_owned(), Value::Time(number as i64 * 1_000_000)),
            ("days".to_owned(), list(number, |n| Value::Time(n as i64))),
            ("flags".to_owned(), list(number, |n| Value::Bool(n.is_multiple_of(3)))),
            ("pairs".to_owned(), list(number, |n| list(n, |n| Value::Int(n as i64)))),
            ("shares".to_owned(), list(number, |n| Value::Float(n as f64 / 2.0))),
            ("sizes".to_owned(), list(number, |n| Value::Int(n as i64))),
            ("tags".to_owned(), list(number, |n| Value::Text(format!("tag {}", n % 5)))),
        ]),
        vector: vec![number as f32, 1.0, -2.5],
    };
    (0..count).map(record).collect()
}

fn file(count: usize) -> Vec<u8> {
    write_collection(&schema(), Encoding::F16, records(count)).unwrap()
}

#[test]
fn the_order_of_records_does_not_change_the_bytes() {
    let mut reversed = records(100);
    reversed.reverse();
    assert_eq!(write_collection(&schema(), Encoding::F16, reversed).unwrap(), file(100));
}

#[test]
fn files_of_no_one_and_many_records_verify() {
    for (count, encoding) in [
        (0, Encoding::F16),
        (0, Encoding::None),
        (1, Encoding::F32),
        (100, Encoding::F16),
        (100, Encoding::I8),
        (100, Encoding::None),
        (5000, Encoding::F32),
    ] {
        let file = write_collection(&schema(), encoding, records(count)).unwrap();
        let verified = verify(&file).unwrap();
        assert_eq!((verified.rows, verified.names), (count as u64, vec!["things".to_owned()]));
    }
}

#[test]
fn vectors_come_back_as_stored() {
    let file = file(10);
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    let row = collection.vector(&Resident(&file), 7).unwrap().unwrap();
    assert_eq!(row, [1.0, 1.0, -2.5]);
}

/// Opens, reads everything a query could read, and verifies.
fn read_all(file: &[u8]) -> Result<(), Error> {
    let collection = Collection::open(file, file.len() as u64)?;
    let source = Resident(file);
    for row in 0..collection.rows() {
        drop(collection.vector(&source, row)?);
        drop(collection.payload_block(&source, row)?);
    }
    verify(file).map(drop)
}

#[test]
fn every_altered_byte_of_the_head_is_a_typed_error() {
    let file = file(30);
    let head = Collection::open(&file, file.len() as u64).unwrap().head().header().head_bytes as usize;
    for at in 0..head {
        for mask in [0x01, 0x80, 0xff] {
            let mut altered = file.clone();
            altered[at] ^= mask;
            assert!(matches!(read_all(&altered), Err(Error::Snapshot(_))), "byte {at} xor {mask:#x}");
        }
    }
}

#[test]
fn an_altered_byte_of_a_block_names_its_section_and_place() {
    let file = file(200);
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    for section in collection.head().sections() {
        for block in 0..section.blocks {
            let range = collection.head().block_range(&section, block).unwrap();
            let mut altered = file.clone();
            altered[(range.start + range.len() / 2) as usize] ^= 0x10;
            let Err(Error::Snapshot(SnapshotError::Checksum { section: name, offset })) = verify(&altered)
            else {
                panic!("{} {block} was not found altered", section.kind.name())
            };
            assert_eq!((name.as_str(), offset), (section.kind.name(), range.start));
        }
    }
}

#[test]
fn every_truncation_is_a_typed_error() {
    let file = file(30);
    for len in 0..file.len() {
        assert!(matches!(read_all(&file[..len]), Err(Error::Snapshot(_))), "{len} bytes");
    }
}

fn repair_checksum(forged: &mut [u8], head_bytes: u64) {
    forged[56..64].fill(0);
    let checksum = layout::checksum(&forged[..(head_bytes as usize).min(forged.len())]);
    forged[56..64].copy_from_slice(&checksum.to_le_bytes());
}

/// With blocks of any size a head of a few kilobytes can claim more rows than memory holds, and with a section
/// missing a column of values reads as a column of nulls.
#[test]
fn blocks_of_another_size_and_missing_columns_are_refused_at_the_door() {
    let file = file(30);
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    for (number, section) in collection.head().directory().iter().enumerate() {
        let entry = HEADER_BYTES + number * SECTION_BYTES;
        let other_size = (entry + 4..entry + 8, section.rows_per_block.wrapping_add(1 << 20).to_le_bytes());
        let [a, b, ..] = section.rows_per_block.to_le_bytes();
        let other_field = (entry + 2..entry + 6, [77, 0, a, b]);
        let fewer_rows = (entry + 40..entry + 44, [29, 0, 0, 0]);
        for (place, bytes) in [other_size, other_field, fewer_rows] {
            let mut forged = file.clone();
            forged[place].copy_from_slice(&bytes);
            repair_checksum(&mut forged, collection.head().header().head_bytes);
            let opened = Collection::open(&forged, file.len() as u64);
            assert!(matches!(opened, Err(SnapshotError::Malformed { .. })), "{section:?}: {opened:?}");
        }
    }
}

/// A forger who also repairs the head's checksum reaches the checks behind it.
#[test]
fn forged_tables_behind_a_valid_checksum_are_typed_errors() {
    let file = file(30);
    let header = Collection::open(&file, file.len() as u64).unwrap().head().header().clone();
    let tables = 16..header.description_at() as usize + 40;
    for at in tables.filter(|at| !(56..96).contains(at)) {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut forged = file.clone();
            forged[at] = value;
            if forged == file {
                continue;
            }
            repair_checksum(&mut forged, header.head_bytes);
            // Reserved bytes and names may change without contradiction; the content id sees them all.
            assert!(read_all(&forged).is_err(), "byte {at} = {value:#x}");
        }
    }
}

#[test]
fn two_records_with_one_id_are_refused() {
    let mut twice = records(3);
    twice[2].id = twice[0].id.clone();
    let result = write_collection(&schema(), Encoding::F16, twice);
    assert!(matches!(result, Err(Error::Snapshot(SnapshotError::CannotWrite { .. }))));
}

#[test]
fn a_value_of_another_type_is_refused_with_its_record_and_field() {
    let list = |value| Value::List(vec![Value::Null, value]);
    for (path, value) in [
        ("size", Value::Text("5".into())),
        ("size", Value::Float(2.5)),
        ("share", Value::Float(f64::NAN)),
        ("at", Value::Int(5)),
        ("flag", Value::Int(1)),
        ("name", list(Value::Null)),
        ("tags", list(Value::Int(1))),
        ("colour", Value::Int(1)),
    ] {
        let mut wrong = records(3);
        wrong[1].metadata.insert(path.into(), value.clone());
        let result = write_collection(&schema(), Encoding::F16, wrong).map_err(|e| e.to_string());
        assert!(
            matches!(&result, Err(e) if e.contains("0001") && e.contains(path)),
            "{path} {value:?}: {result:?}"
        );
    }
}

/// A field of JSON has no column: it is in the payload as it was, and its statistics are the nulls.
#[test]
fn json_is_kept_as_it_was() {
    let mut schema = schema();
    schema.fields.insert(3, Field { path: "mixed".into(), kind: FieldType::Json });
    let mut mixed = records(3);
    let json = serde_json::json!([1, "x", {"deep.er": [null, 2.5]}]);
    mixed[0].metadata.insert("mixed".into(), Value::from_json(&json));
    mixed[1].metadata.insert("mixed".into(), Value::Int(7));
    let file = write_collection(&schema, Encoding::F32, mixed).unwrap();
    verify(&file).unwrap();
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    assert_eq!(collection.schema().fields, schema.fields);
    assert!(collection.column("mixed").is_none());
    let statistics = collection.statistics(&Resident(&file)).unwrap().unwrap();
    let stats = statistics.fields.iter().find(|field| field.path == "mixed").unwrap();
    assert_eq!((stats.nulls, &stats.min, &stats.distinct), (1, &None, &None));
    let (block, _) = collection.payload_block(&Resident(&file), 0).unwrap().unwrap();
    let held = |place| {
        let row: serde_json::Value = serde_json::from_str(block.row(place).unwrap().metadata).unwrap();
        row["mixed"].clone()
    };
    assert_eq!((held(0), held(1), held(2)), (json, 7.into(), serde_json::Value::Null));
}

/// A float field takes integers, and its statistics must then say what its column says.
#[test]
fn integers_of_a_float_field_are_widened_in_the_statistics_too() {
    let mut wide = records(3);
    wide[1].metadata.insert("share".into(), Value::Int((1 << 53) + 1));
    let file = write_collection(&schema(), Encoding::F16, wide).unwrap();
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    let statistics = collection.statistics(&Resident(&file)).unwrap().unwrap();
    let share = statistics.fields.iter().find(|field| field.path == "share").unwrap();
    assert_eq!(share.max, Some(Value::Float(9_007_199_254_740_992.0)));
}

#[test]
fn a_vector_that_does_not_fit_is_refused_with_its_record() {
    for vector in [vec![1.0], vec![f32::NAN, 0.0, 0.0], vec![f32::INFINITY, 0.0, 0.0], vec![1e6, 0.0, 0.0]] {
        let mut wrong = records(3);
        wrong[1].vector = vector.clone();
        let message = write_collection(&schema(), Encoding::F16, wrong).unwrap_err().to_string();
        assert!(message.contains("0001"), "{vector:?}: {message}");
    }
}

/// The file with the bytes of a section's first block at `at` replaced, and sealed as well as one that was made right.
fn resealed(file: &[u8], section: &Section, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut forged = file.to_vec();
    let header = SnapshotFile::open(file, file.len() as u64).unwrap();
    let block = header.head().block_range(section, 0).unwrap();
    let (start, end) = (block.start as usize, block.end as usize - CHECKSUM_BYTES);
    forged[start + at..start + at + bytes.len()].copy_from_slice(bytes);
    let sum = layout::block_checksum(block.start, &forged[start..end]);
    forged[end..end + CHECKSUM_BYTES].copy_from_slice(&sum.to_le_bytes());
    reseal_head(&mut forged, header.head().header().head_bytes);
    forged
}

fn reseal_head(forged: &mut [u8], head_bytes: u64) {
    let id = head::compute_content_id(forged);
    forged[64..96].copy_from_slice(&id);
    repair_checksum(forged, head_bytes);
}

/// What checksums cannot see.
#[test]
fn a_sealed_file_that_contradicts_itself_does_not_verify() {
    let whole = file(3);
    let collection = Collection::open(&whole, whole.len() as u64).unwrap();
    let vectors = *collection.vectors().unwrap();
    let ids = *collection.ids().unwrap();
    let column = |path: &str| *collection.column(path).unwrap().1;
    for (section, at, bytes) in [
        // A vector that is infinite (f16), and an id that the payload does not know.
        (vectors, 0, &[0x00, 0x7c][..]),
        (ids, 16, &b"!000"[..]),
        // A text that its dictionary lacks: of a row, and in a list.
        (column("name"), 1, &[9, 0, 0, 0]),
        (column("tags"), 13, &[9, 0, 0, 0]),
        // A list that ends before it begins, and lists that end behind all items.
        (column("sizes"), 5, &[200, 0, 0, 0]),
        (column("sizes"), 9, &[200, 0, 0, 0]),
        (column("flags"), 9, &[255, 255, 255, 255]),
        // Another value than the statistics know.
        (column("sizes"), 13, &[7]),
    ] {
        let forged = resealed(&whole, &section, at, bytes);
        let result = verify(&forged);
        assert!(
            matches!(&result, Err(Error::Snapshot(SnapshotError::Malformed { .. }))),
            "{:?} {at}: {result:?}",
            section.kind
        );
    }
    verify(&resealed(&whole, &vectors, 0, &[7])).unwrap();
}

/// The lists of a column, by its block: the numbers of its items, or their codes.
fn lists(block: &ColumnBlock<'_>) -> Vec<Option<Vec<u64>>> {
    let ColumnData::List(lists) = block.data else { panic!("{block:?}") };
    let items: Vec<u64> = match lists.items {
        ItemData::Int(values) | ItemData::Float(values) => {
            values.iter().map(|value| u64::from_le_bytes(*value)).collect()
        }
        ItemData::Text(codes) => codes.iter().map(|code| u32::from_le_bytes(*code).into()).collect(),
        ItemData::Bool(bits) => {
            (0..bits.len() * 8).map(|at| u64::from(bits[at / 8] >> (at % 8) & 1)).collect()
        }
    };
    let mut start = 0;
    let list = |(row, end): (usize, &[u8; 4])| {
        let list = items[start..u32::from_le_bytes(*end) as usize].to_vec();
        start = u32::from_le_bytes(*end) as usize;
        (block.valid[row / 8] >> (row % 8) & 1 == 1).then_some(list)
    };
    lists.ends.iter().enumerate().map(list).collect()
}

#[test]
fn lists_come_back_without_their_nulls() {
    let file = file(5000);
    let source = Resident(&file);
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    let mut records = records(5000);
    records.sort_by(|a, b| a.id.cmp(&b.id));
    let number = |value: &Value| match value {
        Value::Int(value) | Value::Time(value) => *value as u64,
        Value::Float(value) => value.to_bits(),
        Value::Bool(value) => u64::from(*value),
        Value::Text(text) => text[4..].parse().unwrap(),
        other => panic!("{other:?}"),
    };
    for path in ["days", "flags", "shares", "sizes", "tags"] {
        let (field, section) = collection.column(path).unwrap();
        let mut found = Vec::new();
        for block in 0..section.blocks {
            let block = collection.column_block(&source, (field, section), block).unwrap().unwrap();
            found.extend(lists(&block));
        }
        let expected = records.iter().map(|record| match &record.metadata[path] {
            Value::List(items) => {
                Some(items.iter().filter(|item| **item != Value::Null).map(number).collect())
            }
            _ => None,
        });
        assert_eq!(found, expected.collect::<Vec<Option<Vec<u64>>>>(), "{path}");
    }
    assert!(collection.column("pairs").is_none());
    let tags = collection.strings(&source, collection.dictionary("tags").unwrap()).unwrap().unwrap();
    assert_eq!((tags.count(), tags.text(4)), (5, Some("tag 4")));
}

#[test]
fn statistics_describe_items_of_lists_and_sketch_many_values() {
    let file = file(1000);
    let collection = Collection::open(&file, file.len() as u64).unwrap();
    let statistics = collection.statistics(&Resident(&file)).unwrap().unwrap();
    let stats = |path: &str| statistics.fields.iter().find(|field| field.path == path).unwrap();
    let tags = ["tag 0", "tag 1", "tag 2", "tag 3", "tag 4"].map(|tag| Value::Text(tag.into()));
    assert_eq!((stats("tags").items, &stats("tags").distinct), (true, &Some(tags.to_vec())));
    assert_eq!((stats("tags").nulls, &stats("tags").sketch), (143, &None));
    let sizes = stats("sizes");
    assert!(sizes.items && sizes.distinct.is_none());
    assert_eq!((&sizes.min, &sizes.max), (&Some(Value::Int(1)), &Some(Value::Int(1002))));
    // Two fields of integers, of which only the one with fewer values fits the budget.
    let sketched = statistics.fields.iter().filter(|f| f.sketch.is_some());
    let sketched: Vec<&str> = sketched.map(|f| f.path.as_str()).collect();
    assert_eq!(sketched, ["size"]);
    let size = stats("size").sketch.as_ref().unwrap();
    assert!((0..1000).filter(|n| n % 3 != 0).all(|n| size.may_hold(&Value::Int(n))));
    assert!((0..1000).filter(|n| n % 3 == 0).filter(|n| size.may_hold(&Value::Int(*n))).count() < 15);
    let pairs = stats("pairs");
    assert_eq!((pairs.nulls, pairs.items, &pairs.distinct, &pairs.min), (143, false, &None, &None));
    assert!(statistics.id.as_ref().unwrap().sketch.is_none());
}

#[test]
fn an_embedder_that_is_not_what_its_fingerprint_says_does_not_verify() {
    use crate::embed::StaticEmbedder;
    let embedder = |rows: Vec<u8>| StaticEmbedder::new("e".into(), "a\nb\n", rows, vec![1.0; 2], 2).unwrap();
    let file = write_embedder(&embedder(vec![1, 2, 3, 4])).unwrap();
    verify(&file).unwrap();
    let other = write_embedder(&embedder(vec![1, 2, 3, 5])).unwrap();
    let opened = EmbedderFile::open(&file, file.len() as u64).unwrap();
    let head = opened.head();
    // The description of one, with its fingerprint, before the rows of the other.
    let from = head.header().description_at() as usize;
    let mut forged = other.clone();
    forged[from..head.header().head_bytes as usize]
        .copy_from_slice(&file[from..head.header().head_bytes as usize]);
    let id = head::compute_content_id(&forged);
    forged[64..96].copy_from_slice(&id);
    repair_checksum(&mut forged, head.header().head_bytes);
    assert!(matches!(verify(&forged), Err(Error::Snapshot(SnapshotError::Malformed { .. }))));
}

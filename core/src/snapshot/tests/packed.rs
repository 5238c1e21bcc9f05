//! Several collections in one file.

use super::*;
use crate::{
    bytes::{ByteSource, RangeCache},
    filter::CollectionStats,
    schema::EmbedderId,
    snapshot::{
        assemble::{Assembler, Title},
        layout::{FileKind, OPTIONAL_KINDS, SectionKind},
    },
};

/// Collections of 0 to 5000 rows; they share some fields, and one has none.
pub(super) fn collections() -> Vec<(Schema, Vec<Record>)> {
    let named = |name: &str, paths: &[&str]| {
        let mut schema = Schema { collection: name.into(), ..schema() };
        schema.fields.retain(|field| paths.contains(&field.path.as_str()));
        schema
    };
    let few = |schema: &Schema, count: usize| {
        let mut records = records(count);
        for record in &mut records {
            record.metadata.retain(|path, _| schema.fields.iter().any(|field| field.path == *path));
        }
        records
    };
    let all = ["at", "days", "flag", "flags", "name", "pairs", "share", "shares", "size", "sizes", "tags"];
    let schemas = [
        (named("ants", &["name", "size"]), 90),
        (named("bees", &all), 300),
        (named("cows", &["size", "tags"]), 0),
        (named("dogs", &[]), 71),
        (named("eels", &["flag", "name", "pairs", "tags"]), 4201),
    ];
    schemas.map(|(schema, rows)| (schema.clone(), few(&schema, rows))).into()
}

pub(super) fn pack(encoding: Encoding) -> Vec<u8> {
    Draft::new(collections(), encoding).unwrap().write(None).unwrap()
}

/// All that a collection's readers give.
fn content(collection: &Collection, source: &dyn ByteSource) -> (CollectionStats, Vec<String>) {
    let mut all = Vec::new();
    for row in 0..collection.rows() {
        let (block, place) = collection.payload_block(source, row).unwrap().unwrap();
        all.push(format!("{:?} {:?}", block.row(place), collection.vector(source, row).unwrap()));
    }
    for field in &collection.schema().fields {
        if let Some(texts) = collection.dictionary(&field.path) {
            let texts = collection.strings(source, texts).unwrap().unwrap();
            all.extend((0..texts.count()).map(|place| texts.text(place).unwrap().to_owned()));
        }
        if let Some((field, section)) = collection.column(&field.path) {
            for block in 0..section.blocks {
                let block = collection.column_block(source, (field, section), block).unwrap().unwrap();
                all.push(format!("{} {block:?}", field.path));
            }
        }
    }
    let ids = collection.strings(source, collection.ids().unwrap()).unwrap().unwrap();
    all.extend((0..ids.count()).map(|place| ids.text(place).unwrap().to_owned()));
    (collection.statistics(source).unwrap().unwrap(), all)
}

#[test]
fn a_packed_collection_reads_as_from_a_file_of_its_own() {
    for encoding in [Encoding::F32, Encoding::F16, Encoding::I8] {
        let pack = pack(encoding);
        assert_eq!(verify(&pack).unwrap().names, ["ants", "bees", "cows", "dogs", "eels"]);
        let opened = SnapshotFile::open(&pack, pack.len() as u64).unwrap();
        let mut first_row = 0;
        for (number, (schema, records)) in collections().into_iter().enumerate() {
            let alone = write_collection(&schema, encoding, records).unwrap();
            let alone = (Collection::open(&alone, alone.len() as u64).unwrap(), Resident(&alone));
            let packed = opened.collection(number).unwrap();
            assert_eq!((packed.schema(), packed.rows()), (alone.0.schema(), alone.0.rows()));
            assert_eq!((packed.number(), packed.first_row()), (number, first_row));
            assert_eq!(
                content(&packed, &Resident(&pack)),
                content(&alone.0, &alone.1),
                "{}",
                schema.collection
            );
            for row in 0..packed.rows() {
                assert_eq!(opened.collection_of(first_row + row), Some((number, row)));
            }
            first_row += packed.rows();
        }
        assert_eq!((opened.collection_of(first_row), opened.rows()), (None, first_row));
        assert!(opened.collection(5).is_none());
    }
}

/// A reader of one collection touches no byte of the others.
#[test]
fn a_packed_collection_is_read_from_its_own_ranges() {
    let pack = pack(Encoding::F16);
    let opened = SnapshotFile::open(&pack, pack.len() as u64).unwrap();
    let mut seen: Vec<(u64, u64)> = Vec::new();
    for number in 0..5 {
        let collection = opened.collection(number).unwrap();
        let mut cache = RangeCache::new(pack.len() as u64);
        for section in collection.sections().filter(|section| !section.range.is_empty()) {
            let bytes = Resident(&pack).get(section.range).unwrap().to_vec();
            cache.insert(section.range.start, bytes);
            seen.push((section.range.start, section.range.end));
        }
        assert_eq!(content(&collection, &cache), content(&collection, &Resident(&pack)));
    }
    seen.sort_unstable();
    assert!(seen.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{seen:?}");
}

#[test]
fn the_order_of_collections_does_not_change_the_bytes() {
    let mut reversed = collections();
    reversed.reverse();
    let draft = Draft::new(reversed, Encoding::F32).unwrap();
    let rows: Vec<(&str, usize)> = draft.collections().collect();
    assert_eq!(rows[..2], [("ants", 90), ("bees", 300)]);
    assert_eq!((draft.rows(), draft.vectors().count()), (4662, 4662));
    assert_eq!(draft.write(None).unwrap(), pack(Encoding::F32));
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_made() {
    let id = |name: &str| EmbedderId { name: name.into(), fingerprint: name.into(), dimension: 3 };
    type Change = fn(&mut Schema);
    let changes: [(&str, Change); 4] = [
        ("metric", |schema| schema.metric = Metric::InnerProduct),
        ("size", |schema| schema.fields[1].kind = FieldType::Float),
        ("called", |schema| schema.collection = "bees".into()),
        ("twice", |schema| schema.fields.push(schema.fields[0].clone())),
    ];
    for (says, change) in changes {
        let mut all = collections();
        change(&mut all[0].0);
        all[0].1.clear();
        let refused = Draft::new(all, Encoding::F16).map(drop).unwrap_err().to_string();
        assert!(refused.contains(says), "{says}: {refused}");
    }
    let mut others = collections();
    others[2].0.embedder = Some(id("e"));
    others[3].0.dimension = 4;
    others[3].1.clear();
    let refused = |all: Vec<(Schema, Vec<Record>)>| Draft::new(all, Encoding::F16).map(drop).unwrap_err();
    assert!(refused(others[..3].to_vec()).to_string().contains("embedder"));
    assert!(refused([&others[..2], &others[3..]].concat()).to_string().contains("dimension"));
    assert!(refused(vec![]).to_string().contains("at least one"));
}

#[test]
fn a_pack_is_not_opened_as_one_collection() {
    let pack = pack(Encoding::F16);
    assert!(matches!(Collection::open(&pack, pack.len() as u64), Err(SnapshotError::Malformed { .. })));
}

/// The file taken apart and put together again, with one more section after the one of that place.
fn with_section(file: &[u8], after: usize, kind: SectionKind) -> Vec<u8> {
    let opened = SnapshotFile::open(file, file.len() as u64).unwrap();
    let (head, source) = (opened.head(), Resident(file));
    let mut again = Assembler::new();
    for (place, (section, entry)) in head.sections().zip(head.directory()).enumerate() {
        let blocks: Vec<&[u8]> =
            (0..section.blocks).map(|block| head.block(&source, &section, block).unwrap().unwrap()).collect();
        let title = Title {
            kind: entry.kind,
            field: entry.field,
            rows_per_block: entry.rows_per_block,
            rows: entry.rows,
        };
        match entry.block_bytes as usize {
            0 => again.section(title, blocks).unwrap(),
            stride => again.even_section(title, stride - CHECKSUM_BYTES, blocks).unwrap(),
        }
        if place == after {
            again.section(Title::new(kind, 7, 3), [b"what".as_slice(), b"", b"ever"]).unwrap();
        }
    }
    let header = head.header();
    again.finish(FileKind::Collection, header.features, header.rows, head.description()).unwrap()
}

/// A later version may add sections that this one does without.
#[test]
fn optional_sections_are_passed_over() {
    let pack = pack(Encoding::F16);
    let sections = SnapshotFile::open(&pack, pack.len() as u64).unwrap().head().sections().count();
    assert_eq!(with_section(&pack, usize::MAX, SectionKind::Ids), pack);
    for after in 0..sections {
        let more = with_section(&pack, after, SectionKind::Optional(OPTIONAL_KINDS + 9));
        verify(&more).unwrap();
        let opened = SnapshotFile::open(&more, more.len() as u64).unwrap();
        let (before, now) = (SnapshotFile::open(&pack, pack.len() as u64).unwrap(), opened);
        for number in [0, 4] {
            let [before, now] = [&before, &now].map(|file| file.collection(number).unwrap());
            assert_eq!(content(&now, &Resident(&more)).1.len(), content(&before, &Resident(&pack)).1.len());
        }
        for kind in [SectionKind::Ids, SectionKind::Optional(OPTIONAL_KINDS - 1), SectionKind::Codes] {
            assert!(verify(&with_section(&pack, after, kind)).is_err(), "{kind:?} after {after}");
        }
    }
}

/// A forger who also repairs the head's checksum reaches the checks behind it; nothing but the content id tells a byte
/// that has no meaning.
#[test]
fn forged_tables_of_a_pack_are_typed_errors() {
    let mut all = collections();
    all.iter_mut().for_each(|(_, records)| records.truncate(3));
    let pack = Draft::new(all, Encoding::I8).unwrap().write(None).unwrap();
    let header = SnapshotFile::open(&pack, pack.len() as u64).unwrap().head().header().clone();
    for at in (16..header.head_bytes as usize).filter(|at| !(56..96).contains(at)) {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut forged = pack.clone();
            forged[at] = value;
            if forged != pack {
                repair_checksum(&mut forged, header.head_bytes);
                assert!(matches!(verify(&forged), Err(Error::Snapshot(_))), "byte {at} = {value:#x}");
            }
        }
    }
}

//! A small release, asked whole and by ranges, intact and damaged.

use std::sync::Arc;

use super::{DIMENSION, NEAREST, ask, ask_by_ranges, ids, release};
use crate::{
    Error,
    bytes::{RangeCache, Resident},
    error::{CatalogError, SnapshotError},
    plan::Plan,
    release::{Place, ReleaseBuilder},
    router::{Catalog, Fanout, Outcome, ResultSet},
    schema::{EmbedderId, Value},
};

#[test]
fn the_nearest_rows_of_all_collections_come_sorted_with_ties_by_id() {
    let result = ask(NEAREST).unwrap();
    assert_eq!((result.rows.len(), result.asked()), (7, 2));
    for pair in result.rows.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        assert!((a.distance, &a.id) < (b.distance, &b.id));
    }
    assert_eq!(result.rows[0].distance.map(|d| d.abs() < 1e-3), Some(true));
}

#[test]
fn ranges_give_the_same_answer_in_at_most_three_waves() {
    for sql in [
        NEAREST,
        "SELECT id, embedding FROM deeds USING EMBEDDING (TEXT 'run') WHERE metadata.kind = 'deed' AND metadata.size > 3",
        "SELECT id, embedding FROM * WHERE metadata.size > 3 LIMIT 2",
        "SELECT * FROM * WHERE id IN ('beasts-0003', 'deeds-0007', 'nobody')",
    ] {
        let (by_ranges, _) = ask_by_ranges(sql);
        let whole = ask(sql).unwrap();
        assert_eq!(ResultSet { waves: 0, ..by_ranges.clone() }, whole);
        assert!((1..=3).contains(&by_ranges.waves), "{sql}: {} waves", by_ranges.waves);
    }
}

#[test]
fn a_collection_that_cannot_match_is_not_read() {
    let (result, _) = ask_by_ranges("SELECT id FROM * WHERE metadata.kind = 'deed' AND metadata.size <= 2");
    assert_eq!(ids(&result), ["deeds-0001", "deeds-0002"]);
    assert!(matches!(result.collections[0].outcome, Outcome::Skipped { .. }));
}

#[test]
fn where_sees_numbers_texts_nested_paths_ids_and_nulls() {
    for (condition, expected) in [
        ("metadata.size BETWEEN 4 AND 8", vec!["deeds-0004", "deeds-0005", "deeds-0007", "deeds-0008"]),
        ("metadata.size IS NULL AND id < 'deeds-0007'", vec!["deeds-0000", "deeds-0003", "deeds-0006"]),
        ("metadata.origin.country = 'cz' AND metadata.size < 9", vec!["deeds-0002"]),
        ("NOT metadata.size > 2", vec!["deeds-0001", "deeds-0002"]),
        ("id = 'deeds-0040' OR id = 'x'", vec!["deeds-0040"]),
    ] {
        let sql = format!("SELECT id FROM deeds WHERE {condition}");
        assert_eq!(ids(&ask(&sql).unwrap()), expected, "{sql}");
    }
}

#[test]
fn limit_and_offset_cut_once_after_the_merge() {
    let all = ask(NEAREST).unwrap();
    let page = ask(&NEAREST.replace("TOPK 7", "LIMIT 3 OFFSET 2")).unwrap();
    assert_eq!(ids(&page), ids(&all)[2..5]);
    assert!(ask("SELECT id FROM * LIMIT 0").unwrap().rows.is_empty());
    assert_eq!(ask("SELECT id FROM * OFFSET 340").unwrap().rows.len(), 1);
}

/// The rows that OFFSET skips are known without reading them when nothing has to be ranked.
#[test]
fn rows_before_the_offset_are_not_read() {
    let (_, from_start) = ask_by_ranges("SELECT id FROM beasts LIMIT 1");
    let (page, from_offset) = ask_by_ranges("SELECT id FROM beasts LIMIT 1 OFFSET 290");
    assert_eq!(ids(&page), ["beasts-0290"]);
    assert!(from_offset <= from_start, "{from_offset} bytes, {from_start} for the first row");
}

/// List fields were missing in the statistics, which there means "null in every row": the collection was skipped.
#[test]
fn a_test_of_a_list_is_an_error_and_not_an_empty_answer() {
    for condition in ["metadata.tags = 'x'", "metadata.tags IN ('x', 'y')", "NOT metadata.tags < 'x'"] {
        let result = ask(&format!("SELECT id FROM * WHERE {condition}"));
        assert!(matches!(&result, Err(Error::Query(e)) if e.code() == 1202), "{condition}: {result:?}");
    }
}

#[test]
fn a_literal_of_another_type_is_found_before_a_byte_is_read() {
    let (built, _) = release();
    let catalog = Arc::new(Catalog::open(&built.json).unwrap());
    for sql in
        ["SELECT id FROM * WHERE metadata.size = 'x'", "EXPLAIN SELECT id FROM * WHERE metadata.size = 'x'"]
    {
        let result = Fanout::new(catalog.clone(), Plan::parse(sql).unwrap());
        assert!(matches!(&result, Err(Error::Query(e)) if e.code() == 1201), "{sql}: {result:?}");
    }
}

/// A condition that every row passes, or none, whatever the columns hold.
#[test]
fn columns_that_cannot_change_the_answer_are_not_read() {
    let searched = |sql: &str| match ask(sql).unwrap().collections[0].outcome {
        Outcome::Asked { bytes, rows, .. } => (bytes, rows),
        _ => panic!("{sql} skips the collection"),
    };
    let all = searched("SELECT id FROM beasts USING EMBEDDING (TEXT 'run')").0;
    let (bytes, rows) = searched("SELECT id FROM beasts WHERE metadata.size > 2.5 AND metadata.size < 3");
    assert_eq!((bytes, rows), (0, 0));
    let sql =
        "SELECT id FROM beasts USING EMBEDDING (TEXT 'run') WHERE metadata.size = 2.5 OR id IS NOT NULL";
    assert_eq!(searched(sql), (all, 10));
}

#[test]
fn cells_hold_what_the_record_held() {
    let result =
        ask("SELECT document, metadata, metadata.origin, embedding, distance FROM beasts LIMIT 1").unwrap();
    let Value::Object(metadata) = &result.rows[0].cells[1] else { panic!("metadata is an object") };
    assert_eq!(result.rows[0].cells[0], Value::Null);
    assert_eq!(metadata.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["kind", "origin", "tags"]);
    assert!(matches!(&result.rows[0].cells[3], Value::List(vector) if vector.len() == DIMENSION as usize));
    assert_eq!(result.rows[0].cells[4], Value::Null);
}

/// The name of an embedder is for people; vectors of one fingerprint can be compared.
#[test]
fn collections_may_name_one_embedder_differently() {
    let (built, _) = release();
    let mut renamed = built.index.collections[1].schema.clone();
    renamed.embedder = renamed.embedder.map(|id| EmbedderId { name: "other".into(), ..id });
    let mut index = built.index;
    index.collections[1].schema = renamed;
    let fanout = Fanout::new(Arc::new(Catalog::new(index)), Plan::parse(NEAREST).unwrap());
    assert!(fanout.is_ok(), "{fanout:?}");
}

#[test]
fn a_release_of_another_layout_is_told_apart_from_damage() {
    for (json, needed) in [(r#"{"layout": 2, "parts": []}"#, 2), (r#"{"layout": 65536}"#, u16::MAX)] {
        let opened = Catalog::open(json.as_bytes());
        let Err(Error::Snapshot(SnapshotError::TooNew { needed: got, .. })) = opened else {
            panic!("{opened:?}")
        };
        assert_eq!(got, needed);
    }
    let draft = Catalog::open(br#"{"layout": 0, "collections": []}"#);
    assert!(
        matches!(draft, Err(Error::Snapshot(SnapshotError::TooOld { found: 0, oldest: 1 }))),
        "{draft:?}"
    );
    assert!(matches!(Catalog::open(b"<html>"), Err(Error::Snapshot(SnapshotError::BadRelease { .. }))));
}

/// Answers name rows by collection, and `FROM *` goes by name.
#[test]
fn two_collections_of_one_name_are_refused() {
    let (built, files) = release();
    let mut builder = ReleaseBuilder::new();
    builder.add_collection("one.portolan", &files[1]).unwrap();
    builder.add_collection("two.portolan", &files[1]).unwrap();
    assert!(matches!(builder.finish(), Err(Error::Snapshot(SnapshotError::CannotWrite { .. }))));
    let mut twice = built.index;
    twice.collections[1].schema.collection = "beasts".into();
    assert!(Catalog::open(twice.to_json().as_bytes()).is_err());
}

#[test]
fn names_that_are_not_there_are_told_with_near_names() {
    let near = |sql: &str| match ask(sql) {
        Err(Error::Catalog(
            CatalogError::UnknownCollection { near, .. } | CatalogError::UnknownColumn { near, .. },
        )) => near,
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(near("SELECT id FROM beests")[0], "beasts");
    assert_eq!(near("SELECT id FROM * WHERE metadata.sise = 3"), ["size"]);
    assert_eq!(near("SELECT metadata.sice FROM *"), ["size"]);
}

#[test]
fn a_query_vector_that_does_not_fit_is_refused() {
    for sql in ["VECTOR [1, 2]", "VECTOR [0, 0, 0, 0, 0, 0, 0, 0]", "TEXT 'zzz'"] {
        let result = ask(&format!("SELECT id FROM * USING EMBEDDING ({sql})"));
        assert!(matches!(result, Err(Error::Input(_))), "{sql}: {result:?}");
    }
}

#[test]
fn explain_reads_no_file() {
    let (built, _) = release();
    let catalog = Arc::new(Catalog::open(&built.json).unwrap());
    let plan = Plan::parse(&format!("EXPLAIN {NEAREST}")).unwrap();
    let nothing: Vec<Resident<Vec<u8>>> = Vec::new();
    let result = Fanout::new(catalog, plan).unwrap().run(&nothing).unwrap();
    assert!(result.explanation.is_some_and(|text| text.text.contains("beasts")));
}

#[test]
fn files_of_another_export_are_refused() {
    let (built, mut files) = release();
    files.swap(1, 2);
    let files: Vec<_> = files.into_iter().map(Resident).collect();
    let catalog = Arc::new(Catalog::open(&built.json).unwrap());
    let result = Fanout::new(catalog, Plan::parse(NEAREST).unwrap()).unwrap().run(&files);
    assert!(
        matches!(&result, Err(Error::Snapshot(error)) if matches!(error.inner(), SnapshotError::WrongLength { .. })),
        "{result:?}"
    );
}

/// A host brings what is asked for and steps again: what no file has would be asked for without end.
#[test]
fn a_place_past_the_end_of_its_file_is_refused() {
    let (built, files) = release();
    let numbered: Vec<_> = (0..files.len() + 1).map(|number| built.index.file(number)).collect();
    assert_eq!(numbered, built.index.files().map(Some).chain([None]).collect::<Vec<_>>());
    let [heads, .., embedder] = files.as_slice() else { panic!("a release has files") };
    let past = |file: &[u8], bytes| Place { offset: file.len() as u64 - 1, bytes };
    for bytes in [2, 1 << 40, u64::MAX] {
        let (mut head, mut vocabulary) = (built.index.clone(), built.index.clone());
        head.snapshots[1].head = past(heads, bytes);
        vocabulary.embedders[0].vocabulary = past(embedder, bytes);
        for index in [head, vocabulary] {
            let caches: Vec<_> = files.iter().map(|file| RangeCache::new(file.len() as u64)).collect();
            let mut fanout =
                Fanout::new(Arc::new(Catalog::new(index)), Plan::parse(NEAREST).unwrap()).unwrap();
            let step = fanout.step(&caches);
            assert!(matches!(step, Err(Error::Snapshot(SnapshotError::BadRelease { .. }))), "{step:?}");
        }
    }
}

#[test]
fn release_files_stay_in_their_folder() {
    let (built, _) = release();
    let json = String::from_utf8(built.json).unwrap();
    for name in ["../beasts.portolan", "a/b", "", ".hidden"] {
        let forged = json.replace("beasts.portolan", name);
        assert!(Catalog::open(forged.as_bytes()).is_err(), "{name:?}");
    }
}

//! Collections that share a file answer as those that have one each.

use super::world::{World, check_waves, names};
use crate::{
    bytes::Resident,
    metric::Encoding,
    plan::Plan,
    router::{Fanout, Options, Outcome, ResultSet},
    snapshot::SnapshotFile,
};

const STATEMENTS: [&str; 9] = [
    "SELECT id, document, metadata FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 30",
    "SELECT id, embedding FROM barn, den USING EMBEDDING (VECTOR [1, 0.5, 0, 0]) WHERE metadata.size > 0 TOPK 9",
    "SELECT id, document FROM * WHERE metadata.size > -2 AND metadata.kind = 'bee' ORDER BY metadata.size LIMIT 40",
    "SELECT metadata.kind, MIN(document), COUNT(*) FROM * GROUP BY metadata.kind",
    "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) RERANK BY MMR",
    "SELECT id, metadata.tags FROM cage WHERE metadata.tags CONTAINS 'x'",
    "SELECT id FROM * WHERE document LIKE '%1%' ORDER BY id DESC LIMIT 50",
    "SELECT id FROM * WHERE id = 'r0007'",
    "SELECT COUNT(*) FROM *",
];

/// The answer without what the files cost to read.
fn answer(world: &World, sql: &str) -> ResultSet {
    let mut result = world.ask(sql);
    result.collections.iter_mut().for_each(|report| {
        if let Outcome::Asked { bytes, .. } = &mut report.outcome {
            *bytes = 0;
        }
    });
    result
}

#[test]
fn packed_collections_answer_as_files_of_their_own() {
    let world = World::new();
    let packed = world.packed(Encoding::F32);
    assert_eq!(packed.files.len(), 2);
    for sql in STATEMENTS {
        assert_eq!(answer(&packed, sql), answer(&world, sql), "{sql}");
        check_waves(&packed, sql);
    }
}

/// One collection of a pack is read without the others' bytes.
#[test]
fn one_of_a_pack_is_read_alone() {
    let world = World::new();
    let packed = world.packed(Encoding::F32);
    let sql = "SELECT id FROM cage USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 3";
    let (result, bytes) = packed.ask_by_ranges(sql);
    assert_eq!(names(&result.rows), names(&world.ask(sql).rows));
    let head = packed.built.index.snapshots[0].head.bytes;
    assert!(bytes < head + 2500, "{bytes} bytes, {head} of them the head");
}

/// Damage fails the collection whose blocks it met, and names it.
#[test]
fn damage_in_a_pack_fails_the_collection_that_it_met() {
    let world = World::new().packed(Encoding::F32);
    let mut files = world.files.clone();
    let opened = SnapshotFile::open(&files[1], files[1].len() as u64).unwrap();
    let barn = opened.collection(1).unwrap();
    assert_eq!(barn.schema().collection, "barn");
    files[1][barn.vectors().unwrap().range.start as usize + 700] ^= 1;
    let sources: Vec<_> = files.iter().map(Resident).collect();
    let plan = || Plan::parse("SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 30").unwrap();
    let error = Fanout::new(world.catalog(), plan()).unwrap().run(&sources).unwrap_err();
    let said = error.to_string();
    assert!(error.code() == 4006 && said.contains("pack.portolan") && said.contains("barn"), "{said}");
    let lenient = Options { strict: false, ..Options::default() };
    let result = Fanout::with(world.catalog(), plan(), lenient).unwrap().run(&sources).unwrap();
    let failed = |report: &&crate::router::CollectionReport| matches!(report.outcome, Outcome::Failed { .. });
    let failed: Vec<&str> = result.collections.iter().filter(failed).map(|r| r.name.as_str()).collect();
    assert_eq!(failed, ["barn"]);
    assert_eq!(result.rows.len(), 30);
}

/// Vectors in bytes rank nearly as the exact ones do; without vectors only what needs none is answered.
#[test]
fn vectors_of_bytes_or_none() {
    let world = World::new();
    let sql = "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0.3, 0, 0.2]) TOPK 5";
    let exact = world.ask(sql);
    let bytes = world.packed(Encoding::I8).ask(sql);
    for (a, b) in exact.rows.iter().zip(&bytes.rows) {
        assert!((a.distance.unwrap() - b.distance.unwrap()).abs() < 0.1, "{a:?} {b:?}");
    }
    let none = world.packed(Encoding::None);
    for sql in [
        sql,
        "SELECT id, embedding FROM cage",
        "SELECT id FROM den USING EMBEDDING (VECTOR [1, 0, 0, 0]) RERANK BY MMR",
    ] {
        let error = none.try_ask(sql, Options::default()).unwrap_err();
        assert_eq!((error.code(), error.kind()), (2015, crate::ErrorKind::NotFound), "{sql}: {error}");
    }
    let listed = "SELECT id, document FROM * WHERE metadata.size > 0 ORDER BY id";
    assert_eq!(names(&none.ask(listed).rows), names(&world.ask(listed).rows));
}

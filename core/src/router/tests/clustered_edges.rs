//! Files with clusters where something is unusual: shared ids, no vectors, damage, forged descriptions, few collections.

use std::sync::Arc;

use super::{
    clustered::{mean_recall, question, release_of, said, schema_of, shaped, statement, world},
    world::{World, names},
};
use crate::{
    bytes::Resident,
    cluster::Options,
    metric::{Encoding, Metric},
    plan::Plan,
    release::ClusterSummary,
    router::{Catalog, Fanout, Options as RunOptions, Outcome, ResultSet},
    schema::Value,
    snapshot::{SnapshotFile, layout::SectionKind},
};

fn partial(world: &World, files: &[Vec<u8>], sql: &str) -> ResultSet {
    let sources: Vec<_> = files.iter().map(Resident).collect();
    let options = RunOptions { strict: false, ..RunOptions::default() };
    Fanout::with(world.catalog(), Plan::parse(sql).unwrap(), options).unwrap().run(&sources).unwrap()
}

fn failed(result: &ResultSet) -> usize {
    result.collections.iter().filter(|one| matches!(one.outcome, Outcome::Failed { .. })).count()
}

/// Alters a byte here and there of a section of the first collection of the first file.
fn damaged(world: &World, kind: SectionKind) -> Vec<Vec<u8>> {
    let mut files = world.files.clone();
    let opened = SnapshotFile::open(&files[1], files[1].len() as u64).unwrap();
    let first = opened.collection(0).unwrap();
    let range = first.sections().find(|section| section.kind == kind).unwrap().range;
    for at in (range.start..range.end).step_by(50) {
        files[1][at as usize] ^= 1;
    }
    files
}

#[test]
fn shared_ids_leave_as_many_rows_as_are_asked() {
    let records = shaped(77, 1500);
    let collections =
        vec![(schema_of("a", Metric::L2), records.clone()), (schema_of("b", Metric::L2), records)];
    let world = release_of(vec![collections], Encoding::F32, Options::default());
    let sql = statement(&question(3), "*", "TOPK 10 ON DUPLICATE ID KEEP NEAREST");
    let found = world.ask(&sql);
    let mut ids: Vec<_> = found.rows.iter().map(|row| row.id.clone()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 10);
    assert_eq!(found.rows, world.ask(&format!("{sql} RECALL 1")).rows);
}

#[test]
fn rare_matches_in_files_without_vectors_have_estimated_distances() {
    let collections = vec![(schema_of("a", Metric::L2), shaped(77, 3000))];
    let world = release_of(vec![collections], Encoding::None, Options::default());
    for number in 0..3 {
        let found = world.ask(&statement(&question(number), "*", "WHERE metadata.shape = 7 TOPK 10"));
        let distances: Vec<f32> = found.rows.iter().map(|row| row.distance.unwrap()).collect();
        assert!(found.rows.len() == 10 && distances.iter().all(|distance| *distance > 0.5), "{distances:?}");
    }
}

#[test]
fn more_bits_bring_codes_closer_to_vectors() {
    let bits = |bits| Options { bits: crate::cluster::CodeBits::new(bits).unwrap(), ..Options::default() };
    let recall = |options| {
        let world = world(Metric::Cosine, Encoding::None, true, options);
        mean_recall(&world, "*", "TOPK 10 RECALL 0.99", 10, &|_, _| true)
    };
    let (one, four, eight) = (recall(bits(1)), recall(bits(4)), recall(bits(8)));
    assert!(one < four && four < eight && eight > 0.95, "{one} {four} {eight}");
}

#[test]
fn without_a_collection_that_fails_the_others_are_searched_anew() {
    let files =
        ["a", "b"].map(|name| vec![(schema_of(name, Metric::L2), shaped(name.len() as u64 + 76, 1500))]);
    let world = release_of(files.into(), Encoding::F32, Options::default());
    let sql = statement(&question(5), "*", "TOPK 10").replace("id,", "id, document,");
    let found = partial(&world, &damaged(&world, SectionKind::Payload), &sql);
    assert_eq!((failed(&found), found.rows.len()), (1, 10));
    assert_eq!(names(&found.rows), names(&world.ask(&sql.replace("FROM *", "FROM b")).rows));
}

#[test]
fn damage_in_a_packs_vectors_fails_only_the_collection_that_has_it() {
    let one = |(name, seed)| (schema_of(name, Metric::L2), shaped(seed, 1500));
    let collections = [("a", 77), ("b", 78), ("c", 79)].map(one).into();
    let world = release_of(vec![collections], Encoding::F32, Options::default());
    let sql = statement(&question(5), "*", "TOPK 10");
    let found = partial(&world, &damaged(&world, SectionKind::Vectors), &sql);
    assert_eq!((failed(&found), found.rows.len()), (1, 10));
    assert!(found.rows.iter().all(|row| row.collection.as_deref() != Some("a")));
}

#[test]
fn a_few_of_many_packed_collections_meet_the_recall() {
    let one =
        |number: u64| (schema_of(&format!("c{number:02}"), Metric::Cosine), shaped(1000 + number * 31, 150));
    let world = release_of(vec![(0..40).map(one).collect()], Encoding::F32, Options::default());
    let from: Vec<String> = (0..16).rev().map(|number| format!("c{number:02}")).collect();
    for (k, asked) in [(10, 0.9), (10, 0.95), (50, 0.95)] {
        let rest = format!("TOPK {k} RECALL {asked}");
        let found =
            mean_recall(&world, &from.join(", "), &rest, k, &|name, _| from.iter().any(|own| own == name));
        assert!(found > asked - 0.01, "{rest}: {found}");
    }
}

#[test]
fn a_description_that_claims_clusters_is_refused() {
    let collections = vec![(schema_of("a", Metric::L2), shaped(77, 500))];
    let world = release_of(vec![collections], Encoding::F32, Options::default());
    let mut index = world.built.index.clone();
    index.snapshots[0].clusters = Some(ClusterSummary { count: 9, soft: false, extended_bits: 0 });
    let plan = Plan::parse(&statement(&question(1), "*", "TOPK 10")).unwrap();
    let found = Fanout::new(Arc::new(Catalog::new(index)), plan).unwrap().run(&world.sources());
    assert_eq!(found.unwrap_err().code(), 4008);
}

#[test]
fn files_of_one_space_may_store_vectors_differently() {
    for (one, other) in [(Encoding::I8, Encoding::F16), (Encoding::F16, Encoding::F32)] {
        let apart = [("a", one), ("b", other)].map(|(name, encoding)| {
            release_of(
                vec![vec![(schema_of(name, Metric::L2), shaped(name.len() as u64 + 90, 1500))]],
                encoding,
                Options::default(),
            )
        });
        let mut builder = crate::release::ReleaseBuilder::new();
        let mut files = Vec::new();
        for (number, world) in apart.iter().enumerate() {
            builder.add_collection(&format!("{number}.portolan"), &world.files[1]).unwrap();
            files.push(world.files[1].clone());
        }
        let built = builder.finish().unwrap();
        files.insert(0, built.heads.clone());
        let [a, b] = apart;
        let schemas = [a.schemas, b.schemas].concat();
        let both = World { schemas, records: [a.records, b.records].concat(), built, files };
        let found = mean_recall(&both, "*", "TOPK 10", 10, &|_, _| true);
        assert!(found > 0.92, "{one:?} {other:?}: {found}");
    }
}

#[test]
fn equal_distances_are_in_the_order_of_ids() {
    let mut records = shaped(77, 3000);
    let vector = records[0].vector.clone();
    records.iter_mut().take(1500).for_each(|record| record.vector = vector.clone());
    let world =
        release_of(vec![vec![(schema_of("a", Metric::L2), records)]], Encoding::F32, Options::default());
    for k in [5, 40] {
        let sql = statement(&said(&vector), "*", &format!("TOPK {k}"));
        assert_eq!(world.ask(&sql).rows, world.ask(&format!("{sql} RECALL 1")).rows, "{k}");
    }
}

#[test]
fn a_bound_search_gives_the_rows_of_the_statement() {
    use crate::router::{Host, Prepared};
    let world = world(Metric::Cosine, Encoding::F16, true, Options::default());
    let plan = |number| {
        Plan::parse(&statement(&question(number), "*", "WHERE metadata.rank < 700 TOPK 10")).unwrap()
    };
    let mut prepared = Prepared::new(world.catalog(), plan(0), RunOptions::default()).unwrap().unwrap();
    for number in 0..5 {
        let near =
            prepared.nearest(&said(&question(number)), &world.sources(), &Host::ALONE).unwrap().unwrap();
        let rows = world.ask(&statement(&question(number), "*", "WHERE metadata.rank < 700 TOPK 10")).rows;
        let expected: Vec<_> =
            rows.iter().map(|row| (row.collection.clone().unwrap(), row.id.clone().unwrap())).collect();
        let found: Vec<_> = near
            .iter()
            .map(|near| {
                (
                    world.schemas[near.collection].collection.clone(),
                    world.records[near.collection][near.row as usize].id.clone(),
                )
            })
            .map(|(collection, id)| (collection.into(), id.into()))
            .collect();
        assert_eq!(found, expected);
    }
    let sorted = Plan::parse(&format!("{} ORDER BY id", statement(&question(0), "*", "TOPK 10"))).unwrap();
    assert!(Prepared::new(world.catalog(), sorted, RunOptions::default()).unwrap().is_none());
    assert_eq!(world.records[0][0].metadata["rank"], Value::Int(0));
}

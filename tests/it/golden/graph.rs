//! The golden release `graph`: what it holds is found by its graph and by its clusters, and damage of the graph is found too.

use std::{fs, path::PathBuf, sync::Arc};

use portolan::{
    Error,
    bytes::Resident,
    plan::Plan,
    release::INDEX_NAME,
    router::{Catalog, Fanout, Options, Path, Sources},
    snapshot::{Head, layout::SectionKind, verify},
};

use crate::doors::tools;

const VECTOR: &str = "[0.5, -0.25, 0.125, 0.75, -0.5, 0.25, -0.125, 0.5, 0.25, -0.75, 0.5, 0]";
const NEAREST: [&str; 10] = ["g066", "g270", "g010", "g006", "g144", "g246", "g110", "g080", "g276", "g216"];
/// Of heads and snapshot the second.
const SNAPSHOT: usize = 1;

fn folder() -> PathBuf {
    tools::root().join("tests/golden/graph")
}

/// The description and the files in its order.
fn read() -> (Vec<u8>, Vec<Resident<Vec<u8>>>) {
    let index = fs::read(folder().join(INDEX_NAME)).unwrap();
    let catalog = Catalog::open(&index).unwrap();
    let files = catalog.index().files().map(|file| Resident(fs::read(folder().join(&file.name)).unwrap()));
    (index, files.collect())
}

fn ask(index: &[u8], files: &dyn Sources, path: Path, sql: &str) -> Result<Vec<String>, Error> {
    let options = Options { path, ..Options::default() };
    let result = Fanout::with(Arc::new(Catalog::open(index)?), Plan::parse(sql)?, options)?.run(files)?;
    Ok(result.rows.into_iter().filter_map(|row| row.id).collect())
}

fn statement(rest: &str) -> String {
    format!("SELECT id FROM walked USING EMBEDDING (VECTOR {VECTOR}) TOPK 10 {rest}")
}

#[test]
fn a_graph_of_old_is_walked() {
    let (index, files) = read();
    verify(&files[SNAPSHOT].0).unwrap();
    for (path, recall) in [(Path::Graph, "0.99"), (Path::Clusters, "0.99"), (Path::Planned, "1")] {
        let sql = statement(&format!("RECALL {recall}"));
        assert_eq!(ask(&index, &files, path, &sql).unwrap(), NEAREST, "{path:?}");
    }
}

#[test]
fn a_flipped_bit_of_a_graph_is_refused_or_changes_nothing() {
    let (index, mut files) = read();
    let head = Head::parse(&files[SNAPSHOT].0, files[SNAPSHOT].0.len() as u64).unwrap();
    let range = |kind| head.section(kind).unwrap().range;
    let (first, last) = (range(SectionKind::GRAPH), range(SectionKind::LINKS));
    let (sql, mut refused) = (statement("RECALL 0.99"), 0);
    for at in (first.start as usize..last.end as usize).step_by(7) {
        files[SNAPSHOT].0[at] ^= 1 << (at % 8);
        match ask(&index, &files, Path::Graph, &sql) {
            Ok(found) => assert_eq!(found, NEAREST, "byte {at}"),
            Err(error) => {
                assert!(matches!(error, Error::Snapshot(_)), "byte {at}: {error}");
                refused += 1;
            }
        }
        assert!(verify(&files[SNAPSHOT].0).is_err(), "byte {at} passes");
        files[SNAPSHOT].0[at] ^= 1 << (at % 8);
    }
    assert!(refused > 100, "only {refused} bytes matter");
}

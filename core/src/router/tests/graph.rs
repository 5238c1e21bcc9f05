//! Files with a graph: what a walk finds, when it is taken, and what happens where it does not go far enough.

use std::sync::LazyLock;

use super::{
    clustered::{question, release_of_graphs, said, schema_of, shaped, statement},
    world::{World, names, plain_names},
};
use crate::{
    Error,
    cluster::Options as Clusters,
    error::{CatalogError, SnapshotError},
    metric::{Encoding, Metric},
    plan::Plan,
    router::{Catalog, Fanout, Host, OneByOne, Options, Path, ResultSet},
    schema::{Record, Value},
    snapshot::{SnapshotFile, layout},
};

fn world(metric: Metric, encoding: Encoding) -> World {
    release_of_graphs(vec![vec![(schema_of("a", metric), shaped(77, 3000))]], encoding, Clusters::default())
}

/// Building takes most of the time of these tests.
static WORLD: LazyLock<World> = LazyLock::new(|| world(Metric::L2, Encoding::F32));

fn by(world: &World, path: Path, sql: &str) -> ResultSet {
    world
        .try_ask(sql, Options { path, ..Options::default() })
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn recall(world: &World, rest: &str, k: usize, keep: &dyn Fn(&Record) -> bool) -> f64 {
    let recalls = (0..60).map(|number| {
        let vector = said(&question(number));
        let truth = world.nearest(&vector, None, keep);
        let truth = &truth[..k.min(truth.len())];
        let found = by(world, Path::Graph, &statement(&vector, "*", rest));
        assert_eq!(found.rows.len(), truth.len(), "{rest}");
        assert!(found.rows.is_sorted_by_key(|row| row.distance), "{rest}");
        let names = names(&found.rows);
        plain_names(truth).iter().filter(|name| names.contains(name)).count() as f64 / truth.len() as f64
    });
    recalls.sum::<f64>() / 60.0
}

/// How the answer was found.
fn path_of(world: &World, path: Path, sql: &str) -> (String, String) {
    let explained = |sql: String| by(world, path, &sql).explanation.unwrap().json.to_json();
    let of = |json: serde_json::Value| json["collections"][0]["access_path"].as_str().unwrap().to_owned();
    (of(explained(format!("EXPLAIN {sql}"))), of(explained(format!("EXPLAIN ANALYZE {sql}"))))
}

fn both(path: &str) -> (String, String) {
    (path.into(), path.into())
}

#[test]
fn the_recall_that_is_asked_is_met() {
    for (metric, encoding) in
        [(Metric::Cosine, Encoding::I8), (Metric::InnerProduct, Encoding::F32), (Metric::L2, Encoding::F16)]
    {
        let world = world(metric, encoding);
        for (k, asked) in [(10, 0.9), (10, 0.95), (10, 0.99), (100, 0.95)] {
            // Bytes find the nearest rows of what was given a little less often.
            let lost = if encoding == Encoding::I8 { 0.03 } else { 0.01 };
            let found = recall(&world, &format!("TOPK {k} RECALL {asked}"), k, &|_| true);
            assert!(found >= asked - lost, "{metric:?}: {found} of {asked} at {k}");
        }
    }
}

#[test]
fn a_filter_leaves_as_many_rows_as_are_asked() {
    let world = &*WORLD;
    let shape = |record: &Record| match record.metadata["shape"] {
        Value::Int(shape) => shape,
        _ => -1,
    };
    for (rest, most) in [("metadata.shape < 20", 20), ("metadata.shape < 4", 4), ("metadata.shape = 0", 1)] {
        let rest = format!("WHERE {rest} TOPK 10 RECALL 0.95");
        let found = recall(world, &rest, 10, &|record| shape(record) < most);
        assert!(found > 0.94, "{rest}: {found}");
    }
}

#[test]
fn exact_statements_do_not_walk() {
    let world = &*WORLD;
    let nearest = |rest: &str| statement(&question(3), "a", rest);
    for rest in ["TOPK 10 RECALL 1", "TOPK 10 ON DUPLICATE ID KEEP NEAREST", "TOPK 2000"] {
        assert_eq!(path_of(world, Path::Graph, &nearest(rest)), both("scan"), "{rest}");
    }
    let sql = nearest("TOPK 10 RECALL 1");
    assert_eq!(by(world, Path::Graph, &sql).rows, by(world, Path::Clusters, &sql).rows);
}

#[test]
fn explain_says_which_way_is_taken() {
    let world = &*WORLD;
    let sql = statement(&question(3), "a", "TOPK 10");
    assert_eq!(path_of(world, Path::Graph, &sql), both("graph"));
    assert_eq!(path_of(world, Path::Clusters, &sql), both("clusters"));
    let planned = path_of(world, Path::Planned, &sql);
    assert_eq!(planned.0, planned.1);
    // More than was measured.
    for rest in ["TOPK 10 RECALL 0.995", "WHERE metadata.shape = 7 TOPK 900"] {
        let sql = statement(&question(3), "a", rest);
        assert_eq!(path_of(world, Path::Graph, &sql).1, "clusters", "{rest}");
    }
}

/// Each of its steps waits for the one before: over ranges clusters are read, whatever is asked for.
#[test]
fn ranges_are_searched_by_clusters() {
    let world = &*WORLD;
    let sql = statement(&question(9), "*", "TOPK 10");
    let (by_ranges, bytes) = world.ask_by_ranges(&sql);
    assert_eq!(by_ranges.rows, by(world, Path::Clusters, &sql).rows);
    assert!(bytes < world.files[1].len() as u64 * 3 / 4, "{bytes}");
}

#[test]
fn several_files_are_searched_by_clusters() {
    let one = |name: &str, seed| vec![(schema_of(name, Metric::L2), shaped(seed, 1500))];
    let apart = vec![one("a", 77), one("b", 78)];
    let packed = vec![apart.concat()];
    for (files, expected) in [(apart, "clusters"), (packed, "graph")] {
        let world = release_of_graphs(files, Encoding::F32, Clusters::default());
        let sql = statement(&question(3), "*", "TOPK 10");
        assert_eq!(path_of(&world, Path::Graph, &sql), both(expected));
        let found = recall(&world, "TOPK 10 RECALL 0.95", 10, &|_| true);
        assert!(found >= 0.94, "{expected}: {found}");
    }
}

/// Alters the links of the only file with `change`, and closes its checksums again if that is wanted.
fn forged(world: &World, sealed: bool, change: impl Fn(u32) -> u32) -> Vec<Vec<u8>> {
    let mut files = world.files.clone();
    let opened = SnapshotFile::open(&files[1], files[1].len() as u64).unwrap();
    let section = opened.head().section(layout::SectionKind::LINKS).unwrap();
    for block in 0..section.blocks {
        let range = opened.head().block_range(&section, block).unwrap();
        let (start, end) = (range.start as usize, range.end as usize - layout::CHECKSUM_BYTES);
        for link in files[1][start..end].as_chunks_mut::<4>().0 {
            *link = change(u32::from_le_bytes(*link)).to_le_bytes();
        }
        if sealed {
            let sum = layout::block_checksum(range.start, &files[1][start..end]);
            files[1][end..end + 8].copy_from_slice(&sum.to_le_bytes());
        }
    }
    files
}

/// Asks; after so many times that the statement asks whether to stop, the answer is yes.
fn ask(world: &World, files: &[Vec<u8>], patience: usize) -> crate::Result<ResultSet> {
    let sources: Vec<_> = files.iter().map(crate::bytes::Resident).collect();
    let catalog = std::sync::Arc::new(Catalog::open(&world.built.json)?);
    let plan = Plan::parse(&statement(&question(5), "*", "TOPK 10"))?;
    let options = Options { path: Path::Graph, ..Options::default() };
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= patience;
    Fanout::with(catalog, plan, options)?.run_with(&sources, &Host { spread: &OneByOne, stop: &stop })
}

#[test]
fn damaged_and_forged_links_are_typed_errors() {
    let world = &*WORLD;
    let damaged = ask(world, &forged(world, false, |link| link ^ 1), usize::MAX);
    let Err(Error::Snapshot(error)) = damaged else { panic!("{damaged:?}") };
    assert!(
        matches!(error.inner(), SnapshotError::Checksum { section, .. } if section == "links"),
        "{error}"
    );
    for beyond in [3000, u32::MAX - 1] {
        let forged = ask(world, &forged(world, true, |_| beyond), usize::MAX);
        let Err(Error::Snapshot(error)) = forged else { panic!("{forged:?}") };
        assert!(matches!(error.inner(), SnapshotError::Malformed { .. }), "{error}");
    }
}

#[test]
fn links_that_lead_nowhere_or_in_circles_end() {
    let world = &*WORLD;
    for change in [|_| u32::MAX, |_| 7, |link: u32| link / 512] {
        let found = ask(world, &forged(world, true, change), usize::MAX).unwrap();
        assert_eq!(found.rows.len(), 10);
    }
}

#[test]
fn a_statement_that_walks_stops_whenever_it_asks() {
    let world = &*WORLD;
    let stopped = |patience: usize| match ask(world, &world.files, patience) {
        Err(Error::Catalog(CatalogError::Stopped)) => true,
        found => found.map(|found| found.rows.len() != 10).unwrap(),
    };
    let asked = (0..1000).take_while(|patience| stopped(*patience)).count();
    assert!((2..1000).contains(&asked), "{asked} times");
}

//! Files with a graph: what is written is read, what contradicts itself is found, and who does not know graphs passes over.

use super::{
    clusters::{open, sections, single},
    *,
};
use crate::{
    bytes::RangeCache,
    snapshot::{
        Calibration, GraphCost, GraphSections,
        graph::{Graph, LINK_ROWS, NO_LINK},
        layout::SectionKind,
    },
};

const DEGREE: usize = 3;

/// Each row's neighbours are the next two, the last rows' the first ones; every seventh row has one alone.
fn graph(rows: u32) -> GraphSections {
    let links = (0..rows).flat_map(|row| {
        let second = if row.is_multiple_of(7) { NO_LINK } else { (row + 2) % rows };
        [(row + 1) % rows, second, NO_LINK]
    });
    let grid = |first: f32| Calibration {
        clusters: [0.0, 4.0, 8.0].map(|row| [0.0, 1.0, 2.0, 3.0].map(|column| first + row + column)),
    };
    let entry = Calibration { clusters: [[0.5, 0.6, 0.75, 1.0]; 3] };
    let cost = GraphCost { entry, width: grid(10.0), walk: grid(100.0), clusters: grid(200.0) };
    GraphSections { cost, degree: DEGREE, links: links.collect() }
}

fn draft() -> Draft {
    Draft::new(single(), Encoding::I8).unwrap()
}

fn write(graph: &GraphSections) -> crate::Result<Vec<u8>> {
    draft().write_with(Some(&sections(300, 3, (true, 0))), Some(graph))
}

#[test]
fn a_graph_comes_back_as_it_was_written() {
    let written = graph(300);
    let file = write(&written).unwrap();
    verify(&file).unwrap();
    let source = Resident(&file);
    let read = Graph::open(&open(&file), &source).unwrap().unwrap();
    assert_eq!(*read.cost(), written.cost);
    for (row, links) in (0..300).zip(written.links.chunks(DEGREE)) {
        let found: Vec<u32> =
            read.links(&source, row).unwrap().unwrap().iter().map(|link| u32::from_le_bytes(*link)).collect();
        assert_eq!(found, links, "row {row}");
    }
    assert!(matches!(read.links(&source, 300), Err(SnapshotError::Malformed { .. })));
}

/// All that searches need comes before the graph, which only adds to a file.
#[test]
fn a_graph_that_is_not_all_there_is_not_used() {
    let file = write(&graph(300)).unwrap();
    let opened = open(&file);
    let links = opened.head().section(SectionKind::LINKS).unwrap().range;
    let mut cache = RangeCache::new(file.len() as u64);
    cache.insert(0, file[..links.end as usize - 1].to_vec());
    assert!(Graph::open(&opened, &cache).unwrap().is_none());
    cache.insert(links.end - 1, file[links.end as usize - 1..].to_vec());
    assert!(Graph::open(&opened, &cache).unwrap().is_some());
    let without = draft().write(Some(&sections(300, 3, (true, 0)))).unwrap();
    assert!(Graph::open(&open(&without), &Resident(&without)).unwrap().is_none());
}

/// Kinds that no reader knows stand for a graph in the eyes of one that was made before there were any.
#[test]
fn who_does_not_know_graphs_passes_over_them() {
    let file = write(&graph(300)).unwrap();
    let opened = open(&file);
    let mut other = file.clone();
    for (number, entry) in opened.head().directory().iter().enumerate() {
        if [SectionKind::GRAPH, SectionKind::LINKS].contains(&entry.kind) {
            other[128 + 48 * number] = 0x70;
        }
    }
    reseal_head(&mut other, opened.head().header().head_bytes);
    let passed = open(&other);
    assert!(Graph::open(&passed, &Resident(&other)).unwrap().is_none());
    assert_eq!(passed.rows(), 300);
    verify(&other).unwrap();
}

#[test]
fn a_graph_of_another_draft_is_not_written() {
    let good = graph(300);
    type Change = fn(&mut GraphSections);
    let changes: [Change; 6] = [
        |g| g.links.truncate(9),
        |g| g.degree = 0,
        |g| g.links[0] = 300,
        |g| g.links[0] = 0,
        |g| g.links[4] = g.links[3],
        |g| g.links[3] = NO_LINK,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut other = good.clone();
        change(&mut other);
        let written = write(&other);
        let refused = matches!(written, Err(Error::Snapshot(SnapshotError::CannotWrite { .. })));
        assert!(refused, "change {number} was written");
    }
    assert!(draft().write_with(None, Some(&good)).is_err());
    let bare = Draft::new(single(), Encoding::None).unwrap();
    assert!(bare.write_with(Some(&sections(300, 3, (true, 0))), Some(&good)).is_err());
}

#[test]
fn a_sealed_file_with_a_wrong_graph_does_not_verify() {
    let file = write(&graph(300)).unwrap();
    let opened = open(&file);
    let section = |kind| opened.head().section(kind).unwrap();
    let (costs, links) = (section(SectionKind::GRAPH), section(SectionKind::LINKS));
    for (section, at, bytes) in [
        // A row that there is not, the row itself, a row twice, a row behind the last one.
        (links, 0, &[0xff, 0xff, 0, 0][..]),
        (links, 0, &[0; 4]),
        (links, 4 * (DEGREE + 1), &[2, 0, 0, 0]),
        (links, 8, &[9, 0, 0, 0]),
        // A recall above one, a width of nothing and one of 2^17, a number that is none.
        (costs, 0, &[0, 0, 0, 0x40]),
        (costs, 48, &[0; 4]),
        (costs, 48, &[0, 0, 0, 0x48]),
        (costs, 96, &[0, 0, 0xc0, 0x7f]),
    ] {
        let result = verify(&resealed(&file, &section, at, bytes));
        let found = matches!(&result, Err(Error::Snapshot(SnapshotError::Malformed { .. })));
        assert!(found, "{} {at}: {result:?}", section.kind.name());
    }
}

#[test]
fn sections_that_do_not_fit_the_rows_are_malformed() {
    let file = write(&graph(300)).unwrap();
    let opened = open(&file);
    let place = |kind| 128 + 48 * opened.head().directory().iter().position(|e| e.kind == kind).unwrap();
    let (costs, links) = (place(SectionKind::GRAPH), place(SectionKind::LINKS));
    // One of the two is of another kind; rows in a block.
    for (at, byte) in [(costs, 0x70), (links, 0x70), (links + 4, LINK_ROWS as u8 - 1)] {
        let mut other = file.clone();
        other[at] = byte;
        reseal_head(&mut other, opened.head().header().head_bytes);
        let found = Graph::open(&open(&other), &Resident(&other));
        assert!(matches!(found, Err(SnapshotError::Malformed { .. })), "{at}: {found:?}");
        assert!(verify(&other).is_err());
    }
}

#[test]
fn altered_bytes_of_a_graph_are_typed_errors() {
    let file = write(&graph(300)).unwrap();
    let start = open(&file).head().section(SectionKind::GRAPH).unwrap().range.start as usize;
    for at in (start..file.len()).step_by(5) {
        let mut altered = file.clone();
        altered[at] ^= 0x11;
        assert!(matches!(verify(&altered), Err(Error::Snapshot(_))), "byte {at}");
    }
}

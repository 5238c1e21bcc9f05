//! Files with clusters: what is written is read, and what contradicts itself is found.

use std::sync::Arc;

use super::*;
use crate::{
    bytes::{ByteSource, RangeCache},
    snapshot::{
        clusters::{CELL_SLOTS, EMPTY_SLOT, cell_bytes, extended_bytes, slot_rows},
        layout::SectionKind,
    },
};

const CLUSTERS: u32 = 5;

/// Which clusters a row is in: the second one is another.
fn clusters_of(row: u32, soft: bool) -> Vec<u32> {
    let first = row.wrapping_mul(2_654_435_761) >> 7;
    let mut all = vec![first % (CLUSTERS - 1), (first / 64 + 1) % (CLUSTERS - 1)];
    all.dedup();
    all.truncate(if soft { 2 } else { 1 });
    all.sort_unstable();
    all
}

/// The last cluster is empty, what the numbers mean is nobody's business here.
pub(super) fn sections(rows: u32, dimension: usize, (soft, extended_bits): (bool, u8)) -> ClusterSections {
    let padded = dimension.next_multiple_of(8);
    let (mut centroids, mut codes, mut first_cells) =
        (vec![0x5a; CLUSTERS as usize * padded / 2], Vec::new(), vec![]);
    for part in 0..3 {
        centroids.extend((0..CLUSTERS).flat_map(|c| ((c * 3 + part) as f32 / 4.0).to_le_bytes()));
    }
    for cluster in 0..CLUSTERS {
        first_cells.push((codes.len() / cell_bytes(dimension)) as u32);
        let own: Vec<u32> = (0..rows).filter(|row| clusters_of(*row, soft).contains(&cluster)).collect();
        for slots in own.chunks(CELL_SLOTS) {
            codes.extend((0..padded * 4 + CELL_SLOTS * 4).map(|at| (at * 7) as u8 & 0x3f));
            let row = |slot| slots.get(slot).copied().unwrap_or(EMPTY_SLOT);
            codes.extend((0..CELL_SLOTS).flat_map(|slot| row(slot).to_le_bytes()));
        }
    }
    first_cells.push((codes.len() / cell_bytes(dimension)) as u32);
    centroids.extend(first_cells.iter().flat_map(|cell| cell.to_le_bytes()));
    let code = |row: u32| {
        let mut code = clusters_of(row, false)[0].to_le_bytes().to_vec();
        code.resize(extended_bytes(dimension, extended_bits), (row % 100) as u8);
        code
    };
    let extended = if extended_bits == 0 { vec![] } else { (0..rows).flat_map(code).collect() };
    let calibration = Calibration { clusters: [[1.0, 2.0, 3.0, 4.0]; 3] };
    let info = ClusterInfo { count: CLUSTERS, soft, extended_bits, a_scale: 0.5, f_scale: 2.0, calibration };
    ClusterSections { info, centroids, codes, extended }
}

fn write(collections: Vec<(Schema, Vec<Record>)>, kind: (bool, u8)) -> Vec<u8> {
    let draft = Draft::new(collections, Encoding::I8).unwrap();
    let sections = sections(draft.rows() as u32, 3, kind);
    draft.write(Some(&sections)).unwrap()
}

pub(super) fn single() -> Vec<(Schema, Vec<Record>)> {
    vec![(schema(), records(300))]
}

pub(super) fn open(file: &[u8]) -> Arc<SnapshotFile> {
    SnapshotFile::open(file, file.len() as u64).unwrap()
}

#[test]
fn clusters_come_back_as_they_were_written() {
    for (collections, kind) in [
        (single(), (false, 0)),
        (single(), (true, 4)),
        (packed::collections(), (true, 7)),
        (packed::collections(), (false, 0)),
    ] {
        let file = write(collections, kind);
        verify(&file).unwrap();
        let (opened, source) = (open(&file), Resident(&file));
        let rows = opened.rows() as u32;
        let written = sections(rows, 3, kind);
        let clusters = opened.clusters(&source).unwrap().unwrap();
        let table = clusters.table();
        assert_eq!((clusters.info(), table.count(), table.code_dimension), (written.info, 5, 8));
        assert_eq!(table.nibbles, &written.centroids[..5 * 4]);
        assert_eq!(table.scales, [0.0, 0.75, 1.5, 2.25, 3.0]);
        assert_eq!((table.norms[1], table.spreads[1]), (1.0, 1.25));
        let mut found = vec![Vec::new(); rows as usize];
        for cluster in 0..5_u32 {
            let cells = clusters.cells(&source, table.cells_of(cluster)).unwrap().unwrap();
            for cell in cells.chunks(clusters.cell_stride()) {
                for slot in slot_rows(&cell[..cell_bytes(3)]) {
                    if let Some(row) = clusters.row(slot).unwrap() {
                        found[row as usize].push(cluster);
                    }
                }
            }
        }
        let expected: Vec<Vec<u32>> = (0..rows).map(|row| clusters_of(row, kind.0)).collect();
        assert_eq!(found, expected);
        assert_eq!(table.cells_of(4), table.cells_of(3).end..table.cells_of(3).end);
        assert_eq!(table.cells_of(5).len(), 0);
        assert!(clusters.row(rows).is_err());
        for row in [0, rows / 2, rows - 1] {
            let code = clusters.extended(&source, row).unwrap();
            assert_eq!(code.map(|code| code[code.len() - 1]), (kind.1 > 0).then_some((row % 100) as u8));
        }
    }
}

#[test]
fn clusters_open_from_a_copy_and_cells_from_their_ranges() {
    let file = write(packed::collections(), (true, 4));
    let opened = open(&file);
    let [eager] = opened.eager()[..] else { panic!("{:?}", opened.eager()) };
    let source = Resident(&file);
    let copy = source.get(eager).unwrap();
    let mut damaged = copy.to_vec();
    damaged[3] ^= 1;
    assert!(matches!(opened.open_clusters(&damaged), Err(SnapshotError::Checksum { .. })));
    let clusters = opened.open_clusters(copy).unwrap().unwrap();
    let mut cache = RangeCache::new(file.len() as u64);
    let cells = clusters.table().cells_of(1);
    assert_eq!(clusters.cells(&cache, cells.clone()).unwrap(), None);
    let range = clusters.cell_range(cells.clone()).unwrap();
    assert_eq!(range.len(), (cells.len() * clusters.cell_stride()) as u64);
    cache.insert(range.start, Resident(&file).get(range).unwrap().to_vec());
    assert!(clusters.cells(&cache, cells.clone()).unwrap().is_some());
    assert_eq!(clusters.cells(&cache, cells.start..cells.end + 1).unwrap(), None);
}

/// The members of a collection are its slots, and no others.
#[test]
fn members_name_the_slots_of_a_collection() {
    let file = write(packed::collections(), (true, 0));
    let (opened, source) = (open(&file), Resident(&file));
    let clusters = opened.clusters(&source).unwrap().unwrap();
    for number in 0..5 {
        let collection = opened.collection(number).unwrap();
        let members = collection.members(&source, &clusters).unwrap().unwrap();
        let mut rows = Vec::new();
        for member in members.iter() {
            assert_eq!(members.of(member.cluster), Some(member));
            let all = clusters.table().cells_of(member.cluster);
            let own = member.cells(&clusters);
            assert!(all.start <= own.start && own.end <= all.end, "{all:?} {own:?}");
            let cells = clusters.cells(&source, own.clone()).unwrap().unwrap();
            let slots =
                cells.chunks(clusters.cell_stride()).flat_map(|cell| slot_rows(&cell[..cell_bytes(3)]));
            let skipped = member.first_slot - (own.start - all.start) * 32;
            rows.extend(slots.skip(skipped as usize).take(member.slots as usize));
        }
        rows.sort_unstable();
        let own = collection.first_row() as u32..(collection.first_row() + collection.rows()) as u32;
        let expected: Vec<u32> = own.flat_map(|row| vec![row; clusters_of(row, true).len()]).collect();
        assert_eq!(rows, expected, "collection {number}");
        assert_eq!(members.of(4), None);
    }
    let alone = write(single(), (true, 0));
    let collection = open(&alone).collection(0).unwrap();
    assert_eq!((collection.members_range(), collection.clusters().is_none()), (None, true));
}

#[test]
fn clusters_of_another_draft_are_not_written() {
    let draft = Draft::new(single(), Encoding::None).unwrap();
    let good = sections(300, 3, (true, 4));
    draft.write(Some(&good)).unwrap();
    type Change = fn(&mut ClusterSections);
    let changes: [Change; 9] = [
        |s| s.centroids.push(0),
        |s| s.codes.push(0),
        |s| s.extended.push(0),
        |s| s.info.soft = false,
        |s| s.info.count += 1,
        |s| s.info.extended_bits = 5,
        |s| s.codes[cell_bytes(3) - 128..][..4].copy_from_slice(&300_u32.to_le_bytes()),
        |s| s.codes[cell_bytes(3) - 128..][..4].copy_from_slice(&EMPTY_SLOT.to_le_bytes()),
        |s| drop(s.codes.drain(..cell_bytes(3))),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut other = good.clone();
        change(&mut other);
        let written = draft.write(Some(&other));
        assert!(
            matches!(written, Err(Error::Snapshot(SnapshotError::CannotWrite { .. }))),
            "change {number} was written"
        );
    }
    assert!(draft.write(Some(&sections(299, 3, (true, 4)))).is_err());
}

#[test]
fn a_sealed_file_with_wrong_clusters_does_not_verify() {
    let file = write(packed::collections(), (true, 4));
    let opened = open(&file);
    let section = |kind| opened.head().section(kind).unwrap();
    let (codes, centroids) = (section(SectionKind::Codes), section(SectionKind::Centroids));
    let first_rows = cell_bytes(3) - 128;
    let first_cells = 5 * 4 + 5 * 12;
    for (section, at, bytes) in [
        // A row that there is not, a slot that was emptied, a row twice in a cluster.
        (codes, first_rows, &[0xff, 0xff, 0, 0][..]),
        (codes, first_rows, &[0xff; 4]),
        (codes, first_rows + 4, &file[codes.range.start as usize..][first_rows..first_rows + 4]),
        // Cells that begin before those of the cluster before, and a number that is none.
        (centroids, first_cells, &[1]),
        (centroids, first_cells + 4, &[0xff; 3]),
        (centroids, 5 * 4, &[0, 0, 0x80, 0x7f]),
        // Extended codes of a cluster that there is not; members of another collection, and too few of them.
        (section(SectionKind::Extended), 0, &[5]),
        (section(SectionKind::Extended), 8, &[0, 0, 0xc0, 0xff]),
        // A factor that is infinite.
        (codes, first_rows - 2, &[0, 0xfc]),
        (section(SectionKind::Members), 4, &[1]),
        (section(SectionKind::Members), 8, &[1]),
        (section(SectionKind::Members), 0, &[9]),
    ] {
        let forged = resealed(&file, &section, at, bytes);
        let result = verify(&forged);
        assert!(
            matches!(&result, Err(Error::Snapshot(SnapshotError::Malformed { .. }))),
            "{:?} {at}: {result:?}",
            section.kind
        );
    }
    verify(&resealed(&file, &codes, 0, &[1, 2, 3])).unwrap();
}

#[test]
fn altered_bytes_of_a_clustered_pack_are_typed_errors() {
    let mut all = packed::collections();
    all.iter_mut().for_each(|(_, records)| records.truncate(20));
    let file = write(all, (true, 3));
    let header = open(&file).head().header().clone();
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 0x11;
        assert!(matches!(verify(&altered), Err(Error::Snapshot(_))), "byte {at}");
        if (16..header.head_bytes as usize).contains(&at) && !(56..96).contains(&at) {
            repair_checksum(&mut altered, header.head_bytes);
            assert!(matches!(verify(&altered), Err(Error::Snapshot(_))), "byte {at}, repaired");
        }
    }
}

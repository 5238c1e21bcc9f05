//! The files whose clusters are searched together, with the collections of each that are asked.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    bytes::ByteSource,
    error::{CatalogError, Result, SnapshotError},
    gather::Gather as _,
    metric::Encoding,
    order::sort_by,
    quant::{Rotation, SLOTS, prefetch},
    router::{
        Needs,
        member::{Member, State},
        run::{Halt, Run},
        target::Opened,
    },
    search::clusters::{ClusterFile, Near, Part},
    snapshot::{ClusterTable, Clusters, Section, SnapshotFile, layout::SectionKind},
};

/// Stands for the row of an error that is about none.
const NO_ROW: u64 = u64::MAX - 1;

/// A file of a space.
pub(super) struct File<'s> {
    run: &'s Run<'s>,
    number: usize,
    source: &'s dyn ByteSource,
    snapshot: Arc<SnapshotFile>,
    clusters: Arc<Clusters>,
    vectors: Option<Section>,
    /// The collections that are searched, by their first rows.
    pub(super) members: Vec<Own>,
    /// A bit per row of the file; `None`: all may be in the answer.
    mask: Option<Vec<u64>>,
    /// How many rows may be in the answer.
    pub(super) relevant: u64,
    /// By cluster the slots of the searched collections; empty where all collections are.
    wanted: Vec<Vec<Range<u32>>>,
    bytes: AtomicU64,
    /// The row that an error was about, or that there was one.
    failed: AtomicU64,
}

/// A collection of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    /// Its place in FROM.
    pub(super) place: usize,
    first_row: u64,
    rows: u64,
}

impl Own {
    /// Its rows among those that were found in files, as it counts them; nearest first, equal ones by row.
    pub(super) fn rows_of(&self, part: u32, near: &[Near]) -> Vec<(f32, u64)> {
        let own = |near: &Near| {
            let row = u64::from(near.row).checked_sub(self.first_row).filter(|row| *row < self.rows)?;
            (near.part == part).then_some((near.distance, row))
        };
        let mut rows: Vec<(f32, u64)> = near.iter().filter_map(own).gather();
        sort_by(&mut rows, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        rows
    }
}

/// The files of the collections `group`, which are open and masked; `None`: `needs` holds what is missing.
pub(super) fn open<'s>(
    run: &'s Run<'s>,
    members: &[Member],
    group: &[usize],
    needs: &mut Needs,
) -> Result<Option<Vec<File<'s>>>, Halt> {
    let mut files: Vec<File<'s>> = Vec::new();
    let mut complete = true;
    for place in group {
        let Some(member) = members.get(*place) else { continue };
        let blame = |error| Halt::of(*place, run.catalog.blame_collection(member.place, error));
        complete &= enter(run, &mut files, *place, member, needs).map_err(blame)?;
    }
    for file in &mut files {
        complete &= file.narrow(members, needs)?;
    }
    for file in &mut files {
        file.finish(members);
    }
    Ok(complete.then_some(files))
}

/// Adds a collection to its file; says whether all of that is resident.
fn enter<'s>(
    run: &'s Run<'s>,
    files: &mut Vec<File<'s>>,
    place: usize,
    member: &Member,
    needs: &mut Needs,
) -> Result<bool> {
    let Some(opened) = Opened::open(run, member.place, needs)? else { return Ok(false) };
    let collection = &opened.collection;
    let own = Own { place, first_row: collection.first_row(), rows: collection.rows() };
    if !files.iter().any(|file| file.number == opened.file) {
        let clusters = run.catalog.clusters(member.place, run.sources, needs)?;
        let Some(clusters) = clusters else { return Ok(false) };
        let snapshot = collection.file().clone();
        let vectors = snapshot.head().section(SectionKind::Vectors);
        let (number, source) = (opened.file, opened.source);
        let (bytes, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let (members, mask, relevant, wanted) = (Vec::new(), None, 0, Vec::new());
        files.push(File {
            run,
            number,
            source,
            snapshot,
            clusters,
            vectors,
            members,
            mask,
            relevant,
            wanted,
            bytes,
            failed,
        });
    }
    let file = files.iter_mut().find(|file| file.number == opened.file);
    file.into_iter().for_each(|file| file.members.push(own));
    Ok(true)
}

impl<'s> File<'s> {
    /// Finds the slots of the searched collections where those are few: then only their cells are read. Says whether the
    /// lists are resident.
    fn narrow(&mut self, members: &[Member], needs: &mut Needs) -> Result<bool, Halt> {
        let narrow = |own: &Own| match members.get(own.place).map(|member| &member.state) {
            Some(State::Asked(target)) => target.narrow,
            _ => false,
        };
        if !self.members.iter().any(narrow) {
            return Ok(true);
        }
        // In the order of rows, which is that of slots: neighbours share cells, which are scanned once.
        sort_by(&mut self.members, |a, b| a.first_row.cmp(&b.first_row));
        let mut complete = true;
        self.wanted.resize(self.clusters.table().count(), Vec::new());
        for number in 0..self.members.len() {
            let Some(own) = self.members.get(number).copied() else { continue };
            let place = members.get(own.place).map_or(0, |member| member.place);
            let blame = |error| Halt::of(own.place, self.run.catalog.blame_collection(place, error));
            complete &= self.find_slots(place, needs).map_err(blame)?;
        }
        Ok(complete)
    }

    /// The slots of the collection at that place of the release.
    fn find_slots(&mut self, place: usize, needs: &mut Needs) -> Result<bool> {
        let Some(opened) = Opened::open(self.run, place, needs)? else { return Ok(false) };
        let range = opened.collection.members_range();
        if range.is_some_and(|range| !needs.check(self.number, self.source, range)) {
            return Ok(false);
        }
        if let Some(slots) = opened.collection.members(self.source, &self.clusters)? {
            for member in slots.iter() {
                let end = member.first_slot.saturating_add(member.slots);
                let of = self.wanted.get_mut(member.cluster as usize);
                of.into_iter().for_each(|of| join(of, member.first_slot..end));
            }
        }
        Ok(true)
    }

    /// Puts the masks of its collections together.
    fn finish(&mut self, members: &[Member]) {
        sort_by(&mut self.members, |a, b| a.first_row.cmp(&b.first_row));
        let asked: u64 = self.members.iter().map(|own| own.rows).sum();
        let whole = asked == self.snapshot.rows();
        let mask_of = |own: &Own| match members.get(own.place).map(|member| &member.state) {
            Some(State::Asked(target)) => target.mask(),
            _ => None,
        };
        if whole && self.members.iter().all(|own| mask_of(own).is_none()) {
            self.relevant = asked;
            return;
        }
        let mut words = vec![0; self.snapshot.rows().div_ceil(64) as usize];
        for own in &self.members {
            splice(&mut words, own, mask_of(own));
        }
        self.relevant = words.iter().map(|word| u64::from(word.count_ones())).sum();
        self.mask = Some(words);
    }

    pub(super) fn part(&self) -> Part<'_> {
        let narrow = !self.wanted.is_empty();
        Part { file: self, mask: self.mask.as_deref(), relevant: self.relevant, narrow }
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn snapshot(&self) -> (&SnapshotFile, &'s dyn ByteSource) {
        (&self.snapshot, self.source)
    }

    pub(super) fn rotation(&self) -> &Rotation {
        self.clusters.rotation()
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.snapshot.encoding()
    }

    /// The first row from `row` on that may be in the answer.
    pub(super) fn next_passing(&self, row: u32) -> Option<u32> {
        let rows = u32::try_from(self.snapshot.rows()).unwrap_or(u32::MAX);
        let Some(words) = &self.mask else { return (row < rows).then_some(row) };
        let mut place = (row / 64) as usize;
        let mut word = words.get(place)? & (u64::MAX << (row % 64));
        while word == 0 {
            place += 1;
            word = *words.get(place)?;
        }
        Some(place as u32 * 64 + word.trailing_zeros())
    }

    /// Bits of the codes that stand for vectors; 0: there are none.
    pub(super) fn extended_bits(&self) -> u8 {
        self.clusters.info().extended_bits
    }

    /// Notes a row's vector, or the code that stands for it.
    pub(super) fn want_row(&self, row: u32, needs: &mut Needs) {
        let range = match &self.vectors {
            Some(section) => self.snapshot.head().block_range(section, row),
            None => self.clusters.extended_range(row),
        };
        range.into_iter().for_each(|range| needs.want(self.number, range));
    }

    pub(super) fn want_cells(&self, cells: Range<u32>, needs: &mut Needs) {
        self.clusters.cell_range(cells).into_iter().for_each(|range| needs.want(self.number, range));
    }

    /// How many bytes of cells and vectors were read.
    pub(super) fn bytes_used(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The collections that an error of the file is about: that of the row that was read, else all; none without an error.
    pub(super) fn failed(&self) -> Vec<usize> {
        let failed = self.failed.load(Ordering::Relaxed);
        let Some(row) = failed.checked_sub(1) else { return Vec::new() };
        let holds =
            |own: &&Own| row == NO_ROW || row.checked_sub(own.first_row).is_some_and(|row| row < own.rows);
        self.members.iter().filter(holds).map(|own| own.place).gather()
    }

    /// Names the file in an error about no row.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn named<T>(&self, found: Result<T, SnapshotError>) -> Result<T> {
        found.map_err(|error| {
            self.failed.store(NO_ROW + 1, Ordering::Relaxed);
            self.run.catalog.blame(self.number, error).into()
        })
    }

    /// Counts bytes, and names the file in an error about a row, or [`NO_ROW`].
    fn used<'b>(&self, row: u64, bytes: Result<Option<&'b [u8]>, SnapshotError>) -> Result<Option<&'b [u8]>> {
        match bytes {
            Ok(bytes) => {
                self.bytes.fetch_add(bytes.map_or(0, <[u8]>::len) as u64, Ordering::Relaxed);
                Ok(bytes)
            }
            Err(error) => {
                self.failed.store(row + 1, Ordering::Relaxed);
                Err(self.run.catalog.blame(self.number, error).into())
            }
        }
    }
}

impl ClusterFile for File<'_> {
    fn table(&self) -> &ClusterTable {
        self.clusters.table()
    }

    fn cells(&self, cells: Range<u32>) -> Result<Option<&[u8]>> {
        self.used(NO_ROW, self.clusters.cells(self.source, cells))
    }

    fn stride(&self) -> usize {
        self.clusters.cell_stride()
    }

    fn vector(&self, row: u32) -> Result<Option<&[u8]>> {
        let section = self.vectors.as_ref().ok_or(CatalogError::EmptyRelease)?;
        self.used(row.into(), self.snapshot.head().block(self.source, section, row))
    }

    fn prefetch_vector(&self, row: u32) {
        let range = self.vectors.as_ref().and_then(|section| self.snapshot.head().block_range(section, row));
        range.and_then(|range| self.source.get(range)).into_iter().for_each(prefetch);
    }

    fn extended(&self, row: u32) -> Result<Option<&[u8]>> {
        self.used(row.into(), self.clusters.extended(self.source, row))
    }

    fn wanted_slots(&self, cluster: u32) -> &[Range<u32>] {
        self.wanted.get(cluster as usize).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Adds slots behind others; as one range with those before where they share a cell.
fn join(ranges: &mut Vec<Range<u32>>, next: Range<u32>) {
    let cell = SLOTS as u32;
    match ranges.last_mut() {
        Some(last) if next.start / cell < last.end.div_ceil(cell) => last.end = last.end.max(next.end),
        _ => ranges.push(next),
    }
}

/// Copies the mask of a collection, all ones without one, to where its rows stand in the file.
fn splice(words: &mut [u64], own: &Own, mask: Option<&[u64]>) {
    let shift = own.first_row % 64;
    let from = (own.first_row / 64) as usize;
    for place in 0..own.rows.div_ceil(64) as usize {
        let left = own.rows - place as u64 * 64;
        let kept = if left >= 64 { u64::MAX } else { (1 << left) - 1 };
        let word = kept & mask.map_or(u64::MAX, |mask| mask.get(place).copied().unwrap_or_default());
        if let Some(low) = words.get_mut(from + place) {
            *low |= word << shift;
        }
        if shift > 0
            && let Some(high) = words.get_mut(from + place + 1)
        {
            *high |= word >> (64 - shift);
        }
    }
}

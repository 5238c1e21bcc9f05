//! The graph of a file: for every row the rows that a search goes on to, and what searches cost.
//!
//! Whoever builds a graph hands it to [`Draft::write_with`](super::Draft::write_with) as [`GraphSections`]; whoever
//! searches reads it through [`Graph`]. Both of its sections are optional: a reader that does not know them loses
//! nothing but a way to search. How a graph is built and walked is the business of `graph` and `search`.

use std::sync::Arc;

use super::{
    assemble::{Assembler, Title},
    file::SnapshotFile,
    head::{Head, Section},
    layout::{CHECKSUM_BYTES, SectionKind, malformed},
    table::Calibration,
};
use crate::{
    bytes::{ByteRange, ByteSource},
    error::SnapshotError,
};

/// Rows whose neighbours are in one block.
pub const LINK_ROWS: u32 = 64;
/// Stands where a row has no further neighbour.
pub const NO_LINK: u32 = u32::MAX;
/// No row has more neighbours than this.
pub const MOST_LINKS: usize = 256;
/// No search keeps more rows in view: what it keeps is in order at all times, which costs more the more it is.
pub const WIDEST: f32 = 16_384.0;
/// The length of the block that says what searches cost.
pub(super) const COST_BYTES: usize = 192;

/// What searches of a graph take and cost, and those of the clusters beside it, measured when the file was made with questions
/// drawn between its own rows. The grids are read as the clusters' own is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GraphCost {
    /// The recall at which clusters are read for the rows that a search begins with.
    pub entry: Calibration,
    /// How many rows a search keeps in view.
    pub width: Calibration,
    /// What it costs, in slots that are scanned.
    pub walk: Calibration,
    /// What a search by clusters alone costs.
    pub clusters: Calibration,
}

impl GraphCost {
    fn encode(&self) -> Vec<u8> {
        let grids = [&self.entry, &self.width, &self.walk, &self.clusters].map(|grid| grid.clusters);
        grids.iter().flatten().flatten().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// `None`: the block has another length, or a number that no search has.
    fn decode(block: &[u8]) -> Option<Self> {
        let numbers: &[[u8; 4]; COST_BYTES / 4] = block.as_chunks::<4>().0.try_into().ok()?;
        let number = |place: usize| numbers.get(place).map_or(0.0, |bytes| f32::from_le_bytes(*bytes));
        let grid = |from: usize| Calibration {
            clusters: [0, 4, 8].map(|row| [0, 1, 2, 3].map(|column| number(from + row + column))),
        };
        let recalls = (0..12).all(|place| (0.0..=1.0).contains(&number(place)));
        let within = |places: std::ops::Range<usize>, most: f32| {
            places.into_iter().all(|place| (1.0..=most).contains(&number(place)))
        };
        let counts = within(12..24, WIDEST) && within(24..48, u32::MAX as f32);
        let sound = recalls && counts && block.len() == COST_BYTES;
        sound.then(|| Self { entry: grid(0), width: grid(12), walk: grid(24), clusters: grid(36) })
    }
}

/// A graph as it is written, checksums left out. docs/format.md describes the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphSections {
    /// What searches cost.
    pub cost: GraphCost,
    /// How many places each row has for neighbours, from 1 to [`MOST_LINKS`].
    pub degree: usize,
    /// The neighbours of each row, nearest first, filled up with [`NO_LINK`].
    pub links: Vec<u32>,
}

impl GraphSections {
    /// Adds the sections to a file of so many rows. `enters`: it has what a search begins and compares with.
    pub(super) fn write(&self, file: &mut Assembler, rows: usize, enters: bool) -> Result<(), SnapshotError> {
        let wrong = |reason: &str| SnapshotError::CannotWrite { reason: format!("the graph: {reason}") };
        if !enters {
            return Err(wrong("a file without clusters or without vectors cannot be searched by it"));
        }
        if !(1..=MOST_LINKS).contains(&self.degree) || self.links.len() != rows * self.degree {
            return Err(wrong("it is not one of the file's rows"));
        }
        (0_u32..).zip(self.links.chunks(self.degree)).try_for_each(|(row, links)| {
            check_links(row, links.iter().copied(), rows as u64).map_err(|reason| wrong(&reason))
        })?;
        let rows = rows as u64;
        file.section(Title::new(SectionKind::GRAPH, 0, rows), [self.cost.encode()])?;
        let content = LINK_ROWS as usize * self.degree;
        let block = |rows: &[u32]| -> Vec<u8> {
            let filled = rows.iter().copied().chain(std::iter::repeat(NO_LINK));
            filled.take(content).flat_map(u32::to_le_bytes).collect()
        };
        let blocks = self.links.chunks(content).map(block);
        file.even_section(Title::new(SectionKind::LINKS, LINK_ROWS, rows), 4 * content, blocks)
    }
}

/// The neighbours of a row are other rows of the file, each once; behind the last one there is none.
fn check_links(row: u32, links: impl Iterator<Item = u32>, rows: u64) -> Result<(), String> {
    let mut seen: Vec<u32> = Vec::with_capacity(MOST_LINKS);
    let mut ended = false;
    for link in links {
        ended |= link == NO_LINK;
        if link != NO_LINK && (ended || link == row || u64::from(link) >= rows || seen.contains(&link)) {
            return Err(format!("row {link} cannot be where it is among the neighbours of row {row}"));
        }
        seen.push(link);
    }
    Ok(())
}

/// The graph of an opened file.
#[derive(Debug)]
pub struct Graph {
    head: Arc<Head>,
    cost: GraphCost,
    links: Section,
    degree: usize,
    rows: u64,
}

impl Graph {
    /// Opens the graph; `None` if the file has none, or not all of it is resident: it is read here and there.
    ///
    /// # Errors
    /// A section without the other, or of another size than the file's rows ask for; damage.
    pub fn open(file: &SnapshotFile, source: &dyn ByteSource) -> Result<Option<Self>, SnapshotError> {
        let head = file.head();
        let (Some(costs), Some(links)) = (head.section(SectionKind::GRAPH), head.section(SectionKind::LINKS))
        else {
            return match head.section(SectionKind::GRAPH).or(head.section(SectionKind::LINKS)) {
                None => Ok(None),
                Some(alone) => Err(malformed(alone.kind.name(), alone.range.start, "half of a graph")),
            };
        };
        let wrong = || malformed("links", links.range.start, "they are not as the file's rows ask");
        let content = head.stride(&links).saturating_sub(CHECKSUM_BYTES);
        let degree = content / (4 * LINK_ROWS as usize);
        let even = (1..=MOST_LINKS).contains(&degree) && content == degree * 4 * LINK_ROWS as usize;
        let blocks = file.rows().div_ceil(LINK_ROWS.into());
        if !even || links.rows_per_block != LINK_ROWS || u64::from(links.blocks) != blocks {
            return Err(wrong());
        }
        if source.get(links.range).is_none() {
            return Ok(None);
        }
        let Some(block) = head.block(source, &costs, 0)? else { return Ok(None) };
        let cost = GraphCost::decode(block);
        let cost = cost.ok_or_else(|| malformed("graph", costs.range.start, "numbers of no sense"))?;
        Ok(Some(Self { head: head.clone(), cost, links, degree, rows: file.rows() }))
    }

    /// What searches cost.
    pub fn cost(&self) -> &GraphCost {
        &self.cost
    }

    /// Where the neighbours of all rows lie.
    pub fn range(&self) -> ByteRange {
        self.links.range
    }

    /// The neighbours of a row, unchecked, [`NO_LINK`] behind the last one; `None` if not resident.
    ///
    /// # Errors
    /// Damage, a row that the file does not have.
    pub fn links<'s>(
        &self,
        source: &'s dyn ByteSource,
        row: u32,
    ) -> Result<Option<&'s [[u8; 4]]>, SnapshotError> {
        if u64::from(row) >= self.rows {
            let reason = format!("there is no row {row}");
            return Err(malformed("links", self.links.range.start, reason));
        }
        let block = self.head.block(source, &self.links, row / LINK_ROWS)?;
        let first = (row % LINK_ROWS) as usize * self.degree;
        Ok(block.and_then(|block| block.as_chunks::<4>().0.get(first..first + self.degree)))
    }

    /// Checks the neighbours of all rows.
    ///
    /// # Errors
    /// Damage, and neighbours that cannot be.
    pub(super) fn check(&self, source: &dyn ByteSource) -> Result<(), SnapshotError> {
        for row in (0..self.rows).filter_map(|row| u32::try_from(row).ok()) {
            let links = self.links(source, row)?.unwrap_or_default();
            let numbers = links.iter().map(|link| u32::from_le_bytes(*link));
            check_links(row, numbers, self.rows)
                .map_err(|reason| malformed("links", self.links.range.start, reason))?;
        }
        Ok(())
    }
}

//! What a search reads of the files whose clusters it searches.

use std::ops::Range;

use crate::{error::Result, quant::SLOTS, snapshot::ClusterTable};

/// The clusters of one file, wherever its bytes are.
pub trait ClusterFile: Sync {
    /// All that is read eagerly.
    fn table(&self) -> &ClusterTable;

    /// The verified cells of that range, one after the other, each of [`stride`](Self::stride) bytes; `None` when they are
    /// not resident.
    ///
    /// # Errors
    /// Damage.
    fn cells(&self, cells: Range<u32>) -> Result<Option<&[u8]>>;

    /// The bytes from one cell to the next.
    fn stride(&self) -> usize;

    /// The verified bytes of a row's vector; `None` when they are not resident.
    ///
    /// # Errors
    /// Damage, a row that the file does not have.
    fn vector(&self, row: u32) -> Result<Option<&[u8]>>;

    /// Asks the processor for the bytes of a row's vector, which will be read in a while. Changes nothing.
    fn prefetch_vector(&self, _row: u32) {}

    /// The verified bytes of a row's code of several bits; `None` when they are not resident.
    ///
    /// # Errors
    /// Damage, a row that the file does not have.
    fn extended(&self, row: u32) -> Result<Option<&[u8]>>;

    /// Where in a cluster's slots those of the wanted collections stand. Ranges of slots, counted from the cluster's first.
    fn wanted_slots(&self, cluster: u32) -> &[Range<u32>];
}

/// One of the files that are searched together.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The file.
    pub file: &'a dyn ClusterFile,
    /// A bit per row of the file: it may be in the answer. All without.
    pub mask: Option<&'a [u64]>,
    /// How many rows may be in the answer.
    pub relevant: u64,
    /// Whether only some of the file's collections are searched: then [`ClusterFile::wanted_slots`] is asked.
    pub narrow: bool,
}

impl Part<'_> {
    /// The ranges of cells that have to be scanned of a cluster.
    pub(super) fn cells(&self, cluster: u32) -> impl Iterator<Item = Range<u32>> {
        let all = self.file.table().cells_of(cluster);
        let (first, wanted) = (all.start, self.wanted(cluster));
        let whole = wanted.is_none().then_some(all);
        let cell = SLOTS as u32;
        let some = wanted.unwrap_or_default().iter();
        whole
            .into_iter()
            .chain(some.map(move |slots| first + slots.start / cell..first + slots.end.div_ceil(cell)))
    }

    fn wanted(&self, cluster: u32) -> Option<&[Range<u32>]> {
        self.narrow.then(|| self.file.wanted_slots(cluster))
    }

    /// Whether a row may be in the answer.
    pub(super) fn passes(&self, row: u32) -> bool {
        let word = |words: &[u64]| words.get((row / 64) as usize).copied().unwrap_or_default();
        self.mask.is_none_or(|words| word(words) >> (row % 64) & 1 == 1)
    }

    /// The slots of a cluster that have to be scanned, empty ones at its end included.
    pub fn slots(&self, cluster: u32) -> u32 {
        match self.wanted(cluster) {
            Some(ranges) => ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum(),
            None => self.file.table().slots_of(cluster),
        }
    }

    /// About how many slots of a cluster hold relevant rows. Where the wanted collections are known by slot, they are
    /// counted; what else WHERE leaves is taken to be spread evenly.
    pub(super) fn relevant_slots(&self, cluster: u32) -> f32 {
        let table = self.file.table();
        let even = self.relevant as f32 / (table.rows as f32).max(1.0);
        match self.wanted(cluster) {
            Some(_) => self.slots(cluster) as f32,
            None => table.slots_of(cluster) as f32 * even,
        }
    }
}

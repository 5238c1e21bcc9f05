//! Which slots of which clusters belong to one collection of a packed file.
//!
//! Rows of a cluster are in the order of collections, so a collection's part of it is a run of slots. A reader of a few
//! collections fetches the lists of those, and then only the cells that hold their slots.

use std::ops::Range;

use super::{
    assemble::narrow,
    clusters::{CELL_SLOTS, ClusterSections, Clusters, Sizes},
    layout::malformed,
};
use crate::error::SnapshotError;

/// The length of an entry in the file: cluster, first slot, number of slots.
const ENTRY_BYTES: usize = 12;

/// The slots of one collection, by cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members(Vec<Member>);

/// A collection's part of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The cluster.
    pub cluster: u32,
    /// The first slot, counted from the cluster's first.
    pub first_slot: u32,
    /// How many slots; never 0.
    pub slots: u32,
}

impl Members {
    pub(super) fn open(bytes: &[u8], clusters: &Clusters, offset: u64) -> Result<Self, SnapshotError> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let mut members = Vec::with_capacity(entries.len());
        for entry in entries {
            let [cluster, first_slot, slots] = numbers(entry);
            let rises = members.last().is_none_or(|last: &Member| last.cluster < cluster);
            let end = first_slot.checked_add(slots).filter(|_| slots > 0);
            let held = clusters.table().cells_of(cluster).len() * CELL_SLOTS;
            if !rises || end.is_none_or(|end| end as usize > held) {
                return Err(malformed("members", offset, format!("wrong slots of cluster {cluster}")));
            }
            members.push(Member { cluster, first_slot, slots });
        }
        match rest {
            [] => Ok(Self(members)),
            _ => Err(malformed("members", offset, "the last entry is cut")),
        }
    }

    /// The clusters that hold rows of the collection, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.0.iter()
    }

    /// The collection's part of a cluster.
    pub fn of(&self, cluster: u32) -> Option<&Member> {
        let place = self.0.binary_search_by(|member| member.cluster.cmp(&cluster)).ok()?;
        self.0.get(place)
    }
}

impl Member {
    /// The cells that hold the slots. The first and the last may hold slots of other collections too.
    pub fn cells(&self, clusters: &Clusters) -> Range<u32> {
        let first = clusters.table().cells_of(self.cluster).start;
        let end = self.first_slot.saturating_add(self.slots).div_ceil(CELL_SLOTS as u32);
        first + self.first_slot / CELL_SLOTS as u32..first + end
    }
}

fn numbers(entry: &[u8; ENTRY_BYTES]) -> [u32; 3] {
    let mut numbers = [0; 3];
    for (number, bytes) in numbers.iter_mut().zip(entry.as_chunks::<4>().0) {
        *number = u32::from_le_bytes(*bytes);
    }
    numbers
}

/// The blocks of all collections; their rows end at `ends`.
pub(super) fn encode_members(
    clusters: &ClusterSections,
    sizes: &Sizes,
    ends: &[u64],
) -> Result<Vec<Vec<u8>>, SnapshotError> {
    let mut blocks = vec![Vec::new(); ends.len()];
    for (cluster, cells) in (0_u32..).zip(sizes.first_cells.windows(2)) {
        let rows: Vec<u64> = clusters.rows(sizes, cells[0]..cells[1]).map(u64::from).collect();
        let mut from = 0;
        for (block, end) in blocks.iter_mut().zip(ends) {
            let to = rows.partition_point(|row| row < end);
            if to > from {
                let slots = narrow(to - from, "slots in a cluster")?;
                for number in [cluster, narrow(from, "slots in a cluster")?, slots] {
                    block.extend(number.to_le_bytes());
                }
            }
            from = to;
        }
    }
    Ok(blocks)
}

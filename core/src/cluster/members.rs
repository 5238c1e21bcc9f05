//! Things by group: which rows each cluster has, and how many of them are whose.

/// The items of each group, in ascending order.
pub(super) struct Groups {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Groups {
    /// Puts item `i` of each list of `lists` into group `lists[..][i]`.
    pub(super) fn new(lists: &[&[u32]], count: usize) -> Self {
        let mut ends = vec![0_u32; count + 1];
        for group in lists.iter().copied().flatten() {
            ends.get_mut(*group as usize + 1).into_iter().for_each(|end| *end += 1);
        }
        (1..ends.len()).for_each(|group| ends[group] += ends[group - 1]);
        let mut next = ends.clone();
        let mut items = vec![0; lists.iter().map(|list| list.len()).sum()];
        for item in 0..lists.first().map_or(0, |list| list.len()) {
            for group in lists.iter().filter_map(|list| list.get(item)) {
                let Some(place) = next.get_mut(*group as usize) else { continue };
                items.get_mut(*place as usize).into_iter().for_each(|to| *to = item as u32);
                *place += 1;
            }
        }
        Self { ends, items }
    }

    pub(super) fn count(&self) -> usize {
        self.ends.len() - 1
    }

    pub(super) fn of(&self, group: usize) -> &[u32] {
        match self.ends.get(group..group + 2) {
            Some([start, end]) => self.items.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The block of the section members: where the pairs of each cluster end, then pairs of a collection and how many of
/// the cluster's next slots are its own. A run that is longer than 65,535 slots takes several pairs. Nothing unless
/// there are several collections.
pub(super) fn block(slots: &Groups, collections: &[u32]) -> Vec<u8> {
    if collections.len() < 2 {
        return Vec::new();
    }
    let (mut ends, mut pairs) = (vec![0_u32], Vec::<u8>::new());
    for cluster in 0..slots.count() {
        push_pairs(slots.of(cluster), collections, &mut pairs);
        ends.push((pairs.len() / 4) as u32);
    }
    let mut block: Vec<u8> = ends.iter().flat_map(|end| end.to_le_bytes()).collect();
    block.extend(pairs);
    block
}

fn push_pairs(mut rows: &[u32], collections: &[u32], pairs: &mut Vec<u8>) {
    let mut end = 0;
    for (number, count) in collections.iter().enumerate() {
        end += *count;
        let (mine, others) = rows.split_at(rows.partition_point(|row| *row < end));
        rows = others;
        for run in mine.chunks(usize::from(u16::MAX)) {
            pairs.extend((number as u16).to_le_bytes());
            pairs.extend((run.len() as u16).to_le_bytes());
        }
    }
}

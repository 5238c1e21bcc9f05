//! Things by group: which rows each cluster has.

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

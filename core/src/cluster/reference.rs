//! A search of the sections of clusters, as slow and as plain as can be: the oracle of tests and of measurements. It
//! reads the bytes as docs/format.md lays them down, and shares no code with what wrote them.

use half::f16;

/// The sections of a file's clusters, without checksums.
pub struct Sections<'a> {
    count: usize,
    width: usize,
    block: &'a [u8],
    cells: &'a [u8],
    cell_bytes: usize,
}

/// A slot of a scanned cluster.
pub struct Scanned {
    /// How many clusters are nearer than the slot's.
    pub rank: u32,
    /// The row that it belongs to.
    pub row: u32,
    /// What its distance from the question is taken to be.
    pub estimate: f32,
}

impl<'a> Sections<'a> {
    /// The clusters of a centroids' block and of cells.
    pub fn read(block: &'a [u8], cells: &'a [u8], cell_bytes: usize) -> Self {
        let width = (cell_bytes - 256) / 4;
        let count = (block.len() - 4) / (width / 2 + 16);
        Self { count, width, block, cells, cell_bytes }
    }

    fn number(&self, list: usize, place: usize) -> [u8; 4] {
        let at = self.count * (self.width / 2) + (list * self.count + place) * 4;
        self.block[at..at + 4].try_into().unwrap_or_default()
    }

    /// The centroid of a cluster.
    pub fn centroid(&self, cluster: usize) -> Vec<f32> {
        let scale = f32::from_le_bytes(self.number(0, cluster));
        let code = &self.block[cluster * self.width / 2..(cluster + 1) * self.width / 2];
        let nibbles = code.iter().flat_map(|byte| [byte & 15, byte >> 4]);
        nibbles.map(|nibble| scale * (2.0 * f32::from(nibble) - 15.0)).collect()
    }

    /// The spread of a cluster.
    pub fn spread(&self, cluster: usize) -> f32 {
        f32::from_le_bytes(self.number(2, cluster))
    }

    /// The rows of a cluster's slots.
    pub fn rows(&self, cluster: usize) -> Vec<u32> {
        let rows = self.cells_of(cluster).flat_map(|cell| cell[self.width * 4 + 128..].as_chunks::<4>().0);
        rows.map(|row| u32::from_le_bytes(*row)).filter(|row| *row != u32::MAX).collect()
    }

    /// The least and the greatest number of slots of a cluster.
    pub fn sizes(&self) -> (usize, usize) {
        let sizes = || (0..self.count).map(|cluster| self.rows(cluster).len());
        (sizes().min().unwrap_or_default(), sizes().max().unwrap_or_default())
    }

    fn cells_of(&self, cluster: usize) -> impl Iterator<Item = &'a [u8]> {
        let first = |cluster| u32::from_le_bytes(self.number(3, cluster)) as usize;
        let (start, end) = (first(cluster) * self.cell_bytes, first(cluster + 1) * self.cell_bytes);
        self.cells[start..end].chunks_exact(self.cell_bytes)
    }

    /// All slots of the `probed` clusters nearest to a rotated question, the nearest first. `base` gives the part of a
    /// distance that belongs to the question and the centroid, from the centroid.
    pub fn scan(
        &self,
        question: &[f32],
        probed: usize,
        scales: (f32, f32),
        base: &dyn Fn(&[f32]) -> f32,
    ) -> Vec<Scanned> {
        let apart = |c: &[f32]| c.iter().zip(question).map(|(c, q)| (c - q) * (c - q)).sum::<f32>();
        let centroids = (0..self.count).map(|cluster| (cluster, self.centroid(cluster)));
        let mut order: Vec<_> = centroids.map(|(cluster, c)| (cluster, apart(&c), base(&c))).collect();
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        let sums: Vec<[f32; 16]> = question.chunks_exact(4).map(sums_of_signs).collect();
        let mut slots = Vec::new();
        for (rank, (cluster, _, base)) in order.into_iter().take(probed).enumerate() {
            for cell in self.cells_of(cluster) {
                let found = (0..32).filter_map(|place| self.slot(cell, place, &sums, scales));
                slots.extend(found.map(|(row, rest)| Scanned {
                    rank: rank as u32,
                    row,
                    estimate: base + rest,
                }));
            }
        }
        slots.sort_unstable_by(|a, b| a.estimate.total_cmp(&b.estimate));
        slots
    }

    /// The row of a slot, and its estimate less the base.
    fn slot(&self, cell: &[u8], place: usize, sums: &[[f32; 16]], scales: (f32, f32)) -> Option<(u32, f32)> {
        let (signs, tail) = cell.split_at(self.width * 4);
        let row = u32::from_le_bytes(*tail[128..].as_chunks().0.get(place)?);
        let half = |at: usize| f16::from_le_bytes([tail[at + 2 * place], tail[at + 2 * place + 1]]).to_f32();
        let shift = if place < 16 { 0 } else { 4 };
        let nibbles = signs.as_chunks::<16>().0.iter().map(|group| group[place % 16] >> shift & 15);
        let sum: f32 = nibbles.zip(sums).map(|(nibble, sums)| sums[usize::from(nibble)]).sum();
        (row != u32::MAX).then_some((row, scales.0 * half(0) + scales.1 * half(64) * sum))
    }
}

/// The sums of four components for each choice of their signs; a bit that is set is a plus.
fn sums_of_signs(four: &[f32]) -> [f32; 16] {
    let signed = |nibble: usize, bit: usize| if nibble >> bit & 1 == 1 { four[bit] } else { -four[bit] };
    std::array::from_fn(|nibble| (0..4).map(|bit| signed(nibble, bit)).sum())
}

/// The first `wanted` different rows of the `probed` nearest clusters.
pub fn first_rows(slots: &[Scanned], probed: usize, wanted: usize) -> Vec<u32> {
    let mut rows = Vec::with_capacity(wanted);
    for slot in slots.iter().filter(|slot| (slot.rank as usize) < probed) {
        if rows.len() == wanted {
            break;
        }
        if !rows.contains(&slot.row) {
            rows.push(slot.row);
        }
    }
    rows
}

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

    /// All slots of the `probed` clusters nearest to a rotated question, the nearest first, under cosine or the inner
    /// product.
    pub fn scan(&self, question: &[f32], probed: usize, scales: (f32, f32)) -> Vec<Scanned> {
        let distance = |cluster: usize| -> (f32, f32) {
            let centroid = self.centroid(cluster);
            let pairs = || centroid.iter().zip(question);
            let apart = pairs().map(|(c, q)| (c - q) * (c - q)).sum();
            (apart, 1.0 - pairs().map(|(c, q)| c * q).sum::<f32>())
        };
        let mut order: Vec<(usize, (f32, f32))> = (0..self.count).map(|c| (c, distance(c))).collect();
        order.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let mut slots = Vec::new();
        for (rank, (cluster, (_, base))) in order.into_iter().take(probed).enumerate() {
            for cell in self.cells_of(cluster) {
                for place in 0..32 {
                    slots.extend(self.slot(cell, place, question, scales).map(|(row, estimate)| Scanned {
                        rank: rank as u32,
                        row,
                        estimate: base + estimate,
                    }));
                }
            }
        }
        slots.sort_by(|a, b| a.estimate.total_cmp(&b.estimate));
        slots
    }

    /// The row of a slot, and its estimate less that of its centroid.
    fn slot(&self, cell: &[u8], place: usize, question: &[f32], scales: (f32, f32)) -> Option<(u32, f32)> {
        let (signs, tail) = cell.split_at(self.width * 4);
        let row = u32::from_le_bytes(*tail[128..].as_chunks().0.get(place)?);
        let half = |at: usize| f16::from_le_bytes([tail[at + 2 * place], tail[at + 2 * place + 1]]).to_f32();
        let shift = if place < 16 { 0 } else { 4 };
        let mut sum = 0.0;
        for (group, four) in signs.chunks_exact(16).zip(question.chunks_exact(4)) {
            let nibble = group[place % 16] >> shift;
            for (bit, q) in four.iter().enumerate() {
                sum += if nibble >> bit & 1 == 1 { *q } else { -q };
            }
        }
        (row != u32::MAX).then_some((row, scales.0 * half(0) + scales.1 * half(64) * sum))
    }
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

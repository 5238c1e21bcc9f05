//! A query made ready for sign codes, and the scan of cells.
//!
//! The query becomes [`Tables`] of integers, which vector registers look up for many slots at once. Kernels of all
//! machines give the same candidates and the same bits.
//!
//! Use a [`SignQuery`] for one question over any number of cells. It keeps no best-so-far: the caller tightens the bound.

use super::{
    arch::{self, Level, ScanCells},
    cell::{NO_ROW, SLOTS, Tail, code_bytes, row},
    scalar,
    tables::Tables,
};

/// What all cells of one cluster have in common, for one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// The distance that belongs to query and centroid; see [`super::SlotFactors::base`].
    pub base: f32,
    /// The file's unit of A.
    pub a_scale: f32,
    /// The file's unit of F.
    pub f_scale: f32,
    /// How much a row's distance may lie below its estimate, for each unit of its |F|: a few standard deviations of
    /// the estimate's error.
    pub margin: f32,
}

/// Which rows may be candidates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mask<'a> {
    /// Bit `row % 64` of word `row / 64` is set if the row may be a candidate; rows beyond may not.
    pub bits: &'a [u64],
    /// True if so few rows may, fewer than about one in a hundred, that it pays to look whether a cell has one before
    /// its codes are touched. It changes no result.
    pub sparse: bool,
}

impl Mask<'_> {
    #[inline(always)]
    fn has(&self, row: u32) -> bool {
        self.bits.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

/// A row that may lie within the bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The estimate less the margin.
    pub low: f32,
    /// The estimated distance.
    pub estimate: f32,
    /// The row's number in its file.
    pub row: u32,
}

/// A rotated query as tables over groups of four components.
#[derive(Debug, Clone)]
pub struct SignQuery {
    /// The value of one unit of the sums.
    pub delta: f32,
    code_dimension: usize,
    tables: Tables,
    scan: ScanCells,
}

impl SignQuery {
    /// The tables of `rotated`, a query of the code dimension. 4 bytes a component.
    pub fn new(rotated: &[f32]) -> Self {
        Self::with_level(rotated, Level::best())
    }

    pub(super) fn with_level(rotated: &[f32], level: Level) -> Self {
        let (delta, tables) = Tables::new(rotated);
        Self { delta, code_dimension: rotated.len(), tables, scan: arch::scan_cells(level) }
    }

    /// Writes for each slot of `cell` the sum of +-z by the signs of its code; [`delta`](Self::delta) times it
    /// approximates `<s,q>`. Nothing is written if the cell is too short. The reference kernel: for tests and checks.
    pub fn scan(&self, cell: &[u8], sums: &mut [i32; SLOTS]) {
        if let Some(codes) = cell.get(..code_bytes(self.code_dimension)) {
            *sums = scalar::sums(codes, &self.tables);
        }
    }

    /// Writes the estimate of each slot of `cell`, empty ones included. Nothing is written if the cell is too short.
    /// The reference kernel, one cell at a time; [`scan_cells`](Self::scan_cells) is the fast way.
    pub fn estimates(&self, cell: &[u8], base: f32, a_scale: f32, f_scale: f32, out: &mut [f32; SLOTS]) {
        let Some((codes, tail)) = cell.split_at_checked(code_bytes(self.code_dimension)) else { return };
        let Some(tail) = Tail::of(tail) else { return };
        let frame = Frame { base, a_scale, f_scale, margin: 0.0 };
        let (scan, sums) = (self.job(&frame, None, f32::INFINITY), scalar::sums(codes, &self.tables));
        for (j, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
            (*out, _) = scalar::estimate(&scan, tail, j, sum);
        }
    }

    /// Appends to `out` the rows of `cells` whose estimate less the frame's margin is at most `bound`.
    ///
    /// Cells stand `stride` bytes apart: [`super::cell_bytes`] and a checksum, which is passed over. Empty slots are
    /// left out, and rows that `mask` leaves out. A last cell that is cut short is ignored.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call is a few cells, and all of these may change between calls"
    )]
    pub fn scan_cells(
        &self,
        cells: &[u8],
        stride: usize,
        frame: &Frame,
        mask: Option<Mask<'_>>,
        bound: f32,
        out: &mut Vec<Candidate>,
    ) {
        (self.scan)(&self.job(frame, mask, bound), cells, stride, out);
    }

    fn job<'a>(&'a self, frame: &Frame, mask: Option<Mask<'a>>, bound: f32) -> Scan<'a> {
        Scan {
            tables: &self.tables,
            code_bytes: code_bytes(self.code_dimension),
            base: frame.base,
            a_scale: frame.a_scale,
            slope: frame.f_scale * self.delta,
            margin: frame.f_scale.abs() * frame.margin,
            mask,
            bound,
        }
    }
}

/// All that a kernel needs to know but the cells.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pub(super) tables: &'a Tables,
    pub(super) code_bytes: usize,
    pub(super) base: f32,
    pub(super) a_scale: f32,
    /// The file's unit of F times the query's unit.
    pub(super) slope: f32,
    /// The margin for one unit of a stored |F|.
    pub(super) margin: f32,
    pub(super) mask: Option<Mask<'a>>,
    pub(super) bound: f32,
}

impl Scan<'_> {
    /// True if none of these rows may be a candidate, and it pays to know.
    #[inline(always)]
    pub(super) fn skips(&self, rows: &[u8; 4 * SLOTS]) -> bool {
        self.mask.is_some_and(|mask| mask.sparse && none_passes(rows, mask))
    }

    /// Appends the slots whose bits are set in `near`, but for empty ones and rows that may not be candidates. Not
    /// inlined: candidates are rare, and the scan needs the registers.
    #[cold]
    #[inline(never)]
    pub(super) fn push_all(
        &self,
        mut near: u32,
        sums: &[i32; SLOTS],
        tail: Tail<'_>,
        out: &mut Vec<Candidate>,
    ) {
        while near != 0 {
            let j = near.trailing_zeros() as usize % SLOTS;
            near &= near - 1;
            let row = row(tail.rows, j);
            if row != NO_ROW && self.mask.is_none_or(|mask| mask.has(row)) {
                let (estimate, low) = scalar::estimate(self, tail, j, sums[j]);
                out.push(Candidate { low, estimate, row });
            }
        }
    }
}

/// Eight rows at a time, without a branch between them.
#[inline(never)]
fn none_passes(rows: &[u8; 4 * SLOTS], mask: Mask<'_>) -> bool {
    let eights = rows.as_chunks::<32>().0;
    !eights
        .iter()
        .any(|eight| (0..8).fold(false, |any, j| any | mask.has(u32::from_le_bytes(eight.as_chunks().0[j]))))
}

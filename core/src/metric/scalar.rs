//! The reference kernels, in plain Rust: they define the bits that every other kernel must produce.
//!
//! Component `i` belongs to lane `i % 32`. A lane adds its terms in ascending `i`, each term rounded before it is
//! added (no fused multiply-add). A short last block is filled up with zeros. At the end the 32 lanes are folded in
//! halves: `(0..8 + 8..16) + (16..24 + 24..32)` gives 8, their halves give 4, then 2, then the sum. This order fits
//! four accumulators of eight lanes or eight of four, so that wide registers need no shuffling inside the loop.
//!
//! Use these where no kernel of [`super::arch`] fits the processor, and as the oracle of tests.

/// The number of lanes, and of components in one block.
pub(super) const LANES: usize = 32;

/// Writes one sum for each element of `out`: of products, or with `L2` of squared differences, between `query` and
/// the rows that lie one after another in `rows`, `row_bytes` each, of half floats with `F16`, else of floats.
///
/// `query` is filled up with zeros to a multiple of [`LANES`]. Rows that are missing leave `out` as it was.
pub(super) fn sum_rows<const F16: bool, const L2: bool>(
    query: &[f32],
    rows: &[u8],
    row_bytes: usize,
    out: &mut [f32],
) {
    if row_bytes == 0 {
        return out.fill(0.0);
    }
    for (row, sum) in rows.chunks_exact(row_bytes).zip(out) {
        *sum = if F16 { sum_f16::<L2>(query, row) } else { sum_f32::<L2>(query, row) };
    }
}

fn sum_f16<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, tail) = row.as_chunks::<{ 2 * LANES }>();
    let last = padded(tail);
    for (q, bytes) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
        let halves = bytes.as_chunks::<2>().0;
        let mut x = [0.0; LANES];
        for (x, half) in x.iter_mut().zip(halves) {
            *x = widen(u16::from_le_bytes(*half));
        }
        add_block::<L2>(&mut lanes, q, &x);
    }
    fold(&lanes)
}

fn sum_f32<const L2: bool>(query: &[f32], row: &[u8]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, tail) = row.as_chunks::<{ 4 * LANES }>();
    let last = padded(tail);
    for (q, bytes) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
        let mut x = [0.0; LANES];
        for (x, bytes) in x.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *x = f32::from_le_bytes(*bytes);
        }
        add_block::<L2>(&mut lanes, q, &x);
    }
    fold(&lanes)
}

/// The same of rows of bytes: a scale, then the components, filled up to a multiple of four bytes.
pub(super) fn sum_rows_i8<const L2: bool>(query: &[f32], rows: &[u8], row_bytes: usize, out: &mut [f32]) {
    for (row, sum) in rows.chunks_exact(row_bytes.max(1)).zip(out) {
        let Some((scale, bytes)) = row.split_first_chunk::<4>() else { continue };
        let scale = f32::from_le_bytes(*scale);
        let (mut lanes, (blocks, tail)) = ([0.0; LANES], bytes.as_chunks::<LANES>());
        let last = padded(tail);
        for (q, bytes) in query.as_chunks::<LANES>().0.iter().zip(blocks.iter().chain([&last])) {
            let x = bytes.map(|byte| scale * f32::from(byte.cast_signed()));
            add_block::<L2>(&mut lanes, q, &x);
        }
        *sum = fold(&lanes);
    }
}

/// The sum of the squares of `vector`, in the fixed lane order.
pub(super) fn squared_norm(vector: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, tail) = vector.as_chunks::<LANES>();
    for block in blocks {
        add_block::<false>(&mut lanes, block, block);
    }
    for (lane, x) in lanes.iter_mut().zip(tail) {
        *lane += x * x;
    }
    fold(&lanes)
}

#[inline(always)]
fn add_block<const L2: bool>(lanes: &mut [f32; LANES], q: &[f32; LANES], x: &[f32; LANES]) {
    for i in 0..LANES {
        lanes[i] += if L2 { (q[i] - x[i]) * (q[i] - x[i]) } else { q[i] * x[i] };
    }
}

fn fold(lanes: &[f32; LANES]) -> f32 {
    let mut eight = [0.0; 8];
    for i in 0..8 {
        eight[i] = (lanes[i] + lanes[8 + i]) + (lanes[16 + i] + lanes[24 + i]);
    }
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// `tail`, which is shorter than a block of `N` bytes, filled up with zero bytes.
pub(super) fn padded<const N: usize>(tail: &[u8]) -> [u8; N] {
    let mut block = [0; N];
    for (to, from) in block.iter_mut().zip(tail) {
        *to = *from;
    }
    block
}

/// The float of a finite half float, exact. An infinity or NaN, which [`super::encode_row`] never writes, gives some
/// finite number.
///
/// Sign-extended and shifted by 13, the half's sign, exponent and fraction stand where a float has them, but for the
/// copies of the sign between, which are masked. The exponent is then too small by the difference of the biases,
/// 127 - 15 = 112: the product by 2^112 is exact, and turns the half's subnormals into normal floats on the way.
#[inline(always)]
pub(crate) fn widen(half: u16) -> f32 {
    let extended = i32::from(half.cast_signed()).cast_unsigned();
    f32::from_bits((extended << 13) & WIDENED_BITS) * TWO_POW_112
}

/// The bits of a float that [`widen`] fills from a half: the sign, 5 of the exponent, 10 of the fraction.
pub(crate) const WIDENED_BITS: u32 = 0x8fff_e000;

/// 2^112 as a float.
pub(crate) const TWO_POW_112: f32 = f32::from_bits((127 + 112) << 23);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_half_widens_exactly() {
        for bits in 0..=u16::MAX {
            let half = half::f16::from_bits(bits);
            if half.is_finite() {
                assert_eq!(widen(bits).to_bits(), half.to_f32().to_bits(), "half {bits:#06x}");
            }
        }
    }

    #[test]
    fn a_row_shorter_than_a_block_counts_all_its_components() {
        let mut query = vec![0.0; LANES];
        query[..3].copy_from_slice(&[1.0, 2.0, 3.0]);
        let row: Vec<u8> = [4.0_f32, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let mut out = [0.0; 1];
        sum_rows::<false, false>(&query, &row, 12, &mut out);
        assert_eq!(out, [32.0]);
        sum_rows::<false, true>(&query, &row, 12, &mut out);
        assert_eq!(out, [27.0]);
    }
}

//! Evaluation: bound conditions over blocks of column values, one bit a row.
//!
//! Each test fills words of 64 rows in a loop without branches, which the compiler turns into vector instructions;
//! AND and OR work on whole words.

use super::{
    bind::{Bound, Filter, Pass},
    column::{ColumnBlock, ColumnData, Mask},
    reach::Reach,
};
use crate::error::{Result, SnapshotError};

impl Filter {
    /// The rows for which the condition is true. `blocks` are the blocks of [`columns`](Self::columns), in that
    /// order, all of `rows` rows.
    ///
    /// # Errors
    /// [`SnapshotError::Malformed`] if a block is missing, too short, or of another type than the column was bound
    /// as: then the file contradicts its own schema.
    pub fn evaluate(&self, rows: usize, blocks: &[ColumnBlock<'_>]) -> Result<Mask> {
        if blocks.len() != self.columns.len() {
            return Err(malformed(format!("{} blocks for {} columns", blocks.len(), self.columns.len())));
        }
        for (block, column) in blocks.iter().zip(&self.columns) {
            let held = block.data.capacity().min(block.valid.len().saturating_mul(8));
            if block.rows != rows || held < rows {
                return Err(malformed(format!("{column} has {held} values in a block of {rows} rows")));
            }
        }
        let mut words = vec![0; rows.div_ceil(64)];
        self.fill(&self.root, blocks, &mut words)?;
        Ok(Mask::new(rows, words))
    }

    fn fill(&self, node: &Bound, blocks: &[ColumnBlock<'_>], out: &mut [u64]) -> Result<()> {
        match node {
            Bound::Constant(value) => out.fill(if *value { u64::MAX } else { 0 }),
            Bound::Leaf(column, pass) => {
                let filled = blocks.get(*column).is_some_and(|block| fill_leaf(pass, block, out));
                if !filled {
                    let name = self.columns.get(*column).map(ToString::to_string).unwrap_or_default();
                    return Err(malformed(format!("{name} is stored as another type than the schema says")));
                }
            }
            Bound::And(parts) => self.combine(parts, blocks, out, 0, |a, b| a & b)?,
            Bound::Or(parts) => self.combine(parts, blocks, out, u64::MAX, |a, b| a | b)?,
        }
        Ok(())
    }

    /// Combines parts with `join`, until every word is `settled` and the rest cannot change it.
    fn combine(
        &self,
        parts: &[Bound],
        blocks: &[ColumnBlock<'_>],
        out: &mut [u64],
        settled: u64,
        join: fn(u64, u64) -> u64,
    ) -> Result<()> {
        out.fill(!settled);
        let mut part_words = vec![0; out.len()];
        for part in parts {
            self.fill(part, blocks, &mut part_words)?;
            for (word, part) in out.iter_mut().zip(&part_words) {
                *word = join(*word, *part);
            }
            if out.iter().all(|word| *word == settled) {
                break;
            }
        }
        Ok(())
    }
}

fn malformed(reason: String) -> crate::Error {
    SnapshotError::Malformed { section: String::from("columns"), offset: 0, reason }.into()
}

/// Fills `out` with the rows that pass; false if the block's type is not the test's.
fn fill_leaf(pass: &Pass, block: &ColumnBlock<'_>, out: &mut [u64]) -> bool {
    match (pass, block.data) {
        (Pass::Null, _) => {
            copy_bits(block.valid, out);
            out.iter_mut().for_each(|word| *word = !*word);
            return true;
        }
        (Pass::Present, _) => out.fill(u64::MAX),
        (Pass::Bool(wanted), ColumnData::Bool(bits)) => {
            copy_bits(bits, out);
            let flip = if *wanted { 0 } else { u64::MAX };
            out.iter_mut().for_each(|word| *word ^= flip);
        }
        (Pass::Int(reach), ColumnData::Int(values)) => fill_ints(*reach, values, out),
        (Pass::Float(reach), ColumnData::Float(values)) => fill_floats(*reach, values, out),
        (Pass::Code(reach), ColumnData::Text(codes)) => fill_codes(*reach, codes, out),
        (Pass::Keys(set, negated), ColumnData::Int(values)) => {
            pack(values, out, |value| set.contains(i64::from_le_bytes(value)) != *negated);
        }
        (Pass::Keys(set, negated), ColumnData::Text(codes)) => {
            pack(codes, out, |code| set.contains(i64::from(u32::from_le_bytes(code))) != *negated);
        }
        (Pass::Floats(set, negated), ColumnData::Float(values)) => {
            pack(values, out, |value| set.contains(f64::from_le_bytes(value)) != *negated);
        }
        _ => return false,
    }
    and_bits(block.valid, out);
    true
}

// A range test is one compare: everything below the range wraps around to far above its width.

fn fill_ints(reach: Reach<i64>, values: &[[u8; 8]], out: &mut [u64]) {
    let (low, high, flip) = bounds(reach, i64::MIN, i64::MAX);
    let width = high.wrapping_sub(low) as u64;
    pack(values, out, |value| (i64::from_le_bytes(value).wrapping_sub(low) as u64 <= width) != flip);
}

fn fill_codes(reach: Reach<u32>, codes: &[[u8; 4]], out: &mut [u64]) {
    let (low, high, flip) = bounds(reach, u32::MIN, u32::MAX);
    let width = high.wrapping_sub(low);
    pack(codes, out, |code| (u32::from_le_bytes(code).wrapping_sub(low) <= width) != flip);
}

fn fill_floats(reach: Reach<f64>, values: &[[u8; 8]], out: &mut [u64]) {
    let (low, high, flip) = bounds(reach, f64::NEG_INFINITY, f64::INFINITY);
    pack(values, out, |value| {
        let value = f64::from_le_bytes(value);
        ((value >= low) & (value <= high)) != flip
    });
}

/// A reach as a range, and whether it is what lies outside that passes.
fn bounds<T>(reach: Reach<T>, min: T, max: T) -> (T, T, bool) {
    match reach {
        Reach::Within(low, high) => (low, high, false),
        Reach::Outside(low, high) => (low, high, true),
        Reach::Everything => (min, max, false),
        Reach::Nothing => (min, max, true),
    }
}

/// One bit per value, lowest first.
#[inline(always)]
fn pack<T: Copy>(values: &[T], out: &mut [u64], test: impl Fn(T) -> bool) {
    let (whole, rest) = values.as_chunks::<64>();
    let mut words = out.iter_mut();
    for (chunk, word) in whole.iter().zip(&mut words) {
        *word = pack_64(chunk, &test);
    }
    if let Some(word) = out.get_mut(whole.len()) {
        *word = rest
            .iter()
            .take(64)
            .enumerate()
            .fold(0, |bits, (row, value)| bits | u64::from(test(*value)) << row);
    }
}

#[inline(always)]
fn pack_64<T: Copy>(chunk: &[T; 64], test: &impl Fn(T) -> bool) -> u64 {
    let mut bits = 0;
    for (row, value) in chunk.iter().enumerate() {
        bits |= u64::from(test(*value)) << row;
    }
    bits
}

/// The words of a bitmap; bytes that are missing count as 0.
fn words_of(bits: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let (whole, rest) = bits.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    whole.iter().map(|bytes| u64::from_le_bytes(*bytes)).chain([u64::from_le_bytes(last), 0])
}

fn copy_bits(bits: &[u8], out: &mut [u64]) {
    out.iter_mut().zip(words_of(bits)).for_each(|(word, bits)| *word = bits);
}

fn and_bits(bits: &[u8], out: &mut [u64]) {
    out.iter_mut().zip(words_of(bits)).for_each(|(word, bits)| *word &= bits);
}

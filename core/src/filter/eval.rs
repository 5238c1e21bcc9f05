//! Evaluation: bound conditions over blocks of column values, one bit a row.
//!
//! Each test fills words of 64 rows in a loop without branches, which the compiler turns into vector instructions;
//! AND and OR work on whole words.

use super::{
    bind::{Bound, Filter, Pass},
    column::{ColumnBlock, ColumnData, ListData, Mask},
    plain::PlainTest,
    reach::Reach,
};
use crate::{
    error::{Result, SnapshotError},
    pattern::Scratch,
    query::Column,
};

impl Filter {
    /// The rows for which the condition is true. `blocks` are the blocks of [`columns`](Self::columns), in that
    /// order, all of `rows` rows.
    ///
    /// # Errors
    /// [`SnapshotError::Malformed`] if a block is missing, too short, or of another type than the column was bound
    /// as: then the file contradicts its own schema.
    pub fn evaluate(&self, rows: usize, blocks: &[ColumnBlock<'_>]) -> Result<Mask> {
        Ok(Mask::new(rows, self.words(rows, blocks, None)?))
    }

    /// The rows for which the condition depends on their documents, which need not be read for the others: `evaluate`
    /// may be given anything as theirs. `blocks` as for [`evaluate`](Self::evaluate), that of documents ignored.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn undecided(&self, rows: usize, blocks: &[ColumnBlock<'_>]) -> Result<Mask> {
        // Without NOT a test that turns true makes no row fail: these are the most and the fewest rows that can pass.
        let mut most = self.words(rows, blocks, Some(true))?;
        let fewest = self.words(rows, blocks, Some(false))?;
        most.iter_mut().zip(&fewest).for_each(|(most, fewest)| *most &= !fewest);
        Ok(Mask::new(rows, most))
    }

    /// The rows that can pass, whatever their documents are. `blocks` as for [`undecided`](Self::undecided).
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn possible(&self, rows: usize, blocks: &[ColumnBlock<'_>]) -> Result<Mask> {
        Ok(Mask::new(rows, self.words(rows, blocks, Some(true))?))
    }

    /// `documents`: what tests of documents come to, instead of reading them.
    fn words(&self, rows: usize, blocks: &[ColumnBlock<'_>], documents: Option<bool>) -> Result<Vec<u64>> {
        if blocks.len() != self.columns.len() {
            return Err(malformed(format!("{} blocks for {} columns", blocks.len(), self.columns.len())));
        }
        for (block, column) in blocks.iter().zip(&self.columns) {
            let held = block.data.capacity().min(block.valid.len().saturating_mul(8));
            let read = documents.is_none() || *column != Column::Document;
            if read && (block.rows != rows || held < rows) {
                return Err(malformed(format!("{column} has {held} values in a block of {rows} rows")));
            }
        }
        let mut words = vec![0; rows.div_ceil(64)];
        self.fill(&self.root, blocks, documents, &mut words)?;
        Ok(words)
    }

    fn fill(
        &self,
        node: &Bound,
        blocks: &[ColumnBlock<'_>],
        documents: Option<bool>,
        out: &mut [u64],
    ) -> Result<()> {
        match node {
            Bound::Constant(value) => out.fill(if *value { u64::MAX } else { 0 }),
            Bound::Leaf(column, pass) => {
                let name = self.columns.get(*column);
                if let (Some(assumed), Some(Column::Document)) = (documents, name) {
                    out.fill(if assumed { u64::MAX } else { 0 });
                    return Ok(());
                }
                let filled = blocks.get(*column).is_some_and(|block| fill_leaf(pass, block, out));
                if !filled {
                    let name = name.map(ToString::to_string).unwrap_or_default();
                    return Err(malformed(format!("{name} is stored as another type than the schema says")));
                }
            }
            Bound::And(parts) => self.combine(parts, blocks, documents, out, true)?,
            Bound::Or(parts) => self.combine(parts, blocks, documents, out, false)?,
        }
        Ok(())
    }

    /// Combines parts, until the rest cannot change any row: under AND when none passes, under OR when all do.
    fn combine(
        &self,
        parts: &[Bound],
        blocks: &[ColumnBlock<'_>],
        documents: Option<bool>,
        out: &mut [u64],
        and: bool,
    ) -> Result<()> {
        let settled = if and { 0 } else { u64::MAX };
        out.fill(!settled);
        let mut part_words = vec![0; out.len()];
        for part in parts {
            self.fill(part, blocks, documents, &mut part_words)?;
            for (word, part) in out.iter_mut().zip(&part_words) {
                *word = if and { *word & *part } else { *word | *part };
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
    let filled = match (pass, block.data) {
        (Pass::Null, _) => {
            copy_bits(block.valid, out);
            out.iter_mut().for_each(|word| *word = !*word);
            return true;
        }
        (Pass::Plain(test), ColumnData::Plain(texts)) => {
            fill_plain(test, texts, block.valid, out);
            true
        }
        (Pass::Items(item, negated), ColumnData::List(lists)) => fill_lists(item, lists, *negated, out),
        (pass, data) => fill_values(pass, data, out),
    };
    and_bits(block.valid, out);
    filled
}

/// The texts that pass. Those of null rows may be missing, and are not looked at.
fn fill_plain(test: &PlainTest, texts: &[&str], valid: &[u8], out: &mut [u64]) {
    let mut scratch = Scratch::default();
    for ((word, valid), texts) in out.iter_mut().zip(words_of(valid)).zip(texts.chunks(64)) {
        let mut passes = |row: usize, text: &str| valid >> row & 1 == 1 && test.holds(text, &mut scratch);
        *word = (0..).zip(texts).fold(0, |bits, (row, text)| bits | u64::from(passes(row, text)) << row);
    }
}

/// The lists with an item that passes, or without one; false if items are missing or of another type.
fn fill_lists(item: &Pass, lists: ListData<'_>, negated: bool, out: &mut [u64]) -> bool {
    let end = |end: &[u8; 4]| u32::from_le_bytes(*end) as usize;
    let items = lists.items.as_column();
    let count = lists.ends.last().map_or(0, end);
    if items.capacity() < count {
        return false;
    }
    let mut words = vec![0; count.div_ceil(64)];
    if !fill_values(item, items, &mut words) {
        return false;
    }
    let mut start = 0;
    for (word, ends) in out.iter_mut().zip(lists.ends.chunks(64)) {
        let behind = ends.last().map_or(start, end);
        // Most runs of rows hold no item that passes.
        if !any_between(&words, start, behind) {
            *word = if negated { u64::MAX } else { 0 };
            start = behind;
            continue;
        }
        *word = (0..).zip(ends).fold(0, |bits, (row, next)| {
            let found = any_between(&words, start, end(next));
            start = end(next);
            bits | u64::from(found != negated) << row
        });
    }
    true
}

/// Whether a bit from `start` on and before `end` is set.
#[inline]
fn any_between(words: &[u64], start: usize, end: usize) -> bool {
    if start >= end {
        return false;
    }
    let word = |at: usize| words.get(at).copied().unwrap_or(0);
    let (first, last) = (start / 64, (end - 1) / 64);
    let (head, tail) = (u64::MAX << (start % 64), u64::MAX >> (63 - (end - 1) % 64));
    if first == last {
        return word(first) & head & tail != 0;
    }
    let between = words.get(first + 1..last).unwrap_or_default();
    word(first) & head != 0 || word(last) & tail != 0 || between.iter().any(|word| *word != 0)
}

/// Fills `out` with the values that pass, null or not; false if their type is not the test's.
fn fill_values(pass: &Pass, data: ColumnData<'_>, out: &mut [u64]) -> bool {
    match (pass, data) {
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

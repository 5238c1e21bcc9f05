//! A vocabulary in a sixth of its bytes: sorted tokens, front coded, then arithmetic coded.
//!
//! A page reads the whole vocabulary before its first statement with a text, so its size is waiting time. Each token
//! is how much it shares with the one before and then its other bytes; both are decided bit by bit, each bit by an
//! adaptive model of its neighbourhood (docs/format.md gives the arithmetic). Integers only: the same on every
//! machine. It knows nothing of what tokens mean, and is too slow for more than some megabytes: 30,000 tokens take
//! about ten milliseconds.

use crate::error::SnapshotError;

/// What ends a token.
const END: u8 = b'\n';
/// The longest text a decoder makes: tenfold that of the largest multilingual vocabularies.
const MAX_TEXT_BYTES: usize = 16 << 20;
/// The number of adaptive probabilities, a power of two: six times as many as a vocabulary of 30,000 tokens uses.
const CELL_BITS: u32 = 17;
/// The place of the last rate. More bits to remember adapt too slowly, fewer forget too fast.
const LAST_RATE: u16 = 60;
/// How far a probability moves towards its n-th bit, in units of 2^-16: 1 / (n + 1.5), or a little less.
const RATES: [u32; LAST_RATE as usize + 1] = {
    let (mut rates, mut n) = ([0; LAST_RATE as usize + 1], 0);
    while n < rates.len() {
        rates[n] = (1 << 17) / (2 * n as u32 + 3);
        n += 1;
    }
    rates
};

/// The code of tokens, none of which holds a line feed. Any order is right; a sorted one is short.
///
/// # Errors
/// [`SnapshotError::CannotWrite`] for tokens that a decoder would not make.
pub fn encode_vocabulary<'t>(tokens: impl IntoIterator<Item = &'t str>) -> Result<Vec<u8>, SnapshotError> {
    let mut bytes = 0;
    let (mut model, mut writer) = (Model::new(), Writer { range: Range::new(), out: Vec::new() });
    let mut before: &[u8] = &[];
    for token in tokens.into_iter().map(str::as_bytes) {
        let shared = token.iter().zip(before).take_while(|(a, b)| a == b).count();
        for kept in (shared.max(1)..=before.len()).rev() {
            writer.bit(model.cell(kept_context(before, kept), 0), kept == shared);
        }
        for place in shared..=token.len() {
            let context = byte_context(token, place, (place == shared).then_some(before));
            let byte = token.get(place).copied().unwrap_or(END);
            (0..8).rev().fold(1, |node, shift| {
                let bit = byte >> shift & 1;
                writer.bit(model.cell(context, node), bit == 1);
                node << 1 | u32::from(bit)
            });
        }
        before = token;
        bytes += token.len() + 1;
    }
    if bytes > MAX_TEXT_BYTES {
        let reason = format!("{bytes} bytes of vocabulary are more than {MAX_TEXT_BYTES}");
        return Err(SnapshotError::CannotWrite { reason });
    }
    Ok(writer.finish())
}

/// The text of `count` tokens, one a line, in the order in which they were encoded. `None` for a code that was not
/// made by [`encode_vocabulary`] from that many tokens.
pub fn decode_vocabulary(code: &[u8], count: u32) -> Option<String> {
    let (mut model, mut reader) = (Model::new(), Reader::new(code)?);
    let (mut text, mut before) = (Vec::new(), 0);
    for _ in 0..count {
        let start = text.len();
        let shared = read_shared(&mut model, &mut reader, text.get(before..start.saturating_sub(1))?)?;
        text.extend_from_within(before..before + shared);
        let mut first = true;
        loop {
            let (older, token) = text.split_at_checked(start)?;
            let old = older.get(before..older.len().saturating_sub(1))?;
            let context = byte_context(token, token.len(), first.then_some(old));
            let mut node = 1;
            while node < 256 {
                node = node << 1 | u32::from(reader.bit(model.cell(context, node))?);
            }
            text.push(node as u8);
            if text.len() > MAX_TEXT_BYTES {
                return None;
            }
            if node as u8 == END {
                break;
            }
            first = false;
        }
        before = start;
    }
    if reader.code.is_empty() { String::from_utf8(text).ok() } else { None }
}

/// How many bytes a token shares with the one before.
fn read_shared(model: &mut Model, reader: &mut Reader<'_>, before: &[u8]) -> Option<usize> {
    for kept in (1..=before.len()).rev() {
        if reader.bit(model.cell(kept_context(before, kept), 0))? {
            return Some(kept);
        }
    }
    Some(0)
}

/// What says whether exactly `kept` bytes are shared, more being excluded: the byte that is then replaced, the depth,
/// and the distance from the end.
fn kept_context(before: &[u8], kept: usize) -> u32 {
    let replaced = before.get(kept).copied().unwrap_or(0);
    1 << 31 | u32::from(replaced) << 8 | (kept.min(7) as u32) << 4 | (before.len() - kept).min(3) as u32
}

/// What says which byte comes at `place` of a token: the byte before it; and for the first that is not shared, the
/// byte that it replaces. Leaves room for a node of the tree of bytes.
fn byte_context(token: &[u8], place: usize, before: Option<&[u8]>) -> u32 {
    let last = place.checked_sub(1).and_then(|place| token.get(place)).copied().unwrap_or(0);
    let replaced = before.map_or(0, |before| 1 + u32::from(before.get(place).copied().unwrap_or(0)));
    replaced << 16 | u32::from(last) << 8
}

/// The probabilities that a bit is set, by what surrounds it. Contexts that meet in one cell cost bytes, not
/// correctness.
struct Model {
    cells: Vec<Cell>,
}

impl Model {
    fn new() -> Self {
        Self { cells: vec![Cell { set: 1 << 15, seen: 0 }; 1 << CELL_BITS] }
    }

    /// The cell of a node of the tree of bytes, in its context.
    fn cell(&mut self, context: u32, node: u32) -> &mut Cell {
        // Fibonacci hashing: the multiplier is 2^32 divided by the golden ratio. The nodes of a context stay close to
        // each other, in one or two lines of a processor's cache.
        let place = context.wrapping_mul(0x9e37_79b1) >> (32 - CELL_BITS) ^ node;
        &mut self.cells[place as usize]
    }
}

/// One adaptive probability.
#[derive(Clone, Copy)]
struct Cell {
    /// That the bit is set, in units of 2^-16; never 0, never 1, because what is added is less than what is missing.
    set: u16,
    /// How many bits it was learnt from, up to [`LAST_RATE`].
    seen: u16,
}

impl Cell {
    fn learn(&mut self, bit: bool) {
        let part = |rest: u16| ((u32::from(rest) * RATES[usize::from(self.seen)]) >> 16) as u16;
        self.set = if bit { self.set + part(u16::MAX - self.set) } else { self.set - part(self.set) };
        self.seen = LAST_RATE.min(self.seen + 1);
    }
}

/// The interval that the bits so far lead to; `low` < `high`, and their first bytes differ.
struct Range {
    low: u32,
    high: u32,
}

impl Range {
    fn new() -> Self {
        Self { low: 0, high: u32::MAX }
    }

    /// The last number of the part for a set bit.
    fn split(&self, cell: &Cell) -> u32 {
        self.low + ((u64::from(self.high - self.low) * u64::from(cell.set)) >> 16) as u32
    }

    fn narrow(&mut self, split: u32, bit: bool) {
        if bit { self.high = split } else { self.low = split + 1 }
    }

    /// The first byte, once it is decided; the rest of the interval takes its place.
    fn decided(&mut self) -> Option<u8> {
        let byte = self.low >> 24;
        (byte == self.high >> 24).then(|| {
            (self.low, self.high) = (self.low << 8, self.high << 8 | 255);
            byte as u8
        })
    }
}

struct Writer {
    range: Range,
    out: Vec<u8>,
}

impl Writer {
    fn bit(&mut self, cell: &mut Cell, bit: bool) {
        self.range.narrow(self.range.split(cell), bit);
        cell.learn(bit);
        while let Some(byte) = self.range.decided() {
            self.out.push(byte);
        }
    }

    /// Any number of the interval ends the code; the lowest is what a reader of whole words expects.
    fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(&self.range.low.to_be_bytes());
        self.out
    }
}

struct Reader<'c> {
    range: Range,
    /// The four bytes of the code at the place of the interval.
    value: u32,
    code: &'c [u8],
}

impl<'c> Reader<'c> {
    fn new(code: &'c [u8]) -> Option<Self> {
        let (value, code) = code.split_first_chunk::<4>()?;
        Some(Self { range: Range::new(), value: u32::from_be_bytes(*value), code })
    }

    /// The next bit; `None` when the code has ended.
    fn bit(&mut self, cell: &mut Cell) -> Option<bool> {
        let split = self.range.split(cell);
        let bit = self.value <= split;
        self.range.narrow(split, bit);
        cell.learn(bit);
        while self.range.decided().is_some() {
            let (byte, rest) = self.code.split_first()?;
            (self.value, self.code) = (self.value << 8 | u32::from(*byte), rest);
        }
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(tokens: &[&str]) -> usize {
        let code = encode_vocabulary(tokens.iter().copied()).unwrap();
        let text = decode_vocabulary(&code, tokens.len() as u32);
        let expected: String = tokens.iter().flat_map(|token| [token, "\n"]).collect();
        assert_eq!(text.as_deref(), Some(expected.as_str()));
        code.len()
    }

    #[test]
    fn any_tokens_come_back_in_their_order() {
        round_trip(&[]);
        round_trip(&[""]);
        round_trip(&["", "", "a", "a", "ab\r", "##b", "", "zebra"]);
        round_trip(&["é", "ê", "中", "中文", "\u{10ffff}", "\0", "b"]);
    }

    #[test]
    fn a_real_vocabulary_takes_forty_kilobytes() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/wordnet/static-256/vocab.txt");
        let text = std::fs::read_to_string(file).unwrap();
        let mut tokens: Vec<&str> = text.lines().collect();
        tokens.sort_unstable();
        let bytes = round_trip(&tokens);
        assert!(bytes < 41_000, "{} bytes of {}", bytes, text.len());
    }

    #[test]
    fn every_cut_and_every_other_count_is_refused() {
        let tokens: Vec<String> = (0..300).map(|i| format!("token{}", i * 7)).collect();
        let code = encode_vocabulary(tokens.iter().map(String::as_str)).unwrap();
        for cut in 0..code.len() {
            assert_eq!(decode_vocabulary(&code[..cut], 300), None, "cut after {cut} bytes");
        }
        let longer = [&code[..], &[0]].concat();
        assert_eq!(decode_vocabulary(&longer, 300), None);
        assert_eq!(decode_vocabulary(&code, u32::MAX), None);
    }

    #[test]
    fn forged_codes_end() {
        let mut seed = 1_u32;
        for length in 0..500 {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            decode_vocabulary(&noise, u32::MAX);
        }
        // The likeliest bit for ever: the longest text that a code can ask for.
        for byte in [0, 255] {
            assert_eq!(decode_vocabulary(&vec![byte; 100_000], u32::MAX), None);
        }
    }
}

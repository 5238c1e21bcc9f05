//! What a filter reads and what it returns: blocks of column values, dictionaries of texts, masks of rows.

/// The distinct texts of one column, sorted by their bytes. A row stores the position of its text, its *code*, so
/// that comparing codes compares texts. The ids of a collection are such a dictionary too.
pub trait TextDictionary {
    /// The number of texts.
    fn len(&self) -> u32;

    /// The text of a code; `None` past the end.
    fn get(&self, code: u32) -> Option<&str>;

    /// Whether there are no texts.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A run of rows of one column. Several columns are filtered together in blocks of the same rows; 4,096 to 65,536
/// rows a block keep all of them in the processor's cache.
#[derive(Debug, Clone, Copy)]
pub struct ColumnBlock<'a> {
    /// The number of rows.
    pub rows: usize,
    /// One bit per row, lowest bit first: 1 where there is a value, 0 where it is null. At least `rows` bits.
    pub valid: &'a [u8],
    /// The values; those of null rows mean nothing.
    pub data: ColumnData<'a>,
}

/// The values of a block, at least one for each of its rows, as they lie in the file.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ColumnData<'a> {
    /// One bit per row, lowest bit first.
    Bool(&'a [u8]),
    /// Little-endian `i64`: integers, and times in microseconds.
    Int(&'a [[u8; 8]]),
    /// Little-endian `f64`.
    Float(&'a [[u8; 8]]),
    /// Little-endian `u32` codes into the column's [`TextDictionary`].
    Text(&'a [[u8; 4]]),
    /// Texts without a dictionary: documents. Those of null rows may be anything.
    Plain(&'a [&'a str]),
    /// A list for each row.
    List(ListData<'a>),
}

/// The lists of a block: the items of all rows one after the other, nulls left out.
#[derive(Debug, Clone, Copy)]
pub struct ListData<'a> {
    /// For each row the little-endian `u32` number of items up to the end of its list. They never fall.
    pub ends: &'a [[u8; 4]],
    /// The items.
    pub items: ItemData<'a>,
}

/// The items of lists, stored as the values of a column of their type.
#[derive(Debug, Clone, Copy)]
pub enum ItemData<'a> {
    /// As [`ColumnData::Bool`].
    Bool(&'a [u8]),
    /// As [`ColumnData::Int`].
    Int(&'a [[u8; 8]]),
    /// As [`ColumnData::Float`].
    Float(&'a [[u8; 8]]),
    /// As [`ColumnData::Text`].
    Text(&'a [[u8; 4]]),
}

impl<'a> ItemData<'a> {
    /// The items as a column with a row each.
    pub(super) fn as_column(self) -> ColumnData<'a> {
        match self {
            Self::Bool(bits) => ColumnData::Bool(bits),
            Self::Int(values) => ColumnData::Int(values),
            Self::Float(values) => ColumnData::Float(values),
            Self::Text(codes) => ColumnData::Text(codes),
        }
    }
}

impl ColumnData<'_> {
    /// How many rows there are values for. Bits come in whole bytes, so a few more than meant for `Bool`.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Bool(bits) => bits.len().saturating_mul(8),
            Self::Int(values) | Self::Float(values) => values.len(),
            Self::Text(codes) => codes.len(),
            Self::Plain(texts) => texts.len(),
            Self::List(lists) => lists.ends.len(),
        }
    }
}

/// A set of rows of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    rows: usize,
    words: Vec<u64>,
}

impl Mask {
    /// A mask over `words`, lowest bit first. Bits past `rows` are cleared, missing words are zero.
    pub(crate) fn new(rows: usize, mut words: Vec<u64>) -> Self {
        words.resize(rows.div_ceil(64), 0);
        if let Some(last) = words.last_mut() {
            *last &= u64::MAX >> ((64 - rows % 64) % 64);
        }
        Self { rows, words }
    }

    /// The number of rows of the block.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The bits, lowest first, in ⌈rows / 64⌉ words; bits past the last row are 0.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether `row` is in the set; false past the end.
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// How many rows are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The rows of the set, ascending. Costs one step per row found and per word.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(position, &word)| Ones(word).map(move |bit| position * 64 + bit))
    }
}

/// The positions of the ones of a word, ascending.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0.wrapping_sub(1);
        (bit < 64).then_some(bit)
    }
}

//! Choices drawn from bytes, and literals read from a statement: what tables and conditions are made of.

use portolan::time::parse_time;

/// The bytes not drawn yet. When they are used up it goes on with fixed noise, so that a bare statement is an input
/// too.
pub struct Draw<'a> {
    bytes: &'a [u8],
    noise: u64,
}

impl<'a> Draw<'a> {
    /// Draws from `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, noise: 0x243f_6a88_85a3_08d3 }
    }

    fn byte(&mut self) -> u8 {
        if let Some((first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return *first;
        }
        self.noise =
            self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.noise >> 56) as u8
    }

    /// A number below `end`, which is 1 to 256.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of `values`; `None` if there are none.
    pub fn one_of<'v, T>(&mut self, values: &'v [T]) -> Option<&'v T> {
        values.get(self.below(values.len()))
    }

    /// Any integer.
    pub fn any_int(&mut self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }
}

/// The most literals of one type that are taken from a statement.
const MAX_LITERALS: usize = 64;

/// Values at which something may change: fixed ones, and those that stand in a statement.
pub struct Literals {
    /// Integers.
    pub ints: Vec<i64>,
    /// Finite floats.
    pub floats: Vec<f64>,
    /// Texts.
    pub texts: Vec<String>,
    /// Times, in microseconds.
    pub times: Vec<i64>,
}

impl Literals {
    /// Without a statement.
    pub fn fixed() -> Self {
        let exact = 1_i64 << 53;
        let ints = vec![0, 1, 2, 3, -1, 47, i64::MIN, i64::MAX, exact, exact + 1, -exact - 1, i64::MAX - 1];
        let floats = vec![
            0.0,
            -0.0,
            1.0,
            2.0,
            2.5,
            -2.5,
            0.1,
            9007199254740992.0,
            9.3e18,
            i64::MIN as f64,
            1e300,
            -1e300,
            5e-324,
        ];
        let texts = ["", "a", "B", "ab", "b", "é", "zz", "a'b", "\u{9b}", "%_"].map(String::from).to_vec();
        let times = vec![0, 1, -1, 1_714_521_600_000_000, 1_714_521_600_000_001, -62_167_219_200_000_000];
        Self { ints, floats, texts, times }
    }

    /// Those of `sql` too, found by their looks and not by the grammar, which is free to change.
    pub fn of(sql: &str) -> Self {
        let mut literals = Self::fixed();
        for text in sql.split(['\'', '"']).take(MAX_LITERALS) {
            literals.texts.push(String::from(text));
            literals.times.extend(parse_time(text));
        }
        let number = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        for word in sql.split(|c| !number(c)).take(4 * MAX_LITERALS) {
            if let Ok(int) = word.parse::<i64>() {
                literals.ints.extend([int, int.saturating_add(1), int.saturating_sub(1)]);
            }
            if let Ok(float) = word.parse::<f64>()
                && float.is_finite()
            {
                literals.floats.extend(
                    [float, float.next_up(), float.next_down()].into_iter().filter(|f| f.is_finite()),
                );
            }
        }
        literals
    }
}

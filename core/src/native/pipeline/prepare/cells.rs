//! Splitting lines into the cells of CSV.
//!
//! It reads one line at a time, so that a quote that is never closed costs its reader one line and not the rest of the file; that
//! is why it is not the `csv` crate, with which it agrees on all that is well formed. It knows nothing of headers and repairs.

/// The cells of one record.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Cells {
    text: String,
    ends: Vec<usize>,
    /// A closing quote was followed by more text.
    pub stray: bool,
}

impl Cells {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell in that place.
    pub fn get(&self, at: usize) -> Option<&str> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.text.get(start..*self.ends.get(at)?)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Adds a cell.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.end();
    }

    fn end(&mut self) {
        self.ends.push(self.text.len());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a cell.
    Start,
    /// In a cell without quotes, or after its closing quote.
    Plain,
    /// Between quotes.
    Quoted,
    /// Just after a quote between quotes: the closing one, or half of a doubled one.
    Closing,
}

/// Reads lines until a record is complete.
#[derive(Debug)]
pub struct Splitter {
    delimiter: u8,
    /// Whether quotes mean anything.
    quotes: bool,
    state: State,
    cells: Cells,
}

impl Splitter {
    /// At the beginning of a record.
    pub fn new(delimiter: u8, quotes: bool) -> Self {
        Self { delimiter, quotes, state: State::Start, cells: Cells::default() }
    }

    /// Takes a line with its end; true when it completes the record.
    pub fn feed(&mut self, line: &str) -> bool {
        let body = line.strip_suffix('\n').unwrap_or(line);
        let body = body.strip_suffix('\r').unwrap_or(body);
        let mut from = 0;
        for (at, &byte) in body.as_bytes().iter().enumerate() {
            let next = self.step(byte);
            if let Some((keep, state)) = next {
                self.cells.text.push_str(body.get(from..at + usize::from(keep)).unwrap_or_default());
                from = at + 1;
                if byte == self.delimiter && state == State::Start {
                    self.cells.end();
                }
                self.state = state;
            }
        }
        self.cells.text.push_str(body.get(from..).unwrap_or_default());
        if self.state == State::Quoted {
            // The end of the line belongs to the cell.
            self.cells.text.push_str(line.get(body.len()..).unwrap_or_default());
            return false;
        }
        self.cells.end();
        self.state = State::Start;
        true
    }

    /// What a byte does, when it is more than one of a cell's: whether it is kept, and the state after it.
    fn step(&mut self, byte: u8) -> Option<(bool, State)> {
        let delimiter = byte == self.delimiter;
        match self.state {
            State::Start | State::Plain | State::Closing if delimiter => Some((false, State::Start)),
            State::Start if byte == b'"' && self.quotes => Some((false, State::Quoted)),
            State::Start => {
                self.state = State::Plain;
                None
            }
            State::Quoted if byte == b'"' => Some((false, State::Closing)),
            State::Closing if byte == b'"' => Some((true, State::Quoted)),
            State::Closing => {
                self.cells.stray = true;
                self.state = State::Plain;
                None
            }
            State::Plain | State::Quoted => None,
        }
    }

    /// The cells so far.
    pub fn finish(mut self) -> Cells {
        if self.state == State::Quoted {
            self.cells.end();
        }
        self.cells
    }
}

/// The cells of one line, which need not be a whole record.
pub fn split(line: &str, delimiter: u8, quotes: bool) -> (Cells, bool) {
    let mut splitter = Splitter::new(delimiter, quotes);
    let whole = splitter.feed(line);
    (splitter.finish(), whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(lines: &[&str]) -> Vec<String> {
        let mut splitter = Splitter::new(b',', true);
        let whole = lines.iter().filter(|line| splitter.feed(line)).count();
        assert_eq!(whole, 1, "{lines:?}");
        splitter.finish().iter().map(String::from).collect()
    }

    #[test]
    fn cells_are_those_of_rfc_4180() {
        assert_eq!(cells(&["a,b,c\r\n"]), ["a", "b", "c"]);
        assert_eq!(cells(&["\"a,\"\"b\"\"\",,\n"]), ["a,\"b\"", "", ""]);
        assert_eq!(cells(&["1,\"two\r\n", "lines\",3\n"]), ["1", "two\r\nlines", "3"]);
        assert_eq!(cells(&["a\"b\",c"]), ["a\"b\"", "c"]);
        assert_eq!(cells(&["\"\""]), [""]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let (found, whole) = split("1,\"a\"b,c\n", b',', true);
        assert!(whole && found.stray);
        assert_eq!(found.iter().collect::<Vec<_>>(), ["1", "ab", "c"]);
        let (found, whole) = split("1,\"open\n", b',', true);
        assert!(!whole && found.len() == 2);
        let (found, whole) = split("1,\"open\n", b',', false);
        assert_eq!((whole, found.get(1)), (true, Some("\"open")));
    }

    /// Random records, quoted where they must be or by chance, read by the `csv` crate too.
    #[test]
    fn what_is_well_formed_is_read_as_the_csv_crate_reads_it() {
        let mut seed = 7u64;
        let mut below = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        let pieces = ["a", "Zoë", ",", "\"", "\n", "\r\n", " ", "", "'", ";"];
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..1 + below(4) {
                for column in 0..3 {
                    let cell: String = (0..below(5)).map(|_| pieces[below(10) as usize]).collect();
                    let quoted = below(4) == 0 || cell.contains(['\n', '\r', '"', ',']);
                    let quote = |cell: String| format!("\"{}\"", cell.replace('"', "\"\""));
                    text += &if quoted { quote(cell) } else { cell };
                    text += if column < 2 { "," } else { ["\n", "\r\n"][below(2) as usize] };
                }
            }
            let mut oracle = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> =
                oracle.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect();
            let (mut found, mut splitter) = (Vec::new(), Splitter::new(b',', true));
            for line in text.split_inclusive('\n') {
                if splitter.feed(line) {
                    let whole = std::mem::replace(&mut splitter, Splitter::new(b',', true)).finish();
                    found.push(whole.iter().map(String::from).collect::<Vec<_>>());
                }
            }
            assert_eq!(found, expected, "{text:?}");
        }
    }
}

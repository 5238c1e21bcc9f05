//! CSV and TSV: a header, records over one or more lines, and careful repairs.
//!
//! Three things are repaired, and none of them takes a line that is a record of its own:
//! - *surplus cells*, when `malformed_column` says in whose text the delimiters stand: its cells are joined again;
//! - *a broken line*, when that column's text has a line end that nobody quoted: the next line is its rest only if it can neither be a
//!   record nor the beginning of one (a column before the malformed one has a type that its cell does not fit);
//! - *a quote that is never closed*: it is taken as text, and reading goes on with the next line.
//!
//! All else is refused, with its bytes. Blank lines are no records. Cells are kept as they are; an empty one is null.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::cells::{Cells, Splitter, split};
use super::found::{Content, Found, RecordSource, cut};
use super::spec::{SourceFormat, SourceSpec};
use super::text::{TextLine, TextLines};
use crate::error::StoreError;
use crate::native::pipeline::lines::MAX_LINE_BYTES;
use crate::native::pipeline::record::typed_text;
use crate::schema::FieldType;

/// The cells of a record, and what was repaired; or why there are none.
type Read = Result<(Cells, Option<String>), String>;

/// Lines that a broken record may have.
const STITCHED_LINES: usize = 8;

/// The types of the fields that source columns fill, where they have one that not every text fits.
pub type Kinds<'k> = dyn Fn(&str) -> Option<FieldType> + 'k;

/// A file of CSV or TSV.
pub struct TableFile {
    path: PathBuf,
    lines: TextLines,
    ahead: VecDeque<TextLine>,
    delimiter: u8,
    malformed: Option<usize>,
    header: Vec<String>,
    kinds: Vec<Option<FieldType>>,
    number: u64,
}

impl TableFile {
    /// Opens a file; `header` are the columns of a file that has no header of its own.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::BadSource`] for a header that names a column twice, a mapped column that is missing, a
    /// `malformed_column` beyond the last.
    pub fn open(
        path: &Path,
        spec: &SourceSpec,
        format: SourceFormat,
        header: Option<Vec<String>>,
        kinds: &Kinds<'_>,
    ) -> Result<Self, StoreError> {
        let bad = |reason| StoreError::BadSource { path: path.into(), reason };
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        let lines = TextLines::open(path, spec.encoding().map_err(bad)?).map_err(fail)?;
        let mut table = Self {
            path: path.into(),
            lines,
            ahead: VecDeque::new(),
            delimiter: spec.delimiter_byte(format),
            malformed: spec.malformed_column,
            header: Vec::new(),
            kinds: Vec::new(),
            number: 0,
        };
        table.header = match header {
            Some(header) => header,
            None => table.read_header()?,
        };
        table.check_header().map_err(bad)?;
        table.kinds = table.header.iter().map(|name| kinds(name)).collect();
        Ok(table)
    }

    /// The names of its columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    fn read_header(&mut self) -> Result<Vec<String>, StoreError> {
        if !self.skip_blank()? {
            return Ok(Vec::new());
        }
        let (cells, used, whole) = self.record()?;
        let wrong = self.ahead.iter().take(used).find_map(|line| line.wrong.clone());
        if let Some(reason) = wrong.or((!whole).then(|| "a quote is never closed".to_owned())) {
            let reason = format!("its header cannot be read: {reason}");
            return Err(StoreError::BadSource { path: self.path.clone(), reason });
        }
        self.ahead.drain(..used);
        Ok(cells.iter().map(|name| name.trim().to_owned()).collect())
    }

    fn check_header(&self) -> Result<(), String> {
        for (at, name) in self.header.iter().enumerate() {
            if self.header.iter().skip(at + 1).any(|other| other == name) {
                return Err(format!("its header names the column {name:?} twice"));
            }
        }
        let columns = self.header.len();
        match self.malformed.filter(|&malformed| columns > 0 && malformed > columns) {
            Some(malformed) => Err(format!("malformed_column is {malformed}, but it has {columns} columns")),
            None => Ok(()),
        }
    }

    /// Makes sure that line `at` is there, if the file has it.
    fn reach(&mut self, at: usize) -> Result<bool, StoreError> {
        while self.ahead.len() <= at {
            let line = self.lines.next();
            match line.map_err(|source| self.failed(source))? {
                Some(line) => self.ahead.push_back(line),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn failed(&self, source: std::io::Error) -> StoreError {
        StoreError::File { action: "read", path: self.path.clone(), source }
    }

    /// Leaves a line that is not blank in front; false at the end.
    fn skip_blank(&mut self) -> Result<bool, StoreError> {
        while self.reach(0)? {
            match self.ahead.front() {
                Some(line) if line.wrong.is_none() && line.text.trim_matches(['\r', '\n']).is_empty() => {
                    self.ahead.pop_front();
                }
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    /// The cells of the record in front, how many lines it has, and whether it is complete.
    fn record(&mut self) -> Result<(Cells, usize, bool), StoreError> {
        let mut splitter = Splitter::new(self.delimiter, true);
        let (mut used, mut bytes) = (0, 0);
        while bytes < MAX_LINE_BYTES && self.reach(used)? {
            let Some(line) = self.ahead.get(used) else { break };
            used += 1;
            bytes += line.text.len();
            if splitter.feed(&line.text) {
                return Ok((splitter.finish(), used, true));
            }
        }
        Ok((splitter.finish(), used, false))
    }

    /// What the record in front is, and how many lines it takes.
    fn read(&mut self) -> Result<(Read, usize), StoreError> {
        let (cells, used, whole) = self.record()?;
        let sound = whole && !(cells.stray && used > 1);
        let wrong = self.ahead.iter().take(used).find_map(|line| line.wrong.clone());
        if sound && cells.len() == self.header.len() {
            let repaired = cells.stray.then(|| "text stands after a closing quote".to_owned());
            return Ok((wrong.map_or(Ok((cells, repaired)), Err), used));
        }
        if used > 1 && (!sound || self.holds_a_record(used)) {
            return self.unclosed();
        }
        if let Some(wrong) = wrong {
            return Ok((Err(wrong), used));
        }
        if cells.len() < self.header.len() && used == 1 {
            return self.stitch(cells);
        }
        Ok((self.rejoin(cells), used))
    }

    /// Whether one of the lines after the first is a record of its own.
    fn holds_a_record(&self, used: usize) -> bool {
        let good = |line: &TextLine| {
            let (cells, whole) = split(&line.text, self.delimiter, true);
            whole && !cells.stray && cells.len() == self.header.len()
        };
        self.ahead.iter().take(used).skip(1).any(good)
    }

    /// The line in front with its quotes as text, because one of them is never closed.
    fn unclosed(&mut self) -> Result<(Read, usize), StoreError> {
        let reason = "a quote is never closed";
        let Some(line) = self.ahead.front() else { return Ok((Err(reason.into()), 1)) };
        if let Some(wrong) = &line.wrong {
            return Ok((Err(wrong.clone()), 1));
        }
        let (cells, _) = split(&line.text, self.delimiter, false);
        let repaired = match self.rejoin(cells) {
            Ok((cells, _)) => Ok((cells, Some(format!("{reason}, it is kept as text")))),
            Err(other) => Err(format!("{reason}, and without quotes {other}")),
        };
        Ok((repaired, 1))
    }

    /// Joins surplus cells of the malformed column.
    fn rejoin(&self, cells: Cells) -> Read {
        let (found, wanted) = (cells.len(), self.header.len());
        match self.malformed.filter(|_| found > wanted) {
            _ if found == wanted => Ok((cells, None)),
            None => Err(format!("it has {found} cells, the header has {wanted}")),
            Some(column) => {
                let surplus = found - wanted;
                let joint = column - 1..column + surplus;
                let mut joined = Cells::default();
                let mut middle: Vec<&str> = Vec::with_capacity(surplus + 1);
                for (at, cell) in cells.iter().enumerate() {
                    if joint.contains(&at) {
                        middle.push(cell);
                    } else {
                        joined.push(cell);
                    }
                    if at + 1 == joint.end {
                        joined.push(&middle.join(&char::from(self.delimiter).to_string()));
                    }
                }
                Ok((joined, Some(format!("{surplus} delimiters in column {column} were not quoted"))))
            }
        }
    }

    /// Joins a line that ends within the malformed column with the lines that hold the rest of it.
    fn stitch(&mut self, first: Cells) -> Result<(Read, usize), StoreError> {
        let wanted = self.header.len();
        let short = format!("it has {} cells, the header has {wanted}", first.len());
        let Some(column) = self.malformed.filter(|&column| column == first.len()) else {
            return Ok((Err(short), 1));
        };
        let mut cells: Vec<String> = first.iter().map(String::from).collect();
        for used in 1..STITCHED_LINES {
            if !self.reach(used)? {
                break;
            }
            let Some(line) = self.ahead.get(used) else { break };
            let (next, whole) = split(&line.text, self.delimiter, true);
            if !whole || line.wrong.is_some() || self.may_begin_a_record(&next, column) {
                let reason =
                    format!("{short}; the next line may be a record of its own, so it is not joined");
                return Ok((Err(reason), 1));
            }
            let mut parts = next.iter();
            if let (Some(last), Some(rest)) = (cells.last_mut(), parts.next()) {
                last.push('\n');
                last.push_str(rest);
            }
            cells.extend(parts.map(String::from));
            if cells.len() >= wanted {
                let reason = format!("a line end in column {column} was not quoted");
                let mut joined = Cells::default();
                cells.iter().for_each(|cell| joined.push(cell));
                return Ok(match cells.len() == wanted {
                    true => (Ok((joined, Some(reason))), used + 1),
                    false => (Err(short), 1),
                });
            }
            if cells.len() != column {
                break;
            }
        }
        Ok((Err(short), 1))
    }

    /// Whether a line after a short one may be a record, or the beginning of one that is broken too. Only a type tells: where a cell
    /// before the malformed column does not fit its field, it cannot be.
    fn may_begin_a_record(&self, cells: &Cells, column: usize) -> bool {
        if cells.len() == self.header.len() {
            return true;
        }
        let before = || cells.iter().take(column - 1).zip(&self.kinds);
        let fits = |cell: &str, kind: &FieldType| typed_text(kind, cell).is_some() && !cell.trim().is_empty();
        if before().any(|(cell, kind)| kind.as_ref().is_some_and(|kind| !fits(cell, kind))) {
            return false;
        }
        cells.len() >= column || before().any(|(_, kind)| kind.is_some())
    }

    fn fields(&self, cells: &Cells) -> Map<String, Json> {
        let value = |cell: &str| if cell.is_empty() { Json::Null } else { Json::String(cell.to_owned()) };
        self.header.iter().cloned().zip(cells.iter().map(value)).collect()
    }
}

impl RecordSource for TableFile {
    fn next(&mut self) -> Result<Option<Found>, StoreError> {
        if !self.skip_blank()? {
            return Ok(None);
        }
        let (read, used) = self.read()?;
        let lines: Vec<TextLine> = self.ahead.drain(..used.min(self.ahead.len())).collect();
        let bytes = lines.first().zip(lines.last()).map(|(first, last)| (first.start, last.end));
        self.number += 1;
        let content = match read {
            Ok((cells, repaired)) => Content::Record(self.fields(&cells), repaired),
            Err(reason) => {
                let raw: String = lines.iter().map(|line| cut(&line.text)).collect();
                Content::Refused { reason, raw: cut(raw.trim_end_matches(['\r', '\n'])) }
            }
        };
        Ok(Some(Found { number: self.number, bytes, content }))
    }

    fn consumed(&self) -> u64 {
        self.lines.consumed()
    }
}

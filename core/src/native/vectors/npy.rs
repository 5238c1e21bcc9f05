//! NumPy's npy files: a header of text, then the numbers.
//!
//! Only what vectors and row numbers need: two axes, in C order, of floats or of integers, in either byte order. The
//! file must be exactly as long as its header says.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use half::f16;

use super::{Rows, Wrong, check_dimension};
use crate::error::StoreError;

/// Magic and version.
const PREFIX: usize = 8;
/// The longest header that is read. NumPy's own stay below 200 bytes for arrays without named fields.
const MAX_HEADER: usize = 1 << 16;

/// What a number is, without its byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    F16,
    F32,
    F64,
    I32,
    I64,
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

/// An opened file, one row after another.
struct Npy {
    input: BufReader<File>,
    kind: Kind,
    big_endian: bool,
    rows: u64,
    width: usize,
    bytes: Vec<u8>,
}

impl Npy {
    fn open(path: &Path) -> Result<Self, Wrong> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut input = BufReader::with_capacity(1 << 18, file);
        let (header, data) = read_header(&mut input)?;
        let (kind, big_endian) = element(value(&header, "descr")?)?;
        if value(&header, "fortran_order")?.starts_with("True") {
            return Err(Wrong::Content(
                "its rows are not one after another; save np.ascontiguousarray of it".into(),
            ));
        }
        let (rows, width) = shape(value(&header, "shape")?)?;
        let bytes = rows.checked_mul(width).and_then(|count| count.checked_mul(kind.size() as u64));
        if bytes.and_then(|bytes| bytes.checked_add(data)) != Some(length) {
            let reason =
                format!("its header says {rows} x {width}, but it has {length} bytes; it is not whole");
            return Err(Wrong::Content(reason));
        }
        let width = usize::try_from(width).unwrap_or(usize::MAX);
        check_dimension(width)?;
        Ok(Self { input, kind, big_endian, rows, width, bytes: Vec::new() })
    }

    /// The bytes of the next row, in the order of this machine's little-endian readers.
    fn next(&mut self) -> Result<Option<&[u8]>, Wrong> {
        let Some(left) = self.rows.checked_sub(1) else { return Ok(None) };
        self.rows = left;
        self.bytes.resize(self.width * self.kind.size(), 0);
        self.input.read_exact(&mut self.bytes)?;
        if self.big_endian {
            self.bytes.chunks_exact_mut(self.kind.size()).for_each(<[u8]>::reverse);
        }
        Ok(Some(&self.bytes))
    }
}

/// Vectors.
pub struct FloatRows(Npy);

impl FloatRows {
    pub fn open(path: &Path) -> Result<Self, Wrong> {
        let npy = Npy::open(path)?;
        match npy.kind {
            Kind::F16 | Kind::F32 | Kind::F64 => Ok(Self(npy)),
            Kind::I32 | Kind::I64 => Err(Wrong::Content("it holds integers, not floats".into())),
        }
    }
}

impl Rows for FloatRows {
    fn next(&mut self, vector: &mut Vec<f32>) -> Result<bool, Wrong> {
        let kind = self.0.kind;
        let Some(bytes) = self.0.next()? else { return Ok(false) };
        vector.clear();
        match kind {
            Kind::F16 => vector.extend(bytes.as_chunks().0.iter().map(|&b| f16::from_le_bytes(b).to_f32())),
            Kind::F32 => vector.extend(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b))),
            // What a float cannot hold becomes infinite, and is refused with its record.
            Kind::F64 => vector.extend(bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32)),
            Kind::I32 | Kind::I64 => {}
        }
        Ok(true)
    }
}

/// Reads an npy file of rows of integers: 32 or 64 bits, two axes.
///
/// # Errors
/// [`StoreError::File`], [`StoreError::BadVectors`].
pub fn read_integers(path: &Path) -> Result<Vec<Vec<i64>>, StoreError> {
    integers(path).map_err(|wrong| wrong.in_file(path))
}

fn integers(path: &Path) -> Result<Vec<Vec<i64>>, Wrong> {
    let mut npy = Npy::open(path)?;
    let (kind, mut all) = (npy.kind, Vec::new());
    while let Some(bytes) = npy.next()? {
        all.push(match kind {
            Kind::I32 => bytes.as_chunks().0.iter().map(|&b| i64::from(i32::from_le_bytes(b))).collect(),
            Kind::I64 => bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect(),
            _ => return Err(Wrong::Content("it holds floats, not integers".into())),
        });
    }
    Ok(all)
}

/// The header's text, and where the numbers begin.
fn read_header(input: &mut impl Read) -> Result<(String, u64), Wrong> {
    let mut prefix = [0; PREFIX];
    input.read_exact(&mut prefix)?;
    let (length, width) = match prefix[6] {
        1 => {
            let mut bytes = [0; 2];
            input.read_exact(&mut bytes)?;
            (usize::from(u16::from_le_bytes(bytes)), 2)
        }
        2 | 3 => {
            let mut bytes = [0; 4];
            input.read_exact(&mut bytes)?;
            (u32::from_le_bytes(bytes) as usize, 4)
        }
        other => return Err(Wrong::Content(format!("it has npy version {other}, known are 1 to 3"))),
    };
    if length > MAX_HEADER {
        return Err(Wrong::Content(format!(
            "its header has {length} bytes, more than any array of numbers needs"
        )));
    }
    let mut header = vec![0; length];
    input.read_exact(&mut header)?;
    let header = String::from_utf8(header).map_err(|_| String::from("its header is not text"))?;
    Ok((header, (PREFIX + width + length) as u64))
}

/// What stands behind a key of the header, up to its end.
fn value<'h>(header: &'h str, key: &str) -> Result<&'h str, String> {
    let start = header.find(&format!("'{key}':")).ok_or_else(|| format!("its header has no {key:?}"))?;
    Ok(header.get(start + key.len() + 3..).unwrap_or_default().trim_start())
}

/// `'<f4', ...`
fn element(text: &str) -> Result<(Kind, bool), String> {
    let name = text.strip_prefix('\'').and_then(|text| text.split('\'').next()).unwrap_or("of named fields");
    let (big_endian, name) = match name.split_at_checked(1) {
        Some(("<", name)) => (false, name),
        Some((">", name)) => (true, name),
        _ => (false, name),
    };
    let kind = match name {
        "f2" => Kind::F16,
        "f4" => Kind::F32,
        "f8" => Kind::F64,
        "i4" => Kind::I32,
        "i8" => Kind::I64,
        other => {
            return Err(format!(
                "its numbers are {other:?}; possible are f2, f4 and f8, for row numbers i4 and i8"
            ));
        }
    };
    Ok((kind, big_endian))
}

/// `(117791, 384), ...`
fn shape(text: &str) -> Result<(u64, u64), String> {
    let inner = text.strip_prefix('(').and_then(|text| text.split(')').next()).unwrap_or_default();
    let axes = inner.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let axes: Option<Vec<u64>> = axes.map(|axis| axis.parse().ok()).collect();
    match axes.as_deref() {
        Some(&[rows, width]) => Ok((rows, width)),
        Some(axes) => Err(format!("it has {} axes; a row for each record needs two", axes.len())),
        None => Err("its header has no readable shape".into()),
    }
}

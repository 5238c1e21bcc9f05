//! Opening a source file by its format.

use std::path::Path;

use super::columnar::Columnar;
use super::found::RecordSource;
use super::jsonl::JsonLines;
use super::spec::{SourceFormat, SourceSpec};
use super::table::{Kinds, TableFile};
use crate::error::{StoreError, near_names};

/// An open file.
pub struct Opened {
    /// Its format.
    pub format: SourceFormat,
    /// Its columns, in formats with a header.
    pub header: Vec<String>,
    /// Its records.
    pub records: Box<dyn RecordSource>,
}

/// Opens a file of a source; `header` are the columns of a file without a header of its own.
///
/// # Errors
/// [`StoreError::File`]; [`StoreError::BadSource`] for a file that is not what the source says.
pub fn open(
    path: &Path,
    spec: &SourceSpec,
    header: Option<Vec<String>>,
    kinds: &Kinds<'_>,
) -> Result<Opened, StoreError> {
    let format = spec.format_of(path)?;
    let bad = |reason| StoreError::BadSource { path: path.into(), reason };
    Ok(match format {
        SourceFormat::Csv | SourceFormat::Tsv => {
            let table = TableFile::open(path, spec, format, header, kinds)?;
            let header = table.header().to_vec();
            let known = |column: &&String| !header.contains(column);
            if let Some(column) = spec.columns.values().find(known).filter(|_| !header.is_empty()) {
                let near = near_names(column, header.iter().map(String::as_str));
                let hint = near.first().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                return Err(bad(format!("it has no column {column:?}{hint}")));
            }
            Opened { format, header, records: Box::new(table) }
        }
        SourceFormat::Jsonl => {
            let records = JsonLines::open(path, spec.encoding().map_err(bad)?)?;
            Opened { format, header: Vec::new(), records: Box::new(records) }
        }
        SourceFormat::Parquet | SourceFormat::Arrow => {
            Opened { format, header: Vec::new(), records: Box::new(Columnar::open(path, format)?) }
        }
    })
}

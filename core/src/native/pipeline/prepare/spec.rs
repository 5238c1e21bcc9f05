//! What a source is: files of one model, their format, and how their columns become fields.
//!
//! Sources stand in the registry (`[[model.source]]`) or come from the command line. A source reads nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use serde::Deserialize;

use crate::error::StoreError;

/// The token in a file name that stands for a number: `part-<int>.csv` is part-1.csv, part-2.csv, part-10.csv.
const NUMBER: &str = "<int>";

/// The format of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SourceFormat {
    /// Comma-separated values, or with another delimiter.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// Parquet.
    Parquet,
    /// An Arrow IPC file or stream.
    Arrow,
}

impl SourceFormat {
    /// Whether its values are texts, to be read by the types of their fields.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }

    /// The format that a file's name says.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            "arrow" | "ipc" | "feather" | "arrows" => Some(Self::Arrow),
            _ => None,
        }
    }
}

/// Which files of a set begin with a line of column names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderPolicy {
    /// Every file; each may have its own order of columns.
    #[default]
    All,
    /// The first file; the others go on with its columns.
    FirstOnly,
}

/// One source of a model's records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// The file, or a set of files with `<int>` for a number in the file name.
    pub path: PathBuf,
    /// The format; by the file's name if left out.
    pub format: Option<SourceFormat>,
    /// The encoding of text files without a byte-order mark; UTF-8 if left out.
    pub encoding: Option<String>,
    /// What separates cells; a comma, or a tab in TSV, if left out.
    pub delimiter: Option<char>,
    /// Which files have a header.
    #[serde(default)]
    pub header: HeaderPolicy,
    /// Fields and the source columns they come from; other columns keep their names.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// The column, from 1, whose text may hold delimiters and line ends that nobody quoted.
    pub malformed_column: Option<usize>,
    /// Records without a value (nothing, `NA` or `N/A`) in one of these fields are dropped.
    #[serde(default)]
    pub drop_na_columns: Vec<String>,
}

impl SourceSpec {
    /// Refuses settings that cannot be meant.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), String> {
        if self.malformed_column == Some(0) {
            return Err("malformed_column counts from 1".into());
        }
        if let Some(delimiter) = self.delimiter
            && (!delimiter.is_ascii() || matches!(delimiter, '"' | '\n' | '\r'))
        {
            return Err(format!("the delimiter {delimiter:?} must be one ASCII character, and no quote"));
        }
        self.encoding().map(|_| ())
    }

    /// The declared encoding.
    ///
    /// # Errors
    /// There is no such encoding.
    pub fn encoding(&self) -> Result<Option<&'static Encoding>, String> {
        let Some(label) = &self.encoding else { return Ok(None) };
        let found = Encoding::for_label(label.as_bytes());
        found
            .map(Some)
            .ok_or_else(|| format!("there is no encoding {label:?}; an example is \"windows-1252\""))
    }

    /// The format of one of its files.
    ///
    /// # Errors
    /// [`StoreError::BadSource`] when neither the source nor the name says it.
    pub fn format_of(&self, path: &Path) -> Result<SourceFormat, StoreError> {
        self.format.or_else(|| SourceFormat::of(path)).ok_or_else(|| StoreError::BadSource {
            path: path.into(),
            reason: "its name does not say its format; give format = \"csv\", \"tsv\", \"jsonl\", \"parquet\" or \"arrow\"".into(),
        })
    }

    /// The byte between cells.
    pub fn delimiter_byte(&self, format: SourceFormat) -> u8 {
        let default = if format == SourceFormat::Tsv { b'\t' } else { b',' };
        self.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok()).unwrap_or(default)
    }

    /// Its files, sets in the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::BadSource`] for a set without files.
    pub fn files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let Some((head, tail)) = name.split_once(NUMBER) else { return Ok(vec![self.path.clone()]) };
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let fail = |source| StoreError::File { action: "read", path: folder.into(), source };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(head)?.strip_suffix(tail));
            let digits = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            // Compared as numbers of any length: by length without leading zeros, then by digits.
            if let Some(number) = digits.filter(|number| !number.is_empty()) {
                let plain = number.trim_start_matches('0').to_owned();
                found.push((plain.len(), plain, name));
            }
        }
        found.sort();
        if found.is_empty() {
            let reason = "no file of that set exists; <int> stands for digits".into();
            return Err(StoreError::BadSource { path: self.path.clone(), reason });
        }
        Ok(found.into_iter().map(|(_, _, name)| folder.join(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["p-2.csv", "p-10.csv", "p-01.csv", "p-x.csv", "p-.csv", "q-1.csv"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let set = SourceSpec { path: dir.path().join("p-<int>.csv"), ..Default::default() };
        let files = set.files().unwrap();
        let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["p-01.csv", "p-2.csv", "p-10.csv"]);
        let none = SourceSpec { path: dir.path().join("r-<int>.csv"), ..Default::default() };
        assert!(matches!(none.files(), Err(StoreError::BadSource { .. })));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let wrong = [
            SourceSpec { malformed_column: Some(0), ..Default::default() },
            SourceSpec { delimiter: Some('é'), ..Default::default() },
            SourceSpec { encoding: Some("utf-9".into()), ..Default::default() },
        ];
        assert!(wrong.iter().all(|spec| spec.check().is_err()));
        let fine = SourceSpec { delimiter: Some('|'), encoding: Some("latin1".into()), ..Default::default() };
        assert_eq!(fine.check(), Ok(()));
    }
}

//! The first records of a source, as they are.

use serde_json::{Map, Value as Json};

use super::found::Content;
use super::open::open;
use super::spec::SourceSpec;
use crate::error::StoreError;

/// What the beginning of a source holds.
pub struct Sample {
    /// Records by source column.
    pub records: Vec<Map<String, Json>>,
    /// Whether their values are texts.
    pub texts: bool,
    /// How many records could not be read.
    pub refused: u64,
}

/// Reads up to `count` records of the first file of a source.
///
/// # Errors
/// [`StoreError::File`], [`StoreError::BadSource`].
pub fn sample(spec: &SourceSpec, count: usize) -> Result<Sample, StoreError> {
    let mut sample = Sample { records: Vec::new(), texts: false, refused: 0 };
    let Some(file) = spec.files()?.into_iter().next() else { return Ok(sample) };
    let mut source = open(&file, spec, None, &|_| None)?;
    sample.texts = source.format.is_text();
    while sample.records.len() < count {
        match source.records.next()?.map(|found| found.content) {
            Some(Content::Record(record, _)) => sample.records.push(record),
            Some(Content::Refused { .. }) => sample.refused += 1,
            None => break,
        }
    }
    Ok(sample)
}

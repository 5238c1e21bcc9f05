//! JSON lines, one object a line, in any encoding.
//!
//! A line that is no object is refused, the rest goes on. Blank lines are no records.

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use serde_json::Value as Json;

use super::found::{Content, Found, RecordSource, cut};
use super::text::{TextLine, TextLines};
use crate::error::StoreError;
use crate::native::pipeline::record::shown;

/// A file of JSON lines.
pub struct JsonLines {
    path: PathBuf,
    lines: TextLines,
    number: u64,
}

impl JsonLines {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn open(path: &Path, encoding: Option<&'static Encoding>) -> Result<Self, StoreError> {
        let fail = |source| StoreError::File { action: "read", path: path.into(), source };
        Ok(Self { path: path.into(), lines: TextLines::open(path, encoding).map_err(fail)?, number: 0 })
    }
}

impl RecordSource for JsonLines {
    fn next(&mut self) -> Result<Option<Found>, StoreError> {
        loop {
            let line = self.lines.next();
            let line =
                line.map_err(|source| StoreError::File { action: "read", path: self.path.clone(), source })?;
            let Some(line) = line else { return Ok(None) };
            if line.wrong.is_none() && line.text.trim().is_empty() {
                continue;
            }
            self.number += 1;
            let bytes = Some((line.start, line.end));
            return Ok(Some(Found { number: self.number, bytes, content: content(line) }));
        }
    }

    fn consumed(&self) -> u64 {
        self.lines.consumed()
    }
}

fn content(line: TextLine) -> Content {
    let reason = match (line.wrong, serde_json::from_str(&line.text)) {
        (Some(wrong), _) => wrong,
        (None, Ok(Json::Object(record))) => return Content::Record(record, None),
        (None, Ok(other)) => format!("expected a JSON object, got {}", shown(&other)),
        (None, Err(error)) => format!("not JSON: {error}"),
    };
    Content::Refused { reason, raw: cut(&line.text) }
}
